/**
 * The replication IDs as they are kept with the log: what the manifest says of them, and what that is worth at the next
 * start. The rules by which a server changes its IDs are in replication/replication-state.ts.
 */
import type { LogLineage } from '../formats/aof-manifest.js';
import type { FsyncPolicy } from './log-options.js';

/** So many IDs are remembered, so that the files that began under them still serve. */
const EARLIER_MAX = 16;

/** What a server says of its IDs. */
export interface LogIds {
	readonly replid: string;
	/** '' for none. */
	readonly replid2: string;
	/** The log position up to which `replid2` counts; -1 for none. */
	readonly secondOffset: number;
	/** The server is a replica. */
	readonly isCopy: boolean;
}

/** The lineage of a log whose IDs were those of `before`, and are `ids` now. */
export function nextLineage(before: LogLineage | null, ids: LogIds): LogLineage {
	return { ...ids, earlier: earlierIds(before, ids), cleanOffset: -1 };
}

function earlierIds(before: LogLineage | null, { replid, replid2, secondOffset }: LogIds) {
	// Without a second ID it is a new past: nothing of the old one leads on to it.
	if (before === null || (replid2 === '' && replid !== before.replid)) return [];
	const known = [
		{ replid: before.replid, offset: secondOffset },
		...(before.replid2 === '' ? [] : [{ replid: before.replid2, offset: before.secondOffset }]),
		...before.earlier,
	].filter((id) => id.replid !== replid && id.replid !== replid2);
	const end = secondOffset < 0 ? Number.POSITIVE_INFINITY : secondOffset;
	return known.slice(0, EARLIER_MAX).map((id) => ({ ...id, offset: Math.min(id.offset, end) }));
}

/** Whether files that began under `replid` belong to the past of this log. */
export function isOfLineage(lineage: LogLineage, replid: string): boolean {
	if (replid === '') return false;
	if (replid === lineage.replid || replid === lineage.replid2) return true;
	return lineage.earlier.some((id) => id.replid === replid);
}

/** What is known at start-up of the IDs of a log that ends at `endOffset`. */
export interface FoundIds {
	readonly ids: LogIds;
	readonly lineage: LogLineage;
	/**
	 * Nobody else can have more of the log than this server: it was closed in order, or everything was fsynced before
	 * anybody got it. Else the log must go on under another ID, unless as a copy.
	 */
	readonly isExact: boolean;
}

/**
 * The IDs that the manifest tells; null if it tells none that are good for this log. `fileReplid` is that of its newest
 * file, '' for none; `fsyncPolicy` is what the server before presumably wrote by.
 */
export function foundIds(
	lineage: LogLineage | undefined,
	fileReplid: string,
	endOffset: number,
	fsyncPolicy: FsyncPolicy,
): FoundIds | null {
	if (lineage === undefined) {
		if (fileReplid === '') return null;
		const ids = { replid: fileReplid, replid2: '', secondOffset: -1, isCopy: false };
		return { ids, lineage: nextLineage(null, ids), isExact: false };
	}
	const { replid, replid2, secondOffset, isCopy, cleanOffset } = lineage;
	// Behind the end in order somebody else has written, who knew nothing of these IDs.
	if (cleanOffset >= 0 && cleanOffset !== endOffset) return null;
	const isExact = cleanOffset === endOffset || fsyncPolicy === 'always';
	return { ids: { replid, replid2, secondOffset, isCopy }, lineage, isExact };
}
