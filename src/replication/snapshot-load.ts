/**
 * From a received file to the dataset, in an order in which nothing is lost before its replacement is known to be good:
 *
 *  1. the file is read through, its structure and its checksum, before anything is changed;
 *  2. the old dataset goes and the new one is loaded; or, with `repl-diskless-load swapdb`, it is loaded beside the old
 *     one, which serves readers meanwhile, and takes its place at once.
 *
 * What step 1 cannot see is a value that is well-formed as an RDB item, with the right checksum, and damaged within.
 *
 * Source of the texts: Redis 7.2.6, replication.c (readSyncBulkPayload).
 */
import { errorCode, errorText } from '../base/error-text.js';
import type { Engine } from '../engine/engine.js';
import type { RdbFault } from '../formats/rdb-fault.js';
import type { ByteSource } from '../formats/rdb-input.js';
import { Database } from '../keyspace/database.js';
import type { LoadProgress } from '../log/load-log.js';
import type { LogFs } from '../log/log-fs.js';
import { RdbFileReader } from '../snapshot/rdb-file-reader.js';
import { loadRdb, type RdbLoaded } from '../snapshot/rdb-load.js';
import { fileByteSource } from '../snapshot/rdb-source.js';
import { faultOf } from '../snapshot/rdb-value-reader.js';

const ITEMS_PER_CHECK = 256;
const TURN_US_MAX = 5000;

export const LOADING_MESSAGE = 'MASTER <-> REPLICA sync: Loading DB in memory';

export interface SnapshotLoadOptions {
	readonly engine: Engine;
	readonly fs: LogFs;
	readonly path: string;
	/** Load beside the old dataset, and exchange them. */
	readonly swaps: boolean;
	/** `LOADING_MESSAGE` is in the log already. */
	readonly isAnnounced: boolean;
	readonly progress: LoadProgress;
	/** Asked between slices: the load is not wanted any more. */
	readonly isCancelled: () => boolean;
	/** The old dataset is about to go. */
	readonly onReplace: () => void;
}

export type SnapshotLoadResult =
	| { readonly kind: 'loaded'; readonly rdb: RdbLoaded }
	/** `message`: why, for the log; what the loader says itself is logged already. */
	| { readonly kind: 'failed'; readonly message: string }
	| { readonly kind: 'cancelled' };

export async function loadSnapshot(options: SnapshotLoadOptions): Promise<SnapshotLoadResult> {
	const { engine, fs, path, progress } = options;
	let fd: number;
	try {
		fd = fs.openSync(path, 'r');
	} catch (error) {
		return { kind: 'failed', message: `Can't open the received snapshot: ${errorText(error)}` };
	}
	progress.totalBytes = fs.fileSizeSync(fd);
	progress.loadedBytes = 0;
	try {
		const fault = await readThrough(options, fd);
		if (options.isCancelled()) return { kind: 'cancelled' };
		if (fault !== null) return { kind: 'failed', message: fault };
		return await load(options, fd);
	} catch (error) {
		if (errorCode(error) === '') throw error;
		engine.logger.log('warning', `Error reading the received snapshot: ${errorText(error)}`);
		return { kind: 'failed', message: `Can't read the received snapshot: ${errorText(error)}` };
	} finally {
		fs.closeSync(fd);
	}
}

/** What is wrong with the file, as far as that shows without looking into its values; null if nothing is. */
async function readThrough(options: SnapshotLoadOptions, fd: number): Promise<string | null> {
	const { engine, fs } = options;
	const { clock, timers } = engine.env;
	const withChecksum = engine.settings.rdbchecksum && !engine.skipChecksums;
	const reader = new RdbFileReader(fileByteSource(fs, fd), { withChecksum, keepRaw: false });
	let turnStartUs = clock.monotonicUs();
	for (;;) {
		try {
			for (let i = 0; i < ITEMS_PER_CHECK; i++) {
				const item = reader.next();
				if (item === 'select-db' && reader.db >= engine.dbs.length)
					return `The received snapshot has more than ${engine.dbs.length} databases`;
				if (item !== 'end') continue;
				return reader.checksum === 'wrong' ? 'The checksum of the received snapshot is wrong' : null;
			}
		} catch (error) {
			if (errorCode(error) !== '') throw error;
			return describe(faultOf(error));
		}
		if (clock.monotonicUs() - turnStartUs < TURN_US_MAX) continue;
		await new Promise<void>((resolve) => timers.setImmediate(resolve));
		if (options.isCancelled()) return null;
		turnStartUs = clock.monotonicUs();
	}
}

function describe(fault: RdbFault): string {
	return `The received snapshot is damaged at position ${fault.position}: ${fault.message}`;
}

async function load(options: SnapshotLoadOptions, fd: number): Promise<SnapshotLoadResult> {
	const { engine, fs, swaps, progress } = options;
	const { logger } = engine;
	const dbs = swaps ? engine.dbs.map((db) => databaseLike(db)) : engine.dbs;
	if (!swaps) {
		options.onReplace();
		logger.log('notice', 'MASTER <-> REPLICA sync: Flushing old data');
		engine.loading = true;
		engine.emptyDatabases(-1);
	}
	if (!options.isAnnounced) logger.log('notice', LOADING_MESSAGE);
	try {
		const rdb = await loadRdb(engine, {
			source: cancellable(fileByteSource(fs, fd), options.isCancelled),
			dropExpired: false,
			replaceExisting: false,
			dbs,
			onProgress: (bytes) => {
				progress.loadedBytes = bytes;
			},
		});
		if (rdb.kind !== 'loaded' || options.isCancelled()) {
			if (swaps) logger.log('notice', 'MASTER <-> REPLICA sync: Discarding temporary DB in background');
			else engine.emptyDatabases(-1);
			return options.isCancelled()
				? { kind: 'cancelled' }
				: { kind: 'failed', message: 'it can not be loaded' };
		}
		if (swaps) {
			options.onReplace();
			logger.log('notice', 'MASTER <-> REPLICA sync: Swapping active DB with loaded DB');
			swapAll(engine, dbs);
			logger.log('notice', 'MASTER <-> REPLICA sync: Discarding old DB in background');
		}
		return { kind: 'loaded', rdb };
	} finally {
		engine.loading = false;
	}
}

/** A source that ends when the load is not wanted any more. */
function cancellable(source: ByteSource, isCancelled: () => boolean): ByteSource {
	return { read: (target, at, size) => (isCancelled() ? 0 : source.read(target, at, size)) };
}

function databaseLike(db: Database): Database {
	const other = new Database(db.id);
	other.frequency = db.frequency;
	return other;
}

function swapAll(engine: Engine, dbs: readonly Database[]): void {
	engine.dbs.forEach((db, i) => {
		const loaded = dbs[i]!;
		engine.watches.touchAll(db, loaded, engine.ctx.nowMs);
		db.swapContents(loaded);
		engine.blocking.signalAllWaiting(db);
		// What the new contents take has not been counted.
		db.trackBytes(false);
	});
	engine.memory.applyLimit();
}
