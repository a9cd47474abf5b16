/**
 * A server of the simulation: the real state machines of both ends of a link under drivers that know sockets, files and
 * a dataset as a model. What is on its disk survives it; the rest does not.
 */
import { aofEntryBytes } from '../../src/formats/aof-entry.js';
import { COMMAND, RequestParser } from '../../src/protocol/request-parser.js';
import type { FeedAction } from '../../src/replication/replica-feed-events.js';
import { ReplicaFeed } from '../../src/replication/replica-feed-state.js';
import type { LinkAction } from '../../src/replication/replica-link-events.js';
import { ReplicaLink } from '../../src/replication/replica-link-state.js';
import { ReplicationState, type StoredIds } from '../../src/replication/replication-state.js';
import { StreamUnits } from '../../src/replication/stream-units.js';
import type { SeededRandom } from '../support/random.js';
import type { SimClock } from './sim-clock.js';
import { SimDataset, SimLog } from './sim-log.js';
import type { ConnectionEnd, SimNetwork } from './sim-network.js';

const PARSER_LIMITS = { protoMaxBulkLen: 1 << 24 };
const READ_BYTES = 600;
const REPL_TIMEOUT_S = 5;
const TICK_MS = 100;
const SECOND_MS = 1000;

/** What the simulation wants to know of all nodes. */
export interface SimWorld {
	readonly clock: SimClock;
	readonly network: SimNetwork;
	readonly random: SeededRandom;
	/** Whether things go wrong: snapshots that fail. */
	isCalm: boolean;
	node(name: string): SimNode;
	note(text: string): void;
	fault(text: string): void;
	readonly counts: { full: number; partial: number };
}

interface Base {
	readonly offset: number;
	readonly dataset: SimDataset;
}

/** A part of the node's own history, and where it began. */
interface Name {
	readonly replid: string;
	from: number;
}

/** A connection that the node has accepted, with the master's end of a link on it. */
interface Inbound {
	readonly end: ConnectionEnd;
	readonly feed: ReplicaFeed;
	readonly parser: RequestParser;
	output: Buffer[];
	snapshot: Buffer | null;
	/** The snapshot that is sent, as long as it is not out; then null. */
	sending: boolean;
	/** Where the stream goes on; -1 before it begins. */
	position: number;
}

export class SimNode {
	isUp = false;
	state!: ReplicationState;
	link!: ReplicaLink;
	dataset = new SimDataset();
	log: SimLog;
	readonly name: string;
	readonly hasDisk: boolean;
	/** The names of its history, the last one being the present. */
	names: Name[] = [];
	/** There is nothing that it could offer a master. */
	hasNothing = true;

	private readonly world: SimWorld;
	private base: Base = { offset: 0, dataset: new SimDataset() };
	private fsyncedOffset = 0;
	private stored: StoredIds | null = null;
	private isClean = true;
	/** Increments when the process ends: what it had under way is void. */
	private incarnation = 0;
	private inbound: Inbound[] = [];
	private outbound: ConnectionEnd | null = null;
	private units: StreamUnits | null = null;
	private received: Buffer[] = [];
	private loadNumber = 0;
	private secondMs = 0;

	constructor(world: SimWorld, name: string, hasDisk: boolean) {
		this.world = world;
		this.name = name;
		this.hasDisk = hasDisk;
		this.log = new SimLog(0);
		world.network.listen(name, { accept: (end) => this.accept(end) });
	}

	get isConnected(): boolean {
		return this.link.phase === 'connected';
	}

	/** It was connected so short a time ago that its replicas may be ahead of it. */
	private get isCatchingUp(): boolean {
		const { upSinceMs } = this.link;
		return upSinceMs >= 0 && this.world.clock.nowMs - upSinceMs < REPL_TIMEOUT_S * SECOND_MS;
	}

	// ---- life -----------------------------------------------------------------------------------

	/** Starts the process, as a replica of `master` or as a master. */
	start(master: string | null): void {
		const { world } = this;
		this.isUp = true;
		this.incarnation++;
		this.state = new ReplicationState(this.newReplid());
		this.link = new ReplicaLink(this.state, this.linkSurroundings());
		if (master !== null) this.state.follow({ host: master, port: 1 });
		this.state.hasHistory = false;
		this.recover();
		this.store();
		world.note(
			`${this.name} starts at ${this.log.endOffset} as ${master ?? 'master'} under ${this.state.replid.slice(0, 6)}`,
		);
		if (master !== null)
			this.stepLink({ kind: 'follow', master: { host: master, port: 1 }, isFailover: false });
		const { incarnation } = this;
		const tick = (): void => {
			if (this.incarnation !== incarnation) return;
			this.tick();
			world.clock.after(TICK_MS, tick);
		};
		world.clock.after(TICK_MS, tick);
	}

	private recover(): void {
		const { stored, state } = this;
		if (!this.hasDisk || stored === null) {
			this.dataset = new SimDataset();
			this.log = new SimLog(0);
			this.base = { offset: 0, dataset: new SimDataset() };
			this.fsyncedOffset = 0;
			this.names = [{ replid: state.replid, from: 0 }];
			this.hasNothing = state.isReplica;
			return;
		}
		const { base, log } = this;
		this.dataset = base.dataset.copy();
		let end = base.offset;
		const units = new StreamUnits(PARSER_LIMITS, {
			apply: (args) => this.dataset.apply(args),
			append: (_source, from, to) => {
				end += to - from;
			},
		});
		const fault = units.feed(Buffer.from(log.read(base.offset, log.endOffset - base.offset)));
		if (fault !== null) this.world.fault(`${this.name} has written a log that it can't read: ${fault}`);
		log.cut(end);
		this.fsyncedOffset = end;
		for (const name of this.names) name.from = Math.min(name.from, end);
		state.restore(stored, end, this.isClean, state.replid);
		if (state.replid !== stored.replid) this.names.push({ replid: state.replid, from: end });
		this.hasNothing = false;
	}

	/** Ends the process: in order, by a kill, or with the machine, which loses what was not durable. */
	stop(how: 'clean' | 'kill' | 'power'): void {
		const { world, log } = this;
		world.note(`${this.name} stops (${how}) at ${log.endOffset}, durable to ${this.fsyncedOffset}`);
		this.isUp = false;
		this.incarnation++;
		this.isClean = how === 'clean';
		if (how === 'power')
			log.cut(this.fsyncedOffset + world.random.below(log.endOffset - this.fsyncedOffset + 1));
		this.inbound = [];
		this.outbound = null;
		world.network.dropNode(this.name);
	}

	follow(master: string): void {
		this.world.note(`${this.name} is to follow ${master}`);
		this.state.follow({ host: master, port: 1 });
		this.hasNothing = !this.state.hasHistory;
		this.store();
		this.stepLink({ kind: 'follow', master: { host: master, port: 1 }, isFailover: false });
	}

	promote(): void {
		if (!this.state.isReplica) return;
		this.stepLink({ kind: 'stop' });
		this.state.promote(this.log.endOffset, this.newReplid());
		this.nameChanged();
		this.hasNothing = false;
		this.world.note(
			`${this.name} is master from ${this.log.endOffset}, under ${this.state.replid.slice(0, 6)}`,
		);
		this.disconnectReplicas();
	}

	private nameChanged(): void {
		this.names.push({ replid: this.state.replid, from: this.log.endOffset });
		this.store();
	}

	private store(): void {
		const { replid, replid2, replid2EndOffset, isReplica } = this.state;
		this.stored = { replid, replid2, replid2EndOffset, wasMaster: !isReplica };
	}

	private newReplid(): string {
		return Array.from({ length: 40 }, () => this.world.random.below(16).toString(16)).join('');
	}

	// ---- log ------------------------------------------------------------------------------------

	/** A master's entry, or several as a transaction. */
	write(commands: readonly (readonly string[])[]): void {
		const entries = commands.length > 1 ? [['MULTI'], ...commands, ['EXEC']] : commands;
		for (const args of entries) this.log.append(aofEntryBytes(args));
		for (const args of commands) this.dataset.apply(args);
		this.pumpAll();
	}

	/** A new base; the log before it may go. */
	private makeBase(): void {
		this.base = { offset: this.log.endOffset, dataset: this.dataset.copy() };
		this.fsyncedOffset = this.log.endOffset;
	}

	/** Gives up history, as far as the base allows. */
	trim(): void {
		const { random } = this.world;
		if (random.chance(0.5)) this.makeBase();
		const { oldestOffset } = this.log;
		this.log.trim(oldestOffset + random.below(this.base.offset - oldestOffset + 1));
		for (const inbound of [...this.inbound])
			if (inbound.position >= 0 && inbound.position < this.log.oldestOffset) this.close(inbound);
	}

	private tick(): void {
		this.stepLink({ kind: 'tick' });
		this.secondMs += TICK_MS;
		if (this.secondMs < SECOND_MS) return;
		this.secondMs = 0;
		this.fsyncedOffset = this.log.endOffset;
		for (const inbound of [...this.inbound]) this.stepFeed(inbound, { kind: 'tick' });
		if (!this.state.isReplica && this.inbound.some((inbound) => inbound.feed.isReplica))
			this.write([['PING']]);
	}

	// ---- the replica's end ----------------------------------------------------------------------

	private linkSurroundings() {
		const { name, world } = this;
		const self = this;
		return {
			get endOffset() {
				return self.log.endOffset;
			},
			get fsyncedOffset() {
				return self.hasDisk ? self.fsyncedOffset : -1;
			},
			masterauth: world.random.chance(0.5) ? 'secret' : '',
			masteruser: '',
			announcedPort: 1,
			announcedIp: world.random.chance(0.5) ? name : '',
			replTimeout: REPL_TIMEOUT_S,
			loadsFromSocket: false,
			get followers() {
				return [name, ...self.inbound.flatMap((inbound) => [...inbound.feed.followers])];
			},
		};
	}

	private stepLink(event: Parameters<ReplicaLink['step']>[0]): void {
		for (const action of this.link.step(event, this.world.clock.nowMs)) this.doLink(action);
	}

	private doLink(action: LinkAction): void {
		switch (action.kind) {
			case 'connect':
				return this.connect(action.master.host);
			case 'send':
				if (action.bytes.includes('\r\nPSYNC\r\n$1\r\n?') && !this.hasNothing)
					this.world.fault(`${this.name} asks for all, and has something to offer`);
				this.outbound?.send(Buffer.from(action.bytes, 'latin1'));
				return;
			case 'close':
				this.outbound?.close();
				this.outbound = null;
				return;
			case 'begin-snapshot':
				this.received = [];
				return;
			case 'snapshot-bytes':
				this.received.push(Buffer.from(action.bytes));
				return;
			case 'abandon-snapshot':
				this.received = [];
				this.loadNumber++;
				return;
			case 'load-snapshot':
				return this.load(action.replid, action.offset);
			case 'continue':
				this.world.note(`${this.name} continues at ${this.log.endOffset}`);
				if (action.replidChanged) {
					this.nameChanged();
					this.disconnectReplicas();
				}
				this.beginStream();
				return;
			case 'stream': {
				const fault = this.units!.feed(action.bytes);
				if (fault !== null) this.world.fault(`${this.name} was sent what is no stream: ${fault}`);
				this.pumpAll();
				return;
			}
			case 'log':
				return this.world.note(`${this.name}: ${action.message}`);
			case 'failover-ended':
				return;
		}
	}

	private connect(host: string): void {
		const end = this.world.network.connect(this.name, host);
		this.outbound = end;
		const mine = (run: () => void) => () => this.outbound === end && run();
		end.onConnected = mine(() => this.stepLink({ kind: 'connected' }));
		end.onClosed = mine(() => {
			this.outbound = null;
			this.stepLink({ kind: 'closed', message: 'connection lost' });
		});
		end.onBytes = (bytes) => {
			if (this.outbound === end) this.stepLink({ kind: 'received', bytes });
		};
	}

	private beginStream(): void {
		this.units = new StreamUnits(PARSER_LIMITS, {
			apply: (args) => this.dataset.apply(args),
			append: (source, from, to) => this.log.append(source.subarray(from, to)),
		});
	}

	private load(replid: string, offset: number): void {
		const { world, outbound } = this;
		const number = ++this.loadNumber;
		const { incarnation } = this;
		if (outbound !== null) outbound.isPaused = true;
		const bytes = Buffer.concat(this.received);
		world.clock.after(1 + world.random.below(300), () => {
			if (this.incarnation !== incarnation || this.loadNumber !== number) return;
			const luck = world.isCalm ? 1 : world.random.float();
			if (luck < 0.04) {
				// The disk was full: the old data is still there.
				this.stepLink({ kind: 'snapshot-failed' });
				return;
			}
			this.disconnectReplicas();
			if (luck < 0.08) {
				// The old data was given up in memory before the new turned out to be bad.
				this.state.hasHistory = false;
				this.hasNothing = true;
				this.stepLink({ kind: 'snapshot-failed' });
				return;
			}
			this.dataset = SimDataset.fromBytes(bytes);
			this.state.adoptSnapshot(replid);
			this.log = new SimLog(offset);
			this.fsyncedOffset = offset;
			this.base = { offset, dataset: this.dataset.copy() };
			this.names = [{ replid, from: offset }];
			this.hasNothing = false;
			this.store();
			this.beginStream();
			world.note(`${this.name} has loaded the snapshot at ${offset}`);
			this.stepLink({ kind: 'loaded' });
			outbound?.resume();
		});
	}

	// ---- the master's end -----------------------------------------------------------------------

	private accept(end: ConnectionEnd): boolean {
		if (!this.isUp) return false;
		const parser = new RequestParser(PARSER_LIMITS);
		parser.authenticated = true;
		const inbound: Inbound = {
			end,
			feed: new ReplicaFeed(this.state, this.feedSurroundings(end.remote)),
			parser,
			output: [],
			snapshot: null,
			sending: false,
			position: -1,
		};
		this.inbound.push(inbound);
		end.onBytes = (bytes) => this.takeRequests(inbound, bytes);
		end.onDrained = () => this.pump(inbound);
		end.onClosed = () => {
			this.inbound = this.inbound.filter((other) => other !== inbound);
		};
		return true;
	}

	private feedSurroundings(replicaName: string) {
		const self = this;
		return {
			replicaName,
			get kept() {
				return self.log;
			},
			get isLinkUp() {
				return self.isConnected;
			},
			get isCatchingUp() {
				return self.isCatchingUp;
			},
			isFailingOver: false,
			hasPendingReplies: false,
			replTimeout: REPL_TIMEOUT_S,
			replDisklessSync: this.world.random.chance(0.5),
			runId: this.name,
		};
	}

	private takeRequests(inbound: Inbound, bytes: Buffer): void {
		inbound.parser.feed(bytes, 0, bytes.length);
		while (!inbound.end.isClosed && inbound.parser.next() === COMMAND) {
			const { args } = inbound.parser;
			switch (args[0]?.toLowerCase()) {
				case undefined:
					break;
				case 'ping':
					this.reply(inbound, '+PONG\r\n');
					break;
				case 'auth':
					this.reply(inbound, '+OK\r\n');
					break;
				case 'replconf':
					this.stepFeed(inbound, { kind: 'replconf', args });
					break;
				default:
					this.takeSync(inbound, args);
			}
		}
	}

	/** PSYNC, with the checks that the answer is the right one. */
	private takeSync(inbound: Inbound, args: string[]): void {
		const { world } = this;
		const replica = world.node(inbound.end.remote);
		const [, replid = '', psyncOffset = ''] = args;
		const from = Number(psyncOffset) - 1;
		const isKept = from >= this.log.oldestOffset && from <= this.log.endOffset;
		const isSame = replid !== '?' && this.log.isSameUpTo(replica.log, from);
		const knows = this.knowsName(replid, from);
		const before = { ...world.counts };
		this.stepFeed(inbound, { kind: 'sync', args });
		// It has gone on to something else in the meantime: what it asked for is not what it has.
		if (inbound.end.peer.isClosed) return;
		if (world.counts.partial > before.partial) {
			if (!isSame || !isKept)
				world.fault(`${this.name} lets ${replica.name} continue at ${from}, where it may not`);
		} else if (world.counts.full > before.full && knows) {
			const isSoonKept = from > this.log.endOffset && this.state.isReplica && this.isCatchingUp;
			if ((isSame && isKept) || isSoonKept)
				world.fault(`${this.name} makes ${replica.name} load all, which could continue at ${from}`);
		}
	}

	/** Whether the node can know that the history was its own up to there: it remembers two names. */
	private knowsName(replid: string, offset: number): boolean {
		const [present, before] = [...this.names].reverse();
		if (present?.replid === replid) return true;
		return before?.replid === replid && offset <= present!.from;
	}

	private reply(inbound: Inbound, text: string): void {
		inbound.output.push(Buffer.from(text, 'latin1'));
		this.pump(inbound);
	}

	private stepFeed(inbound: Inbound, event: Parameters<ReplicaFeed['step']>[0]): void {
		for (const action of inbound.feed.step(event, this.world.clock.nowMs)) this.doFeed(inbound, action);
	}

	private doFeed(inbound: Inbound, action: FeedAction): void {
		switch (action.kind) {
			case 'reply':
			case 'send':
				return this.reply(inbound, action.bytes);
			case 'request-snapshot':
				return this.chooseSnapshot(inbound);
			case 'send-snapshot':
				inbound.output.push(inbound.snapshot!);
				inbound.snapshot = null;
				inbound.sending = true;
				return this.pump(inbound);
			case 'stream':
				inbound.position = action.fromOffset;
				if (inbound.position < this.log.oldestOffset) return this.close(inbound);
				return this.pump(inbound);
			case 'count':
				if (action.what === 'full') this.world.counts.full++;
				else if (action.what === 'partial-ok') this.world.counts.partial++;
				return;
			case 'close':
				return this.close(inbound);
			case 'log':
				return this.world.note(`${this.name}: ${action.message}`);
			default:
				return;
		}
	}

	private chooseSnapshot(inbound: Inbound): void {
		const { world, incarnation } = this;
		const { random } = world;
		const canReuse = this.base.offset >= this.log.oldestOffset;
		if (!canReuse || random.chance(0.5)) this.makeBase();
		const { base } = this;
		this.stepFeed(inbound, { kind: 'snapshot-chosen', offset: base.offset });
		world.clock.after(random.below(300), () => {
			if (this.incarnation !== incarnation || inbound.end.isClosed) return;
			if (!world.isCalm && random.chance(0.05)) {
				this.stepFeed(inbound, { kind: 'snapshot-failed', message: 'The disk is full' });
				return;
			}
			inbound.snapshot = base.dataset.toBytes();
			const bySocket = random.chance(0.5);
			const size = bySocket ? -1 : inbound.snapshot.length;
			this.stepFeed(inbound, { kind: 'snapshot-ready', size, mark: this.newReplid() });
		});
	}

	private pumpAll(): void {
		for (const inbound of [...this.inbound]) this.pump(inbound);
	}

	/** Sends as much as the network takes: what waits, then the log. */
	private pump(inbound: Inbound): void {
		const { end } = inbound;
		for (;;) {
			if (!end.canSend) return;
			const first = inbound.output[0];
			if (first !== undefined) {
				end.send(first.subarray(0, READ_BYTES));
				if (first.length > READ_BYTES) inbound.output[0] = first.subarray(READ_BYTES);
				else inbound.output.shift();
			} else if (inbound.sending) {
				inbound.sending = false;
				this.stepFeed(inbound, { kind: 'snapshot-sent' });
			} else {
				const { position } = inbound;
				if (position < 0 || position >= this.log.endOffset) return;
				const bytes = this.log.read(position, 1 + this.world.random.below(READ_BYTES));
				inbound.position += bytes.length;
				end.send(Buffer.from(bytes));
			}
		}
	}

	private disconnectReplicas(): void {
		for (const inbound of [...this.inbound]) if (inbound.feed.isReplica) this.close(inbound);
	}

	private close(inbound: Inbound): void {
		inbound.end.close();
		this.inbound = this.inbound.filter((other) => other !== inbound);
	}
}
