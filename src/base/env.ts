/**
 * What a server takes from outside instead of reaching for globals: the clock, randomness and timers.
 * The simulator hands in fakes; `systemEnv()` is the real world.
 */

export interface Clock {
	/** Wall clock, milliseconds since 1970, an integer. */
	nowMs(): number;
	/** Wall clock, microseconds since 1970, an integer. */
	nowUs(): number;
	/** Monotonic clock, microseconds from an arbitrary start; may have a fraction. */
	monotonicUs(): number;
}

export interface Random {
	/** A float in [0, 1). */
	float(): number;
	/** An integer in [0, bound), bound a positive safe integer. */
	below(bound: number): number;
	/** `count` random bytes from a source fit for identifiers. */
	bytes(count: number): Buffer;
}

/** An opaque handle of a pending timer. */
export type TimerHandle = { readonly unref?: () => unknown };

export interface Timers {
	setTimeout(fn: () => void, delayMs: number): TimerHandle;
	clearTimeout(handle: TimerHandle): void;
	setInterval(fn: () => void, periodMs: number): TimerHandle;
	clearInterval(handle: TimerHandle): void;
	/** Runs `fn` once the I/O events of the present event-loop turn have been handled. */
	setImmediate(fn: () => void): void;
}

export interface Env {
	readonly clock: Clock;
	readonly random: Random;
	readonly timers: Timers;
}
