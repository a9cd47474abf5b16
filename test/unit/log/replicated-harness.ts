import type { HistoryLimits } from '../../../src/log/log-history.js';
import { foundIds, type LogIds } from '../../../src/log/log-lineage.js';
import type { FsyncPolicy } from '../../../src/log/log-options.js';
import type { LogReader } from '../../../src/log/log-reader.js';
import { ReplicatedLog } from '../../../src/log/replicated-log.js';
import { ListLogger, load, loaded, NAMES, StillEnv } from './log-harness.js';
import type { MemoryLogFs } from './memory-log-fs.js';

export const ID_A = 'a'.repeat(40);
export const ID_B = 'b'.repeat(40);
export const KEEP_ALL: HistoryLimits = {
	logHistorySize: 1e9,
	logHistorySeconds: 0,
	aofDisableAutoGc: false,
};

export function idsOf(replid: string, isCopy = false, replid2 = '', secondOffset = -1): LogIds {
	return { replid, replid2, secondOffset, isCopy };
}

export interface OpenReplicatedLog {
	readonly log: ReplicatedLog;
	readonly env: StillEnv;
	readonly logger: ListLogger;
	/** Of a log that was there. */
	readonly isExact: boolean;
	/** The database selected at the end of what was loaded. */
	readonly db: number;
}

/** A log without files. */
export function newLog(
	fs: MemoryLogFs,
	fsyncPolicy: FsyncPolicy = 'everysec',
	history: HistoryLimits = KEEP_ALL,
): { readonly log: ReplicatedLog; readonly env: StillEnv; readonly logger: ListLogger } {
	const env = new StillEnv();
	const logger = new ListLogger();
	const options = { fs, env, logger, names: NAMES, fsyncPolicy, replid: ID_A, inlineFsyncUsMax: 0, history };
	return { log: new ReplicatedLog(options), env, logger };
}

/** Loads what is there, with its IDs, or begins a log of `ids`. */
export function openReplicated(
	fs: MemoryLogFs,
	fsyncPolicy: FsyncPolicy = 'everysec',
	history: HistoryLimits = KEEP_ALL,
	ids: LogIds = idsOf(ID_A),
): OpenReplicatedLog {
	const opened = newLog(fs, fsyncPolicy, history);
	const { log } = opened;
	const { result, db } = load(fs);
	const { manifest, endOffset, replid } = loaded(result);
	const found = foundIds(manifest.lineage, replid, endOffset, fsyncPolicy);
	if (found !== null) log.restoreLineage(found.lineage);
	log.setIds(found?.ids ?? ids);
	const refusal = log.open(manifest, endOffset, undefined, db);
	if (refusal !== null) throw new Error(refusal);
	return { ...opened, isExact: found?.isExact ?? true, db };
}

/** What a reader gives as long as it gives something, with what the thread pool does meanwhile. */
export async function readAll(fs: MemoryLogFs, reader: LogReader, sizeMax = 1000): Promise<string> {
	let text = '';
	for (let idle = 0; idle < 3; ) {
		const bytes = reader.read(sizeMax);
		if (bytes === null) {
			idle++;
			await fs.settle();
		} else {
			idle = 0;
			text += bytes.latin1Slice();
		}
	}
	return text;
}
