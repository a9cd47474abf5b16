/**
 * `tsredis-replay export`: the newest base at or before the place, and the log from there on, folded as the server's
 * own snapshots are (src/snapshot/fold.ts).
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { errorCode, errorText } from '../../src/base/error-text.js';
import { SILENT_LOGGER } from '../../src/base/logger.js';
import { fromNative } from '../../src/base/native-text.js';
import { systemEnv } from '../../src/base/system-env.js';
import { REDIS_VERSION } from '../../src/base/version.js';
import { Settings } from '../../src/engine/settings.js';
import { Fold } from '../../src/snapshot/fold.js';
import { FoldFault } from '../../src/snapshot/fold-fault.js';
import type { FoldProgress, FoldResult, FoldSection, FoldSource } from '../../src/snapshot/fold-job.js';
import type { LogMap } from './log-map.js';
import type { LogView } from './log-view.js';
import type { ExportOptions } from './options.js';
import { ReplayFault } from './replay-fault.js';

const FULL_DISK_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS']);

export interface Exported {
	/** The log position of the dataset. */
	readonly offset: number;
	readonly keys: number;
	readonly size: number;
}

/** @throws ReplayFault, or the system error of reading the log */
export async function exportDataset(
	view: LogView,
	options: ExportOptions,
	onProgress: (progress: FoldProgress, totalBytes: number) => void,
): Promise<Exported> {
	const { rdbPath } = options;
	refuseOutput(rdbPath);
	const { offset } = await view.find(options.at, 'upTo');
	const source = sourceAt(view.map, offset);
	const result = fold(view, source, rdbPath, onProgress);
	return { offset, keys: result.keys, size: result.size };
}

/** Finds out early that the file can't be written. @throws ReplayFault */
function refuseOutput(path: string): void {
	if (existsSync(path)) throw new ReplayFault('output', `${path} exists already`);
	try {
		accessSync(dirname(resolve(path)), constants.W_OK);
	} catch (error) {
		throw new ReplayFault('output', `${path} can't be written: ${errorText(error)}`);
	}
}

/** What makes up the dataset at a log position. @throws ReplayFault */
export function sourceAt(map: LogMap, offset: number): FoldSource {
	const base = map.bases.filter((candidate) => candidate.offset <= offset).at(-1);
	if (base === undefined && !map.beginsEmpty) {
		const first = map.bases[0]?.offset;
		throw new ReplayFault(
			'position',
			first === undefined
				? 'the log has no base to begin with'
				: `the first base that is kept is at log position ${first}; ${offset} is before that`,
		);
	}
	let at = base?.offset ?? map.start;
	const sections: FoldSection[] = [];
	for (const { path, start, end, prefixSize } of map.pieces) {
		if (end <= at || start >= offset) continue;
		if (start !== at) {
			throw new ReplayFault(
				'log',
				`the log from position ${at} to ${start} is not there, which ${offset} needs`,
			);
		}
		const sectionEnd = Math.min(end, offset);
		sections.push({ path, from: 0, to: sectionEnd - start + prefixSize });
		at = sectionEnd;
	}
	if (at < offset) throw new ReplayFault('log', `the log from position ${at} to ${offset} is not there`);
	return { base: base === undefined ? null : { path: base.path, format: base.format }, sections };
}

function fold(
	view: LogView,
	source: FoldSource,
	rdbPath: string,
	onProgress: (progress: FoldProgress, totalBytes: number) => void,
): FoldResult {
	const env = systemEnv();
	const path = fromNative(resolve(rdbPath));
	const output = { format: 'rdb' as const, path: `${path}.temp-${process.pid}`, finalPath: path };
	const settings = new Settings();
	const job = {
		...source,
		output,
		settings,
		maxmemoryPolicy: settings.maxmemoryPolicy,
		aux: [
			['redis-ver', REDIS_VERSION],
			['redis-bits', '64'],
			['ctime', String(Math.floor(env.clock.nowMs() / 1000))],
		] as const,
		keyCount: 0,
	};
	// The log is read twice, the base once, the new file once.
	let totalBytes = source.base === null ? 0 : 2 * sizeOf(view, source.base.path);
	for (const { from, to } of source.sections) totalBytes += 2 * (to - from);
	try {
		const task = new Fold({ job, fs: view.fs, env, logger: SILENT_LOGGER });
		const steps = task.run();
		for (;;) {
			const next = steps.next();
			if (next.done) return next.value;
			onProgress(task.progress, totalBytes);
		}
	} catch (error) {
		if (FULL_DISK_CODES.has(errorCode(error))) {
			throw new ReplayFault('output', `${rdbPath} can't be written: ${errorText(error)}`);
		}
		if (!(error instanceof FoldFault)) throw error;
		throw new ReplayFault(error.sourceIsDamaged ? 'log' : 'output', errorText(error));
	}
}

function sizeOf(view: LogView, path: string): number {
	const fd = view.fs.openSync(path, 'r');
	try {
		return view.fs.fileSizeSync(fd);
	} finally {
		view.fs.closeSync(fd);
	}
}
