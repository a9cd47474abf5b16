/** The session of the README through real clients: ioredis, node-redis, redis-cli; and what is left after kill -9. */
import { execFileSync } from 'node:child_process';
import { assert } from 'chai';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { findInPath, ourServer } from '../support/executables.js';
import { ServerFleet, type ServerProcess } from '../support/server-process.js';

const OPTIONS = { appendonly: 'yes' };

describe('wire: client libraries', function () {
	this.timeout(20_000);
	const fleet = new ServerFleet();
	let server: ServerProcess;
	before(async () => {
		server = await fleet.start({ executable: ourServer(), options: OPTIONS });
	});
	after(() => fleet.close());

	it('ioredis runs the session of the README', async () => {
		const redis = new Redis(server.port, '127.0.0.1');
		try {
			await redis.flushall();
			assert.equal(await redis.set('greeting', 'hello', 'EX', 3600), 'OK');
			assert.equal(await redis.get('greeting'), 'hello');
			assert.equal(await redis.hset('user:1', 'name', 'Ada', 'born', '1815'), 2);
			assert.deepEqual(await redis.hgetall('user:1'), { name: 'Ada', born: '1815' });
			assert.equal(await redis.zadd('scores', '3', 'ada', '1', 'bob'), 2);
			assert.deepEqual(await redis.zrange('scores', '0', '-1', 'WITHSCORES'), ['bob', '1', 'ada', '3']);
			const replies = await redis.multi().incr('visits').lpush('log', 'ada came').exec();
			assert.deepEqual(replies, [
				[null, 1],
				[null, 1],
			]);
		} finally {
			redis.disconnect();
		}
	});

	it('node-redis runs it in RESP3, with a subscriber', async () => {
		const client = createClient({ url: `redis://127.0.0.1:${server.port}`, RESP: 3 });
		await client.connect();
		const subscriber = client.duplicate();
		await subscriber.connect();
		try {
			await client.flushAll();
			await client.set('greeting', 'hello', { EX: 3600 });
			assert.equal(await client.get('greeting'), 'hello');
			assert.equal(await client.hSet('user:1', { name: 'Ada', born: '1815' }), 2);
			assert.deepEqual({ ...(await client.hGetAll('user:1')) }, { name: 'Ada', born: '1815' });
			await client.zAdd('scores', [
				{ score: 3, value: 'ada' },
				{ score: 1, value: 'bob' },
			]);
			assert.deepEqual(
				(await client.zRangeWithScores('scores', 0, -1)).map(({ value, score }) => `${value}=${score}`),
				['bob=1', 'ada=3'],
			);
			assert.deepEqual([...(await client.multi().incr('visits').lPush('log', 'ada came').exec())], [1, 1]);
			const message = new Promise<string>((resolve) => {
				void subscriber.subscribe('news', resolve).then(() => client.publish('news', 'it works'));
			});
			assert.equal(await message, 'it works');
		} finally {
			client.destroy();
			subscriber.destroy();
		}
	});

	it('redis-cli reads what was written, and reads it again after kill -9', async function () {
		const cli = findInPath('redis-cli');
		if (cli === undefined) return this.skip();
		const run = (port: number, ...words: string[]) =>
			execFileSync(cli, ['-p', String(port), ...words], { encoding: 'latin1' }).trim();
		assert.equal(run(server.port, 'GET', 'visits'), '1');
		assert.equal(run(server.port, 'HGETALL', 'user:1'), 'name\nAda\nborn\n1815');
		await server.kill();
		const again = await fleet.start({ executable: ourServer(), options: OPTIONS, dir: server.dir });
		assert.equal(run(again.port, 'GET', 'visits'), '1');
		assert.equal(run(again.port, 'LRANGE', 'log', '0', '-1'), 'ada came');
		assert.equal(run(again.port, 'ZRANGE', 'scores', '0', '-1', 'WITHSCORES'), 'bob\n1\nada\n3');
	});
});
