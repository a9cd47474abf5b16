/**
 * Whether the next fsync is to be waited for in the event loop.
 *
 * Under `appendfsync always` every reply waits for one. Through the thread pool that costs two switches of
 * threads, and divides the clients into halves that wait for each other's fsync: measured on a disk that
 * takes tens of microseconds, 36,000 SET/s of 50 clients, where waiting in place gave 51,000 (as redis-server).
 * On a slow disk the pool is right, since reads and other work go on meanwhile.
 *
 * A fast disk is waited for in place. When that takes too long, some fsyncs go to the pool, before one is tried in
 * place again: one after the first slow one, then twice as many each time, up to `POOL_RUN_MAX`, so that a slow disk
 * holds up the loop once in a thousand fsyncs. Each fast one in place halves the number again: the odd stall of a
 * fast disk costs next to nothing.
 */
import type { Clock } from '../base/env.js';
import type { LogFs } from './log-fs.js';

/** The default for the longest fsync that counts as fast, in microseconds. */
const INLINE_US_MAX = 2000;
const POOL_RUN_MAX = 1024;

export class FsyncPace {
	readonly #clock: Clock;
	readonly #inlineUsMax: number;
	/** Fsyncs that go to the pool before the next one in place. */
	#poolLeft = 0;
	/** What `#poolLeft` will be after the next slow one. */
	#poolRun = 1;

	/** `inlineUsMax` 0: every fsync goes to the thread pool. */
	constructor(clock: Clock, inlineUsMax: number = INLINE_US_MAX) {
		this.#clock = clock;
		this.#inlineUsMax = inlineUsMax;
	}

	/** Decides about the fsync that is due: true for in place (`syncNow`), false for the pool. */
	takeInPlace(): boolean {
		if (this.#inlineUsMax === 0) return false;
		if (this.#poolLeft === 0) return true;
		this.#poolLeft--;
		return false;
	}

	/** fdatasync in place; the error if it fails. */
	syncNow(fs: LogFs, fd: number): Error | null {
		const startUs = this.#clock.monotonicUs();
		try {
			fs.fdatasyncSync(fd);
			return null;
		} catch (error) {
			return error as Error;
		} finally {
			this.#took(this.#clock.monotonicUs() - startUs);
		}
	}

	#took(us: number): void {
		if (us < this.#inlineUsMax) {
			if (this.#poolRun > 1) this.#poolRun >>= 1;
			return;
		}
		this.#poolLeft = this.#poolRun;
		this.#poolRun = Math.min(POOL_RUN_MAX, this.#poolRun * 2);
	}
}
