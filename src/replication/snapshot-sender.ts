/**
 * Sends a file to a replica as fast as that reads: a chunk is read, on the thread pool, when the network has taken the one
 * before. The file may still be growing.
 */
import { errorText } from '../base/error-text.js';
import type { Transport } from '../engine/client.js';
import type { LogFs } from '../log/log-fs.js';

const CHUNK_BYTES = 128 * 1024;

/** A file with a snapshot, which several replicas may be sent. */
export interface SnapshotFile {
	readonly fs: LogFs;
	readonly fd: number;
	/** Bytes that are in it for good, so far. */
	readonly availableBytes: number;
	/** All of them are. */
	readonly isWhole: boolean;
}

export interface SenderEvents {
	/** The network has taken bytes. */
	progressed(): void;
	/** The whole file has been handed to it. */
	sent(): void;
	failed(message: string): void;
}

export class SnapshotSender {
	private readonly file: SnapshotFile;
	private readonly transport: Transport;
	private readonly events: SenderEvents;
	private position = 0;
	private isReading = false;
	private isStalled = false;
	private isEnded = false;

	constructor(file: SnapshotFile, transport: Transport, events: SenderEvents) {
		this.file = file;
		this.transport = transport;
		this.events = events;
	}

	/** The network has taken what it was given. */
	drained(): void {
		this.isStalled = false;
		this.goOn();
	}

	/** Goes on if there is something to send: the file may have grown. */
	goOn(): void {
		if (this.isEnded || this.isReading || this.isStalled) return;
		const { file } = this;
		const size = Math.min(CHUNK_BYTES, file.availableBytes - this.position);
		if (size <= 0) {
			if (file.isWhole) this.end(() => this.events.sent());
			return;
		}
		this.isReading = true;
		const chunk = Buffer.allocUnsafeSlow(size);
		file.fs.read(file.fd, chunk, 0, size, this.position, (error, count) => {
			this.isReading = false;
			if (this.isEnded) return;
			if (error !== null) return this.end(() => this.events.failed(errorText(error)));
			if (count === 0) return this.end(() => this.events.failed('the file of the snapshot ends early'));
			this.position += count;
			this.isStalled = !this.transport.sendBytes(count === size ? chunk : chunk.subarray(0, count));
			this.events.progressed();
			this.goOn();
		});
	}

	/** Nothing is sent any more. */
	stop(): void {
		this.isEnded = true;
	}

	private end(tell: () => void): void {
		this.isEnded = true;
		tell();
	}
}
