/**
 * The log that everything is written to. It is appended to in memory, and written to the newest incremental file once
 * per turn of the event loop (`flush`), before the replies of that turn are sent. How that goes, and what the offsets
 * mean: log-writer.ts. How one file follows another: file-change.ts.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { aofEntrySize } from '../formats/aof-entry.js';
import type { AofManifest } from '../formats/aof-manifest.js';
import { type BaseMove, createFreshFiles, openLogFiles, replaceBaseSteps } from './begin-log.js';
import { runSteps } from './durable-steps.js';
import { FileChange } from './file-change.js';
import { foldSourceUpTo, prepareFolder } from './fold-source.js';
import type { LogBuffer } from './log-buffer.js';
import { aofBase, type BaseContent, type BaseFormat, LogFolder } from './log-folder.js';
import { type HistoryLimits, historyInfos, LogHistory } from './log-history.js';
import type { LogObserver } from './log-observer.js';
import type {
	AppendLogOptions,
	AppendLogStats,
	BeginResult,
	FoldSource,
	FsyncPolicy,
} from './log-options.js';
import { LogWriter } from './log-writer.js';

const NO_HISTORY: HistoryLimits = { logHistorySize: 0, logHistorySeconds: 0, aofDisableAutoGc: false };

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
	private readonly history: LogHistory;
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
		this.history = new LogHistory(this.folder, env.clock, logger, options.history ?? NO_HISTORY);
		this.history.onRemove = (name) => this.writer.observer?.fileRemoved(name);
		this.history.onMove = (name, to) => this.writer.observer?.fileMoved(name, to);
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

	/** The manifest on disk, and as history also what has been moved out of it (`history/…`), the oldest file first. */
	manifestWithHistory(): AofManifest {
		const { fs, names, manifest } = this.folder;
		return { ...manifest, history: [...historyInfos(fs, names), ...[...manifest.history].reverse()] };
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
	 * At start-up, behind the loader: continues the log that `manifest` describes at `endOffset`, or begins one, with
	 * `firstBase` as the dataset at that offset. The last incremental file must end at `endOffset`. Returns null, or the
	 * reason (already logged) why not.
	 */
	open(manifest: AofManifest, endOffset: number, firstBase: BaseContent = aofBase([])): string | null {
		const { change } = this;
		const file = openLogFiles(this.folder, manifest, endOffset, change.replid, this.logger, firstBase);
		if (typeof file === 'string') return this.refuse(file);
		this.writer.attach(file, endOffset);
		change.olderFilesSize = this.folder.olderSizeSync();
		this.baseSize = this.folder.baseSizeSync();
		void this.collectHistory();
		return null;
	}

	/**
	 * Makes `base`, which must hold the dataset as it is at `endOffset`, the new base, and begins a new incremental file
	 * behind it; the old files are history then. For `CONFIG SET appendonly yes`, and where the log must be replaced.
	 * Blocks until it is done. Not to be called within a transaction: its first half would be in the base. Returns null,
	 * or the reason (already logged) why everything is as before.
	 */
	startFresh(base: BaseContent): string | null {
		const { change, writer, folder } = this;
		if (change.obstacle !== null) return this.refuse(`Can't begin a new AOF while ${change.obstacle}`);
		const { file: oldFile } = writer;
		const end = this.buffer.endOffset;
		const file = createFreshFiles(folder, base, end, change.replid, oldFile === null);
		if (typeof file === 'string') return this.refuse(file);
		oldFile?.retire();
		// A write on the thread pool may still be reading the old memory; its file no longer matters.
		this.buffer.restart(end);
		writer.attach(file, end);
		change.olderFilesSize = folder.baseSizeSync();
		this.baseSize = change.olderFilesSize;
		if (folder.manifest.base !== null) writer.observer?.baseBegan(folder.manifest.base);
		void this.collectHistory();
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

	/** Writes everything appended, at once and whatever is under way. Returns whether it is in the file. */
	flushNow(): boolean {
		const { writer } = this;
		if (writer.file === null) return true;
		writer.markFlush(this.buffer.endOffset);
		if (writer.writeError !== null) return writer.flushedOffset === writer.writtenOffset;
		this.change.postpone();
		// What the thread pool is writing is written once more: the same bytes at the same place.
		return writer.flushedOffset === writer.writtenOffset || writer.writeNow(writer.file);
	}

	/** Several times a second, by the server's cron: fsyncs under `everysec`, and tries a failed disk again. */
	tick(nowMs: number): void {
		const { file, writeError, observer } = this.writer;
		observer?.tick(nowMs);
		if (file === null) return;
		if (writeError !== null) this.change.retry(file, nowMs);
		else this.writer.tick(file, nowMs);
		if (this.history.isTooOld(nowMs)) void this.collectHistory();
	}

	/** What the dataset as it stands in the files is made of: everything up to the last write. */
	foldSource(): FoldSource {
		return foldSourceUpTo(this.folder, this.writer.writtenOffset);
	}

	/**
	 * Begins a new incremental file at the end of the present turn or a later one; the log goes on meanwhile. Resolves
	 * with where it begins, or with the reason why there is none.
	 */
	async beginNewFile(): Promise<BeginResult> {
		const { file } = this.writer;
		return file === null ? 'the log has no files' : await this.change.rotate(file);
	}

	/**
	 * Makes a finished snapshot the base: the file at `path`, durable already, which holds the dataset at `offset`, where
	 * an incremental file begins. The base and the files before become history. Of a log without files (it is switched
	 * off, but its files are still there) all incremental files do. Resolves with null, or with the reason why
	 * everything is as before; `path` may be gone then.
	 */
	async replaceBase(
		path: string,
		format: BaseFormat,
		offset: number,
		move: BaseMove = 'rename',
	): Promise<string | null> {
		const { folder, writer, change } = this;
		writer.enter();
		try {
			await folder.exclusively(async () => {
				const isOff = writer.file === null;
				if (isOff) prepareFolder(folder);
				else if (folder.manifest.incrementals.every((file) => file.startOffset !== offset))
					throw new Error(`no file of the log begins at offset ${offset}`);
				const base = folder.nextBase(format, offset, change.replid);
				await runSteps(folder.fs, replaceBaseSteps(folder, path, base, move, isOff));
				this.logger.log(
					'notice',
					`Successfully renamed the temporary AOF base file ${baseName(path)} into ${base.name}`,
				);
				writer.observer?.baseBegan(base);
				change.olderFilesSize = folder.olderSizeSync();
				this.baseSize = this.stats().currentSize;
			});
		} catch (error) {
			return this.refuse(
				`Error trying to make the temporary AOF base file ${baseName(path)} the base: ${errorText(error)}`,
			);
		} finally {
			writer.leave();
		}
		void this.collectHistory();
		return null;
	}

	/** Puts away the files that became history, and removes what is too much of it; at once after a setting changed. */
	async collectHistory(): Promise<void> {
		if (!this.history.isNeeded) return;
		this.writer.enter();
		try {
			await this.history.collect();
		} finally {
			this.writer.leave();
		}
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
}

function baseName(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}
