/**
 * A network of connections such as TCP makes them: bytes arrive in order or not at all. They are delayed, cut into
 * pieces, held up, lost with their connection in the middle of anything; and two nodes may be unable to reach each other,
 * which neither notices but by silence.
 */
import type { SeededRandom } from '../support/random.js';
import type { SimClock } from './sim-clock.js';

/** Bytes that may be on the way in one direction before a sender has to wait. */
const WINDOW_BYTES = 4096;
const RETRY_MS = 50;

export interface Listener {
	/** Undefined: nobody listens (the node is down). */
	accept(end: ConnectionEnd): boolean;
}

/** One end of a connection. */
export class ConnectionEnd {
	onBytes: (bytes: Buffer) => void = () => {};
	onConnected: () => void = () => {};
	onClosed: () => void = () => {};
	/** More can be sent. */
	onDrained: () => void = () => {};
	isClosed = false;
	/** Bytes on the way to the other end. */
	inFlight = 0;
	readonly local: string;
	readonly remote: string;
	peer!: ConnectionEnd;
	private readonly network: SimNetwork;
	private lastArrivalMs = 0;
	private readonly deliveries: { readonly arrivalMs: number; readonly deliver: () => void }[] = [];
	/** While set, what arrives waits. */
	isPaused = false;
	private readonly arrived: Buffer[] = [];

	constructor(network: SimNetwork, local: string, remote: string) {
		this.network = network;
		this.local = local;
		this.remote = remote;
	}

	get canSend(): boolean {
		return !this.isClosed && this.inFlight < WINDOW_BYTES;
	}

	send(bytes: Buffer): void {
		if (this.isClosed || bytes.length === 0) return;
		this.inFlight += bytes.length;
		const { random } = this.network;
		const cutAt = random.chance(0.3) ? random.below(bytes.length) : 0;
		if (cutAt > 0) this.dispatch(Buffer.from(bytes.subarray(0, cutAt)));
		this.dispatch(Buffer.from(bytes.subarray(cutAt)));
	}

	private dispatch(bytes: Buffer): void {
		this.inOrder(() => {
			this.inFlight -= bytes.length;
			if (!this.isClosed) this.onDrained();
			this.peer.arrive(bytes);
		});
	}

	/** Runs `deliver` when the network lets it through, behind what was sent before. */
	inOrder(deliver: () => void): void {
		const { clock } = this.network;
		const arrivalMs = Math.max(this.lastArrivalMs, clock.nowMs + this.network.delayMs());
		this.lastArrivalMs = arrivalMs;
		this.deliveries.push({ arrivalMs, deliver });
		if (this.deliveries.length === 1) clock.after(arrivalMs - clock.nowMs, () => this.deliverFirst());
	}

	private deliverFirst(): void {
		const { clock } = this.network;
		const heldMs = this.peer.isClosed ? 0 : this.network.heldMs(this);
		if (heldMs > 0) {
			clock.after(heldMs, () => this.deliverFirst());
			return;
		}
		const first = this.deliveries.shift()!;
		const next = this.deliveries[0];
		if (next !== undefined) clock.after(Math.max(0, next.arrivalMs - clock.nowMs), () => this.deliverFirst());
		if (!this.peer.isClosed) first.deliver();
	}

	private arrive(bytes: Buffer): void {
		if (this.isClosed) return;
		if (this.isPaused) this.arrived.push(bytes);
		else this.onBytes(bytes);
	}

	resume(): void {
		this.isPaused = false;
		while (!this.isPaused && !this.isClosed && this.arrived.length > 0) this.onBytes(this.arrived.shift()!);
	}

	/** Closes this end; the other one learns of it if the network lets it. */
	close(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.inOrder(() => this.peer.cut());
	}

	/** The connection is gone, as this end sees it. */
	cut(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.onClosed();
	}
}

export class SimNetwork {
	readonly clock: SimClock;
	readonly random: SeededRandom;
	/** The most that a packet may be delayed, in ms. */
	delayMsMax = 20;
	private readonly listeners = new Map<string, Listener>();
	private connections: ConnectionEnd[] = [];
	private readonly partitions = new Set<string>();
	private readonly stalls = new Map<ConnectionEnd, number>();

	constructor(clock: SimClock, random: SeededRandom) {
		this.clock = clock;
		this.random = random;
	}

	delayMs(): number {
		return 1 + this.random.below(this.delayMsMax);
	}

	listen(name: string, listener: Listener): void {
		this.listeners.set(name, listener);
	}

	/** The near end of a connection that is being made. */
	connect(from: string, to: string): ConnectionEnd {
		const near = new ConnectionEnd(this, from, to);
		const far = new ConnectionEnd(this, to, from);
		near.peer = far;
		far.peer = near;
		this.connections = this.connections.filter((end) => !end.isClosed || !end.peer.isClosed);
		this.connections.push(near);
		near.inOrder(() => {
			if (near.isClosed) return;
			const isAccepted = this.listeners.get(to)?.accept(far) ?? false;
			far.inOrder(() => {
				if (isAccepted) near.onConnected();
				else near.cut();
			});
		});
		return near;
	}

	/** How long what this end has sent must wait for the next try to deliver it, in ms; 0 if it need not. */
	heldMs(end: ConnectionEnd): number {
		if (this.partitions.has(pairOf(end.local, end.remote))) return RETRY_MS;
		const untilMs = this.stalls.get(end) ?? 0;
		return Math.max(0, untilMs - this.clock.nowMs);
	}

	/** Loses a connection: both ends notice, and what was on the way is gone, but for a part of it. */
	cutRandom(): void {
		const open = this.connections.filter((end) => !end.isClosed && !end.peer.isClosed);
		if (open.length === 0) return;
		const end = this.random.pick(open);
		end.cut();
		end.peer.cut();
	}

	/** Holds up what one end sends. */
	stallRandom(ms: number): void {
		const open = this.connections.filter((end) => !end.isClosed);
		if (open.length === 0) return;
		const end = this.random.pick(open);
		this.stalls.set(this.random.chance(0.5) ? end : end.peer, this.clock.nowMs + ms);
	}

	partition(a: string, b: string): void {
		this.partitions.add(pairOf(a, b));
	}

	heal(a: string, b: string): void {
		this.partitions.delete(pairOf(a, b));
	}

	healAll(): void {
		this.partitions.clear();
		this.stalls.clear();
	}

	/** The process of that node is gone: its connections are reset. */
	dropNode(name: string): void {
		for (const near of this.connections) {
			for (const end of [near, near.peer]) {
				if (end.local !== name || end.isClosed) continue;
				end.isClosed = true;
				end.inOrder(() => end.peer.cut());
			}
		}
	}
}

function pairOf(a: string, b: string): string {
	return a < b ? `${a}-${b}` : `${b}-${a}`;
}
