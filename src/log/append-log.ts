/**
 * The log that everything is written to. It is appended to in memory, and written to the newest incremental file once
 * per turn of the event loop (`flush`), before the replies of that turn are sent.
 *
 * Offsets, all log positions in bytes, none of which ever decreases:
 *     fsyncedOffset <= writtenOffset <= flushedOffset <= endOffset
 *
 * - endOffset: appended. flushedOffset: `endOffset` at the last `flush`. Files are written, cut and begun only at these,
 *   so that no entry and no MULTI … EXEC group is ever divided between two files.
 * - writtenOffset: write(2) has returned, so a killed process loses nothing before it.
 * - fsyncedOffset: fdatasync has returned, so a power cut loses nothing before it.
 * - releaseOffset: replies made at or below it may leave: `writtenOffset`, under `appendfsync always` `fsyncedOffset`.
 *
 * The way of a flush: with no fsync under way, one writeSync. While one is under way a write to the same file may
 * block: it then goes to the thread pool, and replies wait for it. Under `always` a fast fsync is waited for in place
 * (FsyncPace); behind a slow one, what arrives meanwhile is written in one piece when it ends (group commit).
 *
 * Failure. What no fsync has confirmed stays in memory (at most RETAINED_BYTES_MAX; nothing under `appendfsync no`,
 * which promises nothing). When a write fails, the file is cut back to `writtenOffset`; when an fsync fails, the pages
 * it was for can't be trusted any more, and fsync is never called for them again. `writeError` is set, writes are
 * refused, and about once a second a new incremental file is tried (`resume`). It begins at the last offset that is
 * safe in the old one, with the bytes kept in memory, and has the same offsets. The order: new file durable, manifest
 * durable, then the old file cut. A crash between the last two leaves a surplus, which the loader skips.
 */
import { blockThread } from '../base/block-thread.js';
import type { Env } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { aofEntrySize } from '../formats/aof-entry.js';
import type { AofManifest } from '../formats/aof-manifest.js';
import { createFreshFiles, openLogFiles, takeOverSteps } from './begin-log.js';
import { DiskErrors } from './disk-errors.js';
import { runSteps, syncFileSteps } from './durable-steps.js';
import { FsyncPace } from './fsync-pace.js';
import { LogBuffer } from './log-buffer.js';
import type { LogFile } from './log-file.js';
import { LogFolder } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import type { AppendLogOptions, AppendLogStats, FsyncPolicy } from './log-options.js';
import { SelectMarks } from './select-marks.js';

const FSYNC_PERIOD_MS = 1000;
const FSYNC_SLOW_MS = 2000;
const RETRY_PERIOD_MS = 1000;
const RETAINED_BYTES_MAX = 128 * 1024 * 1024;

export class AppendLog {
	/** Called when `releaseOffset` advanced outside of `flush`, or `writeError` changed. */
	onRelease: () => void = () => {};
	/** Replies made at or below this offset may leave. */
	releaseOffset = 0;
	/**
	 * What the replies of the turn that the last `flush` ended have to wait for: its end, reads included. While the disk
	 * fails writes are refused, and reads go on: they don't wait for the entries that are stuck. But the turn in which
	 * it began to fail may hold replies to writes, and those wait.
	 */
	replyOffset = 0;
	fsyncedOffset = 0;
	writtenOffset = 0;
	/** Why writes are refused, in the C library's words; null when all is well. */
	writeError: string | null = null;
	/** Increments when a new incremental file begins: the next entry must be preceded by a SELECT. */
	fileGeneration = 0;
	/** How long each flush that has something to write waits before it, in milliseconds (DEBUG AOF-FLUSH-SLEEP). */
	flushSleepMs = 0;

	private readonly fs: LogFs;
	private readonly env: Env;
	private readonly logger: Logger;
	private readonly folder: LogFolder;
	private readonly buffer = new LogBuffer();
	private policy: FsyncPolicy;
	private replid: string;
	private file: LogFile | null = null;
	private flushedOffset = 0;
	/** `endOffset` at the end of the last turn, and when the disk failed. */
	private turnOffset = 0;
	private failedAtOffset = 0;

	/** A write on the thread pool: the region [asyncFrom, asyncTo) of the log, of which `asyncAt` is reached. */
	private writing = false;
	private asyncFrom = 0;
	private asyncAt = 0;
	private asyncTo = 0;
	private fsyncing = false;
	private readonly pace: FsyncPace;
	private fsyncStartedMs = 0;
	private fsyncSlow = false;
	private delayedFsyncs = 0;

	private resuming = false;
	private retryAtMs = 0;
	/** Where the old file is to end and the new one to begin. */
	private cutOffset = 0;
	/** Whether `cutOffset` allows for pages that an fsync has lost. */
	private fsyncFailed = false;
	private readonly diskErrors: DiskErrors;
	private idleWaiters: (() => void)[] = [];

	/** Size of the files before the one being written, and of all files when the base was made. */
	private olderFilesSize = 0;
	private baseSize = 0;

	private selectMarks = new SelectMarks(0);

	/** A log without files: it counts offsets, and releases everything. `open` or `startFresh` attach the files. */
	constructor(options: AppendLogOptions) {
		this.fs = options.fs;
		this.env = options.env;
		this.pace = new FsyncPace(options.env.clock, options.inlineFsyncUsMax);
		this.logger = options.logger;
		this.policy = options.fsyncPolicy;
		this.replid = options.replid;
		this.folder = new LogFolder(options.fs, options.names);
		this.diskErrors = new DiskErrors(options.env.clock, options.logger);
	}

	/** Bytes ever appended: the log position, which is the replication offset. */
	get endOffset(): number {
		return this.buffer.endOffset;
	}

	/** Whether entries are written to files. */
	get attached(): boolean {
		return this.file !== null;
	}

	get fsyncPolicy(): FsyncPolicy {
		return this.policy;
	}

	/** The manifest on disk. */
	get manifest(): AofManifest {
		return this.folder.manifest;
	}

	stats(): AppendLogStats {
		const { file } = this;
		const size = file === null ? 0 : file.position(this.writtenOffset);
		return {
			currentSize: file === null ? 0 : this.olderFilesSize + size,
			baseSize: this.baseSize,
			bufferLength: file === null ? 0 : this.buffer.endOffset - this.writtenOffset,
			pendingFsyncs: this.fsyncing ? 1 : 0,
			delayedFsyncs: this.delayedFsyncs,
			lastWriteStatus: this.writeError === null ? 'ok' : 'err',
			memoryBytes: this.buffer.memoryBytes,
		};
	}

	/** Appends bytes [start, end) of `source`: a request that is its own effect. */
	appendRaw(source: Buffer, start: number, end: number): void {
		if (this.file === null) this.buffer.skip(end - start);
		else this.buffer.appendRaw(source, start, end);
	}

	/** Appends a command. */
	appendArgs(args: readonly string[]): void {
		if (args.length === 2 && args[0] === 'SELECT') this.selectMarks.selected(Number(args[1]));
		if (this.file === null) this.buffer.skip(aofEntrySize(args));
		else this.buffer.appendArgs(args);
	}

	/** Moves a log without files to an offset, such as the one that was recovered at start-up. */
	setOffset(offset: number): void {
		if (this.file !== null) throw new Error('the log has files; its offset is theirs');
		this.buffer.restart(offset);
		this.settle(offset);
		this.releaseOffset = offset;
	}

	/** Changes the replication ID that the manifest gives new files. */
	setReplid(replid: string): void {
		this.replid = replid;
	}

	setFsyncPolicy(policy: FsyncPolicy): void {
		this.policy = policy;
		if (this.file === null || this.writeError !== null) return;
		if (policy === 'no') this.forget(this.writtenOffset);
		if (policy === 'always' || this.releaseOffset === this.writtenOffset) return;
		this.advanceRelease(this.writtenOffset);
		this.onRelease();
	}

	/**
	 * At start-up, behind the loader: continues the log that `manifest` describes at `endOffset`, or begins one. The
	 * last incremental file must end at that offset. Returns null, or the reason (already logged) why not.
	 */
	open(manifest: AofManifest, endOffset: number): string | null {
		const { folder, logger } = this;
		const file = openLogFiles(folder, manifest, endOffset, this.replid, logger);
		if (typeof file === 'string') return this.refuse(file);
		this.attach(file, endOffset);
		this.removeHistory();
		this.olderFilesSize = this.folder.olderSizeSync();
		this.baseSize = this.folder.baseSizeSync();
		return null;
	}

	/**
	 * Writes a new base from `commands`, which must rebuild the dataset as it is at `endOffset`, and begins a new
	 * incremental file behind it; the old files are then removed. For `CONFIG SET appendonly yes`, and where the log
	 * must be replaced. Blocks until it is done. Not to be called within a transaction: its first half would be in the
	 * base. Returns null, or the reason (already logged) why everything is as before.
	 */
	startFresh(commands: Iterable<readonly string[]>): string | null {
		if (this.resuming) return this.refuse("Can't begin a new AOF while a failed one is being taken over");
		const { file: oldFile } = this;
		const end = this.buffer.endOffset;
		const file = createFreshFiles(this.folder, commands, end, this.replid, oldFile === null);
		if (typeof file === 'string') return this.refuse(file);
		oldFile?.retire();
		// A write on the thread pool may still be reading the old memory; its file no longer matters.
		this.buffer.restart(end);
		this.attach(file, end);
		this.olderFilesSize = this.folder.baseSizeSync();
		this.baseSize = this.olderFilesSize;
		this.removeHistory();
		this.clearError();
		this.onRelease();
		return null;
	}

	/** `CONFIG SET appendonly no`: writes what there is, makes it durable and goes on without files. Blocks. */
	stop(): void {
		const { file } = this;
		if (file === null) return;
		this.flushNow();
		this.syncNow(file);
		this.detach();
		// Nobody promises anything any more about what could not be written.
		const end = this.buffer.endOffset;
		this.settle(end);
		this.advanceRelease(end);
		this.clearError();
		this.onRelease();
	}

	/** Ends a turn of the event loop, before its replies are sent; not called while replies of an earlier one are not. */
	flush(): void {
		const end = this.buffer.endOffset;
		const onlyReads = this.writeError !== null && this.turnOffset >= this.failedAtOffset;
		this.replyOffset = onlyReads ? this.releaseOffset : end;
		this.turnOffset = end;
		if (this.file === null) {
			this.settle(end);
			this.releaseOffset = end;
			return;
		}
		this.markFlush(end);
		if (this.writeError !== null) return;
		if (end > this.writtenOffset) {
			if (this.flushSleepMs > 0) blockThread(this.flushSleepMs);
			if (this.writing) return;
			if (this.fsyncing) {
				if (this.policy !== 'always') this.startWrite(this.file);
				return;
			}
			if (!this.writeNow(this.file)) return;
		}
		if (this.policy === 'always') this.startFsyncIfNeeded(this.file);
	}

	/** Writes everything appended, at once and whatever is under way. Returns whether it is in the file. */
	flushNow(): boolean {
		const { file } = this;
		if (file === null) return true;
		this.markFlush(this.buffer.endOffset);
		if (this.writeError !== null) return this.flushedOffset === this.writtenOffset;
		// Writes once more what the thread pool is writing: the same bytes at the same place.
		return this.flushedOffset === this.writtenOffset || this.writeNow(file);
	}

	/** Several times a second, by the server's cron: fsyncs under `everysec`, and tries a failed disk again. */
	tick(nowMs: number): void {
		const { file } = this;
		if (file === null) return;
		if (this.writeError !== null) {
			if (nowMs >= this.retryAtMs && !this.busy()) {
				this.retryAtMs = nowMs + RETRY_PERIOD_MS;
				void this.resume(file);
			}
			return;
		}
		if (this.fsyncing) {
			if (!this.fsyncSlow && nowMs - this.fsyncStartedMs > FSYNC_SLOW_MS) {
				this.fsyncSlow = true;
				this.delayedFsyncs++;
				this.logger.log('notice', 'Asynchronous AOF fsync is taking too long (disk is busy?).');
			}
		} else if (this.policy === 'everysec' && nowMs - this.fsyncStartedMs >= FSYNC_PERIOD_MS) {
			this.startFsyncIfNeeded(file);
		}
	}

	/** Waits for what is under way, writes the rest, makes it durable and closes the files. */
	async close(): Promise<void> {
		while (this.busy()) await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
		const { file } = this;
		if (file === null) return;
		this.flushNow();
		if (this.writeError === null && this.fsyncedOffset < this.writtenOffset) {
			this.startFsyncIfNeeded(file);
			while (this.busy()) await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
		}
		if (this.file === file) this.detach();
	}

	private busy(): boolean {
		return this.writing || this.fsyncing || this.resuming;
	}

	private refuse(message: string): string {
		this.logger.log('warning', message);
		return message;
	}

	private removeHistory(): void {
		try {
			this.folder.removeHistorySync((name) => {
				this.logger.log('notice', `Removing the history file ${name} in the background`);
			});
		} catch (error) {
			this.logger.log('warning', `Can't remove the history from the AOF manifest: ${errorText(error)}`);
		}
	}

	/** Begins to write to `file`, everything up to `offset` being durable. */
	private attach(file: LogFile, offset: number): void {
		if (this.buffer.endOffset !== offset) this.buffer.restart(offset);
		this.file = file;
		this.fileGeneration++;
		this.writing = false;
		this.fsyncing = false;
		this.fsyncStartedMs = this.env.clock.nowMs();
		this.selectMarks = new SelectMarks(offset);
		this.settle(offset);
		this.advanceRelease(offset);
	}

	private detach(): void {
		this.file?.retire();
		this.file = null;
		this.buffer.restart(this.buffer.endOffset);
		this.writing = false;
		this.fsyncing = false;
		this.wakeIdleWaiters();
	}

	private settle(offset: number): void {
		this.flushedOffset = offset;
		this.writtenOffset = offset;
		this.fsyncedOffset = offset;
	}

	private clearError(): void {
		this.writeError = null;
		this.fsyncFailed = false;
	}

	private advanceRelease(offset: number): void {
		if (offset > this.releaseOffset) this.releaseOffset = offset;
	}

	/** Gives up the memory of what need not be written again. */
	private forget(offset: number): void {
		this.buffer.releaseBefore(this.writing ? Math.min(offset, this.asyncFrom) : offset);
		this.selectMarks.forget(this.buffer.startOffset);
	}

	private markFlush(end: number): void {
		this.flushedOffset = end;
		this.selectMarks.mark(end);
	}

	/** Writes [writtenOffset, flushedOffset) before returning; false when that failed. */
	private writeNow(file: LogFile): boolean {
		const { fs, buffer } = this;
		const to = this.flushedOffset;
		let at = this.writtenOffset;
		try {
			while (at < to) {
				buffer.seek(at, to);
				at += fs.writeSync(file.fd, buffer.chunk, buffer.chunkAt, buffer.chunkSize, file.position(at));
			}
		} catch (error) {
			this.writeFailed(file, error, at - this.writtenOffset);
			return false;
		}
		this.wrote(to);
		return true;
	}

	private wrote(to: number): void {
		if (to > this.writtenOffset) this.writtenOffset = to;
		if (this.policy !== 'always') this.advanceRelease(this.writtenOffset);
		if (this.policy === 'no') this.forget(this.writtenOffset);
		else if (this.writtenOffset - this.buffer.startOffset > RETAINED_BYTES_MAX) {
			// All of it, because a file may be cut only where a flush ended.
			this.forget(this.writtenOffset);
		}
	}

	private startWrite(file: LogFile): void {
		this.writing = true;
		this.asyncFrom = this.writtenOffset;
		this.asyncAt = this.writtenOffset;
		this.asyncTo = this.flushedOffset;
		this.writeOn(file);
	}

	private writeOn(file: LogFile): void {
		const { buffer } = this;
		buffer.seek(this.asyncAt, this.asyncTo);
		file.begin();
		this.fs.write(
			file.fd,
			buffer.chunk,
			buffer.chunkAt,
			buffer.chunkSize,
			file.position(this.asyncAt),
			(error, size) => {
				file.end();
				if (this.file !== file) return;
				if (error !== null) {
					this.writing = false;
					if (this.writtenOffset < this.asyncTo) {
						this.writeFailed(file, error, this.asyncAt - this.asyncFrom);
					}
				} else {
					this.asyncAt += size;
					if (this.asyncAt < this.asyncTo) {
						this.writeOn(file);
						return;
					}
					this.writing = false;
					if (this.writeError === null) this.wrote(this.asyncTo);
				}
				this.goOn(file);
			},
		);
	}

	private startFsyncIfNeeded(file: LogFile): void {
		if (this.fsyncing || this.fsyncedOffset === this.writtenOffset) return;
		const target = this.writtenOffset;
		if (this.policy === 'always' && this.pace.takeInPlace()) {
			return this.fsyncEnded(this.pace.syncNow(this.fs, file.fd), target);
		}
		this.fsyncing = true;
		this.fsyncSlow = false;
		this.fsyncStartedMs = this.env.clock.nowMs();
		file.begin();
		this.fs.fdatasync(file.fd, (error) => {
			file.end();
			if (this.file !== file) return;
			this.fsyncing = false;
			this.fsyncEnded(error, target);
			this.goOn(file);
		});
	}

	/** A failed write meanwhile does not make untrue that these bytes are durable. */
	private fsyncEnded(error: unknown, target: number): void {
		if (error !== null) return this.syncFailed(error);
		if (target > this.fsyncedOffset) this.fsyncedOffset = target;
		if (this.policy === 'always') this.advanceRelease(target);
		this.forget(Math.min(target, this.writtenOffset));
	}

	/** Behind an operation on the thread pool: writes and syncs what has gathered, and tells who waits. */
	private goOn(file: LogFile): void {
		if (this.writeError === null && !this.writing) {
			if (this.flushedOffset > this.writtenOffset) {
				if (!this.fsyncing) this.writeNow(file);
				else if (this.policy !== 'always') this.startWrite(file);
			}
			if (this.writeError === null && this.policy === 'always') this.startFsyncIfNeeded(file);
		}
		this.onRelease();
		if (!this.busy()) this.wakeIdleWaiters();
	}

	private wakeIdleWaiters(): void {
		const waiters = this.idleWaiters;
		this.idleWaiters = [];
		for (const wake of waiters) wake();
	}

	private syncNow(file: LogFile): void {
		if (this.writeError !== null || this.fsyncedOffset === this.writtenOffset) return;
		try {
			this.fs.fdatasyncSync(file.fd);
			this.fsyncedOffset = this.writtenOffset;
		} catch (error) {
			this.diskErrors.syncFailed(error);
		}
	}

	/** A write failed after `size` bytes of the region [writtenOffset, flushedOffset). */
	private writeFailed(file: LogFile, error: unknown, size: number): void {
		this.diskErrors.writeFailed(error, size, this.flushedOffset - this.writtenOffset);
		try {
			this.fs.ftruncateSync(file.fd, file.position(this.writtenOffset));
		} catch (truncateError) {
			this.diskErrors.cutFailed(truncateError);
		}
		// If an fsync has failed before, its cut lies further back and stands.
		if (this.writeError === null) this.cutOffset = this.writtenOffset;
		this.fail(error);
	}

	private syncFailed(error: unknown): void {
		this.diskErrors.syncFailed(error);
		this.cutBehindLostPages();
		this.fail(error);
	}

	/** The file is good up to the last fsync, and for what memory no longer holds we can only hope. */
	private cutBehindLostPages(): void {
		this.fsyncFailed = true;
		this.cutOffset = Math.min(this.writtenOffset, Math.max(this.fsyncedOffset, this.buffer.startOffset));
	}

	private fail(error: unknown): void {
		if (this.writeError === null) this.failedAtOffset = this.buffer.endOffset;
		this.writeError = errorText(error);
		this.retryAtMs = this.env.clock.nowMs() + RETRY_PERIOD_MS;
		this.onRelease();
	}

	/** Tries to go on in a new incremental file. Never rejects. */
	private async resume(oldFile: LogFile): Promise<void> {
		this.resuming = true;
		oldFile.begin();
		try {
			if (!this.fsyncFailed && this.fsyncedOffset < this.cutOffset) {
				// The new file begins where this one ends, so what is in this one has to be safe first.
				try {
					await runSteps(this.fs, syncFileSteps(oldFile.fd));
					this.fsyncedOffset = Math.max(this.fsyncedOffset, this.cutOffset);
				} catch {
					this.cutBehindLostPages();
				}
				if (this.file !== oldFile) return;
			}
			const from = this.cutOffset;
			const to = this.flushedOffset;
			const db = this.selectMarks.dbAt(from);
			const newFile = await runSteps(
				this.fs,
				takeOverSteps(this.folder, this.buffer, from, to, db, this.replid),
			);
			if (this.file !== oldFile) {
				newFile.retire();
				return;
			}
			this.switchFile(oldFile, newFile, from, to);
			await this.cutOldFile(oldFile, from);
		} catch (error) {
			if (this.file !== oldFile) return;
			this.writeError = errorText(error);
			this.diskErrors.writeFailed(error, 0, 0);
		} finally {
			oldFile.end();
			this.resuming = false;
			if (!this.busy()) this.wakeIdleWaiters();
		}
	}

	private switchFile(oldFile: LogFile, newFile: LogFile, from: number, to: number): void {
		this.olderFilesSize += oldFile.position(from);
		this.file = newFile;
		this.fileGeneration++;
		this.fsyncStartedMs = this.env.clock.nowMs();
		this.writtenOffset = to;
		this.fsyncedOffset = to;
		this.clearError();
		this.diskErrors.solved();
		this.advanceRelease(to);
		this.forget(to);
		oldFile.retire();
		this.goOn(newFile);
	}

	private async cutOldFile(oldFile: LogFile, offset: number): Promise<void> {
		try {
			this.fs.ftruncateSync(oldFile.fd, oldFile.position(offset));
			await runSteps(this.fs, syncFileSteps(oldFile.fd));
		} catch (error) {
			this.logger.log(
				'warning',
				`Can't cut the AOF file ${oldFile.info.name} to ${oldFile.position(offset)} bytes, where the next one ` +
					`takes over: ${errorText(error)}`,
			);
		}
	}
}
