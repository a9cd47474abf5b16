/** What DEBUG does with the log: loading it again, with the log on and off, and slowing its writes down. */
import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

const OK = '+OK\r\n';
const SLEEP_MS = 120;

describe('wire: DEBUG and the log', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('CONFIG SET appendonly yes', 'FLUSHALL'));

	it('LOADAOF builds the dataset from the log', async () => {
		await session.run('SET a 1', 'RPUSH l x y', 'SELECT 3', 'SET b 2', 'SELECT 0');
		const digest = await session.run('DEBUG DIGEST');
		assert.equal(await session.run('DEBUG LOADAOF'), OK);
		assert.equal(await session.run('DEBUG DIGEST'), digest);
	});

	it('LOADAOF goes back to what the files hold when the log is off', async () => {
		await session.run('SET a 1');
		const digest = await session.run('DEBUG DIGEST');
		await session.run('CONFIG SET appendonly no', 'SET a 2', 'SET b 2');
		assert.equal(await session.run('DEBUG LOADAOF'), OK);
		assert.equal(await session.run('DEBUG DIGEST'), digest);
	});

	it('AOF-FLUSH-SLEEP holds back what has to be written, and its reply', async () => {
		assert.equal(await session.run(`DEBUG AOF-FLUSH-SLEEP ${SLEEP_MS * 1000}`), OK);
		const start = performance.now();
		await session.run('GET a');
		assert.isBelow(performance.now() - start, SLEEP_MS);
		await session.run('SET a 1');
		assert.isAtLeast(performance.now() - start, SLEEP_MS);
		assert.equal(await session.run('DEBUG AOF-FLUSH-SLEEP 0'), OK);
	});
});
