/**
 * A server as an object: it is given settings, an environment and a logger, listens, and closes. Several
 * can run in one process; none keeps state outside itself.
 *
 *     const server = new Server({ config, env: systemEnv(), logger, resolvePath });
 *     await server.listen();
 *     …
 *     await server.close();
 */
import { fileURLToPath } from 'node:url';
import type { Env, TimerHandle } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import { type Logger, SILENT_LOGGER } from '../base/logger.js';
import { fromNative } from '../base/native-text.js';
import { systemEnv } from '../base/system-env.js';
import { Engine } from '../engine/engine.js';
import { Registry } from '../engine/registry.js';
import { Settings } from '../engine/settings.js';
import { Catalog } from '../log/catalog.js';
import type { LogNames } from '../log/log-folder.js';
import { type LogFs, nodeLogFs } from '../log/log-fs.js';
import { LogObservers } from '../log/log-observers.js';
import { removeStaleScratch } from '../log/log-place.js';
import { OriginsWriter } from '../log/origins-writer.js';
import { ReplicatedLog } from '../log/replicated-log.js';
import { ListenError, Listeners } from '../net/listeners.js';
import { connectPeer } from '../net/peer-socket.js';
import { Turn } from '../net/turn.js';
import { PubSub } from '../pubsub/pubsub-state.js';
import { Backlog } from '../replication/backlog.js';
import { idsOf } from '../replication/log-ids.js';
import type { ReplicaRole } from '../replication/replicaof-commands.js';
import { Replicas } from '../replication/replicas.js';
import { ReplicationState } from '../replication/replication-state.js';
import { Migrator } from '../snapshot/migrate-commands.js';
import { addCommands } from './commands.js';
import { Config } from './config/config.js';
import { Cron } from './cron.js';
import { registerListenerHooks } from './listener-hooks.js';
import { Persistence } from './persistence.js';
import { createReplica } from './replica.js';
import { ScratchLog } from './scratch-log.js';
import { Shutdown } from './shutdown.js';
import { Snapshots } from './snapshots.js';
import { mayBeWriting, StaleFiles } from './stale-files.js';
import { SyncMaker } from './sync-maker.js';
import { buildTlsOptions } from './tls-options.js';

/** So long after the start the server loads what the first snapshot needs. */
const WARM_UP_MS = 1000;

export interface ServerOptions {
	readonly config: Config;
	readonly env: Env;
	readonly logger: Logger;
	/** Makes a path of the configuration absolute and native. */
	readonly resolvePath: (path: string) => string;
	readonly fs?: LogFs;
	/** The module that a child runs which makes a snapshot; by default that of `src/snapshot/fold-child.ts`. */
	readonly foldProgram?: string;
	/** Told at the start, and whenever it changes, whether the server is a replica. */
	readonly onRole?: (isReplica: boolean) => void;
	/** Asked by SHUTDOWN to end the server with that exit code. */
	readonly onShutdown?: (exitCode: number) => void;
}

export class Server {
	readonly config: Config;
	readonly settings: Settings;
	readonly env: Env;
	readonly logger: Logger;
	readonly engine: Engine;
	readonly pubsub: PubSub;
	readonly listeners: Listeners;
	readonly log: ReplicatedLog;
	readonly catalog: Catalog;
	readonly origins: OriginsWriter;
	readonly fs: LogFs;
	readonly cron: Cron;
	readonly migrator: Migrator;
	readonly persistence: Persistence;
	readonly scratch: ScratchLog;
	readonly snapshots: Snapshots;
	readonly shutdown: Shutdown;
	/** The module that a child runs which makes a snapshot. */
	readonly foldProgram: string;
	/** The dataset is there, as far as it ever was; before that it must not replace what is on disk. */
	isLoaded = false;
	/** 40 hexadecimal digits, new at each start. */
	readonly runId: string;
	/** Who the server is in replication, and under which IDs the log's offsets count. */
	readonly replication: ReplicationState;
	readonly backlog: Backlog;
	/** The link to a master, where there is one. */
	readonly replica: ReplicaRole;
	readonly replicas: Replicas;
	readonly startedMs: number;
	/** The port that is listened on; 0 if none is. */
	port = 0;
	readonly #options: ServerOptions;
	readonly #turn: Turn;
	readonly #staleFiles: StaleFiles;
	#warmUp: TimerHandle | undefined = undefined;

	constructor(options: ServerOptions) {
		const { config, env, logger } = options;
		const { settings } = config;
		this.#options = options;
		this.config = config;
		this.settings = settings;
		this.env = env;
		this.logger = logger;
		this.fs = options.fs ?? nodeLogFs();
		this.runId = env.random.bytes(20).toString('hex');
		this.replication = new ReplicationState(this.newReplid());
		this.startedMs = env.clock.nowMs();
		this.#turn = new Turn((fn) => env.timers.setImmediate(fn));
		this.pubsub = new PubSub(
			(client) => this.engine.markOutput(client),
			(client) => this.engine.dispatcher.isExecuting(client),
		);
		const registry = new Registry();
		this.engine = new Engine({
			settings,
			env,
			logger,
			registry,
			publisher: this.pubsub,
			scheduleTurn: () => this.#turn.schedule(),
		});
		this.#turn.attach(this.engine);
		this.log = new ReplicatedLog({
			fs: this.fs,
			env,
			logger,
			names: this.logNames(),
			fsyncPolicy: settings.appendfsync,
			replid: this.replication.replid,
			history: settings,
			pid: process.pid,
		});
		this.log.setIds(idsOf(this.replication));
		this.backlog = new Backlog(this.engine, this.log, this.replication);
		this.catalog = new Catalog({
			fs: this.fs,
			env,
			logger,
			names: this.logNames(),
			manifest: () => this.log.manifestWithHistory(),
		});
		this.origins = new OriginsWriter({
			fs: this.fs,
			env,
			logger,
			names: this.logNames(),
			enabled: settings.logOrigins,
			endOffset: () => this.log.endOffset,
			describe: (id) => {
				const client = this.engine.clients.get(id);
				return client && { address: client.transport.remoteAddress, name: client.name, user: client.user };
			},
		});
		this.engine.effects.origins = settings.logOrigins ? this.origins : undefined;
		this.log.observer = new LogObservers(this.catalog, this.origins);
		this.persistence = new Persistence(this);
		this.scratch = new ScratchLog(this);
		this.snapshots = new Snapshots(this);
		this.#staleFiles = new StaleFiles(env, logger);
		this.shutdown = new Shutdown(this);
		this.foldProgram =
			options.foldProgram ?? fileURLToPath(new URL('../snapshot/fold-child.js', import.meta.url));
		if (settings.replicaof !== undefined) this.replication.master = settings.replicaof;
		this.replica = createReplica(this);
		this.replicas = this.#makeReplicas();
		this.log.onRelease = () => {
			this.#turn.release();
			this.engine.waits.progressed();
		};
		this.listeners = new Listeners(this.engine);
		this.cron = new Cron(this);
		this.migrator = new Migrator(this.engine, connectPeer);
		addCommands(registry, this);
		for (const { from, to } of settings.renameCommand) {
			const error = registry.rename(from, to);
			if (error !== undefined) throw new Error(error);
		}
		this.#registerHooks();
	}

	/**
	 * Listens where the settings say, then loads the log; resolves when the dataset is there. Clients that
	 * come meanwhile are told LOADING.
	 * @throws ListenError if an address can't be listened on
	 * @throws LoadError if there is a log and it can't be loaded as a whole
	 */
	async listen(): Promise<void> {
		const { settings, logger, engine } = this;
		const { bind } = settings;
		this.#staleFiles.sweep(this.folder);
		removeStaleScratch(this.fs, this.folder, (pid) => pid !== process.pid && mayBeWriting(pid), logger);
		engine.loading = this.persistence.willLoad();
		if (settings.port !== 0 || (settings.tlsPort === 0 && settings.unixsocket === ''))
			this.port = await this.listeners.listenTcp(bind, settings.port, undefined);
		if (settings.tlsPort !== 0) await this.#listenTls();
		if (settings.unixsocket !== '')
			await this.listeners.listenUnix(
				this.#options.resolvePath(settings.unixsocket),
				settings.unixsocketperm,
			);
		logger.log('notice', 'Server initialized');
		await this.persistence.loadAtStart();
		this.isLoaded = true;
		this.replica.driver.start();
		this.#warmUp = this.env.timers.setTimeout(() => {
			this.snapshots.warmUp().catch((error: unknown) => {
				this.logger.log('warning', `No snapshot can be made by a child: ${errorText(error)}`);
			});
		}, WARM_UP_MS);
		this.#warmUp.unref?.();
		this.cron.start();
		if (settings.port !== 0) logger.log('notice', 'Ready to accept connections tcp');
		if (settings.tlsPort !== 0) logger.log('notice', 'Ready to accept connections tls');
		if (settings.unixsocket !== '') logger.log('notice', 'Ready to accept connections unix');
	}

	/** 40 hexadecimal digits that nobody else has. */
	newReplid(): string {
		return this.env.random.bytes(20).toString('hex');
	}

	#makeReplicas(): Replicas {
		const { engine, log, replication, backlog, fs, runId } = this;
		return new Replicas({
			engine,
			log,
			state: replication,
			backlog,
			fs,
			runId,
			maker: new SyncMaker(this),
			upstream: this.replica.driver,
		});
	}

	/** The working folder, an absolute path; as the paths of `fs`, a byte string. */
	get folder(): string {
		return fromNative(this.#options.resolvePath('.'));
	}

	/** Where the log is kept. */
	logNames(): LogNames {
		const { settings } = this;
		return {
			dir: this.folder,
			folderName: settings.appenddirname,
			fileName: settings.appendfilename,
		};
	}

	/** The names of all commands, for a configuration that renames some. */
	static commandNames(): string[] {
		const settings = new Settings();
		const server = new Server({
			config: new Config(settings, '', SILENT_LOGGER),
			env: systemEnv(),
			logger: SILENT_LOGGER,
			resolvePath: (path) => path,
		});
		return [...server.engine.registry.commands()].map((spec) => spec.name);
	}

	async #listenTls(): Promise<void> {
		const tls = buildTlsOptions(this.settings);
		if ('error' in tls)
			throw new ListenError(`Failed to configure TLS. Check logs for more info. ${tls.error}`);
		await this.listeners.listenTcp(this.settings.bind, this.settings.tlsPort, tls.options);
	}

	/** This server is a replica now, or a master. */
	roleChanged(): void {
		this.replicas.roleChanged();
		this.#options.onRole?.(this.replication.isReplica);
	}

	/** Asks for the end of the process, as SHUTDOWN does. */
	requestShutdown(exitCode: number): void {
		this.#options.onShutdown?.(exitCode);
	}

	/** Stops serving; the log is written and made durable. No handle of the server stays open. */
	async close(): Promise<void> {
		this.cron.stop();
		if (this.#warmUp !== undefined) this.env.timers.clearTimeout(this.#warmUp);
		this.migrator.stop();
		this.#staleFiles.stop();
		await this.replica.driver.stop();
		await this.snapshots.stop();
		await this.listeners.close();
		this.#turn.end();
		this.engine.stop();
		await this.log.close();
		await Promise.all([this.catalog.close(), this.origins.close()]);
	}

	/** Clears what CONFIG RESETSTAT clears. */
	resetStatistics(): void {
		this.engine.stats.reset();
		for (const spec of this.engine.registry.commands()) {
			for (const row of [spec, ...(spec.subcommands?.values() ?? [])]) {
				row.calls = 0;
				row.totalUs = 0;
				row.rejectedCalls = 0;
				row.failedCalls = 0;
				row.latency = undefined;
			}
		}
	}

	#registerHooks(): void {
		const { config, settings, log, engine } = this;
		registerListenerHooks(this, config);
		config.onApply('hz', () => {
			if (this.cron.running) this.cron.start();
			return undefined;
		});
		config.onApply('maxmemory', () => {
			engine.memory.applyLimit();
			const used = engine.memory.usedBytes();
			if (settings.maxmemory !== 0 && used > settings.maxmemory) {
				this.logger.log(
					'warning',
					`WARNING: the new maxmemory value set via CONFIG SET (${settings.maxmemory}) is smaller than the ` +
						`current memory usage (${used}). This will result in key eviction and/or the inability to ` +
						'accept new write commands depending on the maxmemory-policy.',
				);
			}
			engine.eviction.start();
			return undefined;
		});
		config.onApply('maxmemory-policy', () => {
			engine.eviction.applyPolicy();
			return undefined;
		});
		engine.onFlushAll = () => this.persistence.savedAfterFlush();
		config.onApply('appendonly', () => this.persistence.applyAppendonly());
		config.onApply('save', () => this.scratch.applySave());
		for (const name of ['log-history-size', 'log-history-seconds', 'aof-disable-auto-gc'] as const) {
			config.onApply(name, () => {
				log.collectHistoryNow();
				return undefined;
			});
		}
		config.onApply('log-origins', () => {
			this.origins.setEnabled(settings.logOrigins);
			engine.effects.origins = settings.logOrigins ? this.origins : undefined;
			return undefined;
		});
		for (const name of ['min-replicas-to-write', 'min-replicas-max-lag'] as const) {
			config.onApply(name, () => {
				this.replicas.refreshGoodCount();
				return undefined;
			});
		}
		config.onApply('repl-backlog-size', () => {
			this.backlog.resize();
			return undefined;
		});
		config.onApply('appendfsync', () => {
			log.setFsyncPolicy(settings.appendfsync);
			return undefined;
		});
	}
}
