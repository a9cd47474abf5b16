/**
 * What is kept of a log, from the oldest file of its history to the end: which bytes of which file stand at which log
 * positions, and the bases. Nothing is written to the folder; a server may be at work in it.
 */
import { fromNative } from '../../src/base/native-text.js';
import {
	type AofFileInfo,
	isManifestError,
	parseAofManifest,
	resolveOffsets,
} from '../../src/formats/aof-manifest.js';
import { type LogNames, readWholeFile, startsAsRdb } from '../../src/log/log-folder.js';
import type { LogFs } from '../../src/log/log-fs.js';
import { historyInfos, isBaseFile } from '../../src/log/log-history.js';
import { ReplayFault } from './replay-fault.js';

/** The part of the log that an incremental file holds. */
export interface LogPiece {
	readonly info: AofFileInfo;
	/** Path as a byte string. */
	readonly path: string;
	/** Log positions [start, end); what the file holds beyond `end` stands in the next one. */
	readonly start: number;
	readonly end: number;
	/** Bytes at the start of the file that are not part of the log. */
	readonly prefixSize: number;
}

/** A snapshot of the dataset at a log position. */
export interface LogBase {
	readonly path: string;
	readonly offset: number;
	readonly format: 'rdb' | 'aof';
}

export interface LogMap {
	readonly names: LogNames;
	/** As in the manifest, history included: names are relative to the folder of the log. */
	readonly infos: readonly AofFileInfo[];
	/** In the order of the log; there may be gaps where history is gone. */
	readonly pieces: readonly LogPiece[];
	/** By rising offset. */
	readonly bases: readonly LogBase[];
	/** Log positions of the first byte that is kept, and behind the last one. */
	readonly start: number;
	readonly end: number;
	/** The log begins with an empty dataset: no base is needed for what follows `start`. */
	readonly beginsEmpty: boolean;
}

/** Looks at a log, given by the native path of its manifest. @throws ReplayFault, or the system error */
export function readLogMap(fs: LogFs, manifestPath: string, names: LogNames): LogMap {
	const folder = `${names.dir}/${names.folderName}`;
	const manifest = parseAofManifest(readWholeFile(fs, fromNative(manifestPath)));
	if (isManifestError(manifest)) throw new ReplayFault('log', `${manifestPath}: ${manifest.message}`);
	const size = (name: string): number => sizeOf(fs, `${folder}/${name}`);
	const current = resolveOffsets(manifest, size);
	const old = [...historyInfos(fs, names), ...[...manifest.history].reverse()].filter(
		(info) => info.startOffset >= 0 && size(info.name) >= 0,
	);
	const isBase = (info: AofFileInfo): boolean =>
		isBaseFile(names, info.name.replace(/^.*\//, '').replace(/\.\d+$/, ''));
	const incrementals = [...old.filter((info) => !isBase(info)), ...current.incrementals];
	incrementals.sort((a, b) => a.startOffset - b.startOffset);
	const pieces: LogPiece[] = [];
	for (const [i, info] of incrementals.entries()) {
		const { startOffset: start, prefixSize } = info;
		const nextStart = incrementals[i + 1]?.startOffset ?? Number.POSITIVE_INFINITY;
		const ownEnd = start + Math.max(0, size(info.name) - prefixSize);
		pieces.push({
			info,
			path: `${folder}/${info.name}`,
			start,
			end: Math.min(ownEnd, nextStart),
			prefixSize,
		});
	}
	const firstStart = current.incrementals[0]?.startOffset ?? 0;
	const bases = old
		.filter(isBase)
		.map((info) => describeBase(fs, `${folder}/${info.name}`, info.startOffset));
	if (current.base !== null) {
		const { name, startOffset } = current.base;
		bases.push(describeBase(fs, `${folder}/${name}`, startOffset < 0 ? firstStart : startOffset));
	}
	bases.sort((a, b) => a.offset - b.offset);
	const start = pieces[0]?.start ?? bases[0]?.offset ?? 0;
	return {
		names,
		infos: [...(current.base === null ? [] : [current.base]), ...old, ...current.incrementals],
		pieces,
		bases,
		start,
		end: Math.max(pieces.at(-1)?.end ?? 0, bases.at(-1)?.offset ?? 0),
		beginsEmpty: current.base === null && old.length === 0,
	};
}

function describeBase(fs: LogFs, path: string, offset: number): LogBase {
	const fd = fs.openSync(path, 'r');
	try {
		return { path, offset, format: startsAsRdb(fs, fd) && path.endsWith('.rdb') ? 'rdb' : 'aof' };
	} finally {
		fs.closeSync(fd);
	}
}

/** In bytes, -1 for a file that is not there. */
function sizeOf(fs: LogFs, path: string): number {
	if (fs.kindSync(path) !== 'file') return -1;
	const fd = fs.openSync(path, 'r');
	try {
		return fs.fileSizeSync(fd);
	} finally {
		fs.closeSync(fd);
	}
}
