/** Garbage collection on demand. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects all garbage of the process and gives free pages back to the system. Stops everything for
 * long as marking what is alive takes, so only for a user who asks.
 */
export function collectGarbage(): void {
	// V8 takes this flag while it runs; contexts made from then on have `gc`.
	setFlagsFromString('--expose-gc');
	const gc = runInNewContext('gc') as (options?: { type: 'major'; flavor: 'last-resort' }) => void;
	gc({ type: 'major', flavor: 'last-resort' });
}
