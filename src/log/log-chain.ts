/**
 * Which file holds which part of the log: the incremental files in use, and the history before them as far back as there
 * is no gap.
 *
 * The same log position can stand in files of two different pasts: a server that became a replica has been given a new
 * dataset, with the offsets of its master, and what was its log before is history like any other. So a file of the
 * history counts only if it ends where the next one begins, and belongs to one of the replication IDs of the present
 * past (`LogLineage`). Two files with the same ID have the same bytes at the same offsets.
 */
import type { AofFileInfo } from '../formats/aof-manifest.js';
import type { LogFolder } from './log-folder.js';
import { HISTORY_FOLDER, isBaseFile, readHistory } from './log-history.js';

/** A file of the log, and the part of the log that is taken from it. */
export interface ChainFile {
	readonly path: string;
	/** Log position of the first byte behind the prefix. */
	readonly startOffset: number;
	/** Where the next file takes over; infinite for the one that is being written. */
	readonly endOffset: number;
	/** Bytes at its start that are not part of the log. */
	readonly prefixSize: number;
}

/**
 * The files from the oldest to the newest, each of which begins where the one before ends. `extra` is the file being
 * written if the manifest does not name it. `isOurs` tells of a replication ID whether it belongs to the present past.
 */
export function logChain(
	folder: LogFolder,
	extra: AofFileInfo | null,
	isOurs: (replid: string) => boolean,
): ChainFile[] {
	const { manifest, names, fs } = folder;
	const chain: ChainFile[] = [];
	let nextStart = Number.POSITIVE_INFINITY;
	const add = (path: string, { startOffset, prefixSize }: AofFileInfo): void => {
		if (startOffset >= nextStart) return;
		chain.push({ path, startOffset, endOffset: nextStart, prefixSize });
		nextStart = startOffset;
	};
	if (extra !== null) add(folder.filePath(extra.name), extra);
	// One that is still to be placed by a rotation has no bytes yet.
	for (const file of [...manifest.incrementals].reverse()) {
		if (file.startOffset >= 0) add(folder.filePath(file.name), file);
	}
	if (chain.length === 0) return chain;
	const old = manifest.history
		.filter((info) => !isBaseFile(names, info.name))
		.map((info) => ({ info, path: folder.filePath(info.name), size: folder.sizeSync(info.name) }));
	const put = readHistory(fs, names)
		.filter(({ kind }) => kind === 'incr')
		.map(({ info, name, size }) => ({ info, path: folder.filePath(`${HISTORY_FOLDER}/${name}`), size }));
	const candidates = [...put, ...old].filter(({ info }) => info.startOffset >= 0 && isOurs(info.replid));
	for (;;) {
		const before = candidates.findLast(
			({ info, size }) =>
				info.startOffset < nextStart && info.startOffset + size - info.prefixSize >= nextStart,
		);
		if (before === undefined) break;
		add(before.path, before.info);
	}
	return chain.reverse();
}

/** The file of the chain that holds the byte at `offset`; undefined if none does. */
export function fileAt(chain: readonly ChainFile[], offset: number): ChainFile | undefined {
	return chain.find((file) => file.startOffset <= offset && offset < file.endOffset);
}
