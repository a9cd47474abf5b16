/**
 * The time on the hot path: one reading of the monotonic clock a command (a reading costs about 45 ns,
 * and a command needs the wall clock, its start and its end). The end of a command is the start of the
 * next one in the same read; the wall clock follows from the monotonic one and the difference of both,
 * which is looked at ten times a second.
 *
 * The wall clock tells whole milliseconds, so each look leaves the difference open by one. It is corrected only as far as
 * a look demands, and so it closes in on the true one within a few looks: otherwise the time would be up to a
 * millisecond late, and a key with 10 seconds to live would have 10,001 ms.
 */
import type { Clock } from '../base/env.js';

/** A step of the wall clock (NTP, a suspended machine) is noticed within this time. */
const RESYNC_PERIOD_US = 100_000;

export class UnitClock {
	/** The last reading of the monotonic clock, in microseconds. */
	us = 0;
	readonly #clock: Clock;
	/** The wall clock less the monotonic one, in microseconds. */
	#offsetUs = Number.NEGATIVE_INFINITY;
	#lookedUs = Number.NEGATIVE_INFINITY;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.read();
	}

	/** Reads the monotonic clock: microseconds. */
	read(): number {
		const us = this.#clock.monotonicUs();
		this.us = us;
		if (us - this.#lookedUs > RESYNC_PERIOD_US) this.#resync(us);
		return us;
	}

	/** The wall clock at the last reading: milliseconds since 1970. */
	get wallMs(): number {
		return Math.floor((this.us + this.#offsetUs) / 1000);
	}

	#resync(us: number): void {
		this.#lookedUs = us;
		const leastUs = this.#clock.nowMs() * 1000 - us;
		if (this.#offsetUs < leastUs) this.#offsetUs = leastUs;
		else if (this.#offsetUs >= leastUs + 1000) this.#offsetUs = leastUs + 999;
	}
}
