import type { Env } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import type { LogNames } from './log-folder.js';
import type { LogFs } from './log-fs.js';

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
}

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
