/**
 * A log as replication has it: under IDs, which the manifest keeps; on a replica a copy of the master's, byte for byte
 * at the same offsets; and replaced by another when a full resync brings one.
 */
import { errorText } from '../base/error-text.js';
import type { LogLineage } from '../formats/aof-manifest.js';
import { AppendLog } from './append-log.js';
import { type BaseFile, createFreshFiles } from './begin-log.js';
import type { BaseContent } from './log-folder.js';
import { type LogIds, nextLineage } from './log-lineage.js';

export class ReplicatedLog extends AppendLog {
	/**
	 * Appends bytes [start, end) of `source` as a master has sent them: whole entries, and whole MULTI … EXEC groups.
	 * Behind them `db` is selected. For a copy (`setIds`).
	 */
	appendStream(source: Buffer, start: number, end: number, db: number): void {
		this.writer.selectMarks.selected(db);
		this.appendRaw(source, start, end);
	}

	/**
	 * The files that hold the log from `offset` on stay, whatever the limits of the history say, until this is called again;
	 * -1 ends that.
	 */
	keepHistoryFrom(offset: number): void {
		const before = this.home.history.neededOffset;
		this.home.history.neededOffset = offset;
		this.scratch.history.neededOffset = offset;
		if (before >= 0 && offset < 0) void this.collectHistory();
	}

	/** The next entry will be preceded by a SELECT: somebody reads from here on who knows nothing of what was before. */
	selectNext(): void {
		this.writer.fileGeneration++;
	}

	/** What the manifest says of the IDs, and has been told by `setIds`; null before. */
	get lineage(): LogLineage | null {
		return this.home.folder.lineage;
	}

	/** At start-up, before `open`: what was found (`foundIds`). */
	restoreLineage(lineage: LogLineage): void {
		this.adopt({ ...lineage, cleanOffset: -1 });
	}

	/**
	 * The IDs under which the offsets count have changed, at the end of the log. In the manifest before this returns; null,
	 * or the reason (already logged) why not: then after a crash the log is taken for the old one. `isCopy`: only
	 * `appendStream` may append from now on.
	 */
	setIds(ids: LogIds): string | null {
		const { home } = this;
		const { lineage } = home.folder;
		if (lineage !== null && isSame(lineage, ids)) return null;
		// What is appended next is our own, and begins with a SELECT.
		if (!ids.isCopy && home.change.isCopy) this.selectNext();
		this.adopt(nextLineage(lineage, ids));
		return this.attached && !this.isExpendable ? this.writeLineage() : null;
	}

	private adopt(lineage: LogLineage): void {
		for (const { folder, change } of [this.home, this.scratch]) {
			change.replid = lineage.replid;
			change.isCopy = lineage.isCopy;
			folder.lineage = lineage;
		}
	}

	private writeLineage(): string | null {
		try {
			this.home.folder.writeLineageNow();
			return null;
		} catch (error) {
			return this.refuse(`Can't write the replication IDs to the AOF manifest: ${errorText(error)}`);
		}
	}

	/**
	 * Replaces the log by that of a master: `base` holds its dataset at log position `offset`, and what is appended next
	 * stands behind that, with database `db` selected. What was the log is history, which nobody reads any more. Readers
	 * fail; replies that are held are released. Resolves with null, or with the reason (already logged) why everything
	 * is as before. A log without files only changes its offset; then `base` stays where it is.
	 */
	async restartAt(
		base: BaseFile | BaseContent,
		offset: number,
		ids: LogIds,
		db: number,
	): Promise<string | null> {
		if (this.isExpendable) this.stop();
		if (!this.attached) {
			this.restartRing(offset, ids, db);
			return null;
		}
		const { folder, change, writer } = this;
		change.abandon('the log is replaced by that of a master');
		writer.enter();
		try {
			return await folder.exclusively(async () => {
				if (!this.attached) {
					this.restartRing(offset, ids, db);
					return null;
				}
				this.flushNow();
				const { lineage } = folder;
				// The manifest that makes the change has to say the IDs as well.
				folder.lineage = nextLineage(null, ids);
				const file = createFreshFiles(folder, base, offset, ids.replid, false, db);
				if (typeof file === 'string') {
					folder.lineage = lineage;
					return this.refuse(file);
				}
				this.moveEnd(offset, () => {
					writer.file?.retire();
					this.buffer.restart(offset);
					writer.attach(file, offset, db);
				});
				this.adopt(folder.lineage);
				this.beganAfresh();
				return null;
			});
		} finally {
			writer.leave();
		}
	}

	private restartRing(offset: number, ids: LogIds, db: number): void {
		this.setOffset(offset, db);
		this.adopt(nextLineage(null, ids));
	}

	/** The next start will know that nothing is missing. */
	protected override endedInOrder(): void {
		const { lineage } = this;
		if (lineage === null || this.isExpendable) return;
		this.home.folder.lineage = { ...lineage, cleanOffset: this.endOffset };
		this.writeLineage();
	}
}

function isSame(lineage: LogLineage, ids: LogIds): boolean {
	return (
		lineage.replid === ids.replid &&
		lineage.replid2 === ids.replid2 &&
		lineage.secondOffset === ids.secondOffset &&
		lineage.isCopy === ids.isCopy &&
		lineage.cleanOffset < 0
	);
}
