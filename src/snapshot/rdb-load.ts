/**
 * Loading an RDB file into the databases of an engine, key by key, in slices between which the event loop goes on.
 *
 * Nothing is logged, published or expired on the way. A fault ends the load with what was loaded before it still there:
 * the caller empties the databases or gives up.
 *
 * Source of the rules and of the messages: Redis 7.2.6, rdb.c (rdbLoadRioWithLoadingCtx).
 */
import { blockThread } from '../base/block-thread.js';
import { parseSafeInt } from '../base/numbers.js';
import type { Engine } from '../engine/engine.js';
import type { RdbFault } from '../formats/rdb-fault.js';
import type { ByteSource } from '../formats/rdb-input.js';
import type { Database } from '../keyspace/database.js';
import { RdbFileReader } from './rdb-file-reader.js';
import { faultOf } from './rdb-value-reader.js';

export interface RdbLoadOptions {
	readonly source: ByteSource | Buffer;
	/**
	 * Leave out keys that have expired: what a master does with its `dbfilename`. A base of the log keeps them, as the
	 * entries behind it tell when they go; so does a replica.
	 */
	readonly dropExpired: boolean;
	/** Told of each key that is dropped. */
	readonly onExpired?: (dbId: number, key: string) => void;
	/** A key that is there already is replaced (DEBUG RELOAD with MERGE); else it is a fault. */
	readonly replaceExisting: boolean;
	/** Where the keys go; by default the databases of the engine. As many as those. */
	readonly dbs?: readonly Database[];
	/** Told now and then how many bytes of the file have been read. */
	readonly onProgress?: (loadedBytes: number) => void;
}

/** What the auxiliary fields say about the position in the replication stream, as far as they are there. */
export interface RdbReplicationInfo {
	readonly replid: string;
	/** The offset that the dataset stands for, or -1. */
	readonly offset: number;
	/** The database that the stream has selected there, or -1. */
	readonly streamDb: number;
}

export interface RdbLoaded {
	readonly kind: 'loaded';
	readonly keysLoaded: number;
	readonly keysExpired: number;
	readonly emptyKeysSkipped: number;
	/** Where the file ends, in bytes: an AOF of Redis before 7 goes on with commands there. */
	readonly endPosition: number;
	/** The code of the function libraries in it. */
	readonly functions: readonly string[];
	readonly replication: RdbReplicationInfo;
}

export interface RdbLoadFailure {
	readonly kind: 'failed';
	readonly reason: RdbFault['kind'] | 'database' | 'duplicate' | 'checksum';
	/** Logged already. */
	readonly message: string;
	/** Bytes from the start of the file. */
	readonly position: number;
}

export type RdbLoadResult = RdbLoaded | RdbLoadFailure;

/** Between these many entries the loader offers to return to the event loop. */
const ENTRIES_PER_CHECK = 64;
const TURN_US_MAX = 5000;
const EMPTY_KEYS_LOGGED_MAX = 10;

/** Loads the file, returning to the event loop every few milliseconds. Rejects with system errors of the source. */
export async function loadRdb(engine: Engine, options: RdbLoadOptions): Promise<RdbLoadResult> {
	const { clock, timers } = engine.env;
	const steps = rdbLoadSteps(engine, options);
	let turnStartUs = clock.monotonicUs();
	let next = steps.next();
	while (!next.done) {
		if (clock.monotonicUs() - turnStartUs > TURN_US_MAX) {
			await new Promise<void>((resolve) => timers.setImmediate(resolve));
			turnStartUs = clock.monotonicUs();
		}
		next = steps.next();
	}
	return next.value;
}

/** Loads the file before returning (DEBUG RELOAD). Throws system errors of the source. */
export function loadRdbNow(engine: Engine, options: RdbLoadOptions): RdbLoadResult {
	const steps = rdbLoadSteps(engine, options);
	let next = steps.next();
	while (!next.done) next = steps.next();
	return next.value;
}

/** The load in steps: each `yield` is a good moment to return to the event loop. Throws system errors of the source. */
export function* rdbLoadSteps(engine: Engine, options: RdbLoadOptions): Generator<null, RdbLoadResult> {
	const load = new RdbLoad(engine, options);
	try {
		for (;;) {
			if (load.loadSome(ENTRIES_PER_CHECK)) return load.finish();
			options.onProgress?.(load.position);
			yield null;
		}
	} catch (error) {
		return load.failed(faultOf(error));
	}
}

class RdbLoad {
	private readonly engine: Engine;
	private readonly options: RdbLoadOptions;
	private readonly reader: RdbFileReader;
	private readonly dbs: readonly Database[];
	private readonly nowMs: number;
	private keysLoaded = 0;
	private keysExpired = 0;
	private emptyKeysSkipped = 0;
	private readonly functions: string[] = [];
	private replid = '';
	private offset = -1;
	private streamDb = -1;
	private failure: RdbLoadFailure | null = null;

	constructor(engine: Engine, options: RdbLoadOptions) {
		this.engine = engine;
		this.options = options;
		this.dbs = options.dbs ?? engine.dbs;
		this.nowMs = engine.env.clock.nowMs();
		this.reader = new RdbFileReader(options.source, {
			withChecksum: engine.settings.rdbchecksum && !engine.skipChecksums,
			keepRaw: false,
		});
	}

	get position(): number {
		return this.reader.position;
	}

	/** Takes up to `countMax` items; true at the end, of whatever kind. @throws RdbFault */
	loadSome(countMax: number): boolean {
		const { reader } = this;
		for (let left = countMax; left > 0; left--) {
			switch (reader.next()) {
				case 'entry':
					this.loadEntry();
					break;
				case 'aux':
					this.takeAux(reader.auxName, reader.auxValue);
					break;
				case 'select-db':
					this.checkDatabase(reader.db);
					break;
				case 'function':
					this.takeFunction(reader.functionCode);
					break;
				case 'module-aux':
					reader.input.fail(
						'module',
						`The RDB file contains AUX module data I can't load: no matching module '${reader.moduleName}'`,
					);
					break;
				case 'resize-db':
					break;
				case 'end':
					this.checkSum();
					return true;
			}
			if (this.failure !== null) return true;
		}
		return false;
	}

	finish(): RdbLoadResult {
		this.engine.stats.dumpPayloadSanitizations += this.reader.input.checkedCount;
		if (this.failure !== null) return this.failure;
		const { keysLoaded, keysExpired, emptyKeysSkipped } = this;
		const empty = emptyKeysSkipped > 0 ? `, empty keys skipped: ${emptyKeysSkipped}` : '';
		this.engine.logger.log(
			'notice',
			`Done loading RDB, keys loaded: ${keysLoaded}, keys expired: ${keysExpired}${empty}.`,
		);
		return {
			kind: 'loaded',
			keysLoaded,
			keysExpired,
			emptyKeysSkipped,
			endPosition: this.reader.position,
			functions: this.functions,
			replication: { replid: this.replid, offset: this.offset, streamDb: this.streamDb },
		};
	}

	/** The end that a fault of the data makes. */
	failed(fault: RdbFault): RdbLoadFailure {
		const { logger } = this.engine;
		if (fault.kind === 'short') {
			logger.log('warning', 'Short read or OOM loading DB. Unrecoverable error, aborting now.');
		}
		return this.fail(fault.kind, fault.message, fault.position);
	}

	private fail(reason: RdbLoadFailure['reason'], message: string, position: number): RdbLoadFailure {
		const text = `Internal error in RDB reading offset ${position} -> ${message}`;
		this.engine.logger.log('warning', text);
		this.failure = { kind: 'failed', reason, message, position };
		return this.failure;
	}

	private loadEntry(): void {
		const { reader, engine, options } = this;
		const { key, expireAtMs } = reader;
		const start = reader.itemStart;
		const value = reader.readValue(engine.settings);
		if (value === undefined) {
			if (this.emptyKeysSkipped++ < EMPTY_KEYS_LOGGED_MAX)
				engine.logger.log('notice', `rdbLoadObject skipping empty key: ${key}`);
		} else if (options.dropExpired && expireAtMs !== -1 && expireAtMs < this.nowMs) {
			this.keysExpired++;
			options.onExpired?.(reader.db, key);
		} else {
			const db = this.dbs[reader.db]!;
			const stamp = engine.eviction.stampOfLoaded(this.nowMs, reader.idleSeconds, reader.frequency);
			if (!db.set(key, value, stamp)) {
				if (!options.replaceExisting) {
					this.fail('duplicate', `RDB has duplicated key '${key}' in DB ${db.id}`, start);
					return;
				}
				db.expires.delete(key);
			}
			this.keysLoaded++;
			if (expireAtMs !== -1) db.expires.set(key, expireAtMs);
		}
		if (engine.settings.keyLoadDelay !== 0) this.delay(engine.settings.keyLoadDelay);
	}

	/** `key-load-delay`: microseconds a key, or, negative, keys for a microsecond. For tests. */
	private delay(setting: number): void {
		if (setting > 0) blockThread(setting / 1000);
		else if ((this.keysLoaded + this.keysExpired) % -setting === 0) blockThread(0.001);
	}

	private checkDatabase(id: number): void {
		const { dbs } = this;
		if (id < dbs.length) return;
		const message =
			'FATAL: Data file was created with a Redis server configured to handle more than ' +
			`${dbs.length} databases. Exiting`;
		this.fail('database', message, this.reader.itemStart);
	}

	/** Kept for whoever writes the dataset out again; there is nothing yet that runs them. */
	private takeFunction(code: string): void {
		this.functions.push(code);
		this.engine.logger.log(
			'warning',
			'The RDB file contains a function library, and functions are not supported yet: it can not be called',
		);
	}

	private takeAux(name: string, value: string): void {
		const { logger } = this.engine;
		const log = (message: string) => logger.log('notice', message);
		if (name.startsWith('%')) return log(`RDB '${name}': ${value}`);
		const number = parseSafeInt(value) ?? 0;
		switch (name.toLowerCase()) {
			case 'redis-ver':
				return log(`Loading RDB produced by version ${value}`);
			case 'ctime':
				return log(`RDB age ${Math.max(0, Math.floor(this.nowMs / 1000) - number)} seconds`);
			case 'used-mem':
				return log(`RDB memory usage when created ${(number / (1024 * 1024)).toFixed(2)} Mb`);
			case 'aof-preamble':
				if (number !== 0) log('RDB has an AOF tail');
				return;
			case 'aof-base':
				if (number !== 0) log('RDB is base AOF');
				return;
			case 'repl-id':
				if (value.length === 40) this.replid = value;
				return;
			case 'repl-offset':
				this.offset = number;
				return;
			case 'repl-stream-db':
				this.streamDb = number;
				return;
			case 'redis-bits':
			case 'lua':
				return;
			default:
				logger.log('debug', `Unrecognized RDB AUX field: '${name}'`);
		}
	}

	private checkSum(): void {
		const { reader } = this;
		if (reader.checksum === 'missing') {
			this.engine.logger.log('notice', 'RDB file was saved with checksum disabled: no check performed.');
		} else if (reader.checksum === 'wrong') {
			this.fail('checksum', 'RDB CRC error', reader.position);
		}
	}
}
