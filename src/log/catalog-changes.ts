/** Taking records out of the catalog, and finding out what it lacks. */
import type { TrackedFile } from './block-tracker.js';
import {
	BLOCK_BYTES_MAX,
	blockKey,
	blocksFrom,
	type CatalogBlock,
	type CatalogFile,
	keyAfter,
	timeKey,
} from './catalog-record.js';
import type { CatalogStore } from './catalog-store.js';
import type { EntryScan } from './entry-scan.js';

const DELETES_PER_WRITE = 1000;

/** Bytes [from, to) of a file that have no records; positions in the file. */
export interface Gap {
	readonly file: TrackedFile;
	readonly from: number;
	readonly to: number;
	/** The last place at or before `from` where an entry is known to begin; or a search from there that has come further. */
	readonly scan: ScanStart | EntryScan;
}

/** An entry begins at `position` of the file, and `db` is selected there. */
export interface ScanStart {
	readonly position: number;
	readonly db: number;
}

const FILE_START: ScanStart = { position: 0, db: 0 };

/** All of a file, up to position `to`. */
export function wholeFile(file: TrackedFile, to: number): Gap {
	return { file, from: 0, to, scan: FILE_START };
}

/**
 * Removes what is no sound record, belongs to none of the `files`, goes beyond the end of its file (`endOf`, bytes) or
 * overlaps; gives what is missing then.
 */
export async function findGaps(
	store: CatalogStore,
	files: readonly TrackedFile[],
	endOf: (file: TrackedFile) => number,
): Promise<Gap[]> {
	const states = files.map((file) => ({ file, end: endOf(file), at: 0, scan: FILE_START }));
	const byId = new Map<number, (typeof states)[number]>();
	for (const state of states) if (state.file.record !== null) byId.set(state.file.record.id, state);
	const gaps: Gap[] = [];
	for (const prefix of ['a', 'b']) {
		for await (const entries of store.entries(prefix, keyAfter(prefix))) {
			const deletes: string[] = [];
			for (const [key, value] of entries) {
				const block = store.codec.decodeBlock(key, value);
				const state = block === undefined ? undefined : byId.get(block.fileId);
				if (
					block === undefined ||
					state === undefined ||
					block.position < state.at ||
					block.position + block.size > state.end
				) {
					deletes.push(key);
					if (block !== undefined && prefix === 'b') deletes.push(timeKey(block));
					continue;
				}
				const { file, at, scan } = state;
				if (block.position > at) gaps.push({ file, from: at, to: block.position, scan });
				if (block.db >= 0) state.scan = { position: block.position, db: block.db };
				state.at = block.position + block.size;
			}
			await store.write([], deletes);
		}
	}
	for (const { file, at, end, scan } of states) if (at < end) gaps.push({ file, from: at, to: end, scan });
	return gaps;
}

/**
 * Removes the blocks of an incremental file that go beyond the log position `offset`, or all of a file when that is -1.
 * Durably, because other bytes may soon stand there. Gives the position in the file where the ones that are left end, and the last of them that begins with an entry.
 */
export async function removeBlocks(
	store: CatalogStore,
	file: CatalogFile,
	offset: number,
): Promise<{ readonly end: number; readonly scan: ScanStart }> {
	const from = offset < 0 || file.isBase ? undefined : blocksFrom(Math.max(0, offset - 3 * BLOCK_BYTES_MAX));
	let end = 0;
	let scan = FILE_START;
	const deletes: string[] = [];
	for await (const block of store.blocksOf(file, from)) {
		if (offset >= 0 && blockEndOffset(block, file) <= offset) {
			end = Math.max(end, block.position + block.size);
			if (block.db >= 0) scan = { position: block.position, db: block.db };
			continue;
		}
		deletes.push(blockKey(block, file.isBase));
		if (!file.isBase) deletes.push(timeKey(block));
		if (deletes.length >= DELETES_PER_WRITE) await store.write([], deletes.splice(0));
	}
	await store.write([], deletes, true);
	return { end, scan };
}

/** Log position behind a block of an incremental file. */
export function blockEndOffset(block: CatalogBlock, file: CatalogFile): number {
	return file.startOffset + Math.max(0, block.position + block.size - file.prefixSize);
}
