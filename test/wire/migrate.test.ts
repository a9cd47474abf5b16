/** MIGRATE between two servers of ours, to and from real Redis, and to places that do not answer. */
import { createServer, type Server, type Socket } from 'node:net';
import { assert } from 'chai';
import { ourServer, realServer } from '../support/executables.js';
import type { RawClient } from '../support/raw-client.js';
import { freePort, type ServerProcess, sleep } from '../support/server-process.js';
import { WireSession } from '../support/wire-session.js';

const FILL: readonly string[] = [
	'SET text hello',
	'SET number 42',
	'RPUSH list a b c',
	'HSET hash f v',
	'SADD set 1 2 3',
	'ZADD zset 1.5 a',
	'XADD stream 1-1 f v',
];
const FILLED_KEYS = ['text', 'number', 'list', 'hash', 'set', 'zset', 'stream'];

describe('wire: MIGRATE', function () {
	this.timeout(30_000);
	const session = new WireSession();
	let target: ServerProcess;
	let there: RawClient;

	before(async () => {
		await session.start();
		target = await session.fleet.start({ executable: ourServer() });
		there = await target.connect();
	});
	after(() => session.stop());
	beforeEach(async () => {
		await session.run('FLUSHALL');
		await there.command(['FLUSHALL']);
	});

	function migrate(port: number, ...rest: string[]): Promise<string> {
		return session.client.command(['MIGRATE', '127.0.0.1', String(port), ...rest]);
	}

	it('moves a key with its time to live, and logs that as DEL', async () => {
		await session.run('SET k v', 'PEXPIRE k 100000');
		const effects = await session.effectsOf(`MIGRATE 127.0.0.1 ${target.port} k 9 5000`);
		assert.deepEqual(effects, ['DEL k']);
		assert.equal(await session.run('EXISTS k'), ':0\r\n');
		await there.command(['SELECT', '9']);
		assert.equal(await there.command(['GET', 'k']), '$1\r\nv\r\n');
		const ttl = Number((await there.command(['PTTL', 'k'])).slice(1, -2));
		assert.isTrue(ttl > 90_000 && ttl <= 100_000, String(ttl));
		await there.command(['SELECT', '0']);
	});

	it('copies, replaces, and passes on what the other server says', async () => {
		await session.run('SET k v');
		assert.equal(await migrate(target.port, 'k', '0', '5000', 'copy'), '+OK\r\n');
		assert.equal(await session.run('EXISTS k'), ':1\r\n');
		assert.equal(
			await migrate(target.port, 'k', '0', '5000', 'COPY'),
			'-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n',
		);
		assert.deepEqual(await session.effectsOf(`MIGRATE 127.0.0.1 ${target.port} k 0 5000 COPY REPLACE`), []);
		assert.equal(await migrate(target.port, 'k', '0', '5000', 'REPLACE'), '+OK\r\n');
		assert.equal(await session.run('EXISTS k'), ':0\r\n');
		assert.equal(await migrate(target.port, 'k', '0', '5000'), '+NOKEY\r\n');
	});

	it('moves many keys, and deletes those alone that were taken', async () => {
		await session.run('MSET a 1 b 2 c 3 d 4');
		await there.command(['SET', 'b', 'busy']);
		const reply = await migrate(target.port, '', '0', '5000', 'KEYS', 'a', 'none', 'b', 'c', 'a');
		assert.include(reply, 'BUSYKEY');
		assert.equal(await session.run('EXISTS a b c d'), ':2\r\n');
		assert.equal(await there.command(['MGET', 'a', 'b', 'c']), '*3\r\n$1\r\n1\r\n$4\r\nbusy\r\n$1\r\n3\r\n');
	});

	it('writes nowhere where the database is refused', async () => {
		await session.run('SET k v');
		assert.include(await migrate(target.port, 'k', '99', '5000'), 'DB index is out of range');
		assert.equal(await there.command(['DBSIZE']), ':0\r\n');
		assert.equal(await session.run('EXISTS k'), ':1\r\n');
	});

	it('says what is wrong with the arguments', async () => {
		await session.run('SET k v');
		assert.include(await migrate(target.port, 'k', '0', 'soon'), 'not an integer');
		assert.include(await migrate(target.port, 'k', 'zero', '10'), 'not an integer');
		assert.include(await migrate(target.port, 'k', '0', '10', 'AUTH'), 'syntax error');
		assert.include(await migrate(target.port, 'k', '0', '10', 'AUTH2', 'u'), 'syntax error');
		assert.include(await migrate(target.port, 'k', '0', '10', 'NOW'), 'syntax error');
		assert.include(
			await migrate(target.port, 'k', '0', '10', 'KEYS', 'a'),
			'must be set to the empty string',
		);
		await session.run('MULTI', `MIGRATE 127.0.0.1 ${target.port} k 0 100`);
		assert.include(await session.run('EXEC'), 'not possible inside a transaction');
	});

	it('authenticates', async () => {
		const guarded = await session.fleet.start({ executable: ourServer() });
		await (await guarded.connect()).command(['CONFIG', 'SET', 'requirepass', 'secret']);
		await session.run('MSET k v l w');
		assert.include(await migrate(guarded.port, 'k', '0', '5000'), 'NOAUTH');
		assert.include(await migrate(guarded.port, 'k', '0', '5000', 'AUTH', 'wrong'), 'WRONGPASS');
		assert.equal(await migrate(guarded.port, 'k', '0', '5000', 'AUTH', 'secret'), '+OK\r\n');
		assert.equal(await migrate(guarded.port, 'l', '0', '5000', 'AUTH2', 'default', 'secret'), '+OK\r\n');
		assert.equal(await session.run('DBSIZE'), ':0\r\n');
		await guarded.stop();
	});

	it('keeps the connection, but not one that the other side has closed', async () => {
		const other = await session.fleet.start({ executable: ourServer() });
		await session.run('MSET k v l w');
		assert.equal(await migrate(other.port, 'k', '0', '5000'), '+OK\r\n');
		assert.match(await session.run('INFO stats'), /migrate_cached_sockets:[1-9]/);
		await other.kill();
		await sleep(100); // the end of the connection has been noticed
		assert.include(await migrate(other.port, 'l', '0', '500'), 'IOERR error or timeout connecting');
		assert.equal(await session.run('GET l'), '$1\r\nw\r\n');
	});

	it('moves what is larger than the buffers of a socket', async () => {
		const items = Array.from({ length: 50_000 }, (_, i) => `item ${i} ${'x'.repeat(i % 90)}`);
		for (let i = 0; i < items.length; i += 5000)
			await session.client.command(['RPUSH', 'big', ...items.slice(i, i + 5000)]);
		await session.client.command(['SET', 'blob', 'x'.repeat(20_000_000)]);
		assert.equal(await migrate(target.port, '', '0', '10000', 'KEYS', 'big', 'blob'), '+OK\r\n');
		assert.equal(await there.command(['LLEN', 'big']), ':50000\r\n');
		assert.equal(await there.command(['STRLEN', 'blob']), ':20000000\r\n');
		assert.equal(await session.run('DBSIZE'), ':0\r\n');
	});

	describe('with a server that does not answer', () => {
		let silent: Server;
		let port = 0;
		const sockets = new Set<Socket>();

		before(async () => {
			silent = createServer((socket) => {
				sockets.add(socket);
				socket.on('error', () => undefined);
				socket.resume();
			});
			await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
			port = (silent.address() as { port: number }).port;
		});
		after(() => {
			for (const socket of sockets) socket.destroy();
			silent.close();
		});

		it('gives up after the timeout, and keeps the key', async () => {
			await session.run('SET k v');
			const startMs = Date.now();
			assert.equal(
				await migrate(port, 'k', '0', '300'),
				'-IOERR error or timeout reading to target instance\r\n',
			);
			assert.isAtLeast(Date.now() - startMs, 290);
			assert.equal(await session.run('GET k'), '$1\r\nv\r\n');
		});

		it('lets everybody work but those who would change the key', async () => {
			await session.run('MSET k v l w');
			const waiting = migrate(port, 'k', '0', '700');
			await sleep(50);
			const writer = await session.server.connect();
			const order: string[] = [];
			const noted = (name: string, reply: Promise<string>): Promise<string> =>
				reply.then((text) => {
					order.push(name);
					return text;
				});
			const written = noted('append', writer.command(['APPEND', 'k', '!']));
			await sleep(50);
			const others = await session.client3.pipeline([
				['GET', 'k'],
				['SET', 'l', 'x'],
				['INCR', 'n'],
			]);
			assert.equal(others.join(''), '$1\r\nv\r\n+OK\r\n:1\r\n');
			assert.include(await session.client3.command(['INFO', 'clients']), 'blocked_clients:2');
			const flusher = await session.server.connect();
			const transaction = await session.server.connect();
			await transaction.pipeline([['MULTI'], ['APPEND', 'k', '?']]);
			const executed = noted('exec', transaction.command(['EXEC']));
			await sleep(20);
			const flushed = noted('flush', flusher.command(['FLUSHALL']));
			assert.include(await noted('migrate', waiting), 'IOERR');
			assert.equal(await written, ':2\r\n');
			assert.equal(await executed, '*1\r\n:3\r\n');
			assert.equal(await flushed, '+OK\r\n');
			assert.deepEqual(
				order.filter((name) => name !== 'migrate'),
				['append', 'exec', 'flush'],
			);
			assert.equal(await session.run('DBSIZE'), ':0\r\n');
		});

		it('serves a client that waits for another key only when it may write to this one', async () => {
			await session.run('RPUSH k v');
			const mover = await session.server.connect();
			const moved = mover.command(['BLMOVE', 'source', 'k', 'LEFT', 'RIGHT', '0']);
			await sleep(50);
			const waiting = migrate(port, 'k', '0', '400');
			await sleep(50);
			assert.equal(await session.client3.command(['RPUSH', 'source', 'x']), ':1\r\n');
			await sleep(100);
			assert.equal(await session.client3.command(['LRANGE', 'k', '0', '-1']), '*1\r\n$1\r\nv\r\n');
			assert.include(await waiting, 'IOERR');
			assert.equal(await moved, '$1\r\nx\r\n');
			assert.equal(await session.run('LRANGE k 0 -1'), '*2\r\n$1\r\nv\r\n$1\r\nx\r\n');
		});

		it('tries again where the connection breaks before anything was answered', async () => {
			let connections = 0;
			const flaky = createServer((socket) => {
				sockets.add(socket);
				socket.on('error', () => undefined);
				const isFirst = connections++ === 0;
				socket.on('data', () => (isFirst ? socket.destroy() : socket.write('+OK\r\n')));
			});
			await new Promise<void>((resolve) => flaky.listen(0, '127.0.0.1', resolve));
			await session.run('SET k v');
			assert.equal(await migrate((flaky.address() as { port: number }).port, 'k', '0', '2000'), '+OK\r\n');
			assert.equal(connections, 2);
			assert.equal(await session.run('EXISTS k'), ':0\r\n');
			flaky.close();
		});

		it('goes on when the client that asked has gone', async () => {
			await session.run('SET k v');
			const asker = await session.server.connect();
			asker.send(`MIGRATE 127.0.0.1 ${port} k 0 300\r\n`);
			await sleep(50);
			asker.destroy();
			assert.equal(await session.run('APPEND k !'), ':2\r\n');
			assert.equal(await session.run('PING'), '+PONG\r\n');
		});

		it('says that there is nobody to connect to', async () => {
			await session.run('SET k v');
			const nowhere = String(await freePort());
			const expected = '-IOERR error or timeout connecting to the client\r\n';
			assert.equal(await session.run(`MIGRATE 127.0.0.1 ${nowhere} k 0 500`), expected);
			assert.equal(await session.run('MIGRATE 127.0.0.1 99999999 k 0 500'), expected);
			assert.equal(await session.run('MIGRATE 127.0.0.1 port k 0 500'), expected);
		});
	});

	describe('with real Redis', () => {
		let real: ServerProcess;
		let client: RawClient;

		before(async function () {
			const executable = realServer();
			if (executable === undefined) return this.skip();
			real = await session.fleet.start({ executable });
			client = await real.connect();
		});

		it('to it and back: the same dataset', async () => {
			await session.run(...FILL);
			const digest = await session.run('DEBUG DIGEST');
			assert.equal(await migrate(real.port, '', '0', '5000', 'KEYS', ...FILLED_KEYS), '+OK\r\n');
			assert.equal(await session.run('DBSIZE'), ':0\r\n');
			assert.equal(await client.command(['DEBUG', 'DIGEST']), digest);
			const back = [
				'MIGRATE',
				'127.0.0.1',
				String(session.server.port),
				'',
				'0',
				'5000',
				'KEYS',
				...FILLED_KEYS,
			];
			assert.equal(await client.command(back), '+OK\r\n');
			assert.equal(await client.command(['DBSIZE']), ':0\r\n');
			assert.equal(await session.run('DEBUG DIGEST'), digest);
		});
	});
});
