/**
 * The fold: from a base and what the log has received since to a new snapshot, without the server (DESIGN §3).
 *
 * 1. The sections of the log are read for the keys that they touch (fold-keys.ts).
 * 2. The base is streamed. The entry of a key that is not touched goes to the new file as it stands, byte for byte; the
 *    others are loaded into an engine.
 * 3. The sections are read again and replayed on those, which are then written behind the rest.
 * 4. The new file is made durable, read again and compared with what was written, and given its name.
 *
 * So the memory needed grows with what has changed, not with the dataset. In an RDB file that way a database may be
 * selected twice: first for the keys that were copied, then for the others. Redis loads that (every SELECTDB only says
 * where the following entries go).
 *
 * Everything is loaded, and nothing copied, where the log touches everything, or the base is in AOF format. Behind a
 * FLUSHALL neither the base nor what came before matters.
 *
 * A fold is a generator of the moments at which it may pause, so that its process stays reachable: it yields how many
 * microseconds it is to wait (`rdb-key-save-delay`), mostly 0.
 */
import type { Env } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import { Engine, type Publisher } from '../engine/engine.js';
import { Registry } from '../engine/registry.js';
import { Replay } from '../engine/replay.js';
import { Settings } from '../engine/settings.js';
import { RDB_TYPE_SET_LISTPACK, RDB_TYPE_STREAM_LISTPACKS_3 } from '../formats/rdb-codes.js';
import type { Database } from '../keyspace/database.js';
import { removeIfThere } from '../log/durable-steps.js';
import { startsAsRdb } from '../log/log-folder.js';
import type { LogFs } from '../log/log-fs.js';
import type { Value } from '../types/value.js';
import { dataCommands } from './data-commands.js';
import { FoldFault } from './fold-fault.js';
import {
	copyFoldSettings,
	type FoldJob,
	type FoldProgress,
	type FoldResult,
	type FoldSection,
} from './fold-job.js';
import { isWithoutEffect, TouchedKeys } from './fold-keys.js';
import { readSection } from './fold-log.js';
import { type AofFoldOutput, FileSink, foldOutput, type RdbFoldOutput } from './fold-output.js';
import { finishSnapshot, readRdbFile } from './fold-rdb.js';
import type { RdbFileReader, RdbItem } from './rdb-file-reader.js';
import { accessInfoOf } from './rdb-save.js';

export interface FoldOptions {
	readonly job: FoldJob;
	readonly fs: LogFs;
	readonly env: Env;
	readonly logger: Logger;
}

type FoldSteps<T> = Generator<number, T, void>;

/** Between these many entries of a base is a good moment to pause. */
const ENTRIES_PER_STEP = 64;
/** Entries with these types can't stand in a file of the version that is written. */
const NEWER_TYPES: ReadonlySet<number> = new Set([RDB_TYPE_SET_LISTPACK, RDB_TYPE_STREAM_LISTPACKS_3]);

const NOBODY: Publisher = { publish: () => 0, forget: () => undefined };

export class Fold {
	readonly progress: FoldProgress = { phase: 'starting', keysProcessed: 0, bytes: 0 };
	readonly #job: FoldJob;
	readonly #fs: LogFs;
	readonly #engine: Engine;
	readonly #replay: Replay;
	readonly #touched: TouchedKeys;
	#sections: readonly FoldSection[];
	/** Microseconds owed to `rdb-key-save-delay`. */
	#delayUs = 0;
	#sinceStep = 0;
	#keysCopied = 0;
	/** The database that the output has selected, -1 for none. */
	#selected = -1;
	/** Of which the output has been told the size. */
	readonly #sized = new Set<number>();

	constructor(options: FoldOptions) {
		const { job, env, logger } = options;
		this.#job = job;
		this.#fs = options.fs;
		this.#sections = job.sections;
		const settings = new Settings();
		copyFoldSettings(settings, job.settings);
		settings.maxmemoryPolicy = job.maxmemoryPolicy;
		const registry = new Registry();
		registry.add(dataCommands());
		this.#engine = new Engine({ settings, env, logger, registry, publisher: NOBODY, scheduleTurn: () => {} });
		this.#replay = new Replay(this.#engine);
		this.#touched = new TouchedKeys(registry, settings.databases);
	}

	/**
	 * Makes the snapshot. Throws FoldFault, RdbFault or the system error where that fails; the file is gone then. Ended
	 * early (`return`), it removes the file too.
	 */
	*run(): FoldSteps<FoldResult> {
		const { output } = this.#job;
		const base = yield* this.#openBase();
		yield* this.#readLog();
		if (base === 'aof') this.#touched.all = true;
		let done = false;
		try {
			const sink = new FileSink(this.#fs, output.path, this.#job.settings.rdbSaveIncrementalFsync);
			let written = false;
			try {
				yield* this.#write(sink, base);
				written = true;
			} finally {
				if (!written) sink.abandon();
			}
			sink.finish();
			const result = { size: sink.size, keys: this.progress.keysProcessed, keysCopied: this.#keysCopied };
			yield* finishSnapshot(this.#fs, this.#job, result, this.progress);
			done = true;
			return result;
		} finally {
			if (!done) removeIfThere(this.#fs, output.path);
		}
	}

	// ---- the source -----------------------------------------------------------------------------

	/** What the base really is. An AOF file may begin as an RDB file: then its entries are a section like others. */
	*#openBase(): FoldSteps<'none' | 'rdb' | 'aof'> {
		const { base } = this.#job;
		if (base === null) return 'none';
		const fd = this.#fs.openSync(base.path, 'r');
		let isRdb: boolean;
		let size: number;
		try {
			isRdb = startsAsRdb(this.#fs, fd);
			size = this.#fs.fileSizeSync(fd);
		} finally {
			this.#fs.closeSync(fd);
		}
		if (base.format === 'rdb' && !isRdb) throw new FoldFault(`${base.path} is not an RDB file`, true);
		if (base.format === 'rdb') return 'rdb';
		if (!isRdb) {
			this.#sections = [{ path: base.path, from: 0, to: size }, ...this.#sections];
			return 'aof';
		}
		let from = 0;
		yield* this.#readBase(base.path, false, (item, reader) => {
			if (item === 'end') from = reader.position;
			return true;
		});
		this.#sections = [{ path: base.path, from, to: size }, ...this.#sections];
		return 'rdb';
	}

	/** The first pass. */
	*#readLog(): FoldSteps<void> {
		this.progress.phase = 'reading the log';
		for (const section of this.#sections) {
			this.#touched.beginSection();
			yield* readSection(this.#fs, section, this.progress, (args) => this.#touched.add(args));
		}
	}

	*#readBase(
		path: string,
		keepRaw: boolean,
		visit: (item: RdbItem, reader: RdbFileReader) => boolean,
	): FoldSteps<void> {
		const options = { withChecksum: this.#job.settings.rdbchecksum, keepRaw };
		for (const _ of readRdbFile(this.#fs, path, options, this.progress, visit)) yield* this.#pause();
	}

	/** A moment to pause now and then, and where a delay has gathered. */
	*#pause(): FoldSteps<void> {
		if (this.#delayUs >= 1) {
			const delayUs = Math.floor(this.#delayUs);
			this.#delayUs -= delayUs;
			yield delayUs;
		} else if (++this.#sinceStep >= ENTRIES_PER_STEP) {
			this.#sinceStep = 0;
			yield 0;
		}
	}

	// ---- writing --------------------------------------------------------------------------------

	*#write(sink: FileSink, base: 'none' | 'rdb' | 'aof'): FoldSteps<void> {
		const { progress } = this;
		const job = this.#job;
		const output = foldOutput(job.output.format, sink, job.settings);
		output.begin(job.aux);
		const skipped = this.#touched.flushedAt;
		if (base === 'rdb') {
			progress.phase = this.#touched.all ? 'loading' : 'writing';
			yield* this.#readBase(job.base!.path, output.format === 'rdb', (item, reader) => {
				if (item === 'function') output.functionLibrary(reader.functionCode);
				else if (item === 'entry') {
					if (this.#touched.baseIsFlushed) return false;
					this.#takeEntry(output, reader);
				}
				return true;
			});
		}
		progress.phase = 'replaying';
		yield* this.#replayLog(skipped);
		progress.phase = 'writing';
		for (const db of this.#engine.dbs) yield* this.#writeDatabase(output, db);
		output.end();
	}

	/** One entry of the base: to the new file, or, if the log has touched it, into the engine. */
	#takeEntry(output: RdbFoldOutput | AofFoldOutput, reader: RdbFileReader): void {
		const { settings, dbs } = this.#engine;
		const { db: dbId, key, expireAtMs } = reader;
		const db = dbs[dbId];
		if (db === undefined)
			throw new FoldFault(`the base has a database ${dbId}, which this server has not`, true);
		if (this.#touched.has(dbId, key)) {
			const value = reader.readValue(settings);
			if (value === undefined) return;
			db.set(key, value, this.#stampOf(reader));
			if (expireAtMs >= 0) db.expires.set(key, expireAtMs);
			return;
		}
		if (output.format === 'rdb' && !NEWER_TYPES.has(reader.valueType)) {
			const bytes = reader.rawEntry();
			this.#select(output, dbId, reader.dbSize, reader.expiresSize);
			output.rawEntry(bytes);
			this.#keysCopied++;
		} else {
			const access = { idleSeconds: reader.idleSeconds, frequency: reader.frequency };
			const value = reader.readValue(settings);
			if (value === undefined) return;
			this.#select(output, dbId, reader.dbSize, reader.expiresSize);
			output.entry(key, value, expireAtMs, access);
		}
		this.#wroteKey();
	}

	*#writeDatabase(output: RdbFoldOutput | AofFoldOutput, db: Database): FoldSteps<void> {
		if (db.size === 0) return;
		this.#select(output, db.id, db.size, db.expires.size);
		const access = accessInfoOf(this.#engine);
		let cursor = 0;
		do {
			const batch: [string, Value][] = [];
			cursor = db.scan(cursor, ENTRIES_PER_STEP, (key, value) => batch.push([key, value]));
			for (const [key, value] of batch) {
				output.entry(key, value, db.expireAt(key), access?.(db.accessClock(key)));
				this.#wroteKey();
				yield* this.#pause();
			}
		} while (cursor !== 0);
	}

	#select(output: RdbFoldOutput | AofFoldOutput, id: number, size: number, expiresSize: number): void {
		if (this.#selected === id) return;
		this.#selected = id;
		// The second time the size is that of the rest; a loader that believed it would shrink its table.
		output.selectDb(id, this.#sized.has(id) ? 0 : size, expiresSize);
		this.#sized.add(id);
	}

	#wroteKey(): void {
		this.progress.keysProcessed++;
		const { rdbKeySaveDelay } = this.#job.settings;
		if (rdbKeySaveDelay !== 0) this.#delayUs += rdbKeySaveDelay > 0 ? rdbKeySaveDelay : -1 / rdbKeySaveDelay;
	}

	// ---- replaying ------------------------------------------------------------------------------

	/** The second pass over the log. Of the entries before number `from` only SELECT counts. */
	*#replayLog(from: number): FoldSteps<void> {
		const replay = this.#replay;
		let number = 0;
		replay.begin();
		for (const section of this.#sections) {
			replay.apply(['SELECT', '0']);
			yield* readSection(this.#fs, section, this.progress, (args) => {
				const isPassedOver =
					number++ < from ? args[0]!.toLowerCase() !== 'select' : isWithoutEffect(args[0]!);
				if (isPassedOver) return;
				if (replay.apply(args) === 'unknown-command')
					throw new FoldFault(`Unknown command '${args[0]!}' in ${section.path}`, true);
			});
		}
		replay.end();
	}

	// ---- access clocks --------------------------------------------------------------------------

	#stampOf(reader: RdbFileReader): number {
		const { eviction, env } = this.#engine;
		const now = eviction.stamp(env.clock.nowMs());
		if (eviction.usesFrequency) return reader.frequency < 0 ? now : ((now & ~0xff) | reader.frequency) >>> 0;
		return Math.max(0, now - Math.max(0, reader.idleSeconds));
	}
}
