/**
 * The catalog: where in the files each stretch of the log stands, when it was written, and its CRC. It is a LevelDB in
 * the folder of the log, `<appendfilename>.catalog`, with the records of catalog-record.ts.
 *
 * It is derived data: the manifest and the files are the truth. The serving path only keeps a CRC (BlockTracker);
 * everything else is done by jobs, one after the other, in slices between the turns of the event loop. After a crash the
 * catalog may be behind the log (what is missing is read from the files), ahead of it (records of what a crash has
 * taken from the files are removed), damaged or gone (it is made anew). No reader waits for it, no error in it stops
 * the server: after the second one it is given up until the next start.
 */
import type { Env } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { type AofFileInfo, type AofManifest, isAofFormatBase } from '../formats/aof-manifest.js';
import { BlockTracker, type FinishedBlock, type TrackedFile } from './block-tracker.js';
import { findGaps, type Gap, removeBlocks, wholeFile } from './catalog-changes.js';
import { fillGap } from './catalog-fill.js';
import { catalogFolder, nativeCatalogFolder } from './catalog-names.js';
import { blockKey, type CatalogFile, fileKey, timeKey } from './catalog-record.js';
import { type CatalogEntry, CatalogStore, CatalogStoreError } from './catalog-store.js';
import { isKnownAs, type LogVerifier, readVerifier } from './catalog-verify.js';
import { LogFolder, type LogNames } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import type { LogObserver } from './log-observer.js';

export interface CatalogOptions {
	readonly fs: LogFs;
	readonly env: Env;
	readonly logger: Logger;
	readonly names: LogNames;
	/** The manifest on disk. */
	readonly manifest: () => AofManifest;
}

/** The index of times has an entry at most this often. */
const INDEX_PERIOD_MS = 1000;
const RETRY_PERIOD_MS = 1000;
/** Blocks are written to the LevelDB together: a batch costs as much as 30 records. */
const QUEUE_PERIOD_MS = 1000;
/** More blocks than this are not kept while the LevelDB can't be opened. */
const WAITING_BLOCKS_MAX = 100_000;

/** idle: nothing to write yet; building: the files are being read; ok: up to date; off: given up. */
export type CatalogState = 'idle' | 'building' | 'ok' | 'off';

type Job = (store: CatalogStore) => Promise<void>;

export class Catalog implements LogObserver {
	private readonly options: CatalogOptions;
	private readonly folder: string;
	private readonly nativeFolder: string;
	private readonly tracker: BlockTracker;
	private store: CatalogStore | null = null;
	private verifier: LogVerifier | null = null;
	private jobs: Job[] = [];
	private running: Promise<void> | null = null;
	/** There is something to record, or to correct. */
	private needed = false;
	private isOff = false;
	private rebuildCount = 0;
	private retryAtMs = 0;
	private queuedMs = 0;
	private busyLogged = false;
	/** The files of the manifest, by name. */
	private files = new Map<string, TrackedFile>();
	private nextFileId = 1;
	private indexedMs = Number.NEGATIVE_INFINITY;
	private fillCount = 0;
	private closing = false;

	constructor(options: CatalogOptions) {
		this.options = options;
		this.folder = catalogFolder(options.names);
		this.nativeFolder = nativeCatalogFolder(options.names);
		this.tracker = new BlockTracker(options.env.clock);
	}

	get state(): CatalogState {
		if (this.isOff) return 'off';
		if (!this.needed) return 'idle';
		return this.store === null || this.fillCount > 0 ? 'building' : 'ok';
	}

	/**
	 * Before the log is loaded: what it is to be compared with. Null when there is no catalog, or it can't be read.
	 */
	async readVerifier(): Promise<LogVerifier | null> {
		const { fs, logger, names } = this.options;
		if (fs.kindSync(this.folder) !== 'folder') return null;
		try {
			const logFolder = new LogFolder(fs, names);
			// A manifest that can't be read is the loader's business.
			if (logFolder.readManifest() !== null) return null;
			this.store = await CatalogStore.open(this.nativeFolder, false);
			this.verifier = await readVerifier(this.store, logFolder.manifest, false);
			return this.verifier;
		} catch (error) {
			logger.log(
				'warning',
				`The catalog of the log, ${this.folder}, can't be read: the log is loaded without being compared with it ` +
					`(${errorText(error)})`,
			);
			await this.store?.close().catch(() => undefined);
			this.store = null;
			return null;
		}
	}

	/**
	 * The log has been loaded, and nothing has been appended yet: forgets what is recorded of bytes that are not there any
	 * more, before others stand in their place. (After another crash soon these would look damaged.)
	 */
	async forgetLostBytes(): Promise<void> {
		const { store, verifier } = this;
		if (store === null || verifier === null) return;
		try {
			for (const [name, { record, blocks }] of verifier.files) {
				const size = verifier.isOtherFile(name) ? -1 : this.sizeOf(name);
				const recordedSize = (blocks.positions.at(-1) ?? 0) + (blocks.sizes.at(-1) ?? 0);
				if (recordedSize <= size) continue;
				const offset = record.startOffset + Math.max(0, size - record.prefixSize);
				await removeBlocks(store, record, record.isBase || size < 0 ? -1 : offset);
			}
		} catch (error) {
			await this.failed(error);
		}
	}

	/** Whether there is nothing to do at present. */
	get isIdle(): boolean {
		return this.isOff || !this.needed || (this.running === null && this.jobs.length === 0);
	}

	// ---- LogObserver ----------------------------------------------------------------------------

	fileBegan(info: AofFileInfo, offset: number, db: number): void {
		if (this.isOff) return;
		const file: TrackedFile = { info, record: null };
		const isFirst = this.files.size === 0;
		this.tracker.begin(file, offset, db);
		this.queueFinished();
		this.files.set(info.name, file);
		const end = offset - info.startOffset + info.prefixSize;
		if (isFirst) {
			this.queueReconciling(file, end);
			this.needed =
				end > 0 ||
				[...this.files.values()].some((other) => this.sizeOf(other.info.name) > 0) ||
				this.options.fs.kindSync(this.folder) === 'folder';
		} else if (end > 0) {
			this.jobs.push((store) => this.queueGaps(store, [wholeFile(file, end)]));
		}
	}

	wrote(chunk: Buffer, from: number, to: number): void {
		this.tracker.wrote(chunk, from, to);
	}

	entriesEnd(_offset: number, db: number): void {
		this.tracker.entriesEnd(db);
	}

	fileCut(info: AofFileInfo, offset: number): void {
		const file = this.files.get(info.name);
		if (file === undefined || this.isOff) return;
		this.tracker.dropBehind(file, offset);
		this.jobs.push(async (store) => {
			const { record } = file;
			if (record === null) return;
			const kept = await removeBlocks(store, record, offset);
			const end = offset - info.startOffset + info.prefixSize;
			if (kept.end < end) {
				await this.queueGaps(store, [{ file, from: kept.end, to: end, scan: kept.scan }]);
			}
		});
	}

	fileRemoved(name: string): void {
		const file = this.files.get(name);
		if (file === undefined || this.isOff) return;
		this.files.delete(name);
		this.jobs.push(async (store) => {
			if (file.record === null) return;
			await removeBlocks(store, file.record, -1);
			await store.write([], [fileKey(file.record.id)]);
			file.record = null;
		});
	}

	fileMoved(from: string, to: string): void {
		const file = this.files.get(from);
		if (file === undefined || this.isOff) return;
		this.files.delete(from);
		this.files.set(to, file);
		file.info = { ...file.info, name: to };
		this.jobs.push(async (store) => {
			if (file.record === null) return;
			file.record = { ...file.record, name: to };
			await store.write([[fileKey(file.record.id), store.codec.encodeFile(file.record)]], []);
		});
	}

	baseBegan(info: AofFileInfo): void {
		if (this.isOff || !isAofFormatBase(info)) return;
		const file: TrackedFile = { info, record: null };
		this.files.set(info.name, file);
		this.jobs.push((store) => this.queueGaps(store, [wholeFile(file, this.sizeOf(file.info.name))]));
	}

	stopped(): void {
		this.tracker.stop();
	}

	tick(nowMs: number): void {
		if (this.isOff) return;
		this.tracker.tick(nowMs);
		if (nowMs - this.queuedMs >= QUEUE_PERIOD_MS) {
			this.queuedMs = nowMs;
			this.queueFinished();
		}
		if (this.needed && this.running === null && nowMs >= this.retryAtMs && this.jobs.length > 0) this.run();
	}

	/** Writes what is left, closes the LevelDB. `stopped` has been called, or no file was begun. */
	async close(): Promise<void> {
		this.queueFinished();
		// What has still to be read from the files will be at the next start.
		this.fillCount = 0;
		this.closing = true;
		while (this.needed && !this.isIdle) {
			if (this.running === null) this.run();
			await this.running;
			if (this.store === null) break;
		}
		await this.store?.close().catch(() => undefined);
		this.store = null;
		this.isOff = true;
	}

	// ---- jobs -----------------------------------------------------------------------------------

	private run(): void {
		this.running = this.runJobs().finally(() => {
			this.running = null;
		});
	}

	private async runJobs(): Promise<void> {
		try {
			this.store ??= await CatalogStore.open(this.nativeFolder, false);
			for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) await job(this.store);
		} catch (error) {
			await this.failed(error);
		}
	}

	private async failed(error: unknown): Promise<void> {
		const { logger, env } = this.options;
		if (error instanceof CatalogStoreError && error.kind === 'busy') {
			if (!this.busyLogged) {
				logger.log('warning', `The catalog of the log is in use (${error.message}); trying again`);
			}
			this.busyLogged = true;
			this.retryAtMs = env.clock.nowMs() + RETRY_PERIOD_MS;
			if (this.jobs.length > WAITING_BLOCKS_MAX) this.giveUp();
			return;
		}
		await this.store?.close().catch(() => undefined);
		this.store = null;
		logger.log('warning', `The catalog of the log, ${this.folder}, can't be used: ${errorText(error)}`);
		if (this.rebuildCount++ > 0 || this.closing) {
			this.giveUp();
			return;
		}
		this.rebuild();
	}

	private giveUp(): void {
		this.isOff = true;
		this.tracker.stop();
		this.tracker.take();
		this.jobs = [];
		this.options.logger.log(
			'warning',
			'The catalog of the log is given up until the next start. The log itself is not affected.',
		);
	}

	private rebuild(): void {
		const { logger } = this.options;
		try {
			CatalogStore.remove(this.nativeFolder);
		} catch (error) {
			logger.log('warning', `Can't remove the catalog of the log: ${errorText(error)}`);
			this.giveUp();
			return;
		}
		logger.log('notice', 'The catalog of the log is made anew from the files.');
		const { current } = this.tracker;
		this.tracker.stop();
		this.tracker.take();
		this.jobs = [];
		this.files = new Map();
		this.fillCount = 0;
		this.nextFileId = 1;
		if (current === null) return;
		const file: TrackedFile = { info: current.info, record: null };
		const offset = this.tracker.endOffset;
		this.tracker.begin(file, offset, -1);
		this.files.set(file.info.name, file);
		this.queueReconciling(file, offset - file.info.startOffset + file.info.prefixSize);
	}

	// ---- from the manifest to the records -------------------------------------------------------

	/** Makes the records fit the files: `active`, which is written to from position `activeEnd` on, and those before. */
	private queueReconciling(active: TrackedFile, activeEnd: number): void {
		const { base, history, incrementals } = this.options.manifest();
		const old = [...(base === null ? [] : [base]), ...history, ...incrementals].filter(
			(info) =>
				isAofFormatBase(info) ||
				(info.name.endsWith('.incr.aof') && info.startOffset >= 0 && info.name !== active.info.name),
		);
		for (const info of old) this.files.set(info.name, { info, record: null });
		const files = [...this.files.values()];
		this.jobs.push(async (store) => {
			await this.matchRecords(store, files);
			const gaps = await findGaps(store, files, (file) =>
				file === active ? activeEnd : this.sizeOf(file.info.name),
			);
			await this.queueGaps(store, gaps);
		});
	}

	/** Finds the records of the files; removes those of files that are not part of the log any more. */
	private async matchRecords(store: CatalogStore, files: readonly TrackedFile[]): Promise<void> {
		const dead: string[] = [];
		for (const record of await store.files()) {
			this.nextFileId = Math.max(this.nextFileId, record.id + 1);
			const file = files.find(
				({ info }) => isKnownAs(info, record) && !this.verifier?.isOtherFile(info.name),
			);
			if (file === undefined || file.record !== null) dead.push(fileKey(record.id));
			else file.record = record;
		}
		this.verifier = null;
		await store.write([], dead);
	}

	/** Size of a file of the log in bytes; 0 for one that can't be opened. */
	private sizeOf(name: string): number {
		const { fs, names } = this.options;
		try {
			const fd = fs.openSync(`${names.dir}/${names.folderName}/${name}`, 'r');
			try {
				return fs.fileSizeSync(fd);
			} finally {
				fs.closeSync(fd);
			}
		} catch {
			return 0;
		}
	}

	private async queueGaps(store: CatalogStore, gaps: readonly Gap[]): Promise<void> {
		if (gaps.length === 0) return;
		const puts = gaps.flatMap(({ file }) => this.newRecord(file));
		await store.write(puts, []);
		for (const gap of gaps) {
			this.fillCount++;
			this.jobs.push((target) => this.fill(target, gap));
		}
	}

	/** Reads a part of the gap, and queues the rest behind what else is to be done. */
	private async fill(store: CatalogStore, gap: Gap): Promise<void> {
		if (this.closing) return;
		const { fs, names } = this.options;
		const { file } = gap;
		const path = `${names.dir}/${names.folderName}/${file.info.name}`;
		// Its record is gone when the file is.
		const filled = file.record === null ? null : await fillGap(fs, path, gap);
		if (filled !== null && file.record !== null) {
			await store.write(this.entriesOf(filled.blocks), []);
			if (filled.rest !== null) {
				const { rest } = filled;
				this.jobs.push((target) => this.fill(target, rest));
				return;
			}
		}
		if (this.fillCount > 0) this.fillCount--;
	}

	private queueFinished(): void {
		const blocks = this.tracker.take();
		if (blocks.length === 0) return;
		this.needed = true;
		this.jobs.push((store) => {
			const puts = blocks.flatMap(({ file }) => this.newRecord(file));
			return store.write([...puts, ...this.entriesOf(blocks)], []);
		});
	}

	/** Gives the file a record unless it has one, or has been removed meanwhile. */
	private newRecord(file: TrackedFile): CatalogEntry[] {
		const { info } = file;
		if (file.record !== null || this.files.get(info.name) !== file) return [];
		const record: CatalogFile = {
			id: this.nextFileId++,
			name: info.name,
			startOffset: isAofFormatBase(info) ? 0 : info.startOffset,
			prefixSize: info.prefixSize,
			replid: info.replid,
			isBase: isAofFormatBase(info),
		};
		file.record = record;
		return [[fileKey(record.id), this.store!.codec.encodeFile(record)]];
	}

	private entriesOf(blocks: readonly FinishedBlock[]): CatalogEntry[] {
		const entries: CatalogEntry[] = [];
		for (const { file, ...fields } of blocks) {
			const { record } = file;
			if (record === null) continue;
			const block = { ...fields, fileId: record.id };
			const key = blockKey(block, record.isBase);
			entries.push([key, this.store!.codec.encodeBlock(key, block)]);
			if (record.isBase || Math.abs(block.timeMs - this.indexedMs) < INDEX_PERIOD_MS) continue;
			this.indexedMs = block.timeMs;
			entries.push([timeKey(block), Buffer.alloc(0)]);
		}
		return entries;
	}
}
