/**
 * Whether an fsync is fast enough to be waited for in the event loop.
 *
 * Under `appendfsync always` every reply waits for one. Through the thread pool that costs two switches of
 * threads, and divides the clients into halves that wait for each other's fsync: measured on a disk that
 * takes tens of microseconds, 36,000 SET/s of 50 clients, where waiting in place gave 51,000 (as redis-server).
 * On a slow disk the pool is right, since reads and other work go on meanwhile.
 *
 * The pace is the largest of the last durations, fading by an eighth with each fsync: a disk that stalls is
 * waited for once, and then some dozens of fsyncs go to the pool before it is trusted again.
 */
import type { Clock } from '../base/env.js';
import type { LogFs } from './log-fs.js';

const FADING = 7 / 8;
/** The default for the longest fsync that is waited for, in microseconds; on the pool a busy loop adds to it. */
const INLINE_US_MAX = 2000;

export class FsyncPace {
	readonly #clock: Clock;
	readonly #inlineUsMax: number;
	#paceUs = Number.POSITIVE_INFINITY;
	#startUs = 0;

	/** `inlineUsMax` 0: every fsync goes to the thread pool. */
	constructor(clock: Clock, inlineUsMax: number = INLINE_US_MAX) {
		this.#clock = clock;
		this.#inlineUsMax = inlineUsMax;
	}

	get isFast(): boolean {
		return this.#paceUs < this.#inlineUsMax;
	}

	start(): void {
		this.#startUs = this.#clock.monotonicUs();
	}

	end(): void {
		const us = this.#clock.monotonicUs() - this.#startUs;
		this.#paceUs = this.#paceUs === Number.POSITIVE_INFINITY ? us : Math.max(us, this.#paceUs * FADING);
	}

	/** fdatasync in place; the error if it fails. */
	syncNow(fs: LogFs, fd: number): Error | null {
		this.start();
		try {
			fs.fdatasyncSync(fd);
			return null;
		} catch (error) {
			return error as Error;
		} finally {
			this.end();
		}
	}
}
