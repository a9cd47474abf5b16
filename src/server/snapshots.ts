/**
 * The snapshots of a server: when they are made, by whom, and what is known of them. One at a time.
 *
 * - Three destinations: `dbfilename` (BGSAVE, the save points), the base of the log (BGREWRITEAOF, and by itself when
 *   the log has grown), and a temporary file for replicas.
 * - Two ways: a child folds what the log's files hold (snapshot/fold.ts); where there is no log on disk, or it can't be
 *   trusted, the server walks over its own dataset (snapshot/walk.ts), and a child writes the file. SAVE, FLUSHALL and SHUTDOWN write at once.
 *
 * Whatever goes wrong, the old files stay as they are, and it is said in the log and by INFO.
 *
 * Source of the rules, the texts and the figures: Redis 7.2.6, rdb.c, aof.c, server.c (serverCron).
 */
import { errorText } from '../base/error-text.js';
import type { FoldSource } from '../log/log-options.js';
import type { MadeSnapshot, SnapshotContent } from '../replication/sync-snapshots.js';
import {
	copyFoldSettings,
	type FoldCodec,
	type FoldSettings,
	loadFoldCodec,
	type SnapshotFormat,
} from '../snapshot/fold-job.js';
import { startFoldProcess } from '../snapshot/fold-process.js';
import { type RdbSaveOptions, rdbAuxFields, saveRdbNow } from '../snapshot/rdb-save.js';
import type { SnapshotOutcome, SnapshotTask } from '../snapshot/snapshot-task.js';
import { SnapshotWalk } from '../snapshot/walk.js';
import { startWalk } from '../snapshot/walk-task.js';
import { RewritePace } from './rewrite-pace.js';
import type { Server } from './server.js';
import {
	baseName,
	failure,
	foldBaseOf,
	isError,
	reasonOf,
	secondsBetween,
	signalOf,
} from './snapshot-outcomes.js';
import { removeQuietly } from './stale-files.js';

/** After a failed save the save points wait so long (CONFIG_BGSAVE_RETRY_DELAY). */
const RETRY_MS = 5000;
/** A child that has not been heard of for that long is killed. It reports ten times a second. */
const CHILD_SILENT_MS_MAX = 120_000;

/** `sync`: a temporary file for replicas. */
export type Destination = 'rdb' | 'aof' | 'sync';

/** Gives the files to fold, once they are there. */
type SourceGetter = () => FoldSource | Promise<FoldSource>;

/** The snapshot that is being made. */
interface Running {
	readonly destination: Destination;
	readonly startedMs: number;
	/** `engine.dirty` when it began. */
	readonly dirtyBefore: number;
	readonly keysTotal: number;
	/** Undefined until its process is there. */
	task: SnapshotTask | undefined;
	/** The path that is written, '' before it is known. */
	tempPath: string;
	cancelled: boolean;
	/** Where the scratch log ends that this snapshot is made from; -1 for another. */
	cutOffset: number;
}

export class Snapshots {
	/** When `dbfilename` was last written, or the server started. */
	lastSaveMs: number;
	/** Seconds that the last BGSAVE and the last rewrite took, -1 for none yet. */
	lastBgsaveSeconds = -1;
	lastRewriteSeconds = -1;
	lastRewriteOk = true;
	/** SAVE and BGSAVE, and rewrites, since the start. */
	saveCount = 0;
	/** Children started since the start. */
	forkCount = 0;
	rewriteCount = 0;
	bgsaveScheduled = false;
	rewriteScheduled = false;
	readonly pace: RewritePace;
	/** How long a child may be silent, in milliseconds. */
	childSilentMsMax = CHILD_SILENT_MS_MAX;
	readonly #server: Server;
	#codec: Promise<FoldCodec> | undefined = undefined;
	#running: Running | undefined = undefined;
	/** Resolves when what is running has ended. */
	#ended: Promise<void> = Promise.resolve();
	#lastTryMs = 0;
	/** The temporary file of `saveLast`. */
	#lastPath = '';
	/** The files of the log are damaged somewhere: the next snapshot is made from memory. */
	logIsDamaged = false;

	constructor(server: Server) {
		this.#server = server;
		this.lastSaveMs = server.startedMs;
		this.pace = new RewritePace(server.logger);
	}

	/**
	 * Loads what the first snapshot would have to load while clients are served: the package of the messages takes 30 ms,
	 * and the first message 10.
	 */
	async warmUp(): Promise<void> {
		process.getBuiltinModule('node:child_process');
		const codec = await this.#loadCodec();
		const report = { kind: 'progress', progress: { phase: 'starting', keysProcessed: 0, bytes: 0 } } as const;
		codec.decodeReport(codec.encodeReport(report));
		const output = { format: 'rdb', path: '', finalPath: '' } as const;
		const { settings } = this.#server;
		const { maxmemoryPolicy } = settings;
		codec.encodeJob({ base: null, sections: [], output, settings, maxmemoryPolicy, aux: [], keyCount: 0 });
	}

	#loadCodec(): Promise<FoldCodec> {
		this.#codec ??= loadFoldCodec();
		return this.#codec;
	}

	// ---- what is going on -----------------------------------------------------------------------

	get running(): Destination | undefined {
		return this.#running?.destination;
	}

	/** A file of the kind of `dbfilename` is being made. */
	get isSaving(): boolean {
		const { running } = this;
		return running === 'rdb' || running === 'sync';
	}

	/** Since when it runs, milliseconds since 1970; 0 if nothing does. */
	get runningSinceMs(): number {
		return this.#running?.startedMs ?? 0;
	}

	/** Keys written so far, and all of them; 0 if nothing is running. */
	get progress(): { readonly processed: number; readonly total: number } {
		const running = this.#running;
		if (running === undefined) return { processed: 0, total: 0 };
		const processed = running.task?.progress.keysProcessed ?? 0;
		return { processed, total: Math.max(running.keysTotal, processed) };
	}

	// ---- saving ---------------------------------------------------------------------------------

	/** Writes `dbfilename` before returning; false, and the reason logged, if that fails. */
	saveNow(): boolean {
		const { engine, fs, settings, logger, folder } = this.#server;
		const name = settings.dbfilename;
		try {
			saveRdbNow(engine, fs, folder, name, `temp-${process.pid}.rdb`, this.#rdbOptions(false));
		} catch (error) {
			logger.log('warning', `Error saving ${name} (in server root dir ${folder}): ${errorText(error)}`);
			return false;
		}
		this.#saved();
		return true;
	}

	/** Writes `dbfilename` at the end of the server, while nobody is served; false, and the reason logged, if that fails. */
	async saveLast(): Promise<boolean> {
		const { engine, fs, settings, logger, folder } = this.#server;
		const name = settings.dbfilename;
		const tempName = `temp-${process.pid}.rdb`;
		this.#lastPath = `${folder}/${tempName}`;
		try {
			await new SnapshotWalk(engine, this.#rdbOptions(false)).run(fs, folder, name, tempName);
		} catch (error) {
			logger.log('warning', `Error saving ${name} (in server root dir ${folder}): ${errorText(error)}`);
			return false;
		}
		this.#saved();
		return true;
	}

	#saved(): void {
		const { engine, logger, env } = this.#server;
		logger.log('notice', 'DB saved on disk');
		engine.dirty = 0;
		engine.bgsaveFailed = false;
		this.lastSaveMs = env.clock.nowMs();
	}

	/** Begins to write `dbfilename`; false if a snapshot is being made already. */
	bgsave(): boolean {
		if (this.#running !== undefined) return false;
		const { env, settings, folder, logger } = this.#server;
		this.saveCount++;
		this.#lastTryMs = env.clock.nowMs();
		const running = this.#begin('rdb');
		const path = `${folder}/${settings.dbfilename}`;
		const source = this.#logSource(running);
		const task = this.#start(running, source, 'rdb', path);
		logger.log('notice', `Background saving started by pid ${task.pid}`);
		this.#ended = this.#endSave(running, task, path);
		return true;
	}

	async #endSave(running: Running, task: SnapshotTask, path: string): Promise<void> {
		const { engine, env, logger, log, scratch } = this.#server;
		const outcome = await task.outcome;
		if (log.isScratch) {
			if (outcome.kind === 'done' && running.cutOffset >= 0) await scratch.cut(path, running.cutOffset);
			else if (outcome.kind === 'done') await scratch.adopt(path);
			else if (log.isTemporary || isError(outcome)) scratch.drop();
		}
		this.#finish(running, outcome);
		const nowMs = env.clock.nowMs();
		this.lastBgsaveSeconds = secondsBetween(running.startedMs, nowMs);
		if (outcome.kind === 'done') {
			logger.log('notice', 'DB saved on disk');
			logger.log('notice', 'Background saving terminated with success');
			this.#savedAt(running);
			return;
		}
		if (isError(outcome)) engine.bgsaveFailed = true;
		const signal = signalOf(outcome);
		if (signal === 0) logger.log('warning', reasonOf(outcome));
		logger.log(
			'warning',
			signal === 0 ? 'Background saving error' : `Background saving terminated by signal ${signal}`,
		);
	}

	/**
	 * Begins to write the dataset as it is now to a temporary file, for replicas; nothing else may be running. `asDump`: it
	 * becomes `dbfilename`.
	 */
	makeForReplicas(content: SnapshotContent, asDump: boolean): MadeSnapshot {
		const { log, engine, logger, folder, fs } = this.#server;
		engine.effects.seal();
		const offset = log.endOffset;
		if (!content.data || !content.functions) {
			const name = `temp-${process.pid}.rdb`;
			const functions = content.functions ? this.#server.persistence.functions : [];
			const save = { ...this.#rdbOptions(false), functions, withoutData: !content.data };
			const size = saveRdbNow(engine, fs, folder, name, `${name}.input`, save);
			return {
				path: `${folder}/${name}`,
				offset,
				outcome: Promise.resolve({ kind: 'done', result: { size, keys: 0, keysCopied: 0 }, peakMemory: 0 }),
				cancel: () => undefined,
			};
		}
		const running = this.#begin('sync');
		const dumpPath = asDump ? `${folder}/${this.#server.settings.dbfilename}` : '';
		const task = this.#start(running, this.#presentSource(), 'rdb', dumpPath);
		logger.log('notice', `Background RDB transfer started by pid ${task.pid}`);
		const outcome = this.#endForReplicas(running, task, asDump);
		this.#ended = outcome.then(() => undefined);
		return { path: running.tempPath, offset, outcome, cancel: () => this.cancel('sync') };
	}

	/** `dbfilename` holds the dataset as it was when that began. */
	#savedAt(running: Running): void {
		const { engine, env } = this.#server;
		engine.dirty = Math.max(0, engine.dirty - running.dirtyBefore);
		engine.bgsaveFailed = false;
		this.lastSaveMs = env.clock.nowMs();
	}

	async #endForReplicas(running: Running, task: SnapshotTask, asDump: boolean): Promise<SnapshotOutcome> {
		const { logger } = this.#server;
		const outcome = await task.outcome;
		this.#finish(running, outcome);
		if (outcome.kind === 'done' && asDump) this.#savedAt(running);
		const signal = signalOf(outcome);
		if (outcome.kind === 'done') logger.log('notice', 'Background RDB transfer terminated with success');
		else if (signal !== 0) logger.log('warning', `Background transfer terminated by signal ${signal}`);
		else logger.log('warning', `Background transfer error: ${reasonOf(outcome)}`);
		return outcome;
	}

	// ---- rewriting the log ----------------------------------------------------------------------

	/** Begins to make a new base of the log; false if a snapshot is being made already. */
	rewrite(): boolean {
		if (this.#running !== undefined) return false;
		this.rewriteCount++;
		this.rewriteScheduled = false;
		this.#ended = this.#runRewrite(this.#begin('aof'));
		return true;
	}

	async #runRewrite(running: Running): Promise<void> {
		const { env, logger } = this.#server;
		const outcome = await this.#makeBase(running);
		this.#finish(running, outcome);
		this.lastRewriteSeconds = secondsBetween(running.startedMs, env.clock.nowMs());
		if (outcome.kind === 'done') {
			this.lastRewriteOk = true;
			this.pace.failures = 0;
			logger.log('notice', 'Background AOF rewrite finished successfully');
			return;
		}
		if (isError(outcome)) {
			this.lastRewriteOk = false;
			this.pace.failures++;
		}
		const signal = signalOf(outcome);
		if (signal === 0) logger.log('warning', reasonOf(outcome));
		logger.log(
			'warning',
			signal === 0
				? 'Background AOF rewrite terminated with error'
				: `Background AOF rewrite terminated by signal ${signal}`,
		);
	}

	/** A rewrite from its beginning to the new base in its place. Never rejects. */
	async #makeBase(running: Running): Promise<SnapshotOutcome> {
		const { log, settings } = this.#server;
		const format: SnapshotFormat = settings.aofUseRdbPreamble ? 'rdb' : 'aof';
		try {
			const isOn = log.attached && !log.isScratch;
			if (isOn && this.logIsDamaged) return this.#startAfresh();
			let offset = log.endOffset;
			if (!isOn && settings.appendonly) return await this.#makeFirstBase(running, format);
			const rotate = async (): Promise<FoldSource> => {
				const begun = await log.beginNewFile();
				if (typeof begun === 'string') throw new Error(begun);
				offset = begun.offset;
				return begun.source;
			};
			// Beside the start of the child, and to its end even if that dies at once.
			const rotating = isOn ? rotate() : undefined;
			this.#start(running, rotating === undefined ? undefined : () => rotating, format, '');
			await rotating?.catch(() => undefined);
			const outcome = await this.#temporaryBase(running);
			if (outcome.kind !== 'done') return outcome;
			const refusal = await log.replaceBase(running.tempPath, format, offset, 'rename', 'home');
			return refusal === null ? outcome : failure(refusal);
		} catch (error) {
			return failure(errorText(error));
		}
	}

	/** How the child of a rewrite fared. */
	async #temporaryBase(running: Running): Promise<SnapshotOutcome> {
		const { logger } = this.#server;
		const { task } = running;
		if (task === undefined) return { kind: 'cancelled' };
		const outcome = await task.outcome;
		if (outcome.kind !== 'done') return outcome;
		logger.log('notice', `Successfully created the temporary AOF base file ${baseName(running.tempPath)}`);
		logger.log('notice', 'Background AOF rewrite terminated with success');
		return outcome;
	}

	/**
	 * The log has been switched on: what is written from now on gathers in a temporary file, until the dataset as it is
	 * now is its base. If that fails it is tried again, as in Redis.
	 */
	async #makeFirstBase(running: Running, format: SnapshotFormat): Promise<SnapshotOutcome> {
		const { log, engine, backlog } = this.#server;
		engine.effects.seal();
		const problem = log.beginTemporary('home');
		if (problem !== null) return failure(problem);
		backlog.applyLogging();
		let outcome: SnapshotOutcome;
		try {
			this.#start(running, undefined, format, '');
			outcome = await this.#temporaryBase(running);
		} catch (error) {
			outcome = failure(errorText(error));
		}
		if (outcome.kind === 'done') {
			const refusal = await log.adoptBase(running.tempPath, format, 'rename');
			if (refusal !== null) outcome = failure(refusal);
		} else if (log.isTemporary) {
			log.stop();
		}
		backlog.applyLogging();
		if (outcome.kind !== 'done') this.rewriteScheduled = this.#server.settings.appendonly;
		return outcome;
	}

	/** Replaces the log, which is damaged somewhere, by one that begins with the dataset in memory. */
	#startAfresh(): SnapshotOutcome {
		const { persistence } = this.#server;
		const refusal = persistence.startLogAfresh();
		if (refusal !== null) return failure(refusal);
		this.logIsDamaged = false;
		return { kind: 'done', result: { size: 0, keys: 0, keysCopied: 0 }, peakMemory: 0 };
	}

	// ---- the way of a snapshot ------------------------------------------------------------------

	#begin(destination: Destination): Running {
		const { engine, env } = this.#server;
		const running: Running = {
			destination,
			startedMs: env.clock.nowMs(),
			dirtyBefore: engine.dirty,
			keysTotal: engine.dbs.reduce((sum, db) => sum + db.size, 0),
			task: undefined,
			tempPath: '',
			cancelled: false,
			cutOffset: -1,
		};
		this.#running = running;
		return running;
	}

	/** It has ended: nothing of it is left on disk unless it is done. */
	#finish(running: Running, outcome: SnapshotOutcome): void {
		if (outcome.kind === 'done') {
			const { keys, keysCopied, size } = outcome.result;
			this.#server.logger.log(
				'verbose',
				`Snapshot: ${keys} keys (${keysCopied} copied), ${size} bytes, ${Math.round(outcome.peakMemory / 1048576)} MB of memory at most`,
			);
		}
		if (outcome.kind !== 'done' && running.tempPath !== '') removeQuietly(running.tempPath);
		if (outcome.kind === 'failed' && outcome.sourceIsDamaged) {
			this.logIsDamaged = true;
			this.#server.logger.log(
				'warning',
				'The files of the log are not what they should be: the next snapshot is made from memory',
			);
		}
		this.#running = undefined;
	}

	/** As `#logSource`, without a cut in the log, for a file that is of no use later. */
	#presentSource(): SourceGetter | undefined {
		const { log } = this.#server;
		if (!log.attached || log.isTemporary || this.logIsDamaged || !log.flushNow()) return undefined;
		try {
			const source = log.foldSource();
			return () => source;
		} catch {
			return undefined; // From memory, then.
		}
	}

	/** What the log's files hold, if that is all there is: everything appended is written first. */
	#logSource(running: Running): SourceGetter | undefined {
		const { log, engine, logger, scratch } = this.#server;
		if (log.isScratch && (this.logIsDamaged || !scratch.baseIsIntact)) {
			scratch.drop();
			this.logIsDamaged = false;
		}
		// A log that begins with this snapshot is there for the next one.
		if (scratch.begin() || !log.attached || log.isTemporary || this.logIsDamaged) return undefined;
		engine.effects.seal();
		if (log.isScratch) {
			const rotating = scratch.rotate();
			rotating.catch(() => undefined);
			return async () => {
				const { source, offset } = await rotating;
				running.cutOffset = offset;
				return source;
			};
		}
		if (!log.flushNow()) return undefined;
		try {
			const source = log.foldSource();
			return () => source;
		} catch (error) {
			logger.log('warning', `Can't make a snapshot from the log: ${errorText(error)}`);
			return undefined;
		}
	}

	/**
	 * Starts a child that writes a temporary file, from the log or, where `source` is undefined, from the dataset in
	 * memory. The file gets the name `finalPath`, if that is given.
	 */
	#start(
		running: Running,
		source: SourceGetter | undefined,
		format: SnapshotFormat,
		finalPath: string,
	): SnapshotTask {
		const { engine, env, settings, folder, foldProgram, fs, logger } = this.#server;
		const isAofBase = running.destination === 'aof';
		const save = this.#rdbOptions(isAofBase);
		const foldSettings = {} as FoldSettings;
		copyFoldSettings(foldSettings, settings);
		const common = {
			settings: foldSettings,
			maxmemoryPolicy: settings.maxmemoryPolicy,
			aux: [...rdbAuxFields(engine, save)],
		};
		const output = () => ({ format, path: running.tempPath, finalPath });
		const silentMsMax = this.childSilentMsMax;
		const process = { env, program: foldProgram, silentMsMax, codec: () => this.#loadCodec() };
		const jobOf = async (getSource: SourceGetter) => {
			const { base, sections, endOffset, db } = await getSource();
			const keyCount = running.keysTotal;
			const aux = [...rdbAuxFields(engine, this.#rdbOptions(isAofBase, endOffset, db))];
			return { ...common, aux, base: foldBaseOf(base), sections, output: output(), keyCount };
		};
		const task =
			source === undefined
				? startWalk(engine, save, { ...process, jobOf: () => ({ ...common, output: output() }) })
				: startFoldProcess({ ...process, jobOf: () => jobOf(source) });
		running.task = task;
		this.forkCount++;
		running.tempPath =
			running.destination === 'aof'
				? `${folder}/temp-rewriteaof-bg-${task.pid}.aof`
				: `${folder}/temp-${task.pid}.rdb`;
		try {
			// There from the beginning, for whoever looks; the child takes a moment to start.
			fs.closeSync(fs.openSync(running.tempPath, 'w'));
		} catch {
			// The child will say why not.
		}
		if (running.destination === 'aof')
			logger.log('notice', `Background append only file rewriting started by pid ${task.pid}`);
		return task;
	}

	/** Of a dataset at log position `offset`, where `streamDb` is selected. */
	#rdbOptions(
		isAofBase: boolean,
		offset = this.#server.log.endOffset,
		streamDb = this.#server.log.streamDb,
	): RdbSaveOptions {
		const { replication, backlog, persistence } = this.#server;
		// A base needs it only where the log behind it does not begin with a SELECT; then it may go to a replica.
		const tells = isAofBase ? replication.isReplica : backlog.counts;
		const position = tells ? { replid: replication.replid, offset, streamDb } : undefined;
		return { isAofBase, replication: position, functions: persistence.functions };
	}

	/** Ends what is being made for that destination; nothing is reported as an error then. */
	cancel(destination: Destination): void {
		const running = this.#running;
		if (running?.destination !== destination) return;
		running.cancelled = true;
		running.task?.cancel();
	}

	/** Ends whatever is being made, and waits for its end. */
	async stop(): Promise<void> {
		this.cancel('rdb');
		this.cancel('aof');
		this.cancel('sync');
		await this.#ended;
	}

	/** As `stop`, for a process that is about to end: without waiting. */
	abandon(): void {
		const path = this.#running?.tempPath ?? '';
		this.cancel('rdb');
		this.cancel('aof');
		this.cancel('sync');
		if (path !== '') removeQuietly(path);
		if (this.#lastPath !== '') removeQuietly(this.#lastPath);
	}

	// ---- by themselves --------------------------------------------------------------------------

	/** Several times a second: starts what is due. */
	tick(nowMs: number): void {
		if (this.#running === undefined && this.rewriteScheduled && !this.pace.mustWait(nowMs)) this.rewrite();
		if (this.#running === undefined) this.#saveIfDue(nowMs);
		if (this.#running === undefined) this.#rewriteIfDue(nowMs);
		if (this.#running === undefined && this.bgsaveScheduled && this.#maySave(nowMs)) {
			this.bgsaveScheduled = false;
			this.bgsave();
		}
	}

	/** Not too soon after a failure. */
	#maySave(nowMs: number): boolean {
		return !this.#server.engine.bgsaveFailed || nowMs - this.#lastTryMs > RETRY_MS;
	}

	#saveIfDue(nowMs: number): void {
		const { engine, settings, logger } = this.#server;
		if (!this.#maySave(nowMs)) return;
		const due = settings.save.find(
			({ seconds, changes }) =>
				engine.dirty >= changes && Math.floor((nowMs - this.lastSaveMs) / 1000) > seconds,
		);
		if (due === undefined) return;
		logger.log('notice', `${due.changes} changes in ${due.seconds} seconds. Saving...`);
		this.bgsave();
	}

	#rewriteIfDue(nowMs: number): void {
		const { log, settings, logger } = this.#server;
		const { autoAofRewritePercentage, autoAofRewriteMinSize } = settings;
		if (!settings.appendonly || !log.attached || autoAofRewritePercentage === 0) return;
		const { currentSize, baseSize } = log.stats();
		if (currentSize <= autoAofRewriteMinSize) return;
		const growth = Math.floor((currentSize * 100) / Math.max(1, baseSize)) - 100;
		if (growth < autoAofRewritePercentage || this.pace.mustWait(nowMs)) return;
		logger.log('notice', `Starting automatic rewriting of AOF on ${growth}% growth`);
		this.rewrite();
	}
}
