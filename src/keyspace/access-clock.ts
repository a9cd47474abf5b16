/**
 * The access clock of a key, 32 bits beside its value, in one of two readings by the eviction policy
 * (the facts: redis.io, "Key eviction"; evict.c):
 *
 * - LRU (every policy but the lfu ones): the second of the last access, since 1970.
 * - LFU: bits 31..8 the minute of the last access since 1970, modulo 2^24; bits 7..0 a counter that grows
 *   with the logarithm of the number of accesses and shrinks by one every `lfu-decay-time` minutes.
 *
 * When the policy is switched, the old readings stay where they are, and are wrong until the keys have been
 * accessed again, as in Redis.
 */
import type { Random } from '../base/env.js';

/** The counter of a new key: not 0, so that it is not the next to go (LFU_INIT_VAL). */
const FREQUENCY_OF_NEW = 5;
const FREQUENCY_MAX = 255;
const MINUTE_MASK = 0xffffff;
const MS_PER_MINUTE = 60_000;

export interface FrequencySettings {
	/** The larger, the more accesses a step of the counter takes; 0 counts every access. */
	readonly lfuLogFactor: number;
	/** Minutes without access that cost one step; 0 never does. */
	readonly lfuDecayTime: number;
}

/** The stamp of a key that is accessed now, in the LRU reading. */
export function lruStamp(nowMs: number): number {
	return Math.floor(nowMs / 1000) >>> 0;
}

/** The stamp of a key that is made now, in the LFU reading. */
export function lfuStampOfNew(nowMs: number): number {
	return (((Math.floor(nowMs / MS_PER_MINUTE) & MINUTE_MASK) << 8) | FREQUENCY_OF_NEW) >>> 0;
}

/** The counter of a stamp as it has decayed by the time of `nowStamp`, 0 to 255. */
export function frequencyAt(stamp: number, nowStamp: number, decayTime: number): number {
	const counter = stamp & 0xff;
	if (decayTime === 0) return counter;
	const minutes = ((nowStamp >>> 8) - (stamp >>> 8)) & MINUTE_MASK;
	return Math.max(0, counter - Math.floor(minutes / decayTime));
}

/** Counts accesses in the LFU reading. */
export class FrequencyCounter {
	readonly #settings: FrequencySettings;
	readonly #random: Random;

	constructor(settings: FrequencySettings, random: Random) {
		this.#settings = settings;
		this.#random = random;
	}

	/** The stamp after one more access, at the minute of `nowStamp`. */
	accessed(stamp: number, nowStamp: number): number {
		const { lfuLogFactor, lfuDecayTime } = this.#settings;
		let counter = frequencyAt(stamp, nowStamp, lfuDecayTime);
		if (counter < FREQUENCY_MAX) {
			const above = Math.max(0, counter - FREQUENCY_OF_NEW);
			if (this.#random.float() < 1 / (above * lfuLogFactor + 1)) counter++;
		}
		return ((nowStamp & ~0xff) | counter) >>> 0;
	}
}
