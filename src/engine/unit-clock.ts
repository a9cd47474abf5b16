/**
 * The time on the hot path: one reading of the monotonic clock a command (a reading costs about 45 ns,
 * and a command needs the wall clock, its start and its end). The end of a command is the start of the
 * next one in the same read; the wall clock follows from the monotonic one and a common point of both,
 * which is renewed ten times a second.
 */
import type { Clock } from '../base/env.js';

/** A step of the wall clock (NTP, a suspended machine) is noticed within this time. */
const RESYNC_PERIOD_US = 100_000;

export class UnitClock {
	/** The last reading of the monotonic clock, in microseconds. */
	us = 0;
	readonly #clock: Clock;
	#baseUs = Number.NEGATIVE_INFINITY;
	#baseMs = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
		this.read();
	}

	/** Reads the monotonic clock: microseconds. */
	read(): number {
		const us = this.#clock.monotonicUs();
		this.us = us;
		if (us - this.#baseUs > RESYNC_PERIOD_US) this.#resync(us);
		return us;
	}

	/** The wall clock at the last reading: milliseconds since 1970. */
	get wallMs(): number {
		return this.#baseMs + Math.floor((this.us - this.#baseUs) / 1000);
	}

	#resync(us: number): void {
		this.#baseUs = us;
		this.#baseMs = this.#clock.nowMs();
	}
}
