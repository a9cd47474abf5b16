/**
 * The server's dealings with its log: loading it, switching it on and off, writing the dataset out as
 * a base.
 */
import { Replay } from '../engine/replay.js';
import { type LoadProgress, type LoadResult, loadLog, loadLogNow, type RdbStep } from '../log/load-log.js';
import { aofBase, type BaseContent } from '../log/log-folder.js';
import { datasetCommands } from '../snapshot/dataset-commands.js';
import { rdbLoadSteps } from '../snapshot/rdb-load.js';
import { rdbChunks } from '../snapshot/rdb-save.js';
import { fileByteSource } from '../snapshot/rdb-source.js';
import type { Server } from './server.js';

/** The log can't be loaded; the reasons are in the server's log. */
export class LoadError extends Error {}

export class Persistence {
	readonly #server: Server;
	readonly #replay: Replay;
	/** What INFO persistence shows while loading. */
	readonly progress: LoadProgress = { totalBytes: 0, loadedBytes: 0, fileName: '', entryCount: 0 };
	loadStartedMs = 0;

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
			loadRdb: this.#loadRdb,
		};
	}

	/** A part of the log in RDB format. Keys that have expired stay: the entries behind it tell when they go. */
	readonly #loadRdb: RdbStep = (fd, onProgress) => {
		const { engine, fs } = this.#server;
		const source = fileByteSource(fs, fd);
		return rdbLoadSteps(engine, { source, dropExpired: false, replaceExisting: false, onProgress });
	};

	/** The dataset as a base of the log. */
	#base(): BaseContent {
		const { engine, settings } = this.#server;
		if (!settings.aofUseRdbPreamble) return aofBase(datasetCommands(engine.dbs));
		const chunks = rdbChunks(engine, { isAofBase: true, replication: undefined, functions: [] });
		return { format: 'rdb', chunks };
	}

	/** Loads the log and opens it for appending. @throws LoadError */
	async loadAtStart(): Promise<void> {
		const { logger, env, engine } = this.#server;
		this.loadStartedMs = env.clock.nowMs();
		this.#replay.begin();
		const verifier = await this.#server.catalog.readVerifier();
		const result = await loadLog({ ...this.#loadOptions(), verifier }, (args) => this.#replay.apply(args));
		this.#replay.end();
		if (result.kind === 'failed') throw new LoadError(result.message);
		if (result.content !== 'absent') {
			const seconds = ((env.clock.nowMs() - this.loadStartedMs) / 1000).toFixed(3);
			logger.log('notice', `DB loaded from append only file: ${seconds} seconds`);
		}
		this.#open(result);
		engine.dirty = 0;
	}

	/** Opens the loaded log for appending. @throws LoadError */
	#open(result: Exclude<LoadResult, { kind: 'failed' }>): void {
		const { log, engine } = this.#server;
		const refusal = log.open(result.manifest, result.endOffset, this.#base());
		if (refusal !== null) throw new LoadError(refusal);
		engine.effects.log = log;
	}

	/** Hook of CONFIG SET appendonly: a new base of the dataset and a new file, or the end of logging. */
	applyAppendonly(): string | undefined {
		const { settings, log, engine } = this.#server;
		if (settings.appendonly === log.attached) return undefined;
		if (!settings.appendonly) {
			log.stop();
			engine.effects.log = undefined;
			return undefined;
		}
		const refusal = log.startFresh(this.#base());
		if (refusal !== null) return 'Unable to turn on AOF. Check server logs.';
		engine.effects.log = log;
		return undefined;
	}

	/**
	 * Loads the dataset again from its own log, in the server (DEBUG LOADAOF); while the log is switched
	 * off, from the files that it has left. An error text, or undefined. On failure, or where there are no
	 * files, the dataset is gone, as in Redis; the log is as it was.
	 */
	reloadFromLog(): string | undefined {
		const { engine, log } = this.#server;
		if (log.attached && !log.flushNow()) return 'ERR Error trying to write the log before loading it';
		for (const db of engine.dbs) db.clear();
		const saved = engine.effects.log;
		engine.effects.log = undefined;
		this.#replay.begin();
		const result = loadLogNow(this.#loadOptions(), (args) => this.#replay.apply(args));
		this.#replay.end();
		engine.effects.log = saved;
		if (result.kind === 'loaded')
			this.#server.logger.log('notice', 'Append Only File loaded by DEBUG LOADAOF');
		return result.kind === 'failed' || result.content === 'absent'
			? 'ERR Error trying to load the AOF files, check server logs.'
			: undefined;
	}

	/**
	 * Writes the dataset out and builds it again from that (DEBUG RELOAD). Until snapshots are written in
	 * RDB format the detour is the commands of a base, in memory.
	 */
	reloadFromDataset(): void {
		const { engine } = this.#server;
		const commands = [...datasetCommands(engine.dbs)].map((args) => [...args]);
		for (const db of engine.dbs) db.clear();
		const saved = engine.effects.log;
		engine.effects.log = undefined;
		this.#replay.begin();
		for (const args of commands) this.#replay.apply(args);
		this.#replay.end();
		engine.effects.log = saved;
	}
}
