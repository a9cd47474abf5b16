import type { Env } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import type { LogNames } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import type { HistoryLimits } from './log-history.js';

export type FsyncPolicy = 'always' | 'everysec' | 'no';

export interface AppendLogOptions {
	readonly fs: LogFs;
	readonly env: Env;
	readonly logger: Logger;
	readonly names: LogNames;
	readonly fsyncPolicy: FsyncPolicy;
	/** Under `always`, fsyncs up to so many microseconds are waited for in the event loop; see fsync-pace.ts. */
	readonly inlineFsyncUsMax?: number;
	/** The replication ID under which the offsets count, 40 hexadecimal digits; '' for none yet. */
	readonly replid: string;
	/** The ID of the process, which names its scratch folder. */
	readonly pid?: number;
	/** How much of the files before the present base is kept; by default nothing. Read anew each time. */
	readonly history?: HistoryLimits;
}

/** A part of the log as a reader needs it. */
export interface LogSection {
	/** The path of an incremental file. */
	readonly path: string;
	/** Positions in the file in bytes: entries stand from the first to before the second. Database 0 is selected first. */
	readonly from: number;
	readonly to: number;
	/** The log position behind the section. */
	readonly endOffset: number;
}

/** What the dataset at `endOffset` is made of: the base, then the sections in their order. */
export interface FoldSource {
	/** An RDB file may have entries behind it, if it is an old single file (`preamble`). */
	readonly base: {
		readonly path: string;
		readonly format: 'rdb' | 'aof';
		readonly preamble: boolean;
	} | null;
	readonly sections: readonly LogSection[];
	readonly endOffset: number;
	/** In a copy of a master's log, which goes on without a SELECT: the database that is selected there. Else 0. */
	readonly db: number;
}

export type BeginResult =
	| {
			/** Where the new file begins. */
			readonly offset: number;
			/** Everything before. */
			readonly source: FoldSource;
	  }
	/** Why there is no new file. */
	| string;

/** What INFO persistence and INFO memory show of the log; sizes in bytes. */
export interface AppendLogStats {
	/** Base and incremental files together. */
	readonly currentSize: number;
	/** Size of the files when the present base was made, or at start-up that of the base. */
	readonly baseSize: number;
	/** Appended and not yet written. */
	readonly bufferLength: number;
	/** Fsyncs under way. */
	readonly pendingFsyncs: number;
	/** Fsyncs that took longer than two seconds. */
	readonly delayedFsyncs: number;
	readonly lastWriteStatus: 'ok' | 'err';
	/** Memory of the buffers. */
	readonly memoryBytes: number;
}
