/**
 * Eviction: what keeps used memory under `maxmemory` (redis.io, "Key eviction"; the behaviour of evict.c).
 *
 * Before a command runs and memory is over the limit, keys are deleted until the estimate of what they took
 * covers the excess. The key that goes is the best of a pool of candidates, into which each round puts
 * `maxmemory-samples` keys of every database: that comes close to true LRU or LFU, and costs no list of all keys.
 * One call spends at most the time that `maxmemory-eviction-tenacity` allows; a timer then goes on.
 *
 * Each deletion is an effect of its own in the log, and a write to watchers and subscribers.
 */
import type { TimerHandle } from '../base/env.js';
import { FrequencyCounter, frequencyAt, lfuStampOfNew, lruStamp } from '../keyspace/access-clock.js';
import type { Database } from '../keyspace/database.js';
import { ORIGIN_EVICT } from '../log/origins-format.js';
import type { Engine } from './engine.js';
import { type MaxmemoryPolicy, NOTIFY_EVICTED } from './settings.js';

export const EVICTION_OK = 0;
/** Memory is over the limit, and the timer goes on evicting. */
export const EVICTION_RUNNING = 1;
/** Memory is over the limit, and there is nothing that may be evicted. */
export const EVICTION_FAILED = 2;
export type EvictionResult = typeof EVICTION_OK | typeof EVICTION_RUNNING | typeof EVICTION_FAILED;

const POOL_SIZE = 16;
/** Keys evicted between two looks at the time. */
const KEYS_PER_TIME_CHECK = 16;
const FREQUENCY_MAX = 255;

/** A key that may go; the larger its score, the sooner: seconds idle, accesses not had, or the negative time it expires. */
interface Candidate {
	readonly dbId: number;
	readonly key: string;
	readonly score: number;
}

/** Microseconds that one call may take; Infinity at 100. */
export function evictionTimeLimitUs(tenacity: number): number {
	if (tenacity <= 10) return 50 * tenacity;
	if (tenacity < 100) return Math.floor(500 * 1.15 ** (tenacity - 10));
	return Number.POSITIVE_INFINITY;
}

export function isLfuPolicy(policy: MaxmemoryPolicy): boolean {
	return policy === 'allkeys-lfu' || policy === 'volatile-lfu';
}

export class Eviction {
	readonly #engine: Engine;
	/** By score, the lowest first. */
	#pool: Candidate[] = [];
	#nextDb = 0;
	#timer: TimerHandle | undefined = undefined;
	/** An lfu policy is chosen: access clocks count accesses. */
	usesFrequency = false;

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** `maxmemory-policy` has been set: the access clocks are read as it needs them from now on. */
	applyPolicy(): void {
		const { settings, env, dbs } = this.#engine;
		this.usesFrequency = isLfuPolicy(settings.maxmemoryPolicy);
		const counter = this.usesFrequency ? new FrequencyCounter(settings, env.random) : undefined;
		for (const db of dbs) db.frequency = counter;
		this.#pool = [];
	}

	/** What to stamp a key with that is made or accessed now. */
	stamp(nowMs: number): number {
		return this.usesFrequency ? lfuStampOfNew(nowMs) : lruStamp(nowMs);
	}

	/**
	 * What to stamp a key with that is read from a file or a payload: `idleSeconds` since its last access and `frequency`
	 * of accesses as far as they are known, -1 where not.
	 */
	stampOfLoaded(nowMs: number, idleSeconds: number, frequency: number): number {
		if (!this.usesFrequency) return Math.max(0, lruStamp(nowMs) - Math.max(0, idleSeconds));
		const fresh = lfuStampOfNew(nowMs);
		return frequency < 0 ? fresh : ((fresh & ~0xff) | frequency) >>> 0;
	}

	/** Evicts as far as memory is over the limit. Between execution units only. */
	perform(): EvictionResult {
		const engine = this.#engine;
		const { settings, stats, memory } = engine;
		if (settings.maxmemory === 0 || engine.loading || engine.pause.writesPaused) return EVICTION_OK;
		const nowMs = engine.env.clock.nowMs();
		const excess = memory.usedBytesRecently(nowMs) - settings.maxmemory;
		let result: EvictionResult = EVICTION_OK;
		if (excess > 0)
			result = settings.maxmemoryPolicy === 'noeviction' ? EVICTION_FAILED : this.#free(excess, nowMs);
		if (result !== EVICTION_OK) {
			if (stats.evictionExceededSinceUs < 0) stats.evictionExceededSinceUs = engine.env.clock.monotonicUs();
		} else if (stats.evictionExceededSinceUs >= 0) {
			stats.evictionExceededUs += engine.env.clock.monotonicUs() - stats.evictionExceededSinceUs;
			stats.evictionExceededSinceUs = -1;
		}
		return result;
	}

	/** Evicts soon, though no command comes: the limit has been lowered. */
	start(): void {
		if (this.#engine.settings.maxmemory !== 0) this.#continueLater();
	}

	/** Ends the timer. */
	stop(): void {
		if (this.#timer !== undefined) this.#engine.env.timers.clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	#free(excess: number, nowMs: number): EvictionResult {
		const engine = this.#engine;
		const { clock } = engine.env;
		const limitUs = evictionTimeLimitUs(engine.settings.maxmemoryEvictionTenacity);
		const startUs = clock.monotonicUs();
		const nowStamp = this.stamp(nowMs);
		engine.beginUnit();
		let freed = 0;
		for (let evicted = 1; freed < excess; evicted++) {
			const victim = this.#choose(nowStamp);
			if (victim === undefined) return EVICTION_FAILED;
			freed += engine.memory.freedBytes(this.#evict(engine.dbs[victim.dbId]!, victim.key));
			if (evicted % KEYS_PER_TIME_CHECK === 0 && clock.monotonicUs() - startUs > limitUs) {
				this.#continueLater();
				break;
			}
		}
		return this.#timer === undefined ? EVICTION_OK : EVICTION_RUNNING;
	}

	#continueLater(): void {
		if (this.#timer !== undefined) return;
		this.#timer = this.#engine.env.timers.setTimeout(() => {
			this.#timer = undefined;
			this.perform();
		}, 0);
	}

	/** Deletes the key; the estimate of the bytes that this frees. */
	#evict(db: Database, key: string): number {
		const engine = this.#engine;
		const before = db.estimatedBytes(0);
		db.delete(key);
		const freed = before - db.estimatedBytes(0);
		engine.stats.evictedKeys++;
		engine.dirty++;
		engine.signalModified(db, key);
		engine.notify(NOTIFY_EVICTED, 'evicted', db.id, key);
		engine.effects.add(db.id, [engine.settings.lazyfreeLazyEviction ? 'UNLINK' : 'DEL', key], ORIGIN_EVICT);
		engine.effects.commit(true);
		return freed;
	}

	/** The next key to go; undefined if there is none. */
	#choose(nowStamp: number): { dbId: number; key: string } | undefined {
		switch (this.#engine.settings.maxmemoryPolicy) {
			case 'noeviction':
				return undefined;
			case 'allkeys-random':
			case 'volatile-random':
				return this.#chooseAtRandom(this.#engine.settings.maxmemoryPolicy === 'allkeys-random');
			default:
				return this.#chooseFromPool(nowStamp);
		}
	}

	/** From each database in turn. */
	#chooseAtRandom(allKeys: boolean): { dbId: number; key: string } | undefined {
		const { dbs, env } = this.#engine;
		for (let i = 0; i < dbs.length; i++) {
			this.#nextDb = (this.#nextDb + 1) % dbs.length;
			const db = dbs[this.#nextDb]!;
			if (allKeys) {
				const key = db.randomKey(env.random);
				if (key !== undefined) return { dbId: db.id, key };
			} else if (db.expires.size > 0) {
				return { dbId: db.id, key: db.expires.keyAt(env.random.below(db.expires.size)) };
			}
		}
		return undefined;
	}

	/** A candidate that is still there. Each round samples again, so that better ones come in. */
	#chooseFromPool(nowStamp: number): Candidate | undefined {
		const { dbs, settings } = this.#engine;
		const allKeys = settings.maxmemoryPolicy.startsWith('allkeys-');
		for (;;) {
			let keyCount = 0;
			for (const db of dbs) {
				const count = allKeys ? db.size : db.expires.size;
				if (count === 0) continue;
				keyCount += count;
				this.#sample(db, allKeys, nowStamp);
			}
			if (keyCount === 0) return undefined;
			for (let best = this.#pool.pop(); best !== undefined; best = this.#pool.pop()) {
				const db = dbs[best.dbId]!;
				// A candidate may have gone, or lost its expiry time, since it was put into the pool.
				if (allKeys ? db.has(best.key) : db.expireAt(best.key) >= 0) return best;
			}
		}
	}

	#sample(db: Database, allKeys: boolean, nowStamp: number): void {
		const { settings, env } = this.#engine;
		const { maxmemorySamples } = settings;
		if (allKeys) {
			const count = Math.min(maxmemorySamples, db.size);
			db.sampleKeys(env.random, count, (key, stamp) =>
				this.#offer(db.id, key, this.#scoreByAccess(stamp, nowStamp)),
			);
			return;
		}
		const { expires } = db;
		const byTime = settings.maxmemoryPolicy === 'volatile-ttl';
		for (let i = Math.min(maxmemorySamples, expires.size); i > 0; i--) {
			const position = env.random.below(expires.size);
			const key = expires.keyAt(position);
			const score = byTime ? -expires.valueAt(position) : this.#scoreByAccess(db.accessClock(key), nowStamp);
			this.#offer(db.id, key, score);
		}
	}

	#scoreByAccess(stamp: number, nowStamp: number): number {
		if (this.usesFrequency)
			return FREQUENCY_MAX - frequencyAt(stamp, nowStamp, this.#engine.settings.lfuDecayTime);
		return nowStamp - stamp;
	}

	/** Puts the candidate into its place, unless the pool is full of better ones. */
	#offer(dbId: number, key: string, score: number): void {
		const pool = this.#pool;
		let at = pool.length;
		while (at > 0 && pool[at - 1]!.score >= score) {
			if (pool[at - 1]!.key === key && pool[at - 1]!.dbId === dbId) return;
			at--;
		}
		if (pool.length === POOL_SIZE) {
			if (at === 0) return;
			pool.shift();
			at--;
		}
		pool.splice(at, 0, { dbId, key, score });
	}
}
