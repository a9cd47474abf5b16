/**
 * SETs at a fixed rate, whatever the server makes of them: an open loop, so that a server that stalls is not spared the
 * requests that would have come meanwhile. They go out in a batch a tick, each tick on the next connection.
 */
import { connect, type Socket } from 'node:net';
import { encodeCommand } from '../../test/support/raw-client.js';
import { twelveDigits } from './workloads.js';

const CONNECTIONS = 16;
const TICK_MS = 1;
/** "+OK\r\n" */
const REPLY_BYTES = 5;

/** Times from sending a batch to its last reply, in milliseconds. */
export interface Latencies {
	readonly count: number;
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
}

/** A connection, the reply bytes that its batches wait for, and when those were sent. */
class LoadConnection {
	readonly socket: Socket;
	readonly #waiting: { endByte: number; readonly sentMs: number }[] = [];
	#sentBytes = 0;
	#receivedBytes = 0;

	constructor(port: number, onLatency: (ms: number) => void) {
		this.socket = connect(port, '127.0.0.1');
		this.socket.setNoDelay(true);
		this.socket.on('error', () => undefined);
		this.socket.on('data', (chunk) => {
			if (chunk[0] === 45) throw new Error(`the server refuses: ${chunk.toString('latin1')}`);
			this.#receivedBytes += chunk.length;
			const nowMs = performance.now();
			while (this.#waiting.length > 0 && this.#waiting[0]!.endByte <= this.#receivedBytes) {
				onLatency(nowMs - this.#waiting.shift()!.sentMs);
			}
		});
	}

	send(batch: string, requests: number): void {
		this.#sentBytes += requests * REPLY_BYTES;
		this.#waiting.push({ endByte: this.#sentBytes, sentMs: performance.now() });
		this.socket.write(batch, 'latin1');
	}
}

export class PacedLoad {
	readonly #connections: LoadConnection[];
	readonly #requestsPerTick: number;
	readonly #keyCount: number;
	readonly #value: string;
	#latencies: number[] = [];
	#timer: NodeJS.Timeout | undefined;
	#nextKey = 0;
	#ticks = 0;
	#startMs = 0;

	/** `keyCount`: the keys that are set, in turn. */
	constructor(port: number, requestsPerSecond: number, keyCount: number, value: string) {
		this.#connections = Array.from(
			{ length: CONNECTIONS },
			() => new LoadConnection(port, (ms) => this.#latencies.push(ms)),
		);
		this.#requestsPerTick = Math.max(1, Math.round((requestsPerSecond * TICK_MS) / 1000));
		this.#keyCount = keyCount;
		this.#value = value;
	}

	start(): void {
		this.#startMs = performance.now();
		this.#timer = setInterval(() => this.#sendDue(), TICK_MS);
	}

	stop(): void {
		clearInterval(this.#timer);
		for (const { socket } of this.#connections) socket.destroy();
	}

	/** What has been measured since the last call. */
	take(): Latencies {
		const sorted = Float64Array.from(this.#latencies).sort();
		this.#latencies = [];
		const at = (share: number): number =>
			sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
		return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
	}

	/** The timer comes late at times: what it has missed is sent then. */
	#sendDue(): void {
		const due = Math.floor((performance.now() - this.#startMs) / TICK_MS);
		while (this.#ticks < due) {
			this.#ticks++;
			let batch = '';
			for (let i = 0; i < this.#requestsPerTick; i++) {
				batch += encodeCommand(['SET', `key:${twelveDigits(this.#nextKey)}`, this.#value]);
				this.#nextKey = (this.#nextKey + 1) % this.#keyCount;
			}
			this.#connections[this.#ticks % CONNECTIONS]!.send(batch, this.#requestsPerTick);
		}
	}
}
