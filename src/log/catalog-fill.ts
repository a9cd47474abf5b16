/** Reads a part of a file that the catalog lacks, and makes blocks of it. */
import { fstat, read, type Stats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { isAofFormatBase } from '../formats/aof-manifest.js';
import type { FinishedBlock, TrackedFile } from './block-tracker.js';
import type { Gap } from './catalog-changes.js';
import { BLOCK_BYTES_MAX } from './catalog-record.js';
import { EntryScan } from './entry-scan.js';
import type { LogFs } from './log-fs.js';

/** So much is read before other work of the catalog has its turn. */
const FILL_BYTES_MAX = 4 * 1024 * 1024;
/** A block ends with an entry if that makes it no shorter than this. */
const WELCOME_BYTES = BLOCK_BYTES_MAX / 2;

export interface Filled {
	readonly blocks: FinishedBlock[];
	/** What is left of the gap; null for nothing. */
	readonly rest: Gap | null;
}

/**
 * Reads the start of the gap, on the thread pool. The blocks' times are worked out from those of the file. Null when the
 * file can't be read, or ends early.
 */
export async function fillGap(fs: LogFs, path: string, gap: Gap): Promise<Filled | null> {
	const to = Math.min(gap.to, gap.from + FILL_BYTES_MAX);
	let fd: number;
	try {
		fd = fs.openSync(path, 'r');
	} catch {
		return null;
	}
	try {
		const stats = await statOf(fd);
		const blocks: FinishedBlock[] = [];
		const buffer = Buffer.allocUnsafe(BLOCK_BYTES_MAX);
		const scan = gap.scan instanceof EntryScan ? gap.scan : new EntryScan(gap.scan.position, gap.scan.db);
		// What lies before the gap is read only to learn where its entries begin.
		while (scan.position < gap.from) {
			const size = Math.min(gap.from - scan.position, BLOCK_BYTES_MAX);
			if ((await readFully(fd, buffer, size, scan.position)) < size) return null;
			scan.feed(buffer, 0, size);
		}
		let at = gap.from;
		while (at < to) {
			const read = Math.min(gap.to - at, BLOCK_BYTES_MAX);
			if ((await readFully(fd, buffer, read, at)) < read) return null;
			const db = scan.boundary === at ? scan.boundaryDb : -1;
			if (scan.position < at + read) scan.feed(buffer, scan.position - at, read);
			const entryEnd = scan.boundary - at;
			const size = entryEnd >= WELCOME_BYTES && entryEnd < read ? entryEnd : read;
			blocks.push(blockOf(gap.file, at, buffer.subarray(0, size), estimatedMs(stats, at), db));
			at += size;
		}
		return { blocks, rest: at < gap.to ? { ...gap, from: at, scan } : null };
	} catch {
		return null;
	} finally {
		fs.closeSync(fd);
	}
}

function blockOf(
	file: TrackedFile,
	position: number,
	bytes: Buffer,
	timeMs: number,
	db: number,
): FinishedBlock {
	const { info } = file;
	const offset = isAofFormatBase(info)
		? position
		: info.startOffset + Math.max(0, position - info.prefixSize);
	return { file, offset, position, size: bytes.length, timeMs, timeEstimated: true, crc32: crc32(bytes), db };
}

/** When a byte was written, if the file grew evenly from its birth to its last change. */
function estimatedMs(stats: Stats, position: number): number {
	const { birthtimeMs, mtimeMs, size } = stats;
	if (size === 0 || birthtimeMs <= 0 || birthtimeMs > mtimeMs) return Math.floor(mtimeMs);
	return Math.floor(birthtimeMs + ((mtimeMs - birthtimeMs) * position) / size);
}

function statOf(fd: number): Promise<Stats> {
	return new Promise((resolve, reject) => {
		fstat(fd, (error, stats) => (error === null ? resolve(stats) : reject(error)));
	});
}

async function readFully(fd: number, buffer: Buffer, size: number, position: number): Promise<number> {
	let done = 0;
	while (done < size) {
		const count = await new Promise<number>((resolve, reject) => {
			read(fd, buffer, done, size - done, position + done, (error, bytes) =>
				error === null ? resolve(bytes) : reject(error),
			);
		});
		if (count === 0) break;
		done += count;
	}
	return done;
}
