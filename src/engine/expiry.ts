/**
 * Expiry: when a command meets an expired key (lazy), and by a background cycle (active). Both delete
 * the key, and the log carries the deletion: a fold never looks at the clock.
 *
 * While the log is being replayed nothing expires by itself: the log says when keys went. While writes
 * are paused, and on a replica, an expired key is hidden but not deleted, since that would be a write.
 */
import type { Database } from '../keyspace/database.js';
import { ORIGIN_EXPIRE } from '../log/origins-format.js';
import { WRITE } from './command-spec.js';
import type { Engine } from './engine.js';
import { NOTIFY_EXPIRED } from './settings.js';

/** Volatile keys looked at in one step of the cycle, and the share of expired ones that goes on. */
const KEYS_PER_STEP = 20;
const ACCEPTABLE_STALE_PERCENT = 10;
/** Share of the time between two runs that a slow cycle may use, in per cent (Redis: 25). */
const CYCLE_TIME_PERCENT = 25;

export class Expiry {
	readonly #engine: Engine;
	#nextDb = 0;
	/** Whether the cycle runs (DEBUG SET-ACTIVE-EXPIRE). */
	activeEnabled = true;

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** True if the key is to be treated as absent; it is then deleted where that is allowed. */
	expireIfNeeded(db: Database, key: string): boolean {
		const expireAtMs = db.expires.get(key);
		const engine = this.#engine;
		if (expireAtMs === undefined || engine.ctx.nowMs <= expireAtMs) return false;
		if (engine.loading) return false;
		if (engine.isReplica) {
			// The master says when the key goes; until then it is hidden from everybody else.
			if (engine.ctx.client.isReplay) return false;
			if (engine.settings.replicaReadOnly || !(engine.ctx.spec.flags & WRITE)) return true;
		}
		if (!engine.pause.writesPaused) this.deleteExpired(db, key);
		return true;
	}

	/** Deletes an expired key, with effect, event and statistics. */
	deleteExpired(db: Database, key: string): void {
		const engine = this.#engine;
		db.delete(key);
		engine.stats.expiredKeys++;
		engine.dirty++;
		engine.effects.add(db.id, [engine.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL', key], ORIGIN_EXPIRE);
		engine.notify(NOTIFY_EXPIRED, 'expired', db.id, key);
		engine.signalModified(db, key);
	}

	/**
	 * One run of the cycle, for at most its share of `periodMs`: samples volatile keys of each database
	 * and goes on with one as long as more than a tenth of the sample had expired.
	 */
	runCycle(periodMs: number): void {
		const engine = this.#engine;
		if (engine.isReplica && engine.replicaExpiry.size > 0 && !engine.loading)
			engine.replicaExpiry.run(engine.env.clock.nowMs());
		if (!this.activeEnabled || engine.loading || engine.isReplica || engine.pause.writesPaused) return;
		const { clock } = engine.env;
		const effort = engine.settings.activeExpireEffort - 1;
		const keysPerStep = KEYS_PER_STEP + (KEYS_PER_STEP / 4) * effort;
		const startUs = clock.monotonicUs();
		const limitUs = (periodMs * 1000 * (CYCLE_TIME_PERCENT + 2 * effort)) / 100;
		const acceptablePercent = ACCEPTABLE_STALE_PERCENT - effort;
		let sampled = 0;
		let expired = 0;
		engine.ctx.nowMs = clock.nowMs();
		for (let i = 0; i < engine.dbs.length; i++) {
			const db = engine.dbs[this.#nextDb % engine.dbs.length]!;
			this.#nextDb++;
			for (;;) {
				const count = Math.min(keysPerStep, db.expires.size);
				if (count === 0) break;
				const gone = this.#step(db, count);
				sampled += count;
				expired += gone;
				if (clock.monotonicUs() - startUs > limitUs) {
					engine.stats.expiredTimeCapReached++;
					i = engine.dbs.length;
					break;
				}
				if ((gone * 100) / count <= acceptablePercent) break;
			}
		}
		engine.stats.expireCycleUs += clock.monotonicUs() - startUs;
		const stale = sampled > 0 ? (expired * 100) / sampled : 0;
		engine.stats.expiredStalePercent = stale * 0.05 + engine.stats.expiredStalePercent * 0.95;
	}

	/** Looks at `count` volatile keys; the number of those that had expired and are deleted now. */
	#step(db: Database, count: number): number {
		const engine = this.#engine;
		const nowMs = engine.ctx.nowMs;
		const { expires } = db;
		let gone = 0;
		let ttlSumMs = 0;
		let ttlCount = 0;
		let position = engine.env.random.below(expires.size);
		for (let i = 0; i < count && expires.size > 0; i++) {
			if (position >= expires.size) position = 0;
			const expireAtMs = expires.valueAt(position);
			if (nowMs > expireAtMs) {
				this.deleteExpired(db, expires.keyAt(position));
				gone++;
			} else {
				ttlSumMs += expireAtMs - nowMs;
				ttlCount++;
				position++;
			}
		}
		// Each deletion is an entry of its own: they are unrelated (Redis: the same).
		engine.effects.commit(true);
		if (ttlCount > 0) {
			const mean = ttlSumMs / ttlCount;
			db.avgTtlMs = db.avgTtlMs === 0 ? mean : db.avgTtlMs * 0.98 + mean * 0.02;
		}
		return gone;
	}
}
