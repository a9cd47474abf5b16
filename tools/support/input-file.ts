/** A file that is read here and there, never written: on the disk, or in memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';

export interface InputFile {
	/** In bytes, when it was opened. */
	readonly size: number;
	/** Reads up to `size` bytes at `position` into `target` at `at`; the number read, 0 at the end. */
	read(target: Buffer, at: number, size: number, position: number): number;
	close(): void;
}

/** Opens a file of the disk, given by its native path. Throws the system error. */
export function openInputFile(path: string): InputFile {
	const fd = openSync(path, 'r');
	const { size } = fstatSync(fd);
	return {
		size,
		read: (target, at, count, position) => readSync(fd, target, at, count, position),
		close: () => closeSync(fd),
	};
}

/** Bytes in memory as a file. */
export function inputFileOf(bytes: Buffer): InputFile {
	return {
		size: bytes.length,
		read: (target, at, count, position) => bytes.copy(target, at, position, position + count),
		close: () => {},
	};
}

/** The bytes from `from` to `to`, fewer where the file ends before. */
export function readRange(file: InputFile, from: number, to: number): Buffer {
	const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to, file.size) - from));
	let at = 0;
	while (at < bytes.length) {
		const size = file.read(bytes, at, bytes.length - at, from + at);
		if (size === 0) break;
		at += size;
	}
	return bytes.subarray(0, at);
}

const CRC_CHUNK_BYTES = 1024 * 1024;

/** CRC-32 of the bytes from `from` to `to`; the file reaches that far. */
export function crcOfRange(file: InputFile, from: number, to: number): number {
	let crc = 0;
	for (let at = from; at < to; at += CRC_CHUNK_BYTES) {
		crc = crc32(readRange(file, at, Math.min(to, at + CRC_CHUNK_BYTES)), crc);
	}
	return crc;
}
