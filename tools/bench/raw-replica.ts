/**
 * A replica that throws away what it gets: a full resync, then the stream, at most so many bytes a second, which it
 * acknowledges once a second as a real one does.
 */
import { connect, type Socket } from 'node:net';
import { encodeCommand } from '../../test/support/raw-client.js';

const TICK_MS = 20;
const ACK_PERIOD_MS = 1000;
const LINE_BYTES_MAX = 256;

type Phase = 'line' | 'header' | 'sized' | 'marked' | 'stream';

export class RawReplica {
	/** Bytes received, the snapshot included. */
	receivedBytes = 0;
	/** The size of the snapshot; -1 before it is there. */
	snapshotBytes = -1;
	/** When the snapshot was there, as of `performance.now()`; -1 before. */
	syncedMs = -1;
	/** Why the link ended; '' while it is there. */
	failure = '';
	readonly #socket: Socket;
	/** Bytes a second; infinite for no limit. */
	readonly #rate: number;
	readonly #timers: NodeJS.Timeout[] = [];
	#phase: Phase = 'line';
	#line = '';
	#left = 0;
	#mark = Buffer.alloc(0);
	/** The last bytes received, as many as the mark has. */
	#tail = Buffer.alloc(0);
	#snapshotStart = 0;
	#offset = 0;
	#budget = 0;

	constructor(port: number, bytesPerSecond: number) {
		this.#rate = bytesPerSecond;
		this.#socket = connect(port, '127.0.0.1');
		this.#socket.on('data', (bytes) => this.#received(bytes));
		this.#socket.on('error', (error) => {
			this.failure = error.message;
		});
		this.#socket.on('close', () => {
			this.failure ||= 'closed by the master';
		});
		this.#socket.write(encodeCommand(['REPLCONF', 'capa', 'eof', 'capa', 'psync2']));
		this.#timers.push(setInterval(() => this.#acknowledge(), ACK_PERIOD_MS));
		if (Number.isFinite(bytesPerSecond)) this.#timers.push(setInterval(() => this.#goOn(), TICK_MS));
	}

	/** Whether the stream has begun. */
	get isSynced(): boolean {
		return this.syncedMs >= 0;
	}

	close(): void {
		for (const timer of this.#timers) clearInterval(timer);
		this.#socket.destroy();
	}

	#goOn(): void {
		this.#budget = Math.min(this.#budget, 0) + (this.#rate * TICK_MS) / 1000;
		if (this.#budget > 0) this.#socket.resume();
	}

	#received(bytes: Buffer): void {
		this.receivedBytes += bytes.length;
		this.#budget -= bytes.length;
		if (Number.isFinite(this.#rate) && this.#budget <= 0) this.#socket.pause();
		let at = 0;
		while (at < bytes.length) at = this.#take(bytes, at);
	}

	/** Takes some bytes from `at` on; returns where it stopped. */
	#take(bytes: Buffer, at: number): number {
		const count = bytes.length - at;
		if (this.#phase === 'stream') {
			this.#offset += count;
			return bytes.length;
		}
		if (this.#phase === 'sized') {
			const taken = Math.min(count, this.#left);
			this.#left -= taken;
			if (this.#left === 0) this.#synced(this.#snapshotStart);
			return at + taken;
		}
		if (this.#phase === 'marked') {
			// The master waits for an acknowledgement behind the mark: it is the last that comes.
			this.#snapshotStart += count;
			this.#tail = Buffer.concat([this.#tail, bytes.subarray(at)]).subarray(-this.#mark.length);
			if (this.#tail.equals(this.#mark)) this.#synced(this.#snapshotStart - this.#mark.length);
			return bytes.length;
		}
		const end = bytes.indexOf(10, at);
		this.#line += bytes.latin1Slice(at, end < 0 ? bytes.length : end);
		if (this.#line.length > LINE_BYTES_MAX) throw new Error(`no line of a master: ${this.#line}`);
		if (end < 0) return bytes.length;
		this.#takeLine(this.#line.trimEnd());
		this.#line = '';
		return end + 1;
	}

	#takeLine(line: string): void {
		if (line.startsWith('-')) throw new Error(`the master refuses: ${line}`);
		if (line === '+OK') this.#socket.write(encodeCommand(['PSYNC', '?', '-1']));
		else if (line.startsWith('+FULLRESYNC')) {
			this.#offset = Number(line.split(' ')[2]);
			this.#phase = 'header';
		} else if (this.#phase === 'header' && line.startsWith('$EOF:')) {
			this.#mark = Buffer.from(line.slice(5), 'latin1');
			this.#phase = 'marked';
		} else if (this.#phase === 'header' && line.startsWith('$')) {
			this.#left = Number(line.slice(1));
			this.#snapshotStart = this.#left;
			this.#phase = 'sized';
		}
	}

	#synced(size: number): void {
		this.#phase = 'stream';
		this.snapshotBytes = size;
		this.syncedMs = performance.now();
		this.#acknowledge();
	}

	#acknowledge(): void {
		if (this.#phase === 'stream')
			this.#socket.write(encodeCommand(['REPLCONF', 'ACK', String(this.#offset)]));
	}
}
