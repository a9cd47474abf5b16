import { assert } from 'chai';
import { systemEnv } from '../../../src/base/system-env.js';
import { distinctPositions } from '../../../src/commands/random-sample.js';

describe('distinctPositions', () => {
	const { random } = systemEnv();

	for (const [size, count] of [
		[2, 1],
		[10, 3],
		[10, 4],
		[10, 9],
		[1000, 10],
	] as const) {
		it(`draws ${count} of ${size}, distinct and in range`, () => {
			for (let round = 0; round < 50; round++) {
				const drawn = distinctPositions(random, size, count);
				assert.lengthOf(drawn, count);
				assert.equal(new Set(drawn).size, count);
				assert.isTrue(drawn.every((position) => position >= 0 && position < size));
			}
		});

		it(`draws each of ${size} alike, ${count} at a time`, () => {
			const rounds = Math.ceil((400 * size) / count);
			const seen = new Array<number>(size).fill(0);
			for (let round = 0; round < rounds; round++)
				for (const position of distinctPositions(random, size, count)) seen[position]!++;
			// 400 expected of each, standard deviation at most 20: nine of them away is no chance.
			for (const times of seen) assert.closeTo(times, 400, 180);
		});
	}
});
