/** RDB files as a fold reads them: its base, and what it has written. */
import { RdbFault } from '../formats/rdb-fault.js';
import { removeIfThere } from '../log/durable-steps.js';
import type { LogFs } from '../log/log-fs.js';
import { FoldFault } from './fold-fault.js';
import type { FoldJob, FoldProgress, FoldResult } from './fold-job.js';
import { readSection } from './fold-log.js';
import { RdbFileReader, type RdbItem, type RdbReadOptions } from './rdb-file-reader.js';

/**
 * Calls `visit` with each item of the file for as long as it says so, and yields behind each. A file that ends in the
 * wrong checksum is a fault. @throws FoldFault, or the system error
 */
export function* readRdbFile(
	fs: LogFs,
	path: string,
	options: RdbReadOptions,
	progress: FoldProgress,
	visit: (item: RdbItem, reader: RdbFileReader) => boolean,
): Generator<undefined, void, void> {
	const fd = fs.openSync(path, 'r');
	try {
		let position = 0;
		const source = {
			read: (target: Buffer, at: number, size: number) => {
				const count = fs.readSync(fd, target, at, size, position);
				position += count;
				progress.bytes += count;
				return count;
			},
		};
		const reader = new RdbFileReader(source, options);
		for (;;) {
			const item = reader.next();
			const goesOn = visit(item, reader);
			if (item === 'end' && reader.checksum === 'wrong')
				throw new FoldFault(`Wrong RDB checksum at the end of ${path}`, true);
			if (item === 'end' || !goesOn) return;
			yield;
		}
	} catch (error) {
		if (!(error instanceof RdbFault)) throw error;
		throw new FoldFault(`${path}, at position ${error.position}: ${error.message}`, true);
	} finally {
		fs.closeSync(fd);
	}
}

/**
 * The end of every snapshot: the file, written and durable, is read again and compared with what was to be written (size,
 * sum, structure, number of keys), and given its name. On failure it is removed.
 */
export function* finishSnapshot(
	fs: LogFs,
	job: FoldJob,
	expected: Pick<FoldResult, 'size' | 'keys'>,
	progress: FoldProgress,
): Generator<number, void, void> {
	const { format, path, finalPath } = job.output;
	progress.phase = 'checking';
	let done = false;
	try {
		if (format === 'aof') yield* readSection(fs, { path, from: 0, to: expected.size }, progress, () => {});
		else yield* checkRdb(fs, job, expected, progress);
		if (finalPath !== '') {
			fs.renameSync(path, finalPath);
			fs.syncFolderSync(finalPath.slice(0, Math.max(0, finalPath.lastIndexOf('/'))) || '/');
		}
		done = true;
	} finally {
		if (!done) removeIfThere(fs, path);
	}
}

function* checkRdb(
	fs: LogFs,
	job: FoldJob,
	expected: Pick<FoldResult, 'size' | 'keys'>,
	progress: FoldProgress,
): Generator<number, void, void> {
	const { path } = job.output;
	const options = { withChecksum: job.settings.rdbchecksum, keepRaw: false };
	let keys = 0;
	let size = 0;
	const items = readRdbFile(fs, path, options, progress, (item, reader) => {
		if (item === 'entry') keys++;
		else if (item === 'end') size = reader.position;
		return true;
	});
	for (const _ of items) yield 0;
	if (keys !== expected.keys || size !== expected.size) {
		throw new FoldFault(
			`the file written has ${keys} keys in ${size} bytes instead of ${expected.keys} in ${expected.size}`,
			false,
		);
	}
}
