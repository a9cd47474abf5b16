/**
 * The backlog: the last bytes of the log in memory, for replicas that keep up or come back soon. It begins with the first
 * replica and ends some time behind the last, so that a server that has none, and no log, pays nothing for them.
 *
 * Without files the offsets count only as long as there is a backlog. What is changed before and behind that nobody could
 * tell by an offset: so the history begins anew with it, and ends with it.
 *
 * Source of the rules and the texts: Redis 7.2.6, replication.c (syncCommand, replicationCron, resizeReplicationBacklog).
 */
import type { Engine } from '../engine/engine.js';
import type { ReplicatedLog } from '../log/replicated-log.js';
import { idsOf } from './log-ids.js';
import type { ReplicationState } from './replication-state.js';

/** What replicas have not read yet is kept up to here where no limit is set. */
const UNREAD_BYTES_MAX = 1024 * 1024 * 1024;

export class Backlog {
	/** Replicas that are connected. */
	replicaCount: () => number = () => 0;
	readonly #engine: Engine;
	readonly #log: ReplicatedLog;
	readonly #state: ReplicationState;
	/** Since when there has been no replica, in milliseconds since 1970; -1 while there are some, or no backlog. */
	#idleSinceMs = -1;

	constructor(engine: Engine, log: ReplicatedLog, state: ReplicationState) {
		this.#engine = engine;
		this.#log = log;
		this.#state = state;
	}

	get isActive(): boolean {
		return this.#log.readers.ring.sizeBytes > 0;
	}

	/** Whether offsets count: what is behind an offset now is behind it for good. */
	get counts(): boolean {
		return this.isActive || (this.#log.attached && !this.#log.isScratch);
	}

	/** A replica comes, or this server becomes one. */
	activate(): void {
		this.#idleSinceMs = -1;
		if (this.isActive) return;
		const { logger } = this.#engine;
		if (!this.counts && !this.#state.isReplica) {
			this.forgetHistory();
			const { replid, replid2 } = this.#state;
			logger.log(
				'notice',
				`Replication backlog created, my new replication IDs are '${replid}' and '${replid2}'`,
			);
		}
		this.#begin();
	}

	#begin(): void {
		this.#log.readers.setRing(this.#engine.settings.replBacklogSize);
		this.applyLogging();
	}

	/** The server logs whenever there are files or a backlog. To be called when one of them has come or gone. */
	applyLogging(): void {
		const { effects } = this.#engine;
		effects.log = this.#log.attached || this.isActive ? this.#log : undefined;
		effects.isCopy = this.#state.isReplica;
	}

	/** Hook of CONFIG SET repl-backlog-size. */
	resize(): void {
		if (this.isActive) this.#log.readers.setRing(this.#engine.settings.replBacklogSize);
	}

	/**
	 * Where there are no files: the log from `offset` on stays, beyond the size of the backlog, up to the limit of the
	 * output buffers of replicas; -1 ends that. To be called again and again: in between nothing is given up.
	 */
	keepFrom(offset: number): void {
		if (!this.isActive) return;
		const { settings } = this.#engine;
		const { readers, endOffset } = this.#log;
		const size = settings.replBacklogSize;
		readers.setRing(offset < 0 ? size : Math.max(size, endOffset - offset));
		if (offset < 0) return;
		const { hardBytes } = settings.clientOutputBufferLimit.replica;
		readers.setRing(Math.max(size, hardBytes === 0 ? UNREAD_BYTES_MAX : hardBytes));
	}

	/** At start-up, behind an RDB file that tells its offset: it is kept from there on, though nobody has come yet. */
	restore(nowMs: number): void {
		this.#begin();
		this.#idleSinceMs = nowMs;
	}

	/** Once a second or more often. A replica keeps its backlog, for the time when it may be the master. */
	tick(nowMs: number): void {
		const { settings, logger } = this.#engine;
		if (!this.isActive || this.replicaCount() > 0 || this.#state.isReplica) {
			this.#idleSinceMs = -1;
			return;
		}
		if (this.#idleSinceMs < 0) this.#idleSinceMs = nowMs;
		const ttl = settings.replBacklogTtl;
		if (ttl === 0 || nowMs - this.#idleSinceMs <= ttl * 1000) return;
		this.#log.readers.setRing(0);
		this.applyLogging();
		if (!this.counts) this.forgetHistory();
		logger.log('notice', `Replication backlog freed after ${ttl} seconds without connected replicas.`);
		this.#idleSinceMs = -1;
	}

	/** What was has nothing to do with what comes: nobody can go on from an offset. */
	forgetHistory(): void {
		this.#state.forgetHistory(this.#engine.env.random.bytes(20).toString('hex'));
		this.#log.setIds(idsOf(this.#state));
	}
}
