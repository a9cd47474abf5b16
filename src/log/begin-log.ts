/** The files that a log begins to write to: those it finds at start-up, or new ones. */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { aofEntryBytes } from '../formats/aof-entry.js';
import { type AofFileInfo, type AofManifest, aofFile, manifestFileName } from '../formats/aof-manifest.js';
import {
	createFileSteps,
	type DurableSteps,
	removeIfThere,
	runStepsNow,
	writeAllSync,
} from './durable-steps.js';
import type { LogBuffer } from './log-buffer.js';
import { LogFile } from './log-file.js';
import type { BaseContent, BaseFormat, LogFolder } from './log-folder.js';
import type { LogFs } from './log-fs.js';

const COPY_CHUNK_BYTES = 1024 * 1024;

/**
 * At start-up: opens the last incremental file of `manifest`, which must end at `endOffset`; creates it, and a base,
 * where there is none. Returns the reason why that can't be done.
 */
export function openLogFiles(
	folder: LogFolder,
	manifest: AofManifest,
	endOffset: number,
	replid: string,
	logger: Logger,
	firstBase: BaseContent,
): LogFile | string {
	const { fs, names } = folder;
	try {
		folder.createSync();
	} catch (error) {
		return `Can't open or create append-only dir ${names.folderName}: ${errorText(error)}`;
	}
	folder.manifest = manifest;
	let name = names.fileName;
	let action = 'open the append-only';
	try {
		let next = manifest;
		if (next.base === null && next.incrementals.length === 0) {
			const base = folder.createBaseSync(firstBase, endOffset, replid);
			logger.log('notice', `Creating AOF base file ${base.name} on server start`);
			next = { ...next, base };
		}
		let last = next.incrementals.at(-1);
		let fd: number;
		if (last === undefined) {
			last = folder.nextIncremental(endOffset, 0, replid);
			name = last.name;
			fd = runStepsNow(fs, folder.createIncrementalSteps(last, []));
			next = { ...next, incrementals: [last] };
			logger.log('notice', `Creating AOF incr file ${name} on server start`);
		} else {
			name = last.name;
			fd = fs.openSync(folder.filePath(name), 'r+');
			const sizeExpected = endOffset - last.startOffset + last.prefixSize;
			if (fs.fileSizeSync(fd) !== sizeExpected) {
				fs.closeSync(fd);
				return `The append-only file ${name} does not end at its ${sizeExpected} bytes`;
			}
			// What a killed process has written may still be nowhere but in memory.
			fs.fdatasyncSync(fd);
			logger.log('notice', `Opening AOF incr file ${name} on server start`);
		}
		name = manifestFileName(names.fileName);
		action = 'replace the AOF manifest';
		// Also writes the offsets into a manifest that came without.
		folder.replaceManifestNow(next);
		folder.tidySync(logger);
		return new LogFile(fs, fd, last);
	} catch (error) {
		return `Can't ${action} file ${name}: ${errorText(error)}`;
	}
}

/**
 * Creates a base from `content` and an empty incremental file that begins at `offset`, and makes them the log; all
 * files before are history then. Returns the reason why that can't be done: then the old files are the log as before.
 * `restart`: the log was switched off before. `db`: the database to which the first entries of a copied log apply.
 */
export function createFreshFiles(
	folder: LogFolder,
	content: BaseContent | BaseFile,
	offset: number,
	replid: string,
	restart: boolean,
	db = 0,
): LogFile | string {
	const { fs } = folder;
	let fd = -1;
	try {
		folder.createSync();
		if (restart) {
			const damage = folder.readManifest();
			if (damage !== null) return `Can't read the AOF manifest: ${damage.message}`;
		}
		const base =
			'path' in content
				? placeBaseNow(folder, content, offset, replid)
				: folder.createBaseSync(content, offset, replid);
		const prefix = selectPrefix(db);
		const incremental = folder.nextIncremental(offset, prefix.length, replid);
		fd = runStepsNow(fs, folder.createIncrementalSteps(incremental, [prefix]));
		const manifest = withNewBase(folder.manifest, base, []);
		folder.replaceManifestNow({ ...manifest, incrementals: [incremental] });
		return new LogFile(fs, fd, incremental);
	} catch (error) {
		if (fd !== -1) fs.closeSync(fd);
		return `Can't create the append-only files: ${errorText(error)}`;
	}
}

/**
 * Creates an incremental file with the bytes [from, to) of the log, behind a SELECT if another database than 0 is
 * selected there, and adds it to the manifest.
 */
export function* takeOverSteps(
	folder: LogFolder,
	buffer: LogBuffer,
	from: number,
	to: number,
	db: number,
	replid: string,
): DurableSteps<LogFile> {
	const prefix = selectPrefix(db);
	const info: AofFileInfo = folder.nextIncremental(from, prefix.length, replid);
	const fd = yield* folder.createIncrementalSteps(info, retainedParts(prefix, buffer, from, to));
	yield* nameSteps(folder, info, fd);
	return new LogFile(folder.fs, fd, info);
}

/** What a file begins with so that it can be loaded by itself: database 0 is selected before it. */
function selectPrefix(db: number): Buffer {
	return db === 0 ? Buffer.alloc(0) : aofEntryBytes(['SELECT', String(db)]);
}

/**
 * Creates an incremental file without entries, of which the first will apply to database `db`, and adds it to the
 * manifest: it begins where the one before ends.
 */
export function* emptyFileSteps(
	folder: LogFolder,
	replid: string,
	db: number,
): DurableSteps<{ info: AofFileInfo; fd: number }> {
	const prefix = selectPrefix(db);
	const info = folder.nextIncremental(-1, prefix.length, replid);
	const fd = yield* folder.createIncrementalSteps(info, [prefix]);
	yield* nameSteps(folder, info, fd);
	return { info, fd };
}

/** Adds a file that is there to the manifest. */
function* nameSteps(folder: LogFolder, info: AofFileInfo, fd: number): DurableSteps<void> {
	const { manifest } = folder;
	try {
		yield* folder.replaceManifestSteps({ ...manifest, incrementals: [...manifest.incrementals, info] });
	} catch (error) {
		folder.fs.closeSync(fd);
		// The manifest on disk may name it or not.
		folder.forgetIncremental(info);
		throw error;
	}
}

function* retainedParts(prefix: Buffer, buffer: LogBuffer, from: number, to: number): Generator<Buffer> {
	if (prefix.length > 0) yield prefix;
	for (let at = from; at < to; ) {
		buffer.seek(at, to);
		const size = buffer.chunkSize;
		yield buffer.chunk.subarray(buffer.chunkAt, buffer.chunkAt + size);
		at += size;
	}
}

/**
 * The manifest with a new base, behind which `incrementals` are still needed. What was before it becomes history, in
 * Redis's order: the newest change first; within it the incremental files, then the base.
 */
function withNewBase(
	old: AofManifest,
	base: AofFileInfo | null,
	incrementals: readonly AofFileInfo[],
): AofManifest {
	const contained = old.incrementals.filter((file) => !incrementals.includes(file));
	const before = [...contained, ...(old.base === null ? [] : [old.base])];
	const history = [...before.map((file): AofFileInfo => ({ ...file, type: 'h' })), ...old.history];
	return { base, history, incrementals };
}

/** How a finished snapshot becomes a base: by a new name, or by a second one (copied where that can't be). */
export type BaseMove = 'rename' | 'link';

/**
 * Makes the file at `path`, durable already and holding the dataset at log position `offset`, the base of the log. The
 * incremental files before `offset` become history; with `keepsNone` all do.
 */
export function* replaceBaseSteps(
	folder: LogFolder,
	path: string,
	base: AofFileInfo,
	move: BaseMove,
	keepsNone: boolean,
): DurableSteps<void> {
	yield* placeBaseSteps(folder, path, base, move);
	try {
		yield { kind: 'sync-folder', path: folder.path };
		const { manifest } = folder;
		const { incrementals } = manifest;
		// A file that ends before the base does is contained; it may be empty, and begin where the base does.
		const isNeeded = (_: AofFileInfo, i: number): boolean => {
			const end = incrementals[i + 1]?.startOffset ?? -1;
			return end < 0 || end > base.startOffset;
		};
		const kept = keepsNone ? [] : incrementals.filter(isNeeded);
		yield* folder.replaceManifestSteps(withNewBase(manifest, base, kept));
	} catch (error) {
		// The manifest on disk may name it or not.
		folder.forgetBase(base);
		throw error;
	}
}

/**
 * Creates a file for what is appended from `offset` on, before there is a base for it. No manifest names it: a server that
 * ends leaves a temporary file. Throws the system error.
 */
export function createTemporaryFile(folder: LogFolder, offset: number, replid: string, db: number): LogFile {
	folder.createSync();
	const prefix = selectPrefix(db);
	const info = aofFile(`temp-${folder.names.fileName}.incr`, 0, 'i', offset, prefix.length, replid);
	const fd = folder.fs.openSync(folder.filePath(info.name), 'w');
	writeAllSync(folder.fs, fd, prefix, 0);
	return new LogFile(folder.fs, fd, info);
}

/**
 * Makes `base`, at `path`, and the temporary file behind it the log; all older files become history. Without a path
 * the log has no base: the dataset was empty.
 */
export function* adoptTemporarySteps(
	folder: LogFolder,
	file: LogFile,
	path: string | null,
	base: AofFileInfo,
	move: BaseMove,
): DurableSteps<AofFileInfo> {
	const { fs } = folder;
	const { startOffset, prefixSize, replid } = file.info;
	const info = folder.nextIncremental(startOffset, prefixSize, replid);
	if (path !== null) yield* placeBaseSteps(folder, path, base, move);
	fs.renameSync(folder.filePath(file.info.name), folder.filePath(info.name));
	try {
		yield { kind: 'sync-folder', path: folder.path };
		const manifest = withNewBase(folder.manifest, path === null ? null : base, []);
		yield* folder.replaceManifestSteps({ ...manifest, incrementals: [info] });
	} catch (error) {
		folder.forgetBase(base);
		folder.forgetIncremental(info);
		throw error;
	}
	return info;
}

/** A finished snapshot that is to become the base: a file that is durable already, and is moved. */
export interface BaseFile {
	readonly path: string;
	readonly format: BaseFormat;
}

function placeBaseNow(folder: LogFolder, file: BaseFile, offset: number, replid: string): AofFileInfo {
	const base = folder.nextBase(file.format, offset, replid);
	runStepsNow(folder.fs, placeBaseSteps(folder, file.path, base, 'rename'));
	folder.fs.syncFolderSync(folder.path);
	return base;
}

function* placeBaseSteps(
	folder: LogFolder,
	path: string,
	base: AofFileInfo,
	move: BaseMove,
): DurableSteps<void> {
	const basePath = folder.filePath(base.name);
	removeIfThere(folder.fs, basePath);
	if (move === 'rename') folder.fs.renameSync(path, basePath);
	else yield* linkOrCopySteps(folder.fs, path, basePath);
}

function* linkOrCopySteps(fs: LogFs, from: string, to: string): DurableSteps<void> {
	try {
		fs.linkSync(from, to);
		return;
	} catch {
		// The file system has no links: a copy does as well.
	}
	const folder = to.slice(0, to.lastIndexOf('/'));
	const name = to.slice(folder.length + 1);
	yield* createFileSteps(fs, folder, name, `temp-${name}`, fileChunks(fs, from), false);
}

/** The content of a file in chunks. */
export function* fileChunks(fs: LogFs, path: string): Generator<Buffer> {
	const fd = fs.openSync(path, 'r');
	try {
		let position = 0;
		for (;;) {
			const chunk = Buffer.allocUnsafe(COPY_CHUNK_BYTES);
			const size = fs.readSync(fd, chunk, 0, chunk.length, position);
			if (size === 0) return;
			yield chunk.subarray(0, size);
			position += size;
		}
	} finally {
		fs.closeSync(fd);
	}
}
