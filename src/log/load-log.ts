/**
 * Loading the log at start-up: the base and then the incremental files, in the order of the manifest.
 *
 * What a crash can leave is repaired, everything else refused, and nothing is changed then:
 *
 * - The last file may end within an entry or within a MULTI … EXEC group: with `aof-load-truncated yes` it is cut back
 *   to before that, so that a transaction is there as a whole or not at all.
 * - A file may reach beyond the `startoffset` of the next one, which took over because of a failed disk: the next one
 *   has those bytes too, and counts.
 * - Bytes that are not those that were written, as the CRCs of the catalog show: refused, also where they are entries.
 * - Any other file that ends early, a gap between two files, or bytes that are not entries: refused, with the name of
 *   the file and the position.
 *
 * Every file begins with database 0 selected, as in Redis. MULTI and EXEC themselves are not applied.
 * Source of the messages: Redis 7.2.6, aof.c.
 */
import type { Env } from '../base/env.js';
import { errorCode, errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { AofEntryReader } from '../formats/aof-entry.js';
import {
	type AofFileInfo,
	type AofManifest,
	filesToLoad,
	manifestErrorLines,
} from '../formats/aof-manifest.js';
import type { BlockCheck } from './block-check.js';
import { catalogFolder } from './catalog-names.js';
import { damageText, type LogVerifier } from './catalog-verify.js';
import { LogFolder, type LogNames, startsAsRdb } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import { upgradeBareFile } from './upgrade-log.js';

/** What applying an entry comes to: done, or the command is not known. */
export type ApplyResult = undefined | 'unknown-command';

/** Applies one entry to the dataset. A promise makes the loader wait. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the usual one
export type ApplyEntry = (args: string[]) => ApplyResult | void | Promise<ApplyResult | void>;

/** As `ApplyEntry`, for loading without returning to the event loop. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the usual one
export type ApplyEntryNow = (args: string[]) => ApplyResult | void;

/** What INFO shows while loading; updated as it goes on. */
export interface LoadProgress {
	/** Bytes of all files that will be loaded. */
	totalBytes: number;
	loadedBytes: number;
	/** The file being loaded. */
	fileName: string;
	/** Entries applied. */
	entryCount: number;
}

export interface LoadOptions {
	readonly fs: LogFs;
	readonly env: Env;
	readonly logger: Logger;
	readonly names: LogNames;
	/** `aof-load-truncated`: cut a torn last file and go on. */
	readonly loadTruncated: boolean;
	readonly progress?: LoadProgress;
	/** What the bytes are compared with, if the catalog is there. */
	readonly verifier?: LogVerifier | null;
	/** Loads a base in RDB format; without it such files are refused. */
	readonly loadRdb?: RdbStep;
}

/**
 * Loads the RDB that an open file starts with, in steps: each `yield` is a good moment to return to the event loop.
 * `onProgress` is told how many bytes have been read. Returns where the RDB ends, or what is wrong (logged already) and
 * where. Throws system errors.
 */
export type RdbStep = (
	fd: number,
	onProgress: (loadedBytes: number) => void,
) => Generator<
	null,
	{ readonly endPosition: number } | { readonly message: string; readonly position: number }
>;

export interface LoadedLog {
	readonly kind: 'loaded';
	/** absent: there is no log; empty: its files hold nothing. */
	readonly content: 'absent' | 'empty' | 'entries';
	/** Names the files that were loaded, with the offsets of all incremental files. For `AppendLog.open`. */
	readonly manifest: AofManifest;
	/** The log position behind the last entry. */
	readonly endOffset: number;
	/** The replication ID of the newest file, or ''. */
	readonly replid: string;
	/** Whether the last file was cut. */
	readonly truncated: boolean;
}

/** Why the log can't be loaded; logged already. The server must not start with less than the whole log. */
export interface LoadFailure {
	readonly kind: 'failed';
	/**
	 * io: a file is missing or can't be read; manifest: it is damaged; format: damage within a file; damage: the catalog
	 * says that bytes have changed; truncated: a file
	 * ends early and may not be cut; gap: bytes are missing between two files; unknown-command: `apply` said so; rdb:
	 * what is wrong is in a part in RDB format.
	 */
	readonly reason: 'io' | 'manifest' | 'format' | 'damage' | 'truncated' | 'gap' | 'unknown-command' | 'rdb';
	readonly message: string;
	/** The file, '' for none. */
	readonly fileName: string;
	/** Position in the file in bytes, -1 for none. */
	readonly position: number;
}

export type LoadResult = LoadedLog | LoadFailure;

/** Between these many entries the loader looks whether it has held the event loop for too long. */
const ENTRIES_PER_CHECK = 64;
const TURN_US_MAX = 5000;

/** null: a good moment to return to the event loop; a promise: wait for it. */
// biome-ignore lint/suspicious/noConfusingVoidType: see ApplyEntry
type LoadSteps<T> = Generator<Promise<ApplyResult | void> | null, T, ApplyResult | void>;

/** Loads the log, returning to the event loop every few milliseconds. Never rejects unless `apply` does. */
export async function loadLog(options: LoadOptions, apply: ApplyEntry): Promise<LoadResult> {
	const { clock, timers } = options.env;
	const steps = new LogLoad(options, apply).run();
	let turnStartUs = clock.monotonicUs();
	let next = steps.next();
	while (!next.done) {
		if (next.value !== null) {
			next = steps.next(await next.value);
			continue;
		}
		if (clock.monotonicUs() - turnStartUs > TURN_US_MAX) {
			await new Promise<void>((resolve) => timers.setImmediate(resolve));
			turnStartUs = clock.monotonicUs();
		}
		next = steps.next();
	}
	return next.value;
}

/** Loads the log before returning, for `DEBUG LOADAOF` and the like. */
export function loadLogNow(options: LoadOptions, apply: ApplyEntryNow): LoadResult {
	return runNow(new LogLoad(options, apply).run());
}

/** Loads a single file in AOF format, given by its folder and name, before returning. Never changes the file. */
export function loadAofFileNow(
	options: Pick<LoadOptions, 'fs' | 'env' | 'logger'>,
	folder: string,
	name: string,
	apply: ApplyEntryNow,
): LoadFailure | null {
	const names = { dir: folder, folderName: '.', fileName: name };
	return runNow(new LogLoad({ ...options, names, loadTruncated: false }, apply).runFile(name));
}

function runNow<T>(steps: LoadSteps<T>): T {
	let next = steps.next();
	while (!next.done) {
		if (next.value !== null) throw new Error('this loader can not wait');
		next = steps.next();
	}
	return next.value;
}

/** What became of one file. */
interface LoadedFile {
	/** Bytes of the file that are part of the log now. */
	readonly size: number;
	readonly truncated: boolean;
}

class LogLoad {
	private readonly options: LoadOptions;
	private readonly apply: ApplyEntry;
	private readonly folder: LogFolder;
	private readonly progress: LoadProgress;

	constructor(options: LoadOptions, apply: ApplyEntry) {
		this.options = options;
		this.apply = apply;
		this.folder = new LogFolder(options.fs, options.names);
		this.progress = options.progress ?? { totalBytes: 0, loadedBytes: 0, fileName: '', entryCount: 0 };
	}

	*run(): LoadSteps<LoadResult> {
		const problem = this.readManifest();
		if (problem !== null) return problem;
		const manifest = this.withoutUnplaced(this.folder.manifest);
		const files = filesToLoad(manifest);
		if (files.length === 0) {
			return {
				kind: 'loaded',
				content: 'absent',
				manifest,
				endOffset: 0,
				replid: '',
				truncated: false,
			};
		}
		const totalSize = this.sizeOf(files);
		if (typeof totalSize !== 'number') return totalSize;
		this.progress.totalBytes = totalSize;
		const incrementals: AofFileInfo[] = [];
		let endOffset = Math.max(0, manifest.base?.startOffset ?? 0);
		let replid = manifest.base?.replid ?? '';
		let truncated = false;
		for (let i = 0; i < files.length; i++) {
			let file = files[i]!;
			const isBase = file.type === 'b';
			if (!isBase) {
				if (file.replid !== '') replid = file.replid;
				if (file.startOffset < 0) file = { ...file, startOffset: endOffset, replid };
				incrementals.push(file);
			}
			const nextStart = files[i + 1]?.startOffset ?? -1;
			const sizeMax = isBase || nextStart < 0 ? -1 : nextStart - file.startOffset + file.prefixSize;
			const fileStartUs = this.options.env.clock.monotonicUs();
			// Behind a file that a crash has torn may stand one that had just been created.
			const isLast = files
				.slice(i + 1)
				.every(({ name, prefixSize }) => this.folder.sizeSync(name) <= prefixSize);
			const loaded = yield* this.loadFile(file.name, isLast, sizeMax, i > 0);
			if ('kind' in loaded) return loaded;
			if (loaded.size > 0 || isBase)
				this.logLoaded(`${isBase ? 'base' : 'incr'} file ${file.name}`, fileStartUs);
			truncated ||= loaded.truncated;
			if (!isBase) endOffset = file.startOffset + Math.max(0, loaded.size - file.prefixSize);
		}
		const content = totalSize === 0 ? 'empty' : 'entries';
		return {
			kind: 'loaded',
			content,
			manifest: { ...manifest, incrementals },
			endOffset,
			replid,
			truncated,
		};
	}

	*runFile(name: string): LoadSteps<LoadFailure | null> {
		const loaded = yield* this.loadFile(name, true, -1, false);
		return 'kind' in loaded ? loaded : null;
	}

	/**
	 * In the log of a replica a file that was to be the next one was made for the database that was selected then. If it
	 * never was, the log goes on in the one before.
	 */
	private withoutUnplaced(manifest: AofManifest): AofManifest {
		const { incrementals, lineage } = manifest;
		const last = incrementals.at(-1);
		if (lineage?.isCopy !== true || last === undefined || incrementals.length === 1) return manifest;
		if (last.startOffset >= 0 || this.folder.sizeSync(last.name) > last.prefixSize) return manifest;
		return { ...manifest, incrementals: incrementals.slice(0, -1) };
	}

	private logLoaded(what: string, startUs: number): void {
		const seconds = (this.options.env.clock.monotonicUs() - startUs) / 1e6;
		this.options.logger.log('notice', `DB loaded from ${what}: ${seconds.toFixed(3)} seconds`);
	}

	private fail(reason: LoadFailure['reason'], message: string, fileName: string, position = -1): LoadFailure {
		this.options.logger.log('warning', message);
		return { kind: 'failed', reason, message, fileName, position };
	}

	private readManifest(): LoadFailure | null {
		const { folder } = this;
		const { logger, names } = this.options;
		try {
			const error = folder.readManifest();
			if (error !== null) {
				for (const line of manifestErrorLines(error)) logger.log('warning', line);
				return {
					kind: 'failed',
					reason: 'manifest',
					message: error.message,
					fileName: '',
					position: -1,
				};
			}
			const refusal = upgradeBareFile(folder, logger);
			return refusal === null ? null : this.fail('io', refusal, names.fileName);
		} catch (error) {
			const what =
				errorCode(error) === 'ENOTDIR'
					? `Can't open or create append-only dir ${names.folderName}`
					: `Fatal error: can't open the AOF manifest file of ${folder.path} for reading`;
			const message = `${what}: ${errorText(error)}`;
			return this.fail('io', message, '');
		}
	}

	/** The bytes of all files together. */
	private sizeOf(files: readonly AofFileInfo[]): number | LoadFailure {
		const { fs } = this.options;
		let total = 0;
		for (const { name } of files) {
			try {
				const fd = fs.openSync(this.folder.filePath(name), 'r');
				total += fs.fileSizeSync(fd);
				fs.closeSync(fd);
			} catch (error) {
				const message = `Unable to obtain the AOF file ${name} length. stat: ${errorText(error)}`;
				return this.fail('io', message, name);
			}
		}
		return total;
	}

	/** `sizeMax`: where the next file takes over, -1 for nowhere. `selectFirst`: another file came before. */
	private *loadFile(
		name: string,
		isLast: boolean,
		sizeMax: number,
		selectFirst: boolean,
	): LoadSteps<LoadedFile | LoadFailure> {
		const { fs, logger } = this.options;
		this.progress.fileName = name;
		let fd: number;
		try {
			fd = fs.openSync(this.folder.filePath(name), 'r');
		} catch (error) {
			const message =
				errorCode(error) === 'ENOENT'
					? `The append log file ${name} doesn't exist: ${errorText(error)}`
					: `Fatal error: can't open the append log file ${name} for reading: ${errorText(error)}`;
			return this.fail('io', message, name);
		}
		try {
			const fileSize = fs.fileSizeSync(fd);
			if (sizeMax > fileSize) {
				const message =
					`Fatal error: the AOF file ${name} ends at position ${fileSize}, ` +
					`${sizeMax - fileSize} bytes before the next one begins`;
				return this.fail('gap', message, name, fileSize);
			}
			const size = sizeMax >= 0 ? sizeMax : fileSize;
			if (size < fileSize) {
				logger.log(
					'notice',
					`The AOF file ${name} is loaded up to position ${size}, where the next one takes over`,
				);
			}
			let entriesFrom = 0;
			if (startsAsRdb(fs, fd)) {
				const end = yield* this.loadRdb(name, fd);
				if (typeof end !== 'number') return end;
				entriesFrom = end;
			}
			if (selectFirst && size > 0) {
				const result = this.apply(['SELECT', '0']);
				if (result instanceof Promise) yield result;
			}
			return yield* this.loadEntries(name, fd, entriesFrom, size, isLast);
		} catch (error) {
			// A system error of reading; anything else is a bug, and not ours to hide.
			if (errorCode(error) === '') throw error;
			const message = `Unrecoverable error reading the append only file ${name}: ${errorText(error)}`;
			return this.fail('io', message, name);
		} finally {
			fs.closeSync(fd);
		}
	}

	/** Loads the RDB at the start of a file; returns where it ends. */
	private *loadRdb(name: string, fd: number): LoadSteps<number | LoadFailure> {
		const { logger, loadRdb } = this.options;
		const { progress } = this;
		if (loadRdb === undefined)
			return this.fail('rdb', `The AOF file ${name} is in RDB format, which is not expected here`, name, 0);
		// Redis before 7 wrote one file of both formats.
		const isPreamble = name === this.folder.names.fileName;
		logger.log(
			'notice',
			isPreamble ? 'Reading RDB preamble from AOF file...' : 'Reading RDB base file on AOF loading...',
		);
		const loadedBefore = progress.loadedBytes;
		const result = yield* loadRdb(fd, (size) => {
			progress.loadedBytes = loadedBefore + size;
		});
		progress.loadedBytes = loadedBefore;
		if ('message' in result) {
			const what = isPreamble ? `RDB preamble of the AOF file ${name}` : `RDB base file ${name}`;
			const message = `Error reading the ${what}, AOF loading aborted`;
			return this.fail('rdb', message, name, result.position);
		}
		if (isPreamble) logger.log('notice', 'Reading the remaining AOF tail...');
		return result.endPosition;
	}

	private *loadEntries(
		name: string,
		fd: number,
		from: number,
		size: number,
		isLast: boolean,
	): LoadSteps<LoadedFile | LoadFailure> {
		const { fs, logger } = this.options;
		const { progress } = this;
		const reader = new AofEntryReader(from);
		const loadedBefore = progress.loadedBytes;
		// What is behind an RDB is not compared: the blocks are those of the whole file.
		const check = from > 0 ? undefined : this.options.verifier?.begin(name);
		/** The entries since MULTI, and where that stands. */
		let group: string[][] | null = null;
		let groupStart = 0;
		let sinceCheck = 0;
		for (;;) {
			const found = reader.next();
			if (found === 'entry') {
				const { args } = reader;
				if (args.length === 1 && group === null && isCommand(args[0]!, 'MULTI')) {
					group = [];
					groupStart = reader.entryStart;
				} else if (args.length === 1 && isCommand(args[0]!, 'EXEC')) {
					for (const entry of group ?? []) {
						const result = this.apply(entry);
						if ((result instanceof Promise ? yield result : result) === 'unknown-command') {
							return this.unknownCommand(entry[0]!, name, groupStart);
						}
					}
					progress.entryCount += group?.length ?? 0;
					sinceCheck += group?.length ?? 0;
					group = null;
				} else if (group !== null) {
					group.push(args);
				} else {
					const result = this.apply(args);
					if ((result instanceof Promise ? yield result : result) === 'unknown-command') {
						return this.unknownCommand(args[0]!, name, reader.entryStart);
					}
					progress.entryCount++;
				}
				if (++sinceCheck >= ENTRIES_PER_CHECK) {
					sinceCheck = 0;
					progress.loadedBytes = loadedBefore + reader.entryEnd;
					yield null;
				}
			} else if (found === 'more') {
				reader.reserve();
				const position = reader.fillPosition;
				const room = Math.min(reader.buffer.length - reader.fillAt, size - position);
				const count = room <= 0 ? 0 : fs.readSync(fd, reader.buffer, reader.fillAt, room, position);
				check?.feed(reader.buffer, reader.fillAt, count);
				reader.filled(count);
			} else if (found === 'bad') {
				const damage = check?.damage;
				if (damage !== undefined) logger.log('warning', `In the AOF file ${name} ${damageText(damage)}`);
				const message =
					`Bad file format reading the append only file ${name}, at position ${reader.badPosition}: make a ` +
					'backup of your AOF file, then use tsredis-check-aof --fix <filename.manifest>';
				return this.fail('format', message, name, reader.badPosition);
			} else {
				progress.loadedBytes = loadedBefore + reader.entryEnd;
				const damage = check === undefined ? null : this.damageOf(check, name);
				if (damage !== null) return damage;
				if (found === 'end' && group === null) return { size: reader.entryEnd, truncated: false };
				if (found === 'end') {
					logger.log('warning', `Revert incomplete MULTI/EXEC transaction in AOF file ${name}`);
				}
				return this.cutTail(name, group === null ? reader.entryEnd : groupStart, isLast);
			}
		}
	}

	/** What the comparison of a whole file with the catalog has shown. */
	private damageOf(check: BlockCheck, name: string): LoadFailure | null {
		const { damage } = check;
		if (damage !== undefined) {
			const message =
				`The AOF file ${name} is damaged: ${damageText(damage)}. Make a backup of the files, then see what ` +
				`tsredis-check-aof says. To load them as they are, remove the folder ${catalogFolder(this.options.names)}`;
			return this.fail('damage', message, name, damage.changed?.index ?? damage.position);
		}
		if (check.isOtherFile) {
			this.options.logger.log(
				'warning',
				`The AOF file ${name} is another one than the catalog knows, and is loaded without being compared with it`,
			);
		}
		return null;
	}

	private unknownCommand(command: string, name: string, position: number): LoadFailure {
		const message = `Unknown command '${command}' reading the append only file ${name}`;
		return this.fail('unknown-command', message, name, position);
	}

	/** The file ended early: what is behind `size` is cut off, if that is allowed. */
	private cutTail(name: string, size: number, isLast: boolean): LoadedFile | LoadFailure {
		const { fs, logger, loadTruncated } = this.options;
		if (!isLast) {
			logger.log('warning', `!!! Warning: short read while loading the AOF file ${name}!!!`);
			const message = `Fatal error: the truncated file is not the last file (${name}, at position ${size})`;
			return this.fail('truncated', message, name, size);
		}
		if (loadTruncated) {
			logger.log('warning', `!!! Warning: short read while loading the AOF file ${name}!!!`);
			logger.log('warning', `!!! Truncating the AOF ${name} at offset ${size} !!!`);
			try {
				cutFile(fs, this.folder.filePath(name), size);
				logger.log('warning', `AOF ${name} loaded anyway because aof-load-truncated is enabled`);
				return { size, truncated: true };
			} catch (error) {
				logger.log('warning', `Error truncating the AOF file ${name}: ${errorText(error)}`);
			}
		}
		const message =
			`Unexpected end of file reading the append only file ${name}. You can: 1) Make a backup of your AOF file, ` +
			'then use tsredis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the ' +
			"'aof-load-truncated' configuration option to yes and restart the server.";
		return this.fail('truncated', message, name, size);
	}
}

function isCommand(name: string, upper: string): boolean {
	return name === upper || (name.length === upper.length && name.toUpperCase() === upper);
}

/** Cuts a file to `size` bytes, durably. Throws the system error. */
function cutFile(fs: LogFs, path: string, size: number): void {
	const fd = fs.openSync(path, 'r+');
	try {
		fs.ftruncateSync(fd, size);
		fs.fdatasyncSync(fd);
	} finally {
		fs.closeSync(fd);
	}
}
