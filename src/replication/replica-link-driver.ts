/**
 * The replica's end of a link over a real socket, with files, the log and the engine: does what `replica-link-state.ts`
 * asks for, and tells it what came of it.
 *
 * A snapshot goes to a temporary file in the folder of the server. When it is whole and durable it is read through, then
 * loaded (`snapshot-load.ts`), and becomes the base of our log, which goes on at the master's offset under the master's
 * ID; without a log it becomes `dbfilename`. The stream is applied unit by unit, and appended to our log as it came.
 */
import type { TimerHandle } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Engine } from '../engine/engine.js';
import type { PeerConnector, PeerSocket } from '../engine/peer.js';
import { Replay } from '../engine/replay.js';
import type { LoadProgress } from '../log/load-log.js';
import type { LogFs } from '../log/log-fs.js';
import { ORIGIN_MASTER } from '../log/origins-format.js';
import type { ReplicatedLog } from '../log/replicated-log.js';
import type { RdbLoaded } from '../snapshot/rdb-load.js';
import type { Backlog } from './backlog.js';
import { idsOf } from './log-ids.js';
import type { LinkAction, LinkEvent } from './replica-link-events.js';
import { ReplicaLink } from './replica-link-state.js';
import type { MasterAddress, ReplicationState } from './replication-state.js';
import { LOADING_MESSAGE, loadSnapshot } from './snapshot-load.js';
import { SnapshotReceiver } from './snapshot-receiver.js';
import { StreamUnits } from './stream-units.js';

const TICK_MS = 100;
/**
 * A snapshot brings the dataset of the master up to now, and is durable; what follows a base that is older is as much a
 * part of it, and is made durable when it has come, whatever `appendfsync` says (WAITAOF counts on it).
 */
const SYNC_DELAY_MS = 1000;

/** What the driver needs of the server. */
export interface LinkHost {
	readonly engine: Engine;
	readonly state: ReplicationState;
	readonly log: ReplicatedLog;
	readonly backlog: Backlog;
	readonly fs: LogFs;
	/** Opens a connection to a master, by TLS if `tls-replication` says so. */
	readonly connect: PeerConnector;
	/** The port that we listen on, for a master that is told none by `replica-announce-port`. */
	readonly port: number;
	/** A path in the server's folder for a snapshot being received, and that of `dbfilename`. */
	readonly receivedPath: string;
	readonly dumpPath: string;
	/** What INFO shows of a load. */
	readonly progress: LoadProgress;
	/** Identifiers of this server and of those that follow it. */
	followers(): readonly string[];
	/** Ends the connections of our replicas: they are to ask anew. */
	disconnectReplicas(): void;
	/** The dataset is about to be replaced: snapshots of the old one are given up. */
	abandonSnapshots(): void;
	/** The old dataset has been replaced. */
	loaded(rdb: RdbLoaded): void;
	/** The dataset has been given up, and is to be what the log says. An error text, or undefined. */
	reloadFromLog(): string | undefined;
	/** The log ends differently from the one that takes its place: what only we have had is put aside. */
	saveDivergence(): Promise<void>;
	/** This server is a replica now, or a master. */
	roleChanged(): void;
	/** What has become of FAILOVER. */
	failoverEnded(refusal: string | null): void;
}

export class ReplicaLinkDriver {
	readonly link: ReplicaLink;
	private readonly host: LinkHost;
	private readonly replay: Replay;
	private socket: PeerSocket | null = null;
	private units: StreamUnits | null = null;
	private receiver: SnapshotReceiver | null = null;
	/** Where the snapshot that has been received belongs. */
	private position = { replid: '', offset: -1 };
	/** Increments when what is being loaded is not wanted any more. */
	private loadNumber = 0;
	/** A load that is not wanted any more has not ended yet: the next one waits for it. */
	private loading: Promise<void> = Promise.resolve();
	private isLoading = false;
	private isAnnounced = false;
	private ackRequested = false;
	private waitsForDisk = false;
	/** When to make the log durable once, behind a snapshot; 0 for never. */
	private syncAtMs = 0;
	private timer: TimerHandle | undefined = undefined;
	private isUnknownLogged = false;

	constructor(host: LinkHost) {
		this.host = host;
		const { engine, log } = host;
		this.replay = new Replay(engine, true);
		const { settings } = engine;
		this.link = new ReplicaLink(host.state, {
			get endOffset() {
				return log.endOffset;
			},
			get fsyncedOffset() {
				return log.attached && !log.isScratch ? log.fsyncedOffset : -1;
			},
			get masterauth() {
				return settings.masterauth;
			},
			get masteruser() {
				return settings.masteruser;
			},
			get announcedPort() {
				return settings.replicaAnnouncePort || host.port;
			},
			get announcedIp() {
				return settings.replicaAnnounceIp;
			},
			get replTimeout() {
				return settings.replTimeout;
			},
			get loadsFromSocket() {
				return loadsFromSocket(engine);
			},
			get followers() {
				return host.followers();
			},
		});
	}

	/** The stream of the master is being received and applied. */
	get isUp(): boolean {
		return this.link.phase === 'connected';
	}

	/** It has been for so short a time that a replica of ours may have got more of the same stream before. */
	get isCatchingUp(): boolean {
		const { env, settings } = this.host.engine;
		return this.isUp && env.clock.nowMs() - this.link.upSinceMs < settings.replTimeout * 1000;
	}

	/** The log position up to which the stream has been received; applied is what the log has. */
	get receivedOffset(): number {
		return this.host.log.endOffset + (this.units?.pendingBytes ?? 0);
	}

	// ---- what others ask for --------------------------------------------------------------------

	/** Follows `master` from now on (REPLICAOF); `isFailover`: it is a replica that is to take our place. */
	follow(master: MasterAddress, isFailover = false): void {
		const { state, engine } = this.host;
		endUnit(engine);
		if (!state.isReplica) {
			engine.logger.log(
				'notice',
				'Before turning into a replica, using my own master parameters to synthesize a cached master: I may be ' +
					'able to synchronize with the new master with just a partial transfer.',
			);
			endWaits(engine);
		}
		state.follow(master);
		this.roleChanged();
		this.step({ kind: 'follow', master, isFailover });
	}

	/** Follows nobody any more (REPLICAOF NO ONE). The replicas are disconnected, and told of the new ID when they ask. */
	promote(): void {
		const { host } = this;
		const { state, log, engine } = host;
		if (!state.isReplica) return;
		endUnit(engine);
		this.step({ kind: 'stop' });
		state.promote(log.endOffset, engine.env.random.bytes(20).toString('hex'));
		this.roleChanged();
		engine.logger.log(
			'notice',
			`Setting secondary replication ID to ${state.replid2}, valid up to offset: ${state.secondReplOffset}. ` +
				`New replication ID is ${state.replid}`,
		);
		host.disconnectReplicas();
	}

	private roleChanged(): void {
		const { state, log, engine, backlog } = this.host;
		engine.isReplica = state.isReplica;
		log.setIds(idsOf(state));
		if (state.isReplica) backlog.activate();
		backlog.applyLogging();
		this.host.roleChanged();
		engine.replicaExpiry.clear();
		this.setTimer(state.isReplica);
	}

	/** At start-up, behind the dataset: follows whom the configuration names. */
	start(): void {
		const { state } = this.host;
		if (state.master !== null) this.follow(state.master);
	}

	/** Drops the link, which is made again, if its other end is at `address` (`ip:port`, '' for any). Whether it was. */
	drop(address: string): boolean {
		if (!this.isUp || (address !== '' && address !== this.socket?.remoteAddress)) return false;
		this.step({ kind: 'drop' });
		return true;
	}

	/** Acknowledges what has been applied, at once (REPLCONF GETACK). */
	acknowledge(): void {
		this.step({ kind: 'ack-requested' });
	}

	/** For the end of the server. */
	async stop(): Promise<void> {
		this.setTimer(false);
		this.step({ kind: 'stop' });
		await this.loading;
	}

	private setTimer(on: boolean): void {
		const { timers } = this.host.engine.env;
		if (on === (this.timer !== undefined)) return;
		if (this.timer !== undefined) timers.clearInterval(this.timer);
		this.timer = on ? timers.setInterval(() => this.tick(), TICK_MS) : undefined;
	}

	private tick(): void {
		if (this.waitsForDisk && this.host.log.writeError === null) {
			this.waitsForDisk = false;
			this.updatePause();
		}
		const nowMs = this.host.engine.env.clock.nowMs();
		if (this.syncAtMs > 0 && nowMs >= this.syncAtMs) {
			this.syncAtMs = 0;
			this.host.log.syncOnce();
		}
		this.step({ kind: 'tick' });
	}

	// ---- the machine ----------------------------------------------------------------------------

	private step(event: LinkEvent): void {
		const { engine } = this.host;
		for (const action of this.link.step(event, engine.env.clock.nowMs())) this.perform(action);
		engine.isMasterLinkUp = this.isUp;
		if (!this.ackRequested) return;
		this.ackRequested = false;
		this.acknowledge();
	}

	private perform(action: LinkAction): void {
		const { host } = this;
		switch (action.kind) {
			case 'connect':
				return this.connect(action.master);
			case 'send':
				this.socket?.write(action.bytes);
				return;
			case 'close':
				this.socket?.close();
				this.forgetSocket();
				return;
			case 'begin-snapshot':
				return this.beginSnapshot(action.replid);
			case 'snapshot-bytes':
				this.receiver?.append(action.bytes);
				return this.updatePause();
			case 'load-snapshot':
				this.position = action;
				this.updatePause();
				this.receiver?.finish();
				return;
			case 'abandon-snapshot':
				this.loadNumber++;
				this.receiver?.abandon();
				this.receiver = null;
				if (!this.isLoading) this.endReceiving();
				return;
			case 'continue':
				if (action.replidChanged) {
					host.log.setIds(idsOf(host.state));
					host.disconnectReplicas();
				}
				return this.beginStream();
			case 'stream':
				return this.takeStream(action.bytes);
			case 'failover-ended':
				return host.failoverEnded(action.refusal);
			case 'log':
				host.engine.logger.log(action.level, action.message);
		}
	}

	private connect({ host, port }: MasterAddress): void {
		const mine = (): boolean => this.socket === socket;
		const socket: PeerSocket = this.host.connect(host, port, {
			connected: () => mine() && this.step({ kind: 'connected' }),
			received: (bytes) => {
				if (!mine()) return;
				this.host.engine.stats.netReplInputBytes += bytes.length;
				this.step({ kind: 'received', bytes });
			},
			drained: () => {},
			closed: (message) => {
				if (!mine()) return;
				this.forgetSocket();
				this.step({ kind: 'closed', message });
			},
		});
		this.socket = socket;
	}

	private forgetSocket(): void {
		this.socket = null;
		this.units = null;
		this.waitsForDisk = false;
	}

	/** Whether the master has to wait: for the disk, or until a snapshot is loaded. */
	private updatePause(): void {
		const isFull = this.receiver?.isFull ?? false;
		this.socket?.setPaused(isFull || this.link.isReadingPaused || this.waitsForDisk);
	}

	// ---- snapshot -------------------------------------------------------------------------------

	private beginSnapshot(replid: string): void {
		const { fs, receivedPath, engine } = this.host;
		const owner = {
			receiverDrained: () => this.updatePause(),
			receiverEnded: (error: string | null) => this.received(error),
		};
		try {
			this.receiver = new SnapshotReceiver(fs, receivedPath, owner);
			this.beginReceiving(replid);
		} catch (error) {
			this.failed(`Opening the temp file needed for MASTER <-> REPLICA synchronization: ${errorText(error)}`);
		}
		engine.requestTurn();
	}

	/**
	 * With `repl-diskless-load` the server counts as loading while it receives, as in Redis: clients are refused, unless
	 * what they see is an earlier state of the same history.
	 */
	private beginReceiving(replid: string): void {
		const { engine, state } = this.host;
		this.isAnnounced = loadsFromSocket(engine);
		if (!this.isAnnounced) return;
		engine.logger.log('notice', LOADING_MESSAGE);
		if (engine.settings.replDisklessLoad === 'swapdb' && replid === state.replid)
			engine.isAsyncLoading = true;
		else engine.loading = true;
	}

	private endReceiving(): void {
		const { engine } = this.host;
		engine.isAsyncLoading = false;
		engine.loading = false;
	}

	private failed(message: string): void {
		const { engine } = this.host;
		engine.logger.log('warning', message);
		// Not from within a step.
		engine.env.timers.setImmediate(() => this.step({ kind: 'snapshot-failed' }));
	}

	private received(error: string | null): void {
		const { receiver } = this;
		this.receiver = null;
		if (receiver === null) return;
		if (error !== null) {
			this.failed(
				`Write error or short write writing to the DB dump file needed for MASTER <-> REPLICA synchronization: ${error}`,
			);
			return;
		}
		const number = ++this.loadNumber;
		this.loading = this.loading.then(async () => {
			this.isLoading = true;
			await this.load(receiver.path, number);
			this.isLoading = false;
			if (this.receiver === null) this.endReceiving();
		});
	}

	private async load(path: string, number: number): Promise<void> {
		const { host } = this;
		const { engine, state, fs } = host;
		const isCancelled = (): boolean => this.loadNumber !== number;
		if (isCancelled()) return fs.unlink(path, () => {});
		let isReplaced = false;
		const swaps = engine.settings.replDisklessLoad === 'swapdb';
		if (state.hasHistory) await host.saveDivergence();
		if (isCancelled()) return fs.unlink(path, () => {});
		const result = await loadSnapshot({
			engine,
			fs,
			path,
			swaps,
			isAnnounced: this.isAnnounced,
			progress: host.progress,
			isCancelled,
			onReplace: () => {
				isReplaced = true;
				engine.replicaExpiry.clear();
				host.disconnectReplicas();
				host.abandonSnapshots();
			},
		});
		if (result.kind === 'loaded') {
			await this.adopt(path, result.rdb, isCancelled);
			return;
		}
		fs.unlink(path, () => {});
		if (isReplaced) this.recover();
		if (isCancelled()) return;
		engine.logger.log(
			'warning',
			`Failed trying to load the MASTER synchronization DB from disk: ${result.kind === 'failed' ? result.message : ''}`,
		);
		this.step({ kind: 'snapshot-failed' });
	}

	/** The old dataset is gone, and no new one is there: our log still has it, if there is one. */
	private recover(): void {
		const { engine, state, log, backlog } = this.host;
		if (log.attached && !log.isScratch && this.host.reloadFromLog() === undefined) return;
		engine.emptyDatabases(-1);
		if (state.isReplica) state.hasHistory = false;
		else backlog.applyLogging();
	}

	/** The dataset is the master's: the log goes on from there. */
	private async adopt(path: string, rdb: RdbLoaded, isCancelled: () => boolean): Promise<void> {
		const { host } = this;
		const { engine, state, log, backlog, fs } = host;
		// A master that does not know PSYNC has neither: we count by ourselves.
		const replid =
			this.position.replid === '' ? engine.env.random.bytes(20).toString('hex') : this.position.replid;
		const offset = Math.max(0, this.position.offset);
		const db = Math.max(0, rdb.replication.streamDb);
		const isKept = log.attached && !log.isScratch;
		const ids = { replid, replid2: '', secondOffset: -1, isCopy: true };
		// Nobody may write until the log is that of the dataset.
		engine.loading = true;
		const refusal = await log.restartAt({ path, format: 'rdb' }, offset, ids, db);
		engine.loading = false;
		if (refusal !== null) {
			fs.unlink(path, () => {});
			this.recover();
			if (!isCancelled()) this.step({ kind: 'snapshot-failed' });
			return;
		}
		state.adoptSnapshot(replid);
		if (!state.isReplica) state.beginHistory(engine.env.random.bytes(20).toString('hex'), log.endOffset);
		log.setIds(idsOf(state));
		backlog.applyLogging();
		if (!isKept) this.keepAsDump(path);
		engine.replayClient.db = engine.dbs[db] ?? engine.dbs[0]!;
		engine.dirty++;
		host.loaded(rdb);
		if (isCancelled()) return;
		this.endReceiving();
		this.beginStream();
		this.syncAtMs = engine.env.clock.nowMs() + SYNC_DELAY_MS;
		this.step({ kind: 'loaded' });
		this.updatePause();
	}

	/** Without a log the file is what the next start loads. */
	private keepAsDump(path: string): void {
		const { fs, dumpPath, engine } = this.host;
		const { settings, logger } = engine;
		try {
			if (settings.rdbDelSyncFiles && settings.save.length === 0) {
				logger.log(
					'notice',
					'Removing the RDB file obtained from the master. This replica has persistence disabled',
				);
				fs.unlink(path, () => {});
				return;
			}
			fs.renameSync(path, dumpPath);
		} catch (error) {
			logger.log(
				'warning',
				`Failed trying to rename the temp DB into ${settings.dbfilename} in MASTER <-> REPLICA synchronization: ${errorText(error)}`,
			);
		}
	}

	// ---- stream ---------------------------------------------------------------------------------

	private beginStream(): void {
		const { engine, log } = this.host;
		this.units = new StreamUnits(engine.settings, {
			apply: (args) => this.apply(args),
			append: (source, start, end) => {
				engine.effects.origins?.note(log.endOffset, ORIGIN_MASTER, engine.time.wallMs);
				log.appendStream(source, start, end, engine.replayClient.db.id);
			},
		});
	}

	private takeStream(bytes: Buffer): void {
		const { engine, log } = this.host;
		const { units } = this;
		if (units === null) return;
		engine.beginInput();
		const fault = units.feed(bytes);
		engine.dispatcher.serveReadyKeys();
		engine.requestTurn();
		if (fault !== null) {
			this.units = null;
			engine.env.timers.setImmediate(() => this.step({ kind: 'stream-fault', message: fault }));
		} else if (log.writeError !== null && !engine.settings.replicaIgnoreDiskWriteErrors) {
			// What the disk does not take must not gather in memory.
			this.waitsForDisk = true;
			this.updatePause();
		}
	}

	private apply(args: string[]): void {
		const { engine } = this.host;
		if (args.length > 1 && args[0]!.toLowerCase() === 'replconf') {
			if (args[1]!.toLowerCase() === 'getack') this.ackRequested = true;
			return;
		}
		if (this.replay.apply(args) === undefined || this.isUnknownLogged) return;
		this.isUnknownLogged = true;
		engine.logger.log(
			'warning',
			`== CRITICAL == This replica does not know a command that its master has sent: '${args[0]!.slice(0, 128)}'`,
		);
	}
}

function loadsFromSocket(engine: Engine): boolean {
	const { replDisklessLoad } = engine.settings;
	if (replDisklessLoad === 'swapdb') return true;
	return replDisklessLoad === 'on-empty-db' && engine.dbs.every((db) => db.size === 0);
}

/** Clients that wait for a key were to get it by a write of this server. */
function endWaits(engine: Engine): void {
	const keyWaiters = [...engine.blocking.records()].map(({ client }) => client);
	for (const client of [...keyWaiters, ...engine.waits.clients()]) {
		engine.unblockWithError(
			client,
			'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
		);
		client.transport.closeAfterReply();
	}
}

/** What a transaction has changed so far is in the log before the role changes. */
function endUnit(engine: Engine): void {
	engine.effects.seal();
	engine.effects.commit(false);
}
