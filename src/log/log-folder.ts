/**
 * The folder of the log: its names, its manifest, and the creation of its files.
 *
 * Order of every change: the new file is durable under its final name, then the manifest that names it, and only then
 * are files removed that it no longer names. A crash in between leaves files that no manifest names; they are
 * overwritten when their number comes again.
 */
import type { Logger } from '../base/logger.js';
import { aofEntrySize, writeAofEntry } from '../formats/aof-entry.js';
import {
	type AofFileInfo,
	type AofManifest,
	aofFile,
	baseFileName,
	EMPTY_MANIFEST,
	formatAofManifest,
	incrementalFileName,
	isManifestError,
	type LogLineage,
	lastBaseSeq,
	lastIncrementalSeq,
	type ManifestError,
	manifestFileName,
	parseAofManifest,
} from '../formats/aof-manifest.js';
import { createFileSteps, type DurableSteps, removeIfThere, runStepsNow } from './durable-steps.js';
import type { LogFs } from './log-fs.js';

const READ_CHUNK_BYTES = 64 * 1024;
const BASE_CHUNK_BYTES = 1024 * 1024;

export interface LogNames {
	/** The server's working folder, a path. */
	readonly dir: string;
	/** `appenddirname`: the folder of the log, within `dir`. */
	readonly folderName: string;
	/** `appendfilename`: what the names of all files start with. */
	readonly fileName: string;
}

export type BaseFormat = 'aof' | 'rdb';

/** What a base is to hold: a whole dataset. */
export interface BaseContent {
	readonly format: BaseFormat;
	/** The bytes of the file; a chunk may be overwritten when the next is taken. */
	readonly chunks: Iterable<Buffer>;
}

/** A base in AOF format: commands that rebuild the dataset. */
export function aofBase(commands: Iterable<readonly string[]>): BaseContent {
	return { format: 'aof', chunks: entryChunks(commands) };
}

export class LogFolder {
	readonly fs: LogFs;
	readonly names: LogNames;
	/** Path of the folder. */
	readonly path: string;
	/** What the manifest on disk says. */
	manifest: AofManifest = EMPTY_MANIFEST;
	/** What every manifest that is written says of the IDs; null for nothing. */
	lineage: LogLineage | null = null;

	/** Numbers up to this one are not given to incremental files again: the manifest on disk may name them. */
	private seqFloor = 0;
	private baseSeqFloor = 0;
	/** Files that the next manifest on disk will surely not name. */
	private orphans: string[] = [];
	/** What `placeIncremental` said last. */
	private placed: AofFileInfo | null = null;
	private changing: Promise<void> = Promise.resolve();
	private changeCount = 0;
	/** Counts the calls of `replaceManifestNow`. */
	private epoch = 0;

	constructor(fs: LogFs, names: LogNames) {
		this.fs = fs;
		this.names = names;
		this.path = `${names.dir}/${names.folderName}`;
	}

	filePath(name: string): string {
		return `${this.path}/${name}`;
	}

	/** Creates the folder unless it exists, durably. Throws the system error. */
	createSync(): void {
		if (this.fs.kindSync(this.path) === 'folder') return;
		this.fs.makeFolderSync(this.path);
		this.fs.syncFolderSync(this.names.dir);
	}

	/** Reads the manifest from the disk; null when there is none. Throws the system error. */
	readManifest(): ManifestError | null {
		const path = this.filePath(manifestFileName(this.names.fileName));
		this.manifest = EMPTY_MANIFEST;
		if (this.fs.kindSync(path) !== 'file') return null;
		const result = parseAofManifest(readWholeFile(this.fs, path));
		if (isManifestError(result)) return result;
		this.manifest = result;
		return null;
	}

	/**
	 * Makes `manifest` the one on disk, durably. Only one such procedure may be under way (`exclusively`); what
	 * `forgetIncremental` and `placeIncremental` say meanwhile stays true.
	 */
	*replaceManifestSteps(manifest: AofManifest): DurableSteps<void> {
		const name = manifestFileName(this.names.fileName);
		const unnamed = this.orphans;
		this.orphans = [];
		const { epoch } = this;
		try {
			for (;;) {
				const { lineage } = this;
				const isStale = (): boolean => this.lineage !== lineage;
				const check = (): void => {
					if (this.epoch !== epoch) throw new Error('the AOF has begun afresh');
					if (isStale()) throw new StaleManifest();
				};
				try {
					const bytes = [this.manifestBytes(manifest)];
					yield* createFileSteps(this.fs, this.path, name, `temp-${name}`, bytes, false, check);
					check();
					break;
				} catch (error) {
					// The IDs have changed meanwhile: what is on disk must not say the old ones again.
					if (!(error instanceof StaleManifest)) throw error;
				}
			}
		} catch (error) {
			this.orphans.push(...unnamed);
			throw error;
		}
		const { placed } = this;
		this.manifest = {
			...manifest,
			incrementals: manifest.incrementals
				.filter((file) => !this.orphans.includes(file.name))
				.map((file) => (placed?.seq === file.seq && file.startOffset < 0 ? placed : file)),
		};
		for (const orphan of unnamed) removeIfThere(this.fs, this.filePath(orphan));
	}

	/** Makes `manifest` the one on disk before returning; a procedure under way will not replace it any more. */
	replaceManifestNow(manifest: AofManifest): void {
		this.epoch++;
		this.writeManifestNow(manifest);
		this.manifest = manifest;
	}

	/**
	 * Brings a changed `lineage` to the disk before returning; a procedure under way takes it over. Throws the system
	 * error; then it stands in the next manifest that is written.
	 */
	writeLineageNow(): void {
		this.writeManifestNow(this.manifest);
	}

	private writeManifestNow(manifest: AofManifest): void {
		const name = manifestFileName(this.names.fileName);
		const bytes = [this.manifestBytes(manifest)];
		runStepsNow(this.fs, createFileSteps(this.fs, this.path, name, `temp-${name}.2`, bytes, false));
	}

	private manifestBytes(manifest: AofManifest): Buffer {
		const { lineage } = this;
		const { base, history, incrementals } = manifest;
		const full = { base, history, incrementals, ...(lineage === null ? {} : { lineage }) };
		return Buffer.from(formatAofManifest(full), 'latin1');
	}

	/**
	 * Runs `change` when no other change of the folder is under way. `isTidying`: it changes nothing that
	 * `replaceManifestNow` could be in the way of.
	 */
	async exclusively<T>(change: () => Promise<T>, isTidying = false): Promise<T> {
		const before = this.changing;
		let done = (): void => {};
		this.changing = new Promise<void>((resolve) => {
			done = resolve;
		});
		if (!isTidying) this.changeCount++;
		try {
			await before;
			return await change();
		} finally {
			if (!isTidying) this.changeCount--;
			done();
		}
	}

	/** Whether a change is under way, so that one that does not wait has to be refused. */
	get isChanging(): boolean {
		return this.changeCount > 0;
	}

	/** Where the newest incremental file begins is known now. */
	placeIncremental(info: AofFileInfo): void {
		this.placed = info;
		const { manifest } = this;
		const incrementals = manifest.incrementals.map((file) => (file.seq === info.seq ? info : file));
		this.manifest = { ...manifest, incrementals };
	}

	/** An incremental file that has been created, and perhaps named on disk, is not going to be used. */
	forgetIncremental(info: AofFileInfo): void {
		const { manifest } = this;
		const incrementals = manifest.incrementals.filter((file) => file.seq !== info.seq);
		this.manifest = { ...manifest, incrementals };
		this.seqFloor = Math.max(this.seqFloor, info.seq);
		this.orphans.push(info.name);
	}

	/** A base that has been created, and perhaps named on disk, is not going to be used. */
	forgetBase(info: AofFileInfo): void {
		this.baseSeqFloor = Math.max(this.baseSeqFloor, info.seq);
		this.orphans.push(info.name);
	}

	/** The next incremental file: numbered behind the newest in use, as in Redis. */
	nextIncremental(startOffset: number, prefixSize: number, replid: string): AofFileInfo {
		const { history } = this.manifest;
		let seq = Math.max(lastIncrementalSeq(this.manifest), this.seqFloor);
		let name: string;
		do name = incrementalFileName(this.names.fileName, ++seq);
		while (history.some((file) => file.name === name) || this.orphans.includes(name));
		return aofFile(name, seq, 'i', startOffset, prefixSize, replid);
	}

	/** Creates the file with the given content; returns its descriptor, open for writing. */
	createIncrementalSteps(file: AofFileInfo, parts: Iterable<Buffer>): DurableSteps<number> {
		const tempName = `temp-${this.names.fileName}.incr`;
		return createFileSteps(this.fs, this.path, file.name, tempName, parts, true);
	}

	/** The next base, of the dataset at `offset`. */
	nextBase(format: BaseFormat, offset: number, replid: string): AofFileInfo {
		const seq = Math.max(lastBaseSeq(this.manifest), this.baseSeqFloor) + 1;
		return aofFile(baseFileName(this.names.fileName, seq, format), seq, 'b', offset, 0, replid);
	}

	/** Writes a new base, durable under its name but not yet in the manifest. Throws the system error. */
	createBaseSync(content: BaseContent, offset: number, replid: string): AofFileInfo {
		const info = this.nextBase(content.format, offset, replid);
		const tempName = `temp-${this.names.fileName}.base`;
		runStepsNow(this.fs, createFileSteps(this.fs, this.path, info.name, tempName, content.chunks, false));
		return info;
	}

	/**
	 * At start-up: removes what was being created when a process died, and says which files look as if they belonged to
	 * the log and do not. Nobody else may be writing here.
	 */
	tidySync(logger: Logger): void {
		const { manifest } = this;
		const used = [manifest.base, ...manifest.history, ...manifest.incrementals].map((file) => file?.name);
		for (const name of this.fs.listSync(this.path)) {
			if (this.isTemporary(name)) {
				removeIfThere(this.fs, this.filePath(name));
				logger.log('notice', `Removed ${name}, which was unfinished when a server ended`);
			} else if (this.isNumbered(name) && !used.includes(name)) {
				logger.log(
					'notice',
					`The file ${name} in ${this.names.folderName} is not part of the AOF, as the manifest does not name it`,
				);
			}
		}
	}

	private isTemporary(name: string): boolean {
		const start = `temp-${this.names.fileName}.`;
		if (!name.startsWith(start)) return false;
		return /^(?:incr|base|manifest(?:\.2)?|\d+\.base\.(?:aof|rdb))$/.test(name.slice(start.length));
	}

	private isNumbered(name: string): boolean {
		const { fileName } = this.names;
		if (!name.startsWith(`${fileName}.`)) return false;
		return /^\d+\.(?:base\.(?:aof|rdb)|incr\.aof)$/.test(name.slice(fileName.length + 1));
	}

	/** Size of the base in bytes. */
	baseSizeSync(): number {
		return this.manifest.base === null ? 0 : this.sizeSync(this.manifest.base.name);
	}

	/** Size in bytes of the base and of all incremental files but the last. */
	olderSizeSync(): number {
		let size = this.baseSizeSync();
		for (const file of this.manifest.incrementals.slice(0, -1)) size += this.sizeSync(file.name);
		return size;
	}

	/** Size of a file of the folder in bytes, 0 when it can't be read. */
	sizeSync(name: string): number {
		let fd: number;
		try {
			fd = this.fs.openSync(this.filePath(name), 'r');
		} catch {
			return 0;
		}
		try {
			return this.fs.fileSizeSync(fd);
		} finally {
			this.fs.closeSync(fd);
		}
	}
}

/** A manifest that is being written says something of the IDs that is no longer so. */
class StaleManifest extends Error {}

/**
 * Writes commands as an AOF file at `path`, durably and all or nothing. Throws the system error.
 */
export function writeAofFileSync(
	fs: LogFs,
	folder: string,
	name: string,
	commands: Iterable<readonly string[]>,
): void {
	runStepsNow(fs, createFileSteps(fs, folder, name, `temp-${name}`, entryChunks(commands), false));
}

/** Commands as entries, in chunks; a chunk is overwritten when the next is taken. */
function* entryChunks(commands: Iterable<readonly string[]>): Generator<Buffer> {
	let chunk = Buffer.allocUnsafe(BASE_CHUNK_BYTES);
	let at = 0;
	for (const args of commands) {
		const size = aofEntrySize(args);
		if (at + size > chunk.length) {
			if (at > 0) yield chunk.subarray(0, at);
			at = 0;
			if (size > chunk.length) chunk = Buffer.allocUnsafe(size);
		}
		at = writeAofEntry(chunk, at, args);
	}
	if (at > 0) yield chunk.subarray(0, at);
}

/** The whole content of a small file as a byte string. Throws the system error. */
export function readWholeFile(fs: LogFs, path: string): string {
	const fd = fs.openSync(path, 'r');
	try {
		const chunk = Buffer.allocUnsafe(READ_CHUNK_BYTES);
		let text = '';
		for (;;) {
			const size = fs.readSync(fd, chunk, 0, chunk.length, text.length);
			if (size === 0) return text;
			text += chunk.latin1Slice(0, size);
		}
	} finally {
		fs.closeSync(fd);
	}
}

/** Whether an open file is in RDB format, or has an RDB preamble. Throws the system error. */
export function startsAsRdb(fs: LogFs, fd: number): boolean {
	const magic = Buffer.alloc(5);
	return fs.readSync(fd, magic, 0, 5, 0) === 5 && magic.latin1Slice() === 'REDIS';
}
