/**
 * The log that everything is written to. It is appended to in memory, and written to the newest incremental file once
 * per turn of the event loop (`flush`), before the replies of that turn are sent. How that goes, and what the offsets
 * mean: log-writer.ts. How one file follows another: file-change.ts.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { aofEntrySize } from '../formats/aof-entry.js';
import type { AofManifest } from '../formats/aof-manifest.js';
import { createFreshFiles, openLogFiles } from './begin-log.js';
import { FileChange } from './file-change.js';
import type { LogBuffer } from './log-buffer.js';
import { LogFolder } from './log-folder.js';
import type { LogObserver } from './log-observer.js';
import type { AppendLogOptions, AppendLogStats, FsyncPolicy } from './log-options.js';
import { LogWriter } from './log-writer.js';

export class AppendLog {
	/**
	 * What the replies of the turn that the last `flush` ended have to wait for: its end, reads included. While the disk
	 * fails writes are refused, and reads go on: they don't wait for the entries that are stuck. But the turn in which
	 * it began to fail may hold replies to writes, and those wait.
	 */
	replyOffset = 0;

	private readonly logger: Logger;
	private readonly folder: LogFolder;
	private readonly writer: LogWriter;
	private readonly buffer: LogBuffer;
	private readonly change: FileChange;
	/** `endOffset` at the end of the last turn. */
	private turnOffset = 0;
	/** Size of all files when the base was made. */
	private baseSize = 0;

	/** A log without files: it counts offsets, and releases everything. `open` or `startFresh` attach the files. */
	constructor(options: AppendLogOptions) {
		const { fs, env, logger } = options;
		this.logger = logger;
		this.folder = new LogFolder(fs, options.names);
		this.writer = new LogWriter(fs, env.clock, logger, options.fsyncPolicy, options.inlineFsyncUsMax);
		this.buffer = this.writer.buffer;
		this.change = new FileChange(this.writer, this.folder, logger, options.replid);
	}

	/** Called when `releaseOffset` advanced outside of `flush`, or `writeError` changed. */
	set onRelease(fn: () => void) {
		this.writer.onRelease = fn;
	}

	/** Who is told of what happens to the files; to be set before there are any. */
	set observer(observer: LogObserver) {
		this.writer.observer = observer;
	}

	/** How long each flush that has something to write waits before it, in milliseconds (DEBUG AOF-FLUSH-SLEEP). */
	set flushSleepMs(ms: number) {
		this.writer.flushSleepMs = ms;
	}

	/** Bytes ever appended: the log position, which is the replication offset. */
	get endOffset(): number {
		return this.buffer.endOffset;
	}

	/** Replies made at or below this offset may leave. */
	get releaseOffset(): number {
		return this.writer.releaseOffset;
	}

	get writtenOffset(): number {
		return this.writer.writtenOffset;
	}

	get fsyncedOffset(): number {
		return this.writer.fsyncedOffset;
	}

	/** Why writes are refused, in the C library's words; null when all is well. */
	get writeError(): string | null {
		return this.writer.writeError;
	}

	/** Increments when a new incremental file begins: the next entry must be preceded by a SELECT. */
	get fileGeneration(): number {
		return this.writer.fileGeneration;
	}

	/** Whether entries are written to files. */
	get attached(): boolean {
		return this.writer.file !== null;
	}

	get fsyncPolicy(): FsyncPolicy {
		return this.writer.policy;
	}

	/** The manifest on disk. */
	get manifest(): AofManifest {
		return this.folder.manifest;
	}

	stats(): AppendLogStats {
		const { writer } = this;
		const { file } = writer;
		const size = file === null ? 0 : file.position(writer.writtenOffset);
		return {
			currentSize: file === null ? 0 : this.change.olderFilesSize + size,
			baseSize: this.baseSize,
			bufferLength: file === null ? 0 : this.buffer.endOffset - writer.writtenOffset,
			pendingFsyncs: writer.isFsyncing ? 1 : 0,
			delayedFsyncs: writer.delayedFsyncs,
			lastWriteStatus: writer.writeError === null ? 'ok' : 'err',
			memoryBytes: this.buffer.memoryBytes,
		};
	}

	/** Appends bytes [start, end) of `source`: a request that is its own effect. */
	appendRaw(source: Buffer, start: number, end: number): void {
		if (this.writer.file === null) this.buffer.skip(end - start);
		else this.buffer.appendRaw(source, start, end);
	}

	/** Appends a command. */
	appendArgs(args: readonly string[]): void {
		if (args.length === 2 && args[0] === 'SELECT') this.writer.selectMarks.selected(Number(args[1]));
		if (this.writer.file === null) this.buffer.skip(aofEntrySize(args));
		else this.buffer.appendArgs(args);
	}

	/** Moves a log without files to an offset, such as the one that was recovered at start-up. */
	setOffset(offset: number): void {
		if (this.attached) throw new Error('the log has files; its offset is theirs');
		this.buffer.restart(offset);
		this.writer.settle(offset);
		this.writer.releaseOffset = offset;
	}

	/** Changes the replication ID that the manifest gives new files. */
	setReplid(replid: string): void {
		this.change.replid = replid;
	}

	setFsyncPolicy(policy: FsyncPolicy): void {
		this.writer.setPolicy(policy);
	}

	/**
	 * At start-up, behind the loader: continues the log that `manifest` describes at `endOffset`, or begins one. The
	 * last incremental file must end at that offset. Returns null, or the reason (already logged) why not.
	 */
	open(manifest: AofManifest, endOffset: number): string | null {
		const file = openLogFiles(this.folder, manifest, endOffset, this.change.replid, this.logger);
		if (typeof file === 'string') return this.refuse(file);
		this.writer.attach(file, endOffset);
		this.removeHistory();
		this.change.olderFilesSize = this.folder.olderSizeSync();
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
		const { change, writer } = this;
		if (change.obstacle !== null) return this.refuse(`Can't begin a new AOF while ${change.obstacle}`);
		const { file: oldFile } = writer;
		const end = this.buffer.endOffset;
		const file = createFreshFiles(this.folder, commands, end, change.replid, oldFile === null);
		if (typeof file === 'string') return this.refuse(file);
		oldFile?.retire();
		// A write on the thread pool may still be reading the old memory; its file no longer matters.
		this.buffer.restart(end);
		writer.attach(file, end);
		change.olderFilesSize = this.folder.baseSizeSync();
		this.baseSize = change.olderFilesSize;
		if (this.folder.manifest.base !== null) writer.observer?.baseBegan(this.folder.manifest.base);
		this.removeHistory();
		writer.clearError();
		writer.onRelease();
		return null;
	}

	/** `CONFIG SET appendonly no`: writes what there is, makes it durable and goes on without files. Blocks. */
	stop(): void {
		const { writer } = this;
		if (writer.file === null) return;
		this.flushNow();
		this.change.abandon('the log has been switched off');
		writer.syncNow(writer.file);
		writer.detach();
		// Nobody promises anything any more about what could not be written.
		const end = this.buffer.endOffset;
		writer.settle(end);
		writer.advanceRelease(end);
		writer.clearError();
		writer.onRelease();
	}

	/** Ends a turn of the event loop, before its replies are sent; not called while replies of an earlier one are not. */
	flush(): void {
		const { writer } = this;
		const end = this.buffer.endOffset;
		const onlyReads = writer.writeError !== null && this.turnOffset >= writer.failedAtOffset;
		this.replyOffset = onlyReads ? writer.releaseOffset : end;
		this.turnOffset = end;
		if (writer.file === null) {
			writer.settle(end);
			writer.releaseOffset = end;
			return;
		}
		writer.markFlush(end);
		if (writer.writeError !== null) return;
		writer.writeFlushed(writer.file);
		this.change.turnEnded();
	}

	/** Writes everything appended, at once and whatever is under way. Returns whether it is in the files. */
	flushNow(): boolean {
		const { writer } = this;
		if (writer.file === null) return true;
		writer.markFlush(this.buffer.endOffset);
		// What the thread pool is writing is written once more: the same bytes at the same place.
		for (let limit = -1; writer.writeError === null && limit !== writer.writeLimit; ) {
			limit = writer.writeLimit;
			if (limit > writer.writtenOffset && !writer.writeNow(writer.file)) break;
			this.change.finishNow();
		}
		return writer.flushedOffset === writer.writtenOffset;
	}

	/** Several times a second, by the server's cron: fsyncs under `everysec`, and tries a failed disk again. */
	tick(nowMs: number): void {
		const { file, writeError, observer } = this.writer;
		observer?.tick(nowMs);
		if (file === null) return;
		if (writeError !== null) this.change.retry(file, nowMs);
		else this.writer.tick(file, nowMs);
	}

	/**
	 * Begins a new incremental file at the end of the present turn or a later one; the log goes on meanwhile. Resolves
	 * with the log position where the new file begins, or with the reason why there is none.
	 */
	async beginNewFile(): Promise<number | string> {
		const { file } = this.writer;
		return file === null ? 'the log has no files' : await this.change.rotate(file);
	}

	/** Waits for what is under way, writes the rest, makes it durable and closes the files. */
	async close(): Promise<void> {
		const { writer } = this;
		this.change.abandon('the log is being closed');
		await writer.whenIdle();
		const { file } = writer;
		if (file === null) return;
		this.flushNow();
		if (writer.writeError === null && writer.fsyncedOffset < writer.writtenOffset) {
			writer.startFsyncIfNeeded(file);
			await writer.whenIdle();
		}
		if (writer.file === file) writer.detach();
	}

	private refuse(message: string): string {
		this.logger.log('warning', message);
		return message;
	}

	private removeHistory(): void {
		try {
			this.folder.removeHistorySync((name) => {
				this.logger.log('notice', `Removing the history file ${name} in the background`);
				this.writer.observer?.fileRemoved(name);
			});
		} catch (error) {
			this.logger.log('warning', `Can't remove the history from the AOF manifest: ${errorText(error)}`);
		}
	}
}
