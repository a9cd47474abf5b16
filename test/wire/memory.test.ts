/** MEMORY and TIME over a socket. */
import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

describe('wire: MEMORY and TIME', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());

	it('USAGE grows with the value, and is nil without one', async () => {
		await session.run('SET small 1', `SET large ${'x'.repeat(5000)}`, 'RPUSH list a b c');
		const usage = async (words: string) => Number((await session.run(`MEMORY USAGE ${words}`)).slice(1));
		assert.isAbove(await usage('small'), 20);
		assert.isAbove(await usage('large'), 5000);
		assert.equal(await usage('list samples 0'), await usage('list'));
		assert.equal(await session.run('MEMORY USAGE none'), '$-1\r\n');
	});

	it('refuses what USAGE does not know', async () => {
		assert.equal(await session.run('MEMORY USAGE k SAMPLES'), '-ERR syntax error\r\n');
		assert.equal(await session.run('MEMORY USAGE k SAMPLES -1'), '-ERR syntax error\r\n');
		assert.equal(
			await session.run('MEMORY USAGE k SAMPLES x'),
			'-ERR value is not an integer or out of range\r\n',
		);
	});

	it('PURGE leaves the data and the server as they are', async () => {
		assert.equal(await session.run('SET a 1', 'MEMORY PURGE'), '+OK\r\n');
		assert.equal(await session.run('MEMORY PURGE', 'MEMORY PURGE', 'GET a'), '$1\r\n1\r\n');
	});

	it('STATS is a map of 27 entries and one for each database with keys', async () => {
		await session.run('SET a 1');
		const stats = (await session.shape2('MEMORY STATS')) as unknown[];
		assert.lengthOf(stats, 2 * 28);
		assert.include(stats, 'db.0');
	});

	it('TIME is seconds and microseconds', async () => {
		const [seconds, us] = (await session.shape2('TIME')) as string[];
		assert.closeTo(Number(seconds), Date.now() / 1000, 5);
		assert.isBelow(Number(us), 1_000_000);
	});
});
