/**
 * The log that everything is written to. It is appended to in memory, and written to the newest incremental file once
 * per turn of the event loop (`flush`), before the replies of that turn are sent. How that goes, and what the offsets
 * mean: log-writer.ts. How one file follows another: file-change.ts.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { aofEntrySize } from '../formats/aof-entry.js';
import type { AofManifest } from '../formats/aof-manifest.js';
import {
	adoptTemporarySteps,
	type BaseMove,
	createFreshFiles,
	createTemporaryFile,
	openLogFiles,
	replaceBaseSteps,
} from './begin-log.js';
import { removeIfThere, runSteps } from './durable-steps.js';
import { FileChange } from './file-change.js';
import { foldSourceUpTo, prepareFolder } from './fold-source.js';
import type { LogBuffer } from './log-buffer.js';
import type { LogFile } from './log-file.js';
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
import { type LogPlace, removeScratch, scratchFs, scratchNames } from './log-place.js';
import { LogReaders } from './log-readers.js';
import { LogWriter } from './log-writer.js';
import { SelectMarks } from './select-marks.js';

const NO_HISTORY: HistoryLimits = { logHistorySize: 0, logHistorySeconds: 0, aofDisableAutoGc: false };

/** Files in one of the two folders. */
export interface Place {
	readonly folder: LogFolder;
	readonly change: FileChange;
	readonly history: LogHistory;
}

export class AppendLog {
	/**
	 * What the replies of the turn that the last `flush` ended have to wait for: its end, reads included. While the disk
	 * fails writes are refused, and reads go on: they don't wait for the entries that are stuck. But the turn in which
	 * it began to fail may hold replies to writes, and those wait.
	 */
	replyOffset = 0;
	/** Who reads the log, and the ring in memory that they read from. */
	readonly readers: LogReaders;

	private readonly logger: Logger;
	protected readonly writer: LogWriter;
	protected readonly buffer: LogBuffer;
	protected readonly home: Place;
	protected readonly scratch: Place;
	/** What belongs to `place`. */
	protected folder: LogFolder;
	protected change: FileChange;
	private history: LogHistory;
	private observed: LogObserver | null = null;
	/** What the configuration says; a scratch log never fsyncs. */
	private policy: FsyncPolicy;
	private place: LogPlace = 'home';
	/** The file being written is not part of the log yet (`beginTemporary`). */
	private temporary: LogFile | null = null;
	/** `endOffset` at the end of the last turn. */
	private turnOffset = 0;
	/** Size of all files when the base was made. */
	private baseSize = 0;

	/** A log without files: it counts offsets, and releases everything. `open` or `startFresh` attach the files. */
	constructor(options: AppendLogOptions) {
		const { fs, env, logger } = options;
		this.logger = logger;
		this.policy = options.fsyncPolicy;
		this.writer = new LogWriter(fs, env.clock, logger, options.fsyncPolicy, options.inlineFsyncUsMax);
		this.writer.onProgress = () => this.change.advance();
		this.buffer = this.writer.buffer;
		this.readers = new LogReaders(this.writer, () => this.folder);
		this.writer.onRelease = () => this.readers.wake();
		const placeIn = (folder: LogFolder, limits: HistoryLimits): Place => ({
			folder,
			change: new FileChange(this.writer, folder, logger, options.replid),
			history: new LogHistory(folder, env.clock, logger, limits),
		});
		this.home = placeIn(new LogFolder(fs, options.names), options.history ?? NO_HISTORY);
		const names = scratchNames(options.names, options.pid ?? 0);
		this.scratch = placeIn(new LogFolder(scratchFs(fs), names), NO_HISTORY);
		this.folder = this.home.folder;
		this.change = this.home.change;
		this.history = this.home.history;
		this.history.onRemove = (name) => this.writer.observer?.fileRemoved(name);
		this.history.onMove = (name, to) => this.writer.observer?.fileMoved(name, to);
	}

	/** Called when `releaseOffset` advanced outside of `flush`, or `writeError` changed. */
	set onRelease(fn: () => void) {
		this.writer.onRelease = () => {
			fn();
			this.readers.wake();
		};
	}

	/** Who is told of what happens to the files; to be set before there are any. */
	set observer(observer: LogObserver) {
		this.observed = observer;
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

	/** Whether those are the files of a scratch log, which nobody will load. */
	get isScratch(): boolean {
		return this.attached && this.place === 'scratch';
	}

	/** Whether a base is still to come: until then there is nothing to fold, and nothing to load. */
	get isTemporary(): boolean {
		return this.temporary !== null;
	}

	get fsyncPolicy(): FsyncPolicy {
		return this.policy;
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
		if (this.keepsNothing) this.buffer.skip(end - start);
		else this.buffer.appendRaw(source, start, end);
	}

	/** Appends a command. */
	appendArgs(args: readonly string[]): void {
		if (args.length === 2 && args[0] === 'SELECT') this.writer.selectMarks.selected(Number(args[1]));
		if (this.keepsNothing) this.buffer.skip(aofEntrySize(args));
		else this.buffer.appendArgs(args);
	}

	private get keepsNothing(): boolean {
		return this.writer.file === null && this.buffer.ringBytes === 0;
	}

	/**
	 * Moves a log without files to an offset, such as the one that was recovered at start-up. There `db` is
	 * selected. Its readers fail.
	 */
	setOffset(offset: number, db = 0): void {
		if (this.attached) throw new Error('the log has files; its offset is theirs');
		this.moveEnd(offset, () => {
			this.buffer.restart(offset);
			this.writer.selectMarks = new SelectMarks(offset, db);
		});
	}

	/**
	 * Makes `offset` the end of the log, which may be less than it was; `change` puts what is needed in its place. Nobody
	 * waits for one of the offsets before, and readers fail.
	 */
	protected moveEnd(offset: number, change: () => void): void {
		const { writer } = this;
		writer.clearError();
		writer.releaseOffset = Number.MAX_SAFE_INTEGER;
		writer.onRelease();
		change();
		writer.settle(offset);
		writer.releaseOffset = offset;
		this.replyOffset = offset;
		this.turnOffset = offset;
		this.readers.replaced();
	}

	/** To which database the next entry applies, where that is not said by a SELECT of our own. */
	get streamDb(): number {
		return this.home.change.isCopy ? this.writer.selectMarks.current : 0;
	}

	setFsyncPolicy(policy: FsyncPolicy): void {
		this.policy = policy;
		if (this.place === 'home') this.writer.setPolicy(policy);
	}

	/**
	 * At start-up, behind the loader: continues the log that `manifest` describes at `endOffset`, or begins one, with
	 * `firstBase` as the dataset at that offset, where `db` is selected. The last incremental file must end at `endOffset`. Returns null, or the
	 * reason (already logged) why not.
	 */
	open(
		manifest: AofManifest,
		endOffset: number,
		firstBase: BaseContent = aofBase([]),
		db = 0,
	): string | null {
		const { change } = this;
		const file = openLogFiles(this.folder, manifest, endOffset, change.replid, this.logger, firstBase);
		if (typeof file === 'string') return this.refuse(file);
		this.writer.attach(file, endOffset, db);
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
		if (this.temporary !== null || this.place === 'scratch') this.stop();
		const { file: oldFile } = writer;
		const end = this.buffer.endOffset;
		const db = this.streamDb;
		const file = createFreshFiles(folder, base, end, change.replid, oldFile === null, db);
		if (typeof file === 'string') return this.refuse(file);
		oldFile?.retire();
		// A write on the thread pool may still be reading the old memory.
		this.buffer.settle();
		writer.attach(file, end, db);
		this.beganAfresh();
		return null;
	}

	protected beganAfresh(): void {
		const { change, writer, folder } = this;
		change.olderFilesSize = folder.baseSizeSync();
		this.baseSize = change.olderFilesSize;
		if (folder.manifest.base !== null) writer.observer?.baseBegan(folder.manifest.base);
		void this.collectHistory();
		writer.clearError();
		writer.onRelease();
	}

	/** `CONFIG SET appendonly no`: writes what there is, makes it durable and goes on without files. Blocks. */
	stop(): void {
		const { writer } = this;
		if (writer.file === null) return;
		this.flushNow();
		this.change.abandon('the log has been switched off');
		if (!this.isExpendable) writer.syncNow(writer.file);
		writer.detach();
		this.removeExpendable();
		// Nobody promises anything any more about what could not be written.
		const end = this.buffer.endOffset;
		writer.settle(end);
		writer.advanceRelease(end);
		writer.clearError();
		writer.onRelease();
	}

	/**
	 * Begins to write to a temporary file, before there is a base for it, for a log without files: a snapshot of the
	 * dataset as it is now has begun. `adoptBase` makes it the log, `stop` gives it up. In its scratch folder the log is
	 * never fsynced and ends with the process. Not to be called within a transaction. Returns null, or the reason
	 * (already logged) why not.
	 */
	beginTemporary(place: LogPlace): string | null {
		const { writer } = this;
		if (this.attached) throw new Error('the log has files');
		this.moveTo(place);
		const { folder, change } = this;
		try {
			if (change.obstacle !== null) throw new Error(change.obstacle);
			const file = createTemporaryFile(folder, this.buffer.endOffset, change.replid, this.streamDb);
			this.temporary = file;
			change.olderFilesSize = 0;
			this.baseSize = 0;
			writer.attach(file, this.buffer.endOffset, this.streamDb);
			if (place === 'home')
				this.logger.log('notice', `Creating AOF incr file ${file.info.name} on background rewrite`);
			return null;
		} catch (error) {
			this.moveTo('home');
			return this.refuse(`Can't open the append-only file: ${errorText(error)}`);
		}
	}

	/**
	 * The snapshot that `beginTemporary` was for is done, the file at `path` (null: the dataset was empty), durable
	 * already: it and the temporary file are the log now, and all files before are history. Resolves with null, or with
	 * the reason why not; then there is no log any more, as after `stop`.
	 */
	async adoptBase(path: string | null, format: BaseFormat, move: BaseMove): Promise<string | null> {
		const { folder, writer, change, temporary } = this;
		if (temporary === null) return this.refuse('The temporary AOF file is gone');
		writer.enter();
		try {
			await folder.exclusively(async () => {
				prepareFolder(folder);
				const base = folder.nextBase(format, temporary.info.startOffset, change.replid);
				const tempName = temporary.info.name;
				const steps = adoptTemporarySteps(folder, temporary, path, base, move);
				const info = await runSteps(folder.fs, steps);
				temporary.info = info;
				if (this.temporary !== temporary) throw new Error('the log has been switched off');
				this.temporary = null;
				writer.observer?.fileMoved(tempName, info.name);
				if (path !== null) writer.observer?.baseBegan(base);
				if (this.place === 'home' && path !== null) this.logRenamed('base', path, base.name);
				if (this.place === 'home') this.logRenamed('incr', tempName, info.name);
				change.olderFilesSize = folder.baseSizeSync();
				this.baseSize = this.stats().currentSize;
			});
		} catch (error) {
			if (this.temporary === temporary) this.stop();
			return this.refuse(`Error trying to make the temporary AOF files the log: ${errorText(error)}`);
		} finally {
			writer.leave();
		}
		await this.collectHistory();
		return null;
	}

	/** Ends a turn of the event loop, before its replies are sent; not called while replies of an earlier one are not. */
	flush(): void {
		const { writer } = this;
		if (writer.writeError !== null && this.isExpendable) this.giveUpExpendable();
		const end = this.buffer.endOffset;
		const onlyReads = writer.writeError !== null && this.turnOffset >= writer.failedAtOffset;
		this.replyOffset = onlyReads ? writer.releaseOffset : end;
		this.turnOffset = end;
		if (writer.file === null) {
			writer.settle(end);
			writer.releaseOffset = end;
			this.buffer.releaseBefore(end);
			this.readers.wake();
			return;
		}
		writer.markFlush(end);
		if (writer.writeError !== null) return;
		writer.writeFlushed(writer.file);
		this.change.turnEnded();
		this.readers.wake();
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

	/** Begins to make durable what has been written, whatever the policy says. */
	syncOnce(): void {
		const { file, writeError } = this.writer;
		if (file !== null && writeError === null && !this.isExpendable) this.writer.startFsyncIfNeeded(file);
	}

	/** Several times a second, by the server's cron: fsyncs under `everysec`, and tries a failed disk again. */
	tick(nowMs: number): void {
		const { file, writeError, observer } = this.writer;
		observer?.tick(nowMs);
		if (file === null) return;
		if (writeError !== null && this.isExpendable) this.giveUpExpendable();
		else if (writeError !== null) this.change.retry(file, nowMs);
		else this.writer.tick(file, nowMs);
		if (this.history.isTooOld(nowMs)) void this.collectHistory();
	}

	/** Tells whether somebody has written to the base since (see `LogFs.stampSync`); '' without a base. */
	baseStamp(): string {
		const { base } = this.folder.manifest;
		return base === null ? '' : this.folder.fs.stampSync(this.folder.filePath(base.name));
	}

	/** What the dataset as it stands in the files is made of: everything up to the last write. The log has a base. */
	foldSource(): FoldSource {
		if (this.temporary !== null) throw new Error('the log has no base yet');
		return foldSourceUpTo(this.folder, this.writer.writtenOffset, this.streamDb);
	}

	/**
	 * Begins a new incremental file at the end of the present turn or a later one; the log goes on meanwhile. Resolves
	 * with where it begins, or with the reason why there is none.
	 */
	async beginNewFile(): Promise<BeginResult> {
		const { file } = this.writer;
		if (file === null) return 'the log has no files';
		return this.temporary === null ? await this.change.rotate(file) : 'the log has no base yet';
	}

	/**
	 * Makes a finished snapshot the base: the file at `path`, durable already, which holds the dataset at `offset`, where
	 * an incremental file begins. The base and the files before become history. Of a log without files (it is switched
	 * off, but its files are still there) all incremental files do. Resolves with null, or with the reason why
	 * everything is as before; `path` may be gone then. `place`: of the log in the other folder than the present one,
	 * which is switched off.
	 */
	async replaceBase(
		path: string,
		format: BaseFormat,
		offset: number,
		move: BaseMove = 'rename',
		place: LogPlace = this.place,
	): Promise<string | null> {
		const { writer } = this;
		const { folder, change } = place === 'home' ? this.home : this.scratch;
		writer.enter();
		try {
			await folder.exclusively(async () => {
				const isOff = writer.file === null || place !== this.place;
				if (isOff) prepareFolder(folder);
				else if (folder.manifest.incrementals.every((file) => file.startOffset !== offset))
					throw new Error(`no file of the log begins at offset ${offset}`);
				const base = folder.nextBase(format, offset, change.replid);
				await runSteps(folder.fs, replaceBaseSteps(folder, path, base, move, isOff));
				if (place === 'home') this.logRenamed('base', path, base.name);
				if (place !== this.place) return;
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
		await this.collectHistory(place);
		return null;
	}

	/** As `collectHistory`, before returning if nothing else is going on: an administrator looks at the result. */
	collectHistoryNow(): void {
		if (!this.history.isNeeded) return;
		if (this.folder.isChanging) {
			void this.collectHistory();
			return;
		}
		try {
			this.history.collectNow();
		} catch (error) {
			this.refuse(`Can't put the history of the AOF away: ${errorText(error)}`);
		}
	}

	/** Puts away the files that became history, and removes what is too much of it; at once after a setting changed. */
	async collectHistory(place: LogPlace = this.place): Promise<void> {
		const { history } = place === 'home' ? this.home : this.scratch;
		if (!history.isNeeded) return;
		this.writer.enter();
		try {
			await history.collect();
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
		if (this.isExpendable) {
			this.stop();
			return;
		}
		this.flushNow();
		if (writer.writeError === null && writer.fsyncedOffset < writer.writtenOffset) {
			writer.startFsyncIfNeeded(file);
			await writer.whenIdle();
		}
		if (writer.file !== file) return;
		if (writer.writeError === null && writer.fsyncedOffset === this.buffer.endOffset) this.endedInOrder();
		writer.detach();
	}

	/** All of the log is durable, and nothing more will be appended. */
	protected endedInOrder(): void {}

	/** Whether it is no harm if the files are lost: nobody counts on them (yet). */
	protected get isExpendable(): boolean {
		return this.temporary !== null || this.place === 'scratch';
	}

	/** Removes what was not to last; the writer has let go of it. */
	private removeExpendable(): void {
		const { temporary, folder } = this;
		this.temporary = null;
		if (this.place === 'scratch') {
			removeScratch(folder.fs, folder.path, this.logger);
			this.moveTo('home');
		} else if (temporary !== null) {
			const { name } = temporary.info;
			this.logger.log('notice', `Removing the temp incr aof file ${name} in the background`);
			removeIfThere(folder.fs, folder.filePath(name));
			this.writer.observer?.fileRemoved(name);
		}
	}

	/** Where the next file will be; the log has none now. */
	private moveTo(place: LogPlace): void {
		const isHome = place === 'home';
		this.place = place;
		({ folder: this.folder, change: this.change, history: this.history } = isHome ? this.home : this.scratch);
		this.writer.fs = this.folder.fs;
		this.writer.policy = isHome ? this.policy : 'no';
		this.writer.observer = isHome ? this.observed : null;
	}

	/** Nobody refuses a write because of files that are no promise to anybody: they are given up. */
	private giveUpExpendable(): void {
		this.logger.log('warning', `The file of the log can't be written, and is given up: ${this.writeError}`);
		this.stop();
	}

	private logRenamed(kind: 'base' | 'incr', from: string, to: string): void {
		const message = `Successfully renamed the temporary AOF ${kind} file ${baseName(from)} into ${to}`;
		this.logger.log('notice', message);
	}

	protected refuse(message: string): string {
		this.logger.log('warning', message);
		return message;
	}
}

function baseName(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}
