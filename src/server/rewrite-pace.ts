import type { Logger } from '../base/logger.js';

/** After so many failures in a row the automatic rewrite waits, longer each time (aof.c, aofRewriteLimited). */
const FAILURES_MAX = 3;
const DELAY_MINUTES_MAX = 60;
const MS_PER_MINUTE = 60_000;

/** How soon a rewrite of the log that fails again and again is tried again. */
export class RewritePace {
	/** Failures since the last success, or since somebody asked for a rewrite. */
	failures = 0;
	readonly #logger: Logger;
	#delayMinutes = 0;
	#nextMs = 0;

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	/** Whether a rewrite has to wait; says so in the log when the waiting begins. */
	mustWait(nowMs: number): boolean {
		if (this.failures < FAILURES_MAX) {
			this.#delayMinutes = 0;
			this.#nextMs = 0;
			return false;
		}
		if (this.#nextMs !== 0) {
			if (nowMs < this.#nextMs) return true;
			this.#nextMs = 0;
			return false;
		}
		this.#delayMinutes = Math.min(DELAY_MINUTES_MAX, Math.max(1, this.#delayMinutes * 2));
		this.#nextMs = nowMs + this.#delayMinutes * MS_PER_MINUTE;
		this.#logger.log(
			'warning',
			'Background AOF rewrite has repeatedly failed and triggered the limit, ' +
				`will retry in ${this.#delayMinutes} minutes`,
		);
		return true;
	}
}
