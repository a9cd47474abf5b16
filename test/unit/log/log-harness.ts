import type { Env } from '../../../src/base/env.js';
import type { Logger, LogLevel } from '../../../src/base/logger.js';
import { systemEnv } from '../../../src/base/system-env.js';
import { aofEntryBytes } from '../../../src/formats/aof-entry.js';
import { AppendLog } from '../../../src/log/append-log.js';
import { type LoadedLog, type LoadResult, loadLogNow, type RdbStep } from '../../../src/log/load-log.js';
import type { LogNames } from '../../../src/log/log-folder.js';
import type { LogFs } from '../../../src/log/log-fs.js';
import type { HistoryLimits } from '../../../src/log/log-history.js';
import type { FsyncPolicy } from '../../../src/log/log-options.js';

export const NAMES: LogNames = { dir: '/d', folderName: 'aof', fileName: 'a' };
export const MANIFEST_PATH = '/d/aof/a.manifest';

const NO_HISTORY: HistoryLimits = { logHistorySize: 0, logHistorySeconds: 0, aofDisableAutoGc: false };

export class ListLogger implements Logger {
	lines: string[] = [];

	log(_level: LogLevel, message: string): void {
		this.lines.push(message);
	}

	has(part: string): boolean {
		return this.lines.some((line) => line.includes(part));
	}
}

/** An environment whose clock stands still until it is moved. */
export class StillEnv implements Env {
	nowMs = 1_000_000;
	private readonly system = systemEnv();
	readonly random = this.system.random;
	readonly timers = this.system.timers;
	readonly clock = {
		nowMs: () => this.nowMs,
		nowUs: () => this.nowMs * 1000,
		monotonicUs: () => this.nowMs * 1000,
	};

	/** Moves the clock; returns the new time. */
	advance(ms: number): number {
		this.nowMs += ms;
		return this.nowMs;
	}
}

/** What a loader applied: each entry with the database it applies to. */
export interface Loaded {
	readonly result: LoadResult;
	readonly entries: string[];
	readonly logger: ListLogger;
	/** The database that is selected at the end. */
	readonly db: number;
}

export function load(fs: LogFs, loadTruncated = true, loadRdb?: RdbStep): Loaded {
	const logger = new ListLogger();
	const entries: string[] = [];
	let db = '0';
	const options = { fs, env: new StillEnv(), logger, names: NAMES, loadTruncated };
	const result = loadLogNow(loadRdb === undefined ? options : { ...options, loadRdb }, (args) => {
		if (args[0] === 'SELECT') db = args[1]!;
		else entries.push(`${db}: ${args.join(' ')}`);
	});
	return { result, entries, logger, db: Number(db) };
}

export function loaded(result: LoadResult): LoadedLog {
	if (result.kind === 'failed') throw new Error(result.message);
	return result;
}

export interface OpenLog {
	readonly log: AppendLog;
	readonly env: StillEnv;
	readonly logger: ListLogger;
}

/** Loads what is there and opens it for appending. */
export function openLog(fs: LogFs, fsyncPolicy: FsyncPolicy, history: HistoryLimits = NO_HISTORY): OpenLog {
	const env = new StillEnv();
	const logger = new ListLogger();
	const log = new AppendLog({
		fs,
		env,
		logger,
		names: NAMES,
		fsyncPolicy,
		replid: 'f'.repeat(40),
		inlineFsyncUsMax: 0,
		history,
	});
	const { manifest, endOffset } = loaded(load(fs).result);
	const refusal = log.open(manifest, endOffset);
	if (refusal !== null) throw new Error(refusal);
	return { log, env, logger };
}

export function entriesText(...commands: string[][]): string {
	return Buffer.concat(commands.map((args) => aofEntryBytes(args))).toString('latin1');
}
