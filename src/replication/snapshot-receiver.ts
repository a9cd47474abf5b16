/**
 * A snapshot on its way from the master to a temporary file. Bytes are written by the thread pool, and made durable as
 * they come, so that the end does not have to wait for all of them. Who sends faster than the disk takes is paused.
 */
import { errorText } from '../base/error-text.js';
import type { LogFs } from '../log/log-fs.js';

/** Bytes between two fsyncs, as Redis does. */
const FSYNC_BYTES = 8 * 1024 * 1024;
const WAITING_BYTES_MAX = 1024 * 1024;

export interface ReceiverOwner {
	/** Bytes may come again, or `isFull` is to be looked at. */
	receiverDrained(): void;
	/** All that was taken is durable; or why not, in the C library's words. Called once. */
	receiverEnded(error: string | null): void;
}

export class SnapshotReceiver {
	readonly path: string;
	private readonly fs: LogFs;
	private readonly owner: ReceiverOwner;
	private readonly fd: number;
	private waiting: Buffer[] = [];
	private waitingBytes = 0;
	private position = 0;
	private syncedPosition = 0;
	private isBusy = false;
	private isFinishing = false;
	private isEnded = false;

	/** Creates the file. Throws the system error. */
	constructor(fs: LogFs, path: string, owner: ReceiverOwner) {
		this.fs = fs;
		this.path = path;
		this.owner = owner;
		this.fd = fs.openSync(path, 'w');
	}

	/** The sender should pause. */
	get isFull(): boolean {
		return this.waitingBytes > WAITING_BYTES_MAX;
	}

	/** Takes a copy of the bytes. */
	append(bytes: Buffer): void {
		if (this.isEnded) return;
		this.waiting.push(Buffer.from(bytes));
		this.waitingBytes += bytes.length;
		this.advance();
	}

	/** No more bytes come: `receiverEnded` follows. */
	finish(): void {
		this.isFinishing = true;
		this.advance();
	}

	/** Gives up; the file goes. `receiverEnded` is not called. */
	abandon(): void {
		if (this.isEnded) return;
		this.isEnded = true;
		if (!this.isBusy) this.closeAndRemove();
	}

	private advance(): void {
		if (this.isBusy || this.isEnded) return;
		if (this.waiting.length > 0) return this.write();
		const unsynced = this.position - this.syncedPosition;
		if (unsynced >= FSYNC_BYTES || (this.isFinishing && unsynced > 0)) return this.sync();
		if (!this.isFinishing) return;
		this.isEnded = true;
		this.fs.closeSync(this.fd);
		this.owner.receiverEnded(null);
	}

	private write(): void {
		const chunk = this.waiting.length === 1 ? this.waiting[0]! : Buffer.concat(this.waiting);
		this.waiting = [];
		this.isBusy = true;
		this.fs.write(this.fd, chunk, 0, chunk.length, this.position, (error, size) => {
			if (error === null) {
				this.position += size;
				this.waitingBytes -= size;
				if (size < chunk.length) this.waiting.unshift(chunk.subarray(size));
			}
			this.done(error);
		});
	}

	private sync(): void {
		const end = this.position;
		this.isBusy = true;
		this.fs.fdatasync(this.fd, (error) => {
			if (error === null) this.syncedPosition = end;
			this.done(error);
		});
	}

	private done(error: Error | null): void {
		this.isBusy = false;
		if (this.isEnded) return this.closeAndRemove();
		if (error !== null) {
			this.isEnded = true;
			this.closeAndRemove();
			this.owner.receiverEnded(errorText(error));
			return;
		}
		this.advance();
		if (!this.isEnded && !this.isFull) this.owner.receiverDrained();
	}

	private closeAndRemove(): void {
		this.fs.closeSync(this.fd);
		this.fs.unlink(this.path, () => {});
	}
}
