/**
 * Which database the entries at an offset apply to. A new file must begin with the right SELECT, because a loader
 * begins every file with database 0; it begins where a flush ended, so only the state at flushes is kept.
 */
export class SelectMarks {
	private selectedDb: number;
	private markedDb: number;
	/** Flushes at which the database was another than at the one before, oldest first; never empty. */
	private marks: { readonly offset: number; readonly db: number }[];

	/** At `offset` database `db` is selected. */
	constructor(offset: number, db = 0) {
		this.selectedDb = db;
		this.markedDb = db;
		this.marks = [{ offset, db }];
	}

	/** The database at the end of the log. */
	get current(): number {
		return this.selectedDb;
	}

	/** A SELECT has been appended. */
	selected(db: number): void {
		this.selectedDb = db;
	}

	/** A flush ends at `offset`. */
	mark(offset: number): void {
		if (this.selectedDb === this.markedDb) return;
		this.markedDb = this.selectedDb;
		this.marks.push({ offset, db: this.selectedDb });
	}

	/** The database at a flush that has not been forgotten. */
	dbAt(offset: number): number {
		let db = 0;
		for (const mark of this.marks) if (mark.offset <= offset) db = mark.db;
		return db;
	}

	/** Nobody will ask about what is before `offset`. */
	forget(offset: number): void {
		const { marks } = this;
		let dropCount = 0;
		while (dropCount + 1 < marks.length && marks[dropCount + 1]!.offset <= offset) dropCount++;
		if (dropCount > 0) marks.splice(0, dropCount);
	}
}
