/**
 * The replicas of this server: who they are, how far they have got, and what they are sent besides the changes of the
 * dataset (PING, GETACK). What depends on how far they are is decided here: WAIT, `min-replicas-to-write`, FAILOVER.
 *
 * Source of the rules: Redis 7.2.6, replication.c (replicationCron, refreshGoodSlavesCount, replicationCountAcksByOffset).
 */
import type { Client } from '../engine/client.js';
import type { Engine } from '../engine/engine.js';
import type { OffsetProgress } from '../engine/offset-waits.js';
import type { LogFs } from '../log/log-fs.js';
import type { ReplicatedLog } from '../log/replicated-log.js';
import type { Backlog } from './backlog.js';
import { Failover } from './failover.js';
import { ReplicaFeedDriver } from './replica-feed-driver.js';
import type { MasterAddress, ReplicationState } from './replication-state.js';
import { type SnapshotMaker, SyncSnapshots } from './sync-snapshots.js';

const SECOND_MS = 1000;

/** The other role of the server: the link to a master of its own, and the change of roles. */
export interface Upstream {
	/** Of a replica: its link works; and it does so for so short a time that replicas may be ahead of it. */
	readonly isUp: boolean;
	readonly isCatchingUp: boolean;
	/** REPLICAOF host port; `isFailover`: it is a replica of ours that is to take over. */
	follow(master: MasterAddress, isFailover: boolean): void;
	/** REPLICAOF NO ONE. */
	promote(): void;
}

export interface ReplicasOptions {
	readonly engine: Engine;
	readonly log: ReplicatedLog;
	readonly state: ReplicationState;
	readonly backlog: Backlog;
	readonly fs: LogFs;
	readonly runId: string;
	readonly maker: SnapshotMaker;
	readonly upstream: Upstream;
}

/** Who has been refused tries again every second, as long as it wants to follow us. */
const REFUSED_MS_MAX = 2500;

export class Replicas implements OffsetProgress {
	readonly engine: Engine;
	readonly log: ReplicatedLog;
	readonly state: ReplicationState;
	readonly backlog: Backlog;
	readonly runId: string;
	readonly upstream: Upstream;
	readonly syncs: SyncSnapshots;
	readonly failover: Failover;
	/** Online, and not farther behind than `min-replicas-max-lag` says. */
	goodCount = 0;
	/** Everybody who has said something about replication. */
	readonly #drivers = new Map<Client, ReplicaFeedDriver>();
	/** Those who are replicas, in the order of their coming. */
	readonly #attached = new Set<ReplicaFeedDriver>();
	/** When those who have been refused last tried, in ms. */
	readonly #refused = new Map<string, number>();
	#secondMs = 0;
	#secondCount = 1;
	#wantsAcks = false;
	#acksScheduled = false;

	constructor(options: ReplicasOptions) {
		this.engine = options.engine;
		this.log = options.log;
		this.state = options.state;
		this.backlog = options.backlog;
		this.runId = options.runId;
		this.upstream = options.upstream;
		this.syncs = new SyncSnapshots(this, options.maker, options.fs);
		this.failover = new Failover(this);
		this.backlog.replicaCount = () => this.count;
		this.engine.waits.progress = this;
		this.engine.onClientClosed.push((client) => this.#clientClosed(client));
	}

	nowMs(): number {
		return this.engine.env.clock.nowMs();
	}

	get count(): number {
		return this.#attached.size;
	}

	get attached(): ReadonlySet<ReplicaFeedDriver> {
		return this.#attached;
	}

	/** Identifiers of this server and of all that follow it, or try to, as far as they are known. */
	followers(): string[] {
		const ids = new Set([this.runId]);
		for (const { feed } of this.#attached) for (const id of feed.followers) ids.add(id);
		const nowMs = this.nowMs();
		for (const [id, refusedMs] of this.#refused) {
			if (nowMs - refusedMs < REFUSED_MS_MAX) ids.add(id);
			else this.#refused.delete(id);
		}
		return [...ids];
	}

	/** Somebody would follow us, and can't because we have no master ourselves. In a ring all of them are such. */
	refused(ids: Iterable<string>): void {
		const nowMs = this.nowMs();
		for (const id of ids) this.#refused.set(id, nowMs);
	}

	/** The end of the client's link, which begins with the first REPLCONF, SYNC or PSYNC. */
	driverOf(client: Client): ReplicaFeedDriver {
		let driver = this.#drivers.get(client);
		if (driver === undefined) {
			driver = new ReplicaFeedDriver(this, client);
			this.#drivers.set(client, driver);
		}
		return driver;
	}

	/** That of the client, if it is a replica or has said that it will be one. */
	find(client: Client): ReplicaFeedDriver | undefined {
		return this.#drivers.get(client);
	}

	/** The replica that listens there; undefined if there is none. */
	at(host: string, port: number): ReplicaFeedDriver | undefined {
		for (const driver of this.#attached)
			if (driver.ip.toLowerCase() === host.toLowerCase() && driver.feed.listeningPort === port) return driver;
		return undefined;
	}

	// ---- coming and going -----------------------------------------------------------------------

	/** The client is a replica from now on. */
	joined(driver: ReplicaFeedDriver): void {
		const { engine, backlog } = this;
		const { client } = driver;
		client.isReplica = true;
		if (engine.settings.replDisableTcpNodelay) client.transport.setNoDelay(false);
		this.#attached.add(driver);
		backlog.activate();
		this.roleChanged();
	}

	/** Whoever calls has changed `state`: what depends on being a master follows. */
	roleChanged(): void {
		this.engine.feedsReplicas = this.count > 0 && !this.state.isReplica;
		this.refreshGoodCount();
	}

	#clientClosed(client: Client): void {
		const driver = this.#drivers.get(client);
		if (driver === undefined) return;
		this.#drivers.delete(client);
		driver.closed();
		this.syncs.forget(driver);
		if (!this.#attached.delete(driver)) return;
		this.engine.logger.log('notice', `Connection with replica ${driver.name} lost.`);
		this.#keepUnread();
		this.roleChanged();
	}

	/** All replicas have to connect again, and will learn what has changed. */
	disconnectAll(): void {
		for (const { client } of [...this.#attached]) client.transport.closeNow();
	}

	/** A master that steps down asks us to take its place. */
	takeOver(driver: ReplicaFeedDriver): void {
		this.upstream.promote();
		const args = this.engine.ctx.args.slice(0, 3);
		driver.step({ kind: 'sync', args });
	}

	/** For the end of the server. */
	stop(): void {
		this.syncs.stop();
	}

	// ---- time -----------------------------------------------------------------------------------

	/** Several times a second. */
	tick(nowMs: number): void {
		if (this.#wantsAcks) this.#scheduleAcks();
		this.failover.tick(nowMs);
		this.engine.waits.progressed();
		this.syncs.tick(nowMs);
		this.#keepUnread();
		for (const driver of this.#attached) driver.client.unreadBytes = driver.waitingBytes(nowMs);
		if (nowMs - this.#secondMs < SECOND_MS && nowMs >= this.#secondMs) return;
		this.#secondMs = nowMs;
		const { settings } = this.engine;
		if (this.#secondCount++ % settings.replPingReplicaPeriod === 0) this.#ping();
		for (const driver of [...this.#attached]) driver.tick();
		this.refreshGoodCount();
	}

	#ping(): void {
		// It would move the offset that a failover waits for.
		if (!this.failover.isActive) this.#append(['PING']);
	}

	/** Appends to the stream what changes nothing. */
	#append(args: readonly string[]): void {
		const { engine, state } = this;
		if (this.count === 0 || state.isReplica || !engine.effects.isEmpty) return;
		engine.beginUnit();
		engine.effects.appendAside(args);
		engine.requestTurn();
	}

	/**
	 * The log behind a snapshot, and what a slow replica has not got yet, has to stay. Without files it is only in memory,
	 * and stays there until the limit of the replicas' output buffers.
	 */
	#keepUnread(): void {
		const { log, backlog } = this;
		if (!backlog.isActive) return;
		let needed = this.syncs.neededOffset;
		for (const { sentOffset, snapshotOffset } of this.#attached) {
			const offset = snapshotOffset >= 0 ? snapshotOffset : sentOffset;
			if (offset >= 0 && (needed < 0 || offset < needed)) needed = offset;
		}
		log.keepHistoryFrom(log.attached ? needed : -1);
		backlog.keepFrom(log.attached ? -1 : needed);
	}

	// ---- how far they are -----------------------------------------------------------------------

	/** Somebody has acknowledged something, or is online now. */
	progressed(): void {
		this.engine.waits.progressed();
		if (this.engine.lacksReplicas) this.refreshGoodCount();
		this.failover.progressed();
	}

	replicasAt(offset: number, onDisk: boolean): number {
		let count = 0;
		for (const { feed } of this.#attached) {
			if (feed.phase !== 'online') continue;
			if ((onDisk ? feed.fsyncedOffset : feed.ackedOffset) >= offset) count++;
		}
		return count;
	}

	isOnDisk(offset: number): boolean {
		const { log } = this;
		return log.attached && !log.isTemporary && !log.isScratch && log.fsyncedOffset >= offset;
	}

	diskRefusal(): string | undefined {
		return this.engine.settings.appendonly
			? undefined
			: 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.';
	}

	/** Those who have not said yet that they have everything. */
	lagging(): ReplicaFeedDriver[] {
		this.engine.effects.seal();
		const { endOffset } = this.log;
		return [...this.#attached].filter(({ feed }) => feed.ackedOffset !== endOffset);
	}

	/** Counts the good ones anew. */
	refreshGoodCount(): void {
		const { engine, state } = this;
		const { minReplicasToWrite, minReplicasMaxLag } = engine.settings;
		if (minReplicasToWrite === 0 || minReplicasMaxLag === 0) {
			engine.lacksReplicas = false;
			return;
		}
		const nowMs = this.nowMs();
		this.goodCount = 0;
		for (const driver of this.#attached) {
			if (driver.feed.phase === 'online' && lagSeconds(driver, nowMs) <= minReplicasMaxLag) this.goodCount++;
		}
		engine.lacksReplicas = !state.isReplica && this.goodCount < minReplicasToWrite;
	}

	/** As `requestAcks`, before writes are held back. */
	requestAcksNow(): void {
		this.#append(['REPLCONF', 'GETACK', '*']);
	}

	/** Asks all replicas to say how far they are, at the end of the turn. */
	requestAcks(): void {
		this.#wantsAcks = true;
		this.#scheduleAcks();
	}

	#scheduleAcks(): void {
		if (this.#acksScheduled) return;
		this.#acksScheduled = true;
		this.engine.env.timers.setImmediate(() => {
			this.#acksScheduled = false;
			// In a pause the stream stands still, and the question waits.
			if (!this.#wantsAcks || this.engine.pause.writesPaused) return;
			this.#wantsAcks = false;
			this.#append(['REPLCONF', 'GETACK', '*']);
		});
	}
}

/** Seconds since the replica was heard of. */
export function lagSeconds({ feed }: ReplicaFeedDriver, nowMs: number): number {
	return Math.max(0, Math.floor(nowMs / 1000) - Math.floor(feed.ackMs / 1000));
}
