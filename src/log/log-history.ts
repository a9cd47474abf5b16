/**
 * The log before the present base: bases and incremental files that nothing loads any more. They serve partial resync
 * (the bytes of the log at any offset still kept) and time travel (a base, and the incremental files behind it).
 *
 * They are moved into the folder `history` within the folder of the log, because in the manifest `h` means to Redis
 * "to be removed", and it does so when it starts. Which file is what says an index beside them, `<appendfilename>.index`,
 * in the format of a manifest: `h` lines from the oldest to the newest, with the pair `kind` (base or incr) and the
 * time when the file became history (`ended`, milliseconds since 1970).
 *
 * Order: the index is durable, then the files are moved, then the manifest no longer names them. To remove a file: the
 * index, then the file. A crash in between leaves `h` lines, whose files are moved by the next `collect`; a line of the
 * index without a file, which counts as none; or a file without a line, which is removed.
 */
import type { Clock } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import {
	type AofFileInfo,
	type AofManifest,
	EMPTY_MANIFEST,
	formatAofManifest,
	isManifestError,
	parseAofManifest,
} from '../formats/aof-manifest.js';
import {
	createFileSteps,
	type DurableSteps,
	removeIfThere,
	removeSteps,
	runSteps,
	runStepsNow,
} from './durable-steps.js';
import { type LogFolder, type LogNames, readWholeFile } from './log-folder.js';
import type { LogFs } from './log-fs.js';

export const HISTORY_FOLDER = 'history';
/** Above this many files the oldest go, however small they are. */
const FILES_MAX = 1000;
const AGE_CHECK_PERIOD_MS = 1000;

/** How much history is kept; settings that may change. */
export interface HistoryLimits {
	/** Bytes of all files together; 0 keeps no history. */
	readonly logHistorySize: number;
	/** Seconds since the file became history; 0 for no limit. */
	readonly logHistorySeconds: number;
	/** Files stay in the manifest and in the folder of the log, as in Redis. */
	readonly aofDisableAutoGc: boolean;
}

/** A file that was part of the log. */
export interface HistoryFile {
	/** In the folder `history`. */
	readonly name: string;
	readonly kind: 'base' | 'incr';
	/** Where it begins, and of what replid; for a base the log position of its dataset. */
	readonly info: AofFileInfo;
	/** When it became history, milliseconds since 1970. */
	readonly endedMs: number;
	/** In bytes. */
	readonly size: number;
}

export function historyPath(names: LogNames): string {
	return `${names.dir}/${names.folderName}/${HISTORY_FOLDER}`;
}

/** The history from the oldest file to the newest; of an index that can't be read, none. */
export function readHistory(fs: LogFs, names: LogNames): HistoryFile[] {
	const folder = historyPath(names);
	const files: HistoryFile[] = [];
	for (const info of readIndex(fs, names).history) {
		const size = sizeOf(fs, `${folder}/${info.name}`);
		if (size < 0) continue;
		const pairs = new Map(info.extra);
		const kind = pairs.get('kind') === 'base' ? 'base' : 'incr';
		files.push({ name: info.name, kind, info, endedMs: Number(pairs.get('ended') ?? 0), size });
	}
	return files;
}

/** The history as lines of a manifest, from the oldest file to the newest; names are relative to the folder of the log. */
export function historyInfos(fs: LogFs, names: LogNames): AofFileInfo[] {
	return readHistory(fs, names).map(({ info }) => ({ ...info, name: `${HISTORY_FOLDER}/${info.name}` }));
}

/** Whether the name is that of a base: a numbered one, or the single file of Redis before 7. */
export function isBaseFile(names: LogNames, name: string): boolean {
	return name === names.fileName || /\.base\.(?:aof|rdb)$/.test(name);
}

export class LogHistory {
	/** Called behind the move of a file; names are relative to the folder of the log. */
	onMove: (from: string, to: string) => void = () => {};
	/** Called behind the removal of a file, by its name in the folder of the log. */
	onRemove: (name: string) => void = () => {};
	/** What is behind this log position stays, whatever the limits: somebody is about to read it. -1 for nothing. */
	neededOffset = -1;

	private readonly folder: LogFolder;
	private readonly clock: Clock;
	private readonly logger: Logger;
	private readonly limits: HistoryLimits;
	private checkedMs = 0;
	private collecting = false;

	constructor(folder: LogFolder, clock: Clock, logger: Logger, limits: HistoryLimits) {
		this.folder = folder;
		this.clock = clock;
		this.logger = logger;
		this.limits = limits;
	}

	/**
	 * Moves the files that the manifest calls history, or removes them if none is to be kept, and removes what is too much
	 * of it. On the thread pool. Never rejects; what fails is tried again the next time.
	 */
	async collect(): Promise<void> {
		const { folder } = this;
		this.collecting = true;
		try {
			await folder.exclusively(() => runSteps(folder.fs, this.collectSteps()), true);
		} catch (error) {
			this.logger.log('warning', `Can't put the history of the AOF away: ${errorText(error)}`);
		} finally {
			this.collecting = false;
		}
	}

	/** Whether `collect` may find something to do. */
	get isNeeded(): boolean {
		const { fs, names, manifest } = this.folder;
		if (this.limits.aofDisableAutoGc || this.collecting) return false;
		return manifest.history.length > 0 || fs.kindSync(historyPath(names)) === 'folder';
	}

	/** As `collect`, before returning. Nothing else may be changing the folder. Throws the system error. */
	collectNow(): void {
		runStepsNow(this.folder.fs, this.collectSteps());
	}

	/** Whether something has become older than the limit; looks about once a second. */
	isTooOld(nowMs: number): boolean {
		const { logHistorySeconds } = this.limits;
		if (logHistorySeconds === 0 || nowMs - this.checkedMs < AGE_CHECK_PERIOD_MS) return false;
		this.checkedMs = nowMs;
		const oldest = readIndex(this.folder.fs, this.folder.names).history[0];
		return oldest !== undefined && endedMsOf(oldest) < nowMs - logHistorySeconds * 1000;
	}

	private *collectSteps(): DurableSteps<void> {
		const { folder } = this;
		const old = [...folder.manifest.history].reverse();
		if (old.length > 0) {
			if (this.limits.logHistorySize > 0 || this.neededOffset >= 0) yield* this.keepSteps(old);
			for (const { name } of old) {
				const path = folder.filePath(name);
				if (folder.fs.kindSync(path) === 'none') continue;
				this.logger.log('notice', `Removing the history file ${name} in the background`);
				yield* removeSteps(path);
				this.onRemove(name);
			}
			yield* folder.replaceManifestSteps({ ...folder.manifest, history: [] });
		}
		yield* this.trimSteps();
	}

	/** Moves files, given from the oldest to the newest, into the folder of the history. */
	private *keepSteps(old: readonly AofFileInfo[]): DurableSteps<void> {
		const { fs, names } = this.folder;
		const path = historyPath(names);
		const { clock } = this;
		const kept = [...readIndex(fs, names).history];
		const moves: [from: string, to: string][] = [];
		for (const file of inLogOrder(names, old)) {
			if (fs.kindSync(this.folder.filePath(file.name)) === 'none') continue;
			// A crash may have come between the index and the move.
			const isListed = (name: string): boolean => kept.some((other) => other.name === name);
			const listed = kept.find((other) => isSameFile(other, file, path, fs));
			let { name } = file;
			if (listed !== undefined) name = listed.name;
			else {
				for (let i = 2; isListed(name); i++) name = alternateName(names, file.name, i);
				const kind = isBaseFile(names, file.name) ? 'base' : 'incr';
				const ended = String(clock.nowMs());
				kept.push({
					...file,
					name,
					type: 'h',
					extra: [
						['kind', kind],
						['was', file.name],
						['ended', ended],
					],
				});
			}
			moves.push([file.name, name]);
		}
		if (moves.length === 0) return;
		fs.makeFolderSync(path);
		yield* this.writeIndexSteps(kept);
		for (const [from, to] of moves) {
			fs.renameSync(this.folder.filePath(from), `${path}/${to}`);
			this.onMove(from, `${HISTORY_FOLDER}/${to}`);
		}
		yield { kind: 'sync-folder', path };
		yield { kind: 'sync-folder', path: this.folder.path };
	}

	/** Removes the oldest files until the rest is within the limits, and what nobody knows of. */
	private *trimSteps(): DurableSteps<void> {
		const { fs, names } = this.folder;
		const path = historyPath(names);
		if (fs.kindSync(path) !== 'folder') return;
		const files = readHistory(fs, names);
		const { logHistorySize, logHistorySeconds } = this.limits;
		const endedMsMin = logHistorySeconds === 0 ? 0 : this.clock.nowMs() - logHistorySeconds * 1000;
		let size = 0;
		for (const file of files) size += file.size;
		let dropCount = 0;
		while (dropCount < files.length) {
			const file = files[dropCount]!;
			if (this.isWanted(file)) break;
			const fits = size <= logHistorySize && files.length - dropCount <= FILES_MAX;
			if (logHistorySize > 0 && fits && file.endedMs >= endedMsMin) break;
			size -= file.size;
			dropCount++;
		}
		const kept = files.slice(dropCount);
		if (dropCount > 0) yield* this.writeIndexSteps(kept.map((file) => file.info));
		const known = new Set([indexName(names), ...kept.map((file) => file.name)]);
		for (const name of fs.listSync(path)) {
			if (known.has(name) || !isOurs(names, name)) continue;
			this.logger.log('notice', `Removing the history file ${name} in the background`);
			yield* removeSteps(`${path}/${name}`);
			this.onRemove(`${HISTORY_FOLDER}/${name}`);
		}
		if (kept.length > 0) return;
		removeIfThere(fs, `${path}/${indexName(names)}`);
		if (fs.listSync(path).length === 0) fs.removeFolderSync(path);
	}

	private isWanted({ kind, info, size }: HistoryFile): boolean {
		const { neededOffset } = this;
		return kind === 'incr' && neededOffset >= 0 && info.startOffset + size - info.prefixSize > neededOffset;
	}

	private *writeIndexSteps(history: readonly AofFileInfo[]): DurableSteps<void> {
		const { fs, names } = this.folder;
		const text = formatAofManifest({ ...EMPTY_MANIFEST, history });
		const name = indexName(names);
		const bytes = Buffer.from(text, 'latin1');
		yield* createFileSteps(fs, historyPath(names), name, `temp-${name}`, [bytes], false);
	}
}

function indexName(names: LogNames): string {
	return `${names.fileName}.index`;
}

/** Whether a name in the folder of the history is one that we gave, for a log of these names. */
function isOurs(names: LogNames, name: string): boolean {
	if (name === `temp-${indexName(names)}`) return true;
	if (!name.startsWith(names.fileName)) return false;
	return /^(?:\.\d+)?(?:-\d+)?(?:\.base\.(?:aof|rdb)|\.incr\.aof)?$/.test(name.slice(names.fileName.length));
}

/** Another name for a file whose number has come again: `appendonly.aof.1-2.incr.aof`. */
function alternateName(names: LogNames, name: string, i: number): string {
	const numbered = name.slice(names.fileName.length).replace(/^(\.\d+)?/, `$1-${i}`);
	return names.fileName + numbered;
}

function readIndex(fs: LogFs, names: LogNames): AofManifest {
	const path = `${historyPath(names)}/${indexName(names)}`;
	if (fs.kindSync(path) !== 'file') return EMPTY_MANIFEST;
	const text = readWholeFile(fs, path);
	const index = text === '' ? EMPTY_MANIFEST : parseAofManifest(text);
	return isManifestError(index) ? EMPTY_MANIFEST : index;
}

function endedMsOf(info: AofFileInfo): number {
	return Number(new Map(info.extra).get('ended') ?? 0);
}

/** Whether `listed` is what is to become of `file`. */
function isSameFile(listed: AofFileInfo, file: AofFileInfo, path: string, fs: LogFs): boolean {
	return (
		new Map(listed.extra).get('was') === file.name &&
		listed.startOffset === file.startOffset &&
		listed.replid === file.replid &&
		(file.startOffset >= 0 || fs.kindSync(`${path}/${listed.name}`) === 'none')
	);
}

/** By log position; where a base stands at the beginning of an incremental file, the base first. */
function inLogOrder(names: LogNames, files: readonly AofFileInfo[]): AofFileInfo[] {
	const rank = (file: AofFileInfo): number => (isBaseFile(names, file.name) ? 0 : 1);
	return [...files].sort((a, b) => a.startOffset - b.startOffset || rank(a) - rank(b) || a.seq - b.seq);
}

/** Size in bytes, -1 if there is no such file. */
function sizeOf(fs: LogFs, path: string): number {
	if (fs.kindSync(path) !== 'file') return -1;
	const fd = fs.openSync(path, 'r');
	try {
		return fs.fileSizeSync(fd);
	} finally {
		fs.closeSync(fd);
	}
}
