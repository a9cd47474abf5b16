/**
 * The change from one incremental file to the next while the log is written. There are two occasions:
 *
 * Rotation (`rotate`), where a snapshot wants a file of its own to begin. In order:
 *   1. the new file, empty, is durable; then the manifest that names it last; then what the old file holds. All of this
 *      on the thread pool, and the log goes on in the old file.
 *   2. At the end of a turn the place is settled where the old file ends (`fileEndOffset`). What comes behind stays in
 *      memory, and its replies wait.
 *   3. When the old file is durable up to there, the new one is written to.
 * So nobody waits longer than one fsync. A crash before 3 leaves an empty file behind one that may be torn, and the loader
 * cuts that; behind 3 the old file is whole, so that the new one's place in the log is the end of the old one. The
 * manifest says it from the next time on that it is written. In the log of a replica, which adds nothing of its own to
 * what its master sends, the new file begins with a SELECT that is not part of the log: of the database that was selected
 * when it was created, so its place is one where that is (still, or again) selected.
 *
 * Taking over from a file that failed (`retry`), about once a second until the disk takes it. The new file begins at
 * the last offset that is safe in the old one, with the bytes kept in memory, and has the same offsets. The order:
 * new file durable, manifest (with the offset) durable, then the old file cut. A crash between the last two leaves a
 * surplus, which the loader skips.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import type { AofFileInfo } from '../formats/aof-manifest.js';
import { emptyFileSteps, takeOverSteps } from './begin-log.js';
import { runSteps, syncFileSteps } from './durable-steps.js';
import { foldSourceUpTo } from './fold-source.js';
import { LogFile } from './log-file.js';
import type { LogFolder } from './log-folder.js';
import type { BeginResult } from './log-options.js';
import type { LogWriter } from './log-writer.js';

const RETRY_PERIOD_MS = 1000;
/** Behind so many turns with another database a file is made for that one. */
const MISS_COUNT_MAX = 20;

/** A file that is to be the next. */
interface NextFile {
	readonly info: AofFileInfo;
	readonly fd: number;
}

/** A rotation under way. */
interface Rotation {
	readonly oldFile: LogFile;
	/** Durable and named by the manifest on disk: the place may be settled. */
	next: NextFile | null;
	/** Which database the entries apply to that `next` begins with: of a copy, as nothing is put before them. */
	db: number;
	/** At so many ends of a turn another one was selected. */
	missCount: number;
	/**
	 * The place is settled behind an fsync of what was written when `next` was there: so the one that replies wait for
	 * has little to do.
	 */
	syncTarget: number;
	/** Settles the promise of `rotate`. */
	readonly done: (result: BeginResult) => void;
}

export class FileChange {
	/** The replication ID that new files get. */
	replid: string;
	/** The log is a copy of a master's: a new file must not make a SELECT of its own necessary. */
	isCopy = false;
	/** Size in bytes of the base and the incremental files before the one being written. */
	olderFilesSize = 0;

	private readonly writer: LogWriter;
	private readonly folder: LogFolder;
	private readonly logger: Logger;
	private rotation: Rotation | null = null;
	private preparingCount = 0;
	private resuming = false;
	private retriedAtMs = 0;

	constructor(writer: LogWriter, folder: LogFolder, logger: Logger, replid: string) {
		this.writer = writer;
		this.folder = folder;
		this.logger = logger;
		this.replid = replid;
	}

	/** Why no other change of the files may begin; null if it may. */
	get obstacle(): string | null {
		if (this.resuming) return 'a failed AOF file is being taken over';
		if (this.rotation !== null || this.preparingCount > 0) return 'a new AOF file is being opened';
		return this.folder.isChanging ? 'the files of the AOF are being changed' : null;
	}

	/** Begins a new file; resolves with where it begins, or with the reason why it can't be done. */
	async rotate(oldFile: LogFile): Promise<BeginResult> {
		const { writer } = this;
		if (this.rotation !== null || this.preparingCount > 0) return 'a new AOF file is being opened already';
		if (writer.writeError !== null) return writer.writeError;
		writer.enter();
		try {
			return await new Promise<BeginResult>((done) => {
				this.rotation = { oldFile, next: null, db: 0, missCount: 0, syncTarget: 0, done };
				void this.prepare(this.rotation);
			});
		} finally {
			writer.leave();
		}
	}

	/** Gives up a rotation whose place is not settled yet. */
	abandon(reason: string): void {
		if (this.rotation !== null && this.writer.fileEndOffset === Number.POSITIVE_INFINITY) this.end(reason);
	}

	/** A turn has ended: `flushedOffset` has advanced to the end of what was appended. */
	turnEnded(): void {
		if (this.rotation !== null) this.advance();
	}

	/**
	 * Lets the old file take everything up to now, because somebody can't wait for the new one: the place is settled anew
	 * behind it.
	 */
	postpone(): void {
		this.writer.fileEndOffset = Number.POSITIVE_INFINITY;
	}

	/** While the disk fails: tries to go on in a new file, about once a second. */
	retry(oldFile: LogFile, nowMs: number): void {
		const { writer } = this;
		if (writer.busy || nowMs < Math.max(this.retriedAtMs, writer.failedAtMs) + RETRY_PERIOD_MS) return;
		this.retriedAtMs = nowMs;
		void this.resume(oldFile);
	}

	/** Creates the next file under its name, and settles where it begins as soon as that can be. Never rejects. */
	private async prepare(rotation: Rotation): Promise<void> {
		const { folder, writer } = this;
		const { oldFile } = rotation;
		this.preparingCount++;
		writer.enter();
		oldFile.begin();
		try {
			const next = await folder.exclusively(() => {
				rotation.missCount = 0;
				rotation.db = this.isCopy ? writer.selectMarks.current : 0;
				return runSteps(folder.fs, emptyFileSteps(folder, this.replid, rotation.db));
			});
			if (this.rotation !== rotation) {
				this.discard(next);
				return;
			}
			rotation.next = next;
			rotation.syncTarget = writer.writtenOffset;
			this.advance();
		} catch (error) {
			if (this.rotation === rotation) this.end(errorText(error));
		} finally {
			oldFile.end();
			this.preparingCount--;
			writer.leave();
		}
	}

	/** Whenever something has been written, synced, or has failed, and at the end of a turn. */
	advance(): void {
		for (;;) {
			const { rotation, writer } = this;
			if (rotation === null) return;
			const { oldFile, next } = rotation;
			if (writer.writeError !== null || writer.file !== oldFile) {
				this.end(writer.writeError ?? 'the log has been closed');
				return;
			}
			if (next === null) return;
			const isSettled = writer.fileEndOffset !== Number.POSITIVE_INFINITY;
			const target = isSettled ? writer.fileEndOffset : rotation.syncTarget;
			if (writer.writtenOffset < target) return;
			if (writer.fsyncedOffset < target) {
				// Never beside the writer's own: after a failed fsync another one must not follow.
				writer.startFsyncIfNeeded(oldFile);
				if (writer.isFsyncing) return;
			} else if (isSettled) {
				this.changeOver(rotation, next, target);
				return;
			} else {
				if (writer.flushedOffset !== writer.buffer.endOffset) return;
				if (rotation.db !== (this.isCopy ? writer.selectMarks.current : 0)) {
					// It may be selected again soon, in a stream that changes between some.
					if (++rotation.missCount < MISS_COUNT_MAX) return;
					this.discard(next);
					rotation.next = null;
					void this.prepare(rotation);
					return;
				}
				writer.fileEndOffset = writer.flushedOffset;
				writer.fileGeneration++;
			}
		}
	}

	/** The old file is whole, and durable, up to `offset`. */
	private changeOver(rotation: Rotation, next: NextFile, offset: number): void {
		const { folder, writer } = this;
		const info = { ...next.info, startOffset: offset, replid: this.replid };
		folder.placeIncremental(info);
		this.rotation = null;
		this.olderFilesSize += rotation.oldFile.position(offset);
		writer.switchTo(new LogFile(folder.fs, next.fd, info), offset);
		// What comes before is described now: the next moment it may be history.
		rotation.done({ offset, source: foldSourceUpTo(folder, offset, rotation.db) });
	}

	/** Gives the rotation up: the log goes on in the old file. */
	private end(reason: string): void {
		const { rotation, writer } = this;
		if (rotation === null) return;
		this.rotation = null;
		writer.fileEndOffset = Number.POSITIVE_INFINITY;
		if (rotation.next !== null) this.discard(rotation.next);
		rotation.done(reason);
	}

	private discard(next: NextFile): void {
		this.folder.fs.closeSync(next.fd);
		this.folder.forgetIncremental(next.info);
	}

	/** Tries to go on in a new incremental file. Never rejects. */
	private async resume(oldFile: LogFile): Promise<void> {
		const { writer, folder } = this;
		const { fs } = folder;
		this.resuming = true;
		writer.enter();
		oldFile.begin();
		try {
			if (!writer.fsyncFailed && writer.fsyncedOffset < writer.cutOffset) {
				// The new file begins where this one ends, so what is in this one has to be safe first.
				try {
					await runSteps(fs, syncFileSteps(oldFile.fd));
					writer.fsyncedOffset = Math.max(writer.fsyncedOffset, writer.cutOffset);
				} catch {
					writer.cutBehindLostPages();
				}
				if (writer.file !== oldFile) return;
			}
			const from = writer.cutOffset;
			const to = writer.flushedOffset;
			const db = writer.selectMarks.dbAt(from);
			const newFile = await folder.exclusively(() =>
				runSteps(fs, takeOverSteps(folder, writer.buffer, from, to, db, this.replid)),
			);
			if (writer.file !== oldFile) {
				newFile.retire();
				return;
			}
			this.olderFilesSize += oldFile.position(from);
			writer.fileGeneration++;
			writer.diskErrors.solved();
			writer.switchTo(newFile, to);
			await this.cutOldFile(oldFile, from);
		} catch (error) {
			if (writer.file !== oldFile) return;
			writer.writeError = errorText(error);
			writer.diskErrors.writeFailed(error, 0, 0);
		} finally {
			oldFile.end();
			this.resuming = false;
			writer.leave();
		}
	}

	private async cutOldFile(oldFile: LogFile, offset: number): Promise<void> {
		const { fs } = this.folder;
		try {
			fs.ftruncateSync(oldFile.fd, oldFile.position(offset));
			this.writer.observer?.fileCut(oldFile.info, offset);
			await runSteps(fs, syncFileSteps(oldFile.fd));
		} catch (error) {
			this.logger.log(
				'warning',
				`Can't cut the AOF file ${oldFile.info.name} to ${oldFile.position(offset)} bytes, where the next one ` +
					`takes over: ${errorText(error)}`,
			);
		}
	}
}
