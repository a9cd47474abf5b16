/**
 * The end of the log: what is in memory, and how it gets into the newest incremental file.
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
 * it was for can't be trusted any more, and fsync is never called for them again. `writeError` is set, and writes are
 * refused until a new file has taken over (file-change.ts).
 */
import { blockThread } from '../base/block-thread.js';
import type { Clock } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { DiskErrors } from './disk-errors.js';
import { FsyncPace } from './fsync-pace.js';
import { LogBuffer } from './log-buffer.js';
import type { LogFile } from './log-file.js';
import type { LogFs } from './log-fs.js';
import type { LogObserver } from './log-observer.js';
import type { FsyncPolicy } from './log-options.js';
import { SelectMarks } from './select-marks.js';

const FSYNC_PERIOD_MS = 1000;
const FSYNC_SLOW_MS = 2000;
const RETAINED_BYTES_MAX = 128 * 1024 * 1024;

export class LogWriter {
	/** Called when `releaseOffset` advanced outside of a flush, or `writeError` changed. */
	onRelease: () => void = () => {};
	/** Called when an operation on the thread pool has ended, or a write or fsync failed. */
	onProgress: () => void = () => {};
	/** Told of everything that happens to files. */
	observer: LogObserver | null = null;
	releaseOffset = 0;
	flushedOffset = 0;
	writtenOffset = 0;
	fsyncedOffset = 0;
	/** Why writes are refused, in the C library's words; null when all is well. */
	writeError: string | null = null;
	/** The file written to; null for a log without files. */
	file: LogFile | null = null;
	/** The log position where `file` is to end, once the next one is there; infinite otherwise. */
	fileEndOffset = Number.POSITIVE_INFINITY;
	/** Increments when a new incremental file begins: the next entry must be preceded by a SELECT. */
	fileGeneration = 0;
	/** How long each flush that has something to write waits before it, in milliseconds (DEBUG AOF-FLUSH-SLEEP). */
	flushSleepMs = 0;
	/** `endOffset` when the disk failed, and the time of the last failure. */
	failedAtOffset = 0;
	failedAtMs = 0;
	/** Where a file that failed is to end and the next to begin. */
	cutOffset = 0;
	/** Whether `cutOffset` allows for pages that an fsync has lost. */
	fsyncFailed = false;
	policy: FsyncPolicy;
	selectMarks = new SelectMarks(0);
	readonly buffer = new LogBuffer();
	readonly diskErrors: DiskErrors;
	delayedFsyncs = 0;

	/** Changes only while there is no file. */
	fs: LogFs;
	private readonly clock: Clock;
	private readonly logger: Logger;
	private readonly pace: FsyncPace;
	/** A write on the thread pool: the region [asyncFrom, asyncTo) of the log, of which `asyncAt` is reached. */
	private writing = false;
	private asyncFrom = 0;
	private asyncAt = 0;
	private asyncTo = 0;
	private fsyncing = false;
	private fsyncStartedMs = 0;
	private fsyncSlow = false;
	/** Operations begun before a change of this no longer matter: their memory is given up. */
	private epoch = 0;
	/** Procedures under way that change files (`enter`, `leave`). */
	private procedureCount = 0;
	private idleWaiters: (() => void)[] = [];

	constructor(
		fs: LogFs,
		clock: Clock,
		logger: Logger,
		policy: FsyncPolicy,
		inlineFsyncUsMax: number | undefined,
	) {
		this.fs = fs;
		this.clock = clock;
		this.logger = logger;
		this.policy = policy;
		this.pace = new FsyncPace(clock, inlineFsyncUsMax);
		this.diskErrors = new DiskErrors(clock, logger);
	}

	/** Whether an fsync is under way on the thread pool. */
	get isFsyncing(): boolean {
		return this.fsyncing;
	}

	/** How far `file` may be written: up to the last flush, or to where it ends. */
	get writeLimit(): number {
		return Math.min(this.flushedOffset, this.fileEndOffset);
	}

	setPolicy(policy: FsyncPolicy): void {
		this.policy = policy;
		if (this.file === null || this.writeError !== null) return;
		if (policy === 'no') this.forget(this.writtenOffset);
		if (policy === 'always' || this.releaseOffset === this.writtenOffset) return;
		this.advanceRelease(this.writtenOffset);
		this.onRelease();
	}

	/** Begins to write to `file`, everything up to `offset` being durable, where its reader has `db` selected. */
	attach(file: LogFile, offset: number, db = 0): void {
		if (this.buffer.endOffset !== offset) this.buffer.restart(offset);
		this.file = file;
		this.fileEndOffset = Number.POSITIVE_INFINITY;
		this.fileGeneration++;
		this.epoch++;
		this.writing = false;
		this.fsyncing = false;
		this.fsyncStartedMs = this.clock.nowMs();
		this.selectMarks = new SelectMarks(offset, db);
		this.settle(offset);
		this.advanceRelease(offset);
		this.observer?.fileBegan(file.info, offset, this.selectMarks.dbAt(offset));
	}

	/** Goes on without files. */
	detach(): void {
		this.file?.retire();
		this.file = null;
		this.fileEndOffset = Number.POSITIVE_INFINITY;
		this.observer?.stopped();
		this.buffer.settle();
		this.epoch++;
		this.writing = false;
		this.fsyncing = false;
		this.wakeIfIdle();
	}

	/** Goes on in `file`, which holds the log up to `offset`, durably. */
	switchTo(file: LogFile, offset: number): void {
		this.file?.retire();
		this.file = file;
		this.fileEndOffset = Number.POSITIVE_INFINITY;
		this.fsyncStartedMs = this.clock.nowMs();
		this.writtenOffset = offset;
		this.fsyncedOffset = offset;
		this.clearError();
		this.advanceRelease(offset);
		this.observer?.fileBegan(file.info, offset, this.selectMarks.dbAt(offset));
		this.forget(offset);
		this.goOn(file);
	}

	/** All offsets but the end: there is nothing to be written. */
	settle(offset: number): void {
		this.flushedOffset = offset;
		this.writtenOffset = offset;
		this.fsyncedOffset = offset;
	}

	clearError(): void {
		this.writeError = null;
		this.fsyncFailed = false;
	}

	advanceRelease(offset: number): void {
		if (offset > this.releaseOffset) this.releaseOffset = offset;
	}

	/** Everything up to `end` may be written: an execution unit ends there. */
	markFlush(end: number): void {
		this.flushedOffset = end;
		this.selectMarks.mark(end);
	}

	/** Writes what has been flushed, now if that does not block. */
	writeFlushed(file: LogFile): void {
		if (this.writeLimit > this.writtenOffset) {
			if (this.flushSleepMs > 0) blockThread(this.flushSleepMs);
			if (this.writing) return;
			if (this.fsyncing) {
				if (this.policy !== 'always') this.startWrite(file);
				return;
			}
			if (!this.writeNow(file)) return;
		}
		if (this.policy === 'always') this.startFsyncIfNeeded(file);
	}

	/** Writes [writtenOffset, writeLimit) before returning; false when that failed. */
	writeNow(file: LogFile): boolean {
		const { fs, buffer } = this;
		const to = this.writeLimit;
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

	/** Makes what is written durable before returning; false when that failed (nothing follows from it here). */
	syncNow(file: LogFile): boolean {
		if (this.writeError !== null) return false;
		if (this.fsyncedOffset === this.writtenOffset) return true;
		try {
			this.fs.fdatasyncSync(file.fd);
			this.fsyncedOffset = this.writtenOffset;
			return true;
		} catch (error) {
			this.diskErrors.syncFailed(error);
			return false;
		}
	}

	/** Several times a second: fsyncs under `everysec`. */
	tick(file: LogFile, nowMs: number): void {
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

	startFsyncIfNeeded(file: LogFile): void {
		if (this.fsyncing || this.fsyncedOffset === this.writtenOffset) return;
		const target = this.writtenOffset;
		if (this.policy === 'always' && this.pace.takeInPlace()) {
			return this.fsyncEnded(this.pace.syncNow(this.fs, file.fd), target);
		}
		this.fsyncing = true;
		this.fsyncSlow = false;
		this.fsyncStartedMs = this.clock.nowMs();
		const { epoch } = this;
		file.begin();
		this.fs.fdatasync(file.fd, (error) => {
			file.end();
			if (this.epoch !== epoch) return;
			this.fsyncing = false;
			if (this.file === file) this.fsyncEnded(error, target);
			this.goOn(this.file!);
		});
	}

	/** The file is good up to the last fsync, and for what memory no longer holds we can only hope. */
	cutBehindLostPages(): void {
		this.fsyncFailed = true;
		this.cutOffset = Math.min(this.writtenOffset, Math.max(this.fsyncedOffset, this.buffer.startOffset));
	}

	syncFailed(error: unknown): void {
		this.diskErrors.syncFailed(error);
		this.cutBehindLostPages();
		this.fail(error);
	}

	/** A procedure that changes files begins: the log is not idle until it has left. */
	enter(): void {
		this.procedureCount++;
	}

	leave(): void {
		this.procedureCount--;
		this.wakeIfIdle();
	}

	/** Whether anything is under way on the thread pool. */
	get busy(): boolean {
		return this.writing || this.fsyncing || this.procedureCount > 0;
	}

	async whenIdle(): Promise<void> {
		while (this.busy) await new Promise<void>((resolve) => this.idleWaiters.push(resolve));
	}

	private wakeIfIdle(): void {
		if (this.busy) return;
		const waiters = this.idleWaiters;
		this.idleWaiters = [];
		for (const wake of waiters) wake();
	}

	/** Gives up the memory of what need not be written again. */
	private forget(offset: number): void {
		this.buffer.releaseBefore(this.writing ? Math.min(offset, this.asyncFrom) : offset);
		this.selectMarks.forget(this.buffer.startOffset);
	}

	private wrote(to: number): void {
		if (to > this.writtenOffset) {
			if (this.observer !== null) this.report(this.observer, this.writtenOffset, to);
			this.writtenOffset = to;
		}
		if (this.policy !== 'always') this.advanceRelease(this.writtenOffset);
		if (this.policy === 'no') this.forget(this.writtenOffset);
		else if (this.writtenOffset - this.buffer.startOffset > RETAINED_BYTES_MAX) {
			// All of it, because a file may be cut only where a flush ended.
			this.forget(this.writtenOffset);
		}
	}

	/** Shows the observer bytes [from, to) of the log, which end where a flush did. */
	private report(observer: LogObserver, from: number, to: number): void {
		const { buffer } = this;
		for (let at = from; at < to; at += buffer.chunkSize) {
			buffer.seek(at, to);
			observer.wrote(buffer.chunk, buffer.chunkAt, buffer.chunkAt + buffer.chunkSize, at);
		}
		observer.entriesEnd(to, this.selectMarks.dbAt(to));
	}

	private startWrite(file: LogFile): void {
		this.writing = true;
		this.asyncFrom = this.writtenOffset;
		this.asyncAt = this.writtenOffset;
		this.asyncTo = this.writeLimit;
		this.writeOn(file);
	}

	private writeOn(file: LogFile): void {
		const { buffer, epoch } = this;
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
				if (this.epoch !== epoch) return;
				if (this.file !== file) {
					// `flushNow` has written these bytes meanwhile, and the next file has begun.
					this.writing = false;
				} else if (error !== null) {
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
				this.goOn(this.file!);
			},
		);
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
			if (this.writeLimit > this.writtenOffset) {
				if (!this.fsyncing) this.writeNow(file);
				else if (this.policy !== 'always') this.startWrite(file);
			}
			if (this.writeError === null && this.policy === 'always') this.startFsyncIfNeeded(file);
		}
		this.onProgress();
		this.onRelease();
		this.wakeIfIdle();
	}

	/** A write failed after `size` bytes of the region that begins at `writtenOffset`. */
	private writeFailed(file: LogFile, error: unknown, size: number): void {
		this.diskErrors.writeFailed(error, size, this.writeLimit - this.writtenOffset);
		try {
			this.fs.ftruncateSync(file.fd, file.position(this.writtenOffset));
		} catch (truncateError) {
			this.diskErrors.cutFailed(truncateError);
		}
		// If an fsync has failed before, its cut lies further back and stands.
		if (this.writeError === null) this.cutOffset = this.writtenOffset;
		this.fail(error);
	}

	private fail(error: unknown): void {
		if (this.writeError === null) this.failedAtOffset = this.buffer.endOffset;
		this.writeError = errorText(error);
		this.failedAtMs = this.clock.nowMs();
		this.onProgress();
		this.onRelease();
	}
}
