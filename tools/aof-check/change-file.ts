/**
 * The changes that `--fix` and `--truncate-to-timestamp` make to a file, each behind a copy of it as it was:
 * `<file>.before-fix`, and `.before-fix.1` and so on where that is taken. The copy is durable before the change.
 */
import {
	closeSync,
	constants,
	copyFileSync,
	fdatasyncSync,
	ftruncateSync,
	openSync,
	readSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import { errorCode, errorText } from '../../src/base/error-text.js';
import type { ChangedByte } from '../../src/log/block-damage.js';

const COPY_SUFFIX = '.before-fix';

/** The copy's path, or why there is none. */
export type CopyResult = { readonly path: string } | { readonly error: string };

/** Copies a file, given by its native path, beside itself. */
export function keepCopy(path: string): CopyResult {
	for (let count = 0; ; count++) {
		const copyPath = path + COPY_SUFFIX + (count === 0 ? '' : `.${count}`);
		try {
			copyFileSync(path, copyPath, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
			changeFile(copyPath, () => {});
			return { path: copyPath };
		} catch (error) {
			if (errorCode(error) === 'EEXIST') continue;
			removeIfThere(copyPath);
			return { error: `Cannot keep a copy in ${copyPath}: ${errorText(error)}` };
		}
	}
}

/** Cuts a file to `size` bytes, durably. Throws the system error. */
export function truncateFile(path: string, size: number): void {
	changeFile(path, (fd) => ftruncateSync(fd, size));
}

/** Gives bytes of a file the value that they had, durably. Throws the system error. */
export function changeBytes(path: string, changes: readonly ChangedByte[]): void {
	const byte = Buffer.alloc(1);
	changeFile(path, (fd) => {
		for (const { index, mask } of changes) {
			readSync(fd, byte, 0, 1, index);
			byte[0]! ^= mask;
			writeSync(fd, byte, 0, 1, index);
		}
	});
}

function changeFile(path: string, change: (fd: number) => void): void {
	const fd = openSync(path, 'r+');
	try {
		change(fd);
		fdatasyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

function removeIfThere(path: string): void {
	try {
		unlinkSync(path);
	} catch {
		// It was not made, or goes with the disk that broke.
	}
}
