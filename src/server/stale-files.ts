/**
 * Temporary files of snapshots that were never finished. Who writes one ends with its server, and removes it where it
 * can; what a crash of the whole machine, or SIGKILL, has left is removed when the next server starts in the folder.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Env, TimerHandle } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import { toNative } from '../base/native-text.js';

/** Redis's names: rdb.c, aof.c; the number is the process that writes the file. */
const TEMPORARY_NAME = /^temp-(?:rewriteaof-(?:bg-)?|repl-)?(\d+)\.(?:rdb|aof)(?:\.input)?$/;
/** What the command line of a process has that may be at such a file. */
const WRITERS = /redis|fold/;

/** A child whose server has just been killed may need a moment to notice. */
const SWEEP_PERIOD_MS = 1000;
const SWEEP_COUNT_MAX = 30;

/** Removes what has been left in a folder: at once, and what is still in use then when it is not any more. */
export class StaleFiles {
	readonly #env: Env;
	readonly #logger: Logger;
	#timer: TimerHandle | undefined = undefined;

	constructor(env: Env, logger: Logger) {
		this.#env = env;
		this.#logger = logger;
	}

	/** `folder` is a byte string. */
	sweep(folder: string, countLeft = SWEEP_COUNT_MAX): void {
		this.#timer = undefined;
		if (removeStaleFiles(folder, this.#logger, countLeft === SWEEP_COUNT_MAX) || countLeft === 0) return;
		this.#timer = this.#env.timers.setTimeout(() => this.sweep(folder, countLeft - 1), SWEEP_PERIOD_MS);
		this.#timer.unref?.();
	}

	stop(): void {
		if (this.#timer !== undefined) this.#env.timers.clearTimeout(this.#timer);
		this.#timer = undefined;
	}
}

/** Removes them from `folder`, but not those that a living process may be writing; false if there are such. */
function removeStaleFiles(folder: string, logger: Logger, isFirst: boolean): boolean {
	let names: string[];
	try {
		names = readdirSync(toNative(folder));
	} catch {
		return true; // It can't be listed; whatever is wrong with it will be said by who uses it.
	}
	let isClean = true;
	for (const name of names) {
		const pid = Number(TEMPORARY_NAME.exec(name)?.[1] ?? 0);
		// What has this process's own number before it has begun to write is of one that had it before.
		if (pid === 0 || (pid === process.pid && !isFirst)) continue;
		if (pid !== process.pid && mayBeWriting(pid)) {
			isClean = false;
			continue;
		}
		removeQuietly(`${folder}/${name}`);
		logger.log('notice', `Removed ${name}, which a process that is gone has left unfinished`);
	}
	return isClean;
}

/** Removes a file; `path` is a byte string. */
export function removeQuietly(path: string): void {
	try {
		rmSync(toNative(path), { force: true });
	} catch {
		// It stays, and takes room until somebody looks.
	}
}

/** Whether a process that may be a server or its child has that ID. */
export function mayBeWriting(pid: number): boolean {
	try {
		process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
	if (process.platform !== 'linux') return true;
	try {
		const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'latin1');
		// Ended, and nobody has taken note: what some containers do with orphans.
		if (/^\d+ \(.*\) Z /s.test(read('stat'))) return false;
		// In a container the numbers come again with every start.
		return WRITERS.test(read('cmdline') + read('comm'));
	} catch {
		return true;
	}
}
