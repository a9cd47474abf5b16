/**
 * Replication under a network and machines that fail: `SIM_SEEDS=100000` runs more, `SIM_SEED=n` one of them, and prints
 * what happened.
 */
import { assert } from 'chai';
import { simulate } from './sim-run.js';

const SEEDS_DEFAULT = 200;

describe('replication, simulated', function () {
	this.timeout(0);
	const { SIM_SEED: only, SIM_SEEDS: count } = process.env;

	it('ends with the same log and dataset everywhere, and loads no more than it must', () => {
		const first = only === undefined ? 1 : Number(only);
		const last = only === undefined ? Number(count ?? SEEDS_DEFAULT) : first;
		let full = 0;
		let partial = 0;
		for (let seed = first; seed <= last; seed++) {
			const result = simulate(seed);
			if (only !== undefined) console.log(result.transcript.join('\n'));
			assert.isNull(
				result.fault,
				`SIM_SEED=${seed}: ${result.fault}\n${result.transcript.slice(-60).join('\n')}`,
			);
			full += result.full;
			partial += result.partial;
		}
		// Both ways must have been gone, or nothing has been tested.
		if (only === undefined) assert.isAbove(Math.min(full, partial), last);
	});

	it('comes out the same for the same seed', () => {
		assert.deepEqual(simulate(3), simulate(3));
	});
});
