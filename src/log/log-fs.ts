/**
 * The file operations of the log, so that a test can make a disk slow, full or broken. Paths are byte strings
 * (latin1). Methods ending in `Sync` throw the system error; the others hand it to `done`, on a later turn of the
 * event loop.
 */
import {
	closeSync,
	fdatasync,
	fdatasyncSync,
	fstatSync,
	fsync,
	fsyncSync,
	ftruncateSync,
	linkSync,
	mkdirSync,
	open,
	openSync,
	read,
	readdirSync,
	readSync,
	renameSync,
	rmdirSync,
	statSync,
	unlink,
	unlinkSync,
	write,
	writeSync,
} from 'node:fs';

import { errorCode } from '../base/error-text.js';

export type DoneCallback = (error: Error | null) => void;

/** `size` is the number of bytes that were written or read, which may be fewer than asked for. */
export type WrittenCallback = (error: Error | null, size: number) => void;

export interface LogFs {
	/** r: read; r+: read and write an existing file; w: create it, or empty the one that exists. */
	openSync(path: string, flags: 'r' | 'r+' | 'w'): number;
	closeSync(fd: number): void;
	/** The number of bytes read, 0 at the end of the file. */
	readSync(fd: number, buffer: Buffer, at: number, size: number, position: number): number;
	/** As `readSync`; done is told the number of bytes. */
	read(fd: number, buffer: Buffer, at: number, size: number, position: number, done: WrittenCallback): void;
	/** The number of bytes written, which may be fewer than `size`. */
	writeSync(fd: number, buffer: Buffer, at: number, size: number, position: number): number;
	write(fd: number, buffer: Buffer, at: number, size: number, position: number, done: WrittenCallback): void;
	/** Makes the content, and the size needed to read it, durable. */
	fdatasync(fd: number, done: DoneCallback): void;
	fdatasyncSync(fd: number): void;
	/** Makes the names in a folder durable. A system that can't do that (Windows) does nothing. */
	syncFolder(path: string, done: DoneCallback): void;
	syncFolderSync(path: string): void;
	ftruncateSync(fd: number, size: number): void;
	fileSizeSync(fd: number): number;
	/** What tells whether somebody has written to a file since: its size and time of change; '' if it is not there. */
	stampSync(path: string): string;
	/** What a path names: a file, a folder, or nothing (or something else). */
	kindSync(path: string): 'file' | 'folder' | 'none';
	renameSync(from: string, to: string): void;
	unlinkSync(path: string): void;
	/** Removes a file; a large one may take a while. */
	unlink(path: string, done: DoneCallback): void;
	/** Gives a file a second name. Not every file system can. */
	linkSync(from: string, to: string): void;
	/** The names in a folder; none where there is no such folder. */
	listSync(path: string): string[];
	/** Removes an empty folder. */
	removeFolderSync(path: string): void;
	/** Creates a folder, and those above it, unless it exists. */
	makeFolderSync(path: string): void;
}

/** The real file system. */
export function nodeLogFs(): LogFs {
	return {
		openSync: (path, flags) => openSync(bytePath(path), flags, 0o644),
		closeSync,
		readSync: (fd, buffer, at, size, position) => readSync(fd, buffer, at, size, position),
		read,
		writeSync: (fd, buffer, at, size, position) => writeSync(fd, buffer, at, size, position),
		write,
		fdatasync,
		fdatasyncSync,
		syncFolder,
		syncFolderSync,
		ftruncateSync,
		fileSizeSync: (fd) => fstatSync(fd).size,
		stampSync: (path) => {
			const stats = statSync(bytePath(path), { bigint: true, throwIfNoEntry: false });
			return stats === undefined ? '' : `${stats.size} ${stats.mtimeNs}`;
		},
		kindSync: (path) => {
			const stats = statSync(bytePath(path), { throwIfNoEntry: false });
			if (stats === undefined) return 'none';
			if (stats.isFile()) return 'file';
			return stats.isDirectory() ? 'folder' : 'none';
		},
		renameSync: (from, to) => renameSync(bytePath(from), bytePath(to)),
		unlinkSync: (path) => unlinkSync(bytePath(path)),
		unlink: (path, done) => unlink(bytePath(path), done),
		linkSync: (from, to) => linkSync(bytePath(from), bytePath(to)),
		listSync,
		removeFolderSync: (path) => rmdirSync(bytePath(path)),
		makeFolderSync: (path) => {
			mkdirSync(bytePath(path), { recursive: true, mode: 0o755 });
		},
	};
}

/** Only a Buffer brings bytes above 127 to the system unchanged. */
function bytePath(path: string): string | Buffer {
	return /^[\x00-\x7f]*$/.test(path) ? path : Buffer.from(path, 'latin1');
}

function listSync(path: string): string[] {
	try {
		return readdirSync(bytePath(path), { encoding: 'latin1' });
	} catch (error) {
		if (errorCode(error) === 'ENOENT') return [];
		throw error;
	}
}

function syncFolderSync(path: string): void {
	if (process.platform === 'win32') return;
	const fd = openSync(bytePath(path), 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

function syncFolder(path: string, done: DoneCallback): void {
	if (process.platform === 'win32') {
		setImmediate(done, null);
		return;
	}
	open(bytePath(path), 'r', (openError, fd) => {
		if (openError !== null) {
			done(openError);
			return;
		}
		fsync(fd, (syncError) => {
			closeSync(fd);
			done(syncError);
		});
	});
}
