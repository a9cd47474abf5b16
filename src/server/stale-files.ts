/**
 * Temporary files of snapshots that were never finished. Who writes one ends with its server, and removes it where it
 * can; what a crash of the whole machine, or SIGKILL, has left is removed when the next server starts in the folder.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Logger } from '../base/logger.js';

/** Redis's names: rdb.c, aof.c; the number is the process that writes the file. */
const TEMPORARY_NAME = /^temp-(?:rewriteaof-(?:bg-)?)?(\d+)\.(?:rdb|aof)(?:\.input)?$/;
/** What the command line of a process has that may be at such a file. */
const WRITERS = /redis|fold/;

/** Removes them from `folder`, but not those that a living process may be writing. */
export function removeStaleFiles(folder: string, logger: Logger): void {
	let names: string[];
	try {
		names = readdirSync(folder);
	} catch {
		return; // It can't be listed; whatever is wrong with it will be said by who uses it.
	}
	for (const name of names) {
		const pid = Number(TEMPORARY_NAME.exec(name)?.[1] ?? 0);
		if (pid === 0 || mayBeWriting(pid)) continue;
		removeQuietly(`${folder}/${name}`);
		logger.log('notice', `Removed ${name}, which a process that is gone has left unfinished`);
	}
}

export function removeQuietly(path: string): void {
	try {
		rmSync(path, { force: true });
	} catch {
		// It stays, and takes room until somebody looks.
	}
}

function mayBeWriting(pid: number): boolean {
	if (pid === process.pid) return false; // not before it has started
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
