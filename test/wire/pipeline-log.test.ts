/** Requests that cross the reads of a socket come into the log as they were sent. */
import { assert } from 'chai';
import { SeededRandom } from '../support/random.js';
import { encodeCommand } from '../support/raw-client.js';
import { WireSession } from '../support/wire-session.js';

const REQUEST_COUNT = 20_000;

describe('a long pipeline and the log', () => {
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());

	it('gives the same dataset after a crash', async () => {
		const random = new SeededRandom(33);
		const commands = Array.from({ length: REQUEST_COUNT }, (_, index) => [
			'SET',
			`key:${index % 3000}`,
			'v'.repeat(random.between(1, 40)) + index,
		]);
		const { client } = session;
		client.send(commands.map(encodeCommand).join(''));
		for (let i = 0; i < REQUEST_COUNT; i++) assert.equal(await client.reply(), '+OK\r\n');
		const [before, after] = await session.digestsAroundCrash();
		assert.equal(after, before);
	});
});
