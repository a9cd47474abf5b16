import { randomBytes } from 'node:crypto';
import type { Env, TimerHandle } from './env.js';

/** The real clock, randomness and timers of this process. */
export function systemEnv(): Env {
	return {
		clock: {
			nowMs: () => Date.now(),
			nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
			monotonicUs: () => performance.now() * 1000,
		},
		random: {
			float: () => Math.random(),
			below: (bound) => Math.floor(Math.random() * bound),
			bytes: (count) => randomBytes(count),
		},
		timers: {
			setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
			clearTimeout: (handle: TimerHandle) => clearTimeout(handle as NodeJS.Timeout),
			setInterval: (fn, periodMs) => setInterval(fn, periodMs),
			clearInterval: (handle: TimerHandle) => clearInterval(handle as NodeJS.Timeout),
			setImmediate: (fn) => {
				setImmediate(fn);
			},
		},
	};
}
