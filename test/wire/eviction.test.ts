import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

describe('wire: eviction', () => {
	const session = new WireSession();
	const run = (...commands: string[]) => session.run(...commands);

	const field = async (name: string) => {
		const line = (await run('INFO everything')).split('\r\n').find((text) => text.startsWith(`${name}:`));
		return Number(line?.slice(name.length + 1));
	};

	before(() => session.start({ 'enable-debug-command': 'yes' }));
	after(() => session.stop());
	beforeEach(() => run('CONFIG SET maxmemory 0 maxmemory-policy noeviction', 'FLUSHALL', 'CONFIG RESETSTAT'));

	it('refuses what takes memory, says so in INFO, and serves the rest', async () => {
		await run('SET x 1', 'CONFIG SET maxmemory 1');
		assert.match(await run('SET y 1'), /^-OOM command not allowed/);
		assert.equal(await run('GET x'), '$1\r\n1\r\n');
		assert.equal(await run('DEL x'), ':1\r\n');
		assert.isAbove(await field('used_memory'), await field('maxmemory'));
		const info = await run('INFO everything');
		assert.include(info, 'errorstat_OOM:count=1\r\n');
		assert.match(info, /cmdstat_set:calls=1,.*,rejected_calls=1,failed_calls=0\r\n/);
		await run('CONFIG SET maxmemory 0');
		assert.equal(await run('SET y 1'), '+OK\r\n');
	});

	it('keeps the figure of INFO under the limit, whatever garbage there is', async () => {
		const used = await field('used_memory');
		const limit = used + 1_000_000;
		await run(`CONFIG SET maxmemory ${limit} maxmemory-policy allkeys-lru`);
		const value = 'v'.repeat(1000);
		for (let i = 0; i < 5000; i++) assert.equal(await run(`SET key:${i} ${value}`), '+OK\r\n');
		assert.closeTo(await field('used_memory'), limit, 10_000);
		const evicted = await field('evicted_keys');
		assert.closeTo(evicted, 4060, 100);
		assert.equal(await run('DBSIZE'), `:${5000 - evicted}\r\n`);
		await run('CONFIG SET maxmemory 1');
		while ((await field('evicted_keys')) < 5000) await run('PING');
		assert.equal(await run('DBSIZE'), ':0\r\n');
		await run('CONFIG SET maxmemory 0');
		assert.closeTo(await field('used_memory'), used, 10_000, 'nothing is left behind');
	});

	it('evicts when the limit is lowered, though no command comes', async () => {
		for (let i = 0; i < 100; i++) await run(`SET key:${i} x`);
		const subscriber = await session.server.connect();
		await run('CONFIG SET notify-keyspace-events Ee');
		await subscriber.command(['SUBSCRIBE', '__keyevent@0__:evicted']);
		await run('CONFIG SET maxmemory-policy allkeys-random', 'CONFIG SET maxmemory 1');
		for (let i = 0; i < 100; i++) {
			assert.include(await subscriber.reply(), '__keyevent@0__:evicted\r\n');
		}
		subscriber.destroy();
	});

	it('is in the log as deletions: a server that was killed has the same keys', async () => {
		const used = await field('used_memory');
		await run(`CONFIG SET maxmemory ${used + 20_000} maxmemory-policy allkeys-lfu`);
		for (let i = 0; i < 500; i++) await run(`HSET key:${i} field ${i}`);
		assert.isAbove(await field('evicted_keys'), 100);
		const [before, after] = await session.digestsAroundCrash();
		assert.equal(after, before);
	});
});
