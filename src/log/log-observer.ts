import type { AofFileInfo } from '../formats/aof-manifest.js';

/**
 * Follows what becomes of the files of a log. Calls come in the order of the events, on the serving path: they must be
 * quick, and must not throw. Offsets are log positions.
 */
export interface FileObserver {
	/**
	 * The log writes to `file` from now on, whose content (the prefix and what was kept in memory included) ends at
	 * `offset`, where database `db` is selected for its reader.
	 */
	fileBegan(file: AofFileInfo, offset: number, db: number): void;
	/** `file`, which is no longer written to, ends at `offset` now: what was behind is gone. */
	fileCut(file: AofFileInfo, offset: number): void;
	/** A file of that name has been removed. */
	fileRemoved(name: string): void;
	/** A file has another name now, in the history. Names are relative to the folder of the log. */
	fileMoved(from: string, to: string): void;
	/** There is a new base. */
	baseBegan(file: AofFileInfo): void;
	/** Nothing is written to files any more, until `fileBegan`. */
	stopped(): void;
	/** Several times a second. */
	tick(nowMs: number): void;
}

/** Follows what a log writes, too. */
export interface LogObserver extends FileObserver {
	/** Bytes [from, to) of `chunk`, which have the log position `offset`, stand in the file. In order, each byte once. */
	wrote(chunk: Buffer, from: number, to: number, offset: number): void;
	/** Everything before `offset` has been reported: an entry ends there, and its reader has `db` selected. */
	entriesEnd(offset: number, db: number): void;
}
