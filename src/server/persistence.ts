/**
 * How the dataset of a server comes from disk, and how the log begins and ends: loading at start-up, CONFIG SET
 * appendonly, DEBUG RELOAD and LOADAOF. Source of the rules and the texts: Redis 7.2.6, server.c (loadDataFromDisk),
 * rdb.c (rdbLoad), debug.c.
 */
import { errorCode, errorText } from '../base/error-text.js';
import { Replay } from '../engine/replay.js';
import { type LoadedLog, type LoadProgress, loadLog, loadLogNow, type RdbStep } from '../log/load-log.js';
import { aofBase, type BaseContent } from '../log/log-folder.js';
import { foundIds } from '../log/log-lineage.js';
import { ORIGIN_EXPIRE } from '../log/origins-format.js';
import { idsOf, storedIds } from '../replication/log-ids.js';
import { NO_REPLID } from '../replication/replication-state.js';
import { datasetCommands } from '../snapshot/dataset-commands.js';
import {
	loadRdb,
	loadRdbNow,
	type RdbLoaded,
	type RdbLoadOptions,
	type RdbLoadResult,
	type RdbReplicationInfo,
	rdbLoadSteps,
} from '../snapshot/rdb-load.js';
import { rdbChunks } from '../snapshot/rdb-save.js';
import { fileByteSource } from '../snapshot/rdb-source.js';
import type { Server } from './server.js';

/** The dataset can't be loaded; the reasons are in the server's log. */
export class LoadError extends Error {}

interface ExpiredKey {
	readonly dbId: number;
	readonly key: string;
}

export class Persistence {
	readonly #server: Server;
	readonly #replay: Replay;
	/** What INFO persistence shows while loading. */
	readonly progress: LoadProgress = { totalBytes: 0, loadedBytes: 0, fileName: '', entryCount: 0 };
	loadStartedMs = 0;
	/** Of the RDB file that was loaded last. */
	keysLoaded = 0;
	keysExpired = 0;
	/** The code of the function libraries that came with it: nothing runs them yet, but files written keep them. */
	functions: readonly string[] = [];

	constructor(server: Server) {
		this.#server = server;
		this.#replay = new Replay(server.engine);
	}

	#loadOptions() {
		const { fs, env, logger, settings } = this.#server;
		return {
			fs,
			env,
			logger,
			names: this.#server.logNames(),
			loadTruncated: settings.aofLoadTruncated,
			progress: this.progress,
			loadRdb: (...args: Parameters<RdbStep>) => this.#loadRdbOfLog(...args),
		};
	}

	/** A part of the log in RDB format. Keys that have expired stay: the entries behind it tell when they go. */
	*#loadRdbOfLog(...[fd, onProgress]: Parameters<RdbStep>): ReturnType<RdbStep> {
		const { engine, fs } = this.#server;
		const source = fileByteSource(fs, fd);
		const options = { source, dropExpired: false, replaceExisting: false, onProgress };
		return this.#loaded(yield* rdbLoadSteps(engine, options));
	}

	/** Whether there is anything to load at start-up. */
	willLoad(): boolean {
		const { settings, fs } = this.#server;
		return settings.appendonly || fs.kindSync(this.#dumpPath()) === 'file';
	}

	/** Loads what the configuration says: the log, which is then open for appending, or `dbfilename`. @throws LoadError */
	async loadAtStart(): Promise<void> {
		const { settings, engine, env } = this.#server;
		this.loadStartedMs = env.clock.nowMs();
		if (settings.appendonly) await this.#loadLog();
		else {
			const isDump = engine.loading;
			if (isDump) await this.#loadDump();
			// What has expired is in the file and not in memory: the log would not say when it went.
			if (this.keysExpired === 0) await this.#server.scratch.startWith(isDump ? this.#dumpPath() : null);
		}
		engine.dirty = 0;
	}

	#dumpPath(): string {
		return `${this.#server.folder}/${this.#server.settings.dbfilename}`;
	}

	async #loadDump(): Promise<void> {
		const { logger, env, engine } = this.#server;
		const expired: ExpiredKey[] = [];
		const result = await this.#readDump((dbId, key) => expired.push({ dbId, key }));
		if (result === null || result.kind === 'failed') {
			if (result !== null && result.reason !== 'unsupported') {
				logger.log(
					'warning',
					`The RDB file is damaged at position ${result.position}: ${result.message} ` +
						'tsredis-check-rdb shows more, and saves what can be read with --salvage.',
				);
				logger.log('warning', 'Terminating server after rdb file reading failure.');
			} else {
				logger.log('warning', 'Fatal error loading the DB, check server logs. Exiting.');
			}
			throw new LoadError('Fatal error loading the DB');
		}
		engine.loading = false;
		this.#restoreFromDump(result.replication, expired);
		const seconds = ((env.clock.nowMs() - this.loadStartedMs) / 1000).toFixed(3);
		logger.log('notice', `DB loaded from disk: ${seconds} seconds`);
	}

	/** Reads `dbfilename` slice by slice; null, and the reason logged, if it can't be opened or read. */
	async #readDump(onExpired: (dbId: number, key: string) => void): Promise<RdbLoadResult | null> {
		const dump = this.#openDump(false);
		if (dump === null) return null;
		try {
			return this.#loaded(await loadRdb(this.#server.engine, { ...dump.options, onExpired }));
		} catch (error) {
			return this.#readFailed(error);
		} finally {
			this.#server.fs.closeSync(dump.fd);
		}
	}

	#openDump(replaceExisting: boolean): { readonly fd: number; readonly options: RdbLoadOptions } | null {
		const { fs, settings, logger, replication } = this.#server;
		const { progress } = this;
		let fd: number;
		try {
			fd = fs.openSync(this.#dumpPath(), 'r');
		} catch (error) {
			const name = settings.dbfilename;
			logger.log('warning', `Fatal error: can't open the RDB file ${name} for reading: ${errorText(error)}`);
			return null;
		}
		progress.totalBytes = fs.fileSizeSync(fd);
		progress.loadedBytes = 0;
		progress.fileName = settings.dbfilename;
		const onProgress = (loadedBytes: number) => {
			progress.loadedBytes = loadedBytes;
		};
		const source = fileByteSource(fs, fd);
		return { fd, options: { source, dropExpired: !replication.isReplica, replaceExisting, onProgress } };
	}

	#loaded(result: RdbLoadResult): RdbLoadResult {
		if (result.kind === 'loaded') {
			this.keysLoaded = result.keysLoaded;
			this.keysExpired = result.keysExpired;
			this.functions = result.functions;
		}
		return result;
	}

	/** The dataset is that of a snapshot which a master has sent. */
	replacedBy(rdb: RdbLoaded): void {
		this.#loaded(rdb);
	}

	#readFailed(error: unknown): null {
		// A system error of reading; anything else is a bug, and not ours to hide.
		if (errorCode(error) === '') throw error;
		this.#server.logger.log('warning', `Error reading the RDB file: ${errorText(error)}`);
		return null;
	}

	/** Loads the log and opens it for appending. @throws LoadError */
	async #loadLog(): Promise<void> {
		const { logger, env } = this.#server;
		this.#replay.begin();
		const verifier = await this.#server.catalog.readVerifier();
		const result = await loadLog({ ...this.#loadOptions(), verifier }, (args) => this.#replay.apply(args));
		this.#replay.end();
		if (result.kind === 'failed') throw new LoadError(result.message);
		await this.#server.catalog.forgetLostBytes();
		if (result.content !== 'absent') {
			const seconds = ((env.clock.nowMs() - this.loadStartedMs) / 1000).toFixed(3);
			logger.log('notice', `DB loaded from append only file: ${seconds} seconds`);
		}
		this.#open(result);
	}

	/** Opens the loaded log for appending. @throws LoadError */
	#open(result: LoadedLog): void {
		const { log, engine, backlog } = this.#server;
		this.#restoreIds(result);
		const db = engine.replayClient.db.id;
		const refusal = log.open(result.manifest, result.endOffset, this.#baseContent(), db);
		if (refusal !== null) throw new LoadError(refusal);
		backlog.applyLogging();
	}

	/** The offsets go on to count under the IDs that the log was kept under, or under new ones. */
	#restoreIds({ manifest, replid, endOffset }: LoadedLog): void {
		const { log, replication, settings } = this.#server;
		const found = foundIds(manifest.lineage, replid, endOffset, settings.appendfsync);
		if (found !== null) {
			replication.restore(storedIds(found), endOffset, found.isExact, this.#server.newReplid());
			log.restoreLineage(found.lineage);
		}
		log.setIds(idsOf(replication));
	}

	/**
	 * The dataset is that of an RDB file which tells where it stands in a history: that goes on if we follow its master;
	 * a master begins one of its own there, which replicas can join. They still have the keys that have `expired` in the file.
	 */
	#restoreFromDump(position: RdbReplicationInfo, expired: readonly ExpiredKey[]): void {
		const { replid, offset, streamDb } = position;
		const { log, replication, backlog, env, engine } = this.#server;
		if (replid === '' || offset < 0) return;
		const stored = { replid, replid2: NO_REPLID, replid2EndOffset: -1, wasMaster: false };
		replication.restore(stored, offset, false, this.#server.newReplid());
		log.setOffset(offset, Math.max(0, streamDb));
		log.setIds(idsOf(replication));
		backlog.restore(env.clock.nowMs());
		const command = engine.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL';
		for (const { dbId, key } of expired) engine.effects.add(dbId, [command, key], ORIGIN_EXPIRE);
		engine.effects.commit(true);
		log.flush();
	}

	/**
	 * Hook of CONFIG SET appendonly: a snapshot of the dataset begins, which is to be the base of what is logged from now
	 * on; or the end of logging.
	 */
	applyAppendonly(): string | undefined {
		const { settings, log, engine } = this.#server;
		const { snapshots, logger, backlog } = this.#server;
		if (!settings.appendonly) {
			snapshots.rewriteScheduled = false;
			if (!log.attached || log.isScratch) return undefined;
			if (snapshots.running === 'aof') {
				logger.log('notice', 'Killing running AOF rewrite child');
				snapshots.cancel('aof');
			}
			log.stop();
			backlog.applyLogging();
			return undefined;
		}
		this.#server.scratch.drop();
		if (log.attached) return undefined;
		if (snapshots.running === 'aof') {
			logger.log(
				'notice',
				'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and ' +
					'starting a rewrite now.',
			);
			snapshots.cancel('aof');
			snapshots.rewriteScheduled = true;
		} else if (snapshots.running !== undefined) {
			logger.log(
				'notice',
				'AOF was enabled but there is already another background operation. An AOF background was scheduled ' +
					'to start when possible.',
			);
			snapshots.rewriteScheduled = true;
		} else if (!engine.effects.isEmpty) {
			logger.log(
				'notice',
				'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.',
			);
			snapshots.rewriteScheduled = true;
		} else {
			snapshots.rewrite();
			if (!log.attached) return 'Unable to turn on AOF. Check server logs.';
		}
		return undefined;
	}

	/**
	 * Begins the log again with the dataset as it is for its base, before returning. Not within a transaction. Null, or
	 * the reason why everything is as before.
	 */
	startLogAfresh(): string | null {
		const { engine, log, scratch } = this.#server;
		engine.effects.seal();
		if (!log.isScratch) return log.startFresh(this.#baseContent());
		scratch.drop();
		return null;
	}

	#baseContent(): BaseContent {
		const { engine, settings } = this.#server;
		if (!settings.aofUseRdbPreamble) return aofBase(datasetCommands(engine.dbs));
		const options = { isAofBase: true, replication: undefined, functions: this.functions };
		return { format: 'rdb', chunks: rdbChunks(engine, options) };
	}

	/** Behind FLUSHALL: with save points Redis writes the empty dataset to disk. Whether it has been written. */
	savedAfterFlush(): boolean {
		const { engine, snapshots, settings } = this.#server;
		if (engine.loading) return false;
		snapshots.cancel('rdb');
		snapshots.cancel('sync');
		return settings.save.length > 0 && snapshots.saveNow();
	}

	/**
	 * Loads the dataset again from its own log, in the server (DEBUG LOADAOF); while the log is switched
	 * off, from the files that it has left. An error text, or undefined. On failure, or where there are no
	 * files, the dataset is gone, as in Redis; the log is as it was.
	 */
	reloadFromLog(): string | undefined {
		const { engine, log } = this.#server;
		// Its files are not what is loaded, and what is loaded is not in it.
		this.#server.scratch.drop();
		if (log.attached && !log.flushNow()) return 'ERR Error trying to write the log before loading it';
		for (const db of engine.dbs) db.clear();
		const saved = engine.effects.log;
		engine.effects.log = undefined;
		this.#replay.begin();
		const result = loadLogNow(this.#loadOptions(), (args) => this.#replay.apply(args));
		this.#replay.end();
		engine.effects.log = saved;
		if (result.kind === 'loaded') {
			engine.dirty = 0;
			this.#server.logger.log('notice', 'Append Only File loaded by DEBUG LOADAOF');
		}
		return result.kind === 'failed' || result.content === 'absent'
			? 'ERR Error trying to load the AOF files, check server logs.'
			: undefined;
	}

	/**
	 * DEBUG RELOAD: writes `dbfilename` (`save`), empties the dataset (`flush`), and loads the file, before returning. An
	 * error text, or undefined. On failure the dataset is what could be loaded.
	 */
	reload(save: boolean, flush: boolean, merge: boolean): string | undefined {
		const { engine, snapshots, logger, log } = this.#server;
		// The log can begin again only between two units.
		if (!engine.effects.isEmpty)
			return 'ERR DEBUG RELOAD is not possible behind a write of the same transaction';
		if (save && !snapshots.saveNow()) return 'ERR';
		if (flush) engine.emptyDatabases(-1);
		const dump = this.#openDump(merge);
		let result: RdbLoadResult | null = null;
		if (dump !== null) {
			const wasLoading = engine.loading;
			engine.loading = true;
			try {
				result = this.#loaded(loadRdbNow(engine, dump.options));
			} catch (error) {
				result = this.#readFailed(error);
			} finally {
				engine.loading = wasLoading;
				this.#server.fs.closeSync(dump.fd);
			}
		}
		const isLoaded = result?.kind === 'loaded';
		// The dataset is not what the log says, unless all that was saved came back.
		const isSame = isLoaded && save && flush && this.keysExpired === 0;
		if (!isSame && log.attached) this.startLogAfresh();
		if (!isLoaded) return 'ERR Error trying to load the RDB dump, check server logs.';
		logger.log('notice', 'DB reloaded by DEBUG RELOAD');
		return undefined;
	}
}
