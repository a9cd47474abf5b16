/** Reads a part of a file that the catalog lacks, and makes blocks of it. */
import { fstat, read, type Stats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { isAofFormatBase } from '../formats/aof-manifest.js';
import type { FinishedBlock } from './block-tracker.js';
import type { Gap } from './catalog-changes.js';
import { BLOCK_BYTES_MAX } from './catalog-record.js';
import type { LogFs } from './log-fs.js';

/** So much is read before other work of the catalog has its turn. */
const FILL_BYTES_MAX = 4 * 1024 * 1024;

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
	const { file, from } = gap;
	const { info } = file;
	const to = Math.min(gap.to, from + FILL_BYTES_MAX);
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
		for (let at = from; at < to; ) {
			const size = Math.min(to - at, BLOCK_BYTES_MAX);
			if ((await readFully(fd, buffer, size, at)) < size) return null;
			blocks.push({
				file,
				offset: isAofFormatBase(info) ? at : info.startOffset + Math.max(0, at - info.prefixSize),
				position: at,
				size,
				timeMs: estimatedMs(stats, at),
				timeEstimated: true,
				crc32: crc32(buffer.subarray(0, size)),
				db: at === 0 ? 0 : -1,
			});
			at += size;
		}
		return { blocks, rest: to < gap.to ? { ...gap, from: to } : null };
	} catch {
		return null;
	} finally {
		fs.closeSync(fd);
	}
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
