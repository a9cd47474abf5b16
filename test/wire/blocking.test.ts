/** Commands that wait, over sockets: who is served when, by what, and what the log and the statistics say. */
import { assert } from 'chai';
import { logEntries } from '../support/log-entries.js';
import { encodeCommand, type RawClient } from '../support/raw-client.js';
import { integerOf, parseReply } from '../support/reply.js';
import { sleep } from '../support/server-process.js';
import { shape, WireSession } from '../support/wire-session.js';

/** As `shape` gives it in RESP2: every wait that ends without an element is answered by it. */
const NIL_ARRAY = '*';

describe('wire: blocking', function () {
	this.timeout(20_000);
	const session = new WireSession();
	const clients: RawClient[] = [];
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('FLUSHALL'));
	afterEach(async () => {
		for (const client of clients.splice(0)) client.destroy();
		await waitForBlocked(0);
	});

	async function newClient(): Promise<RawClient> {
		const client = await session.server.connect();
		clients.push(client);
		return client;
	}

	async function waitForBlocked(count: number): Promise<void> {
		for (;;) {
			const info = await session.run('info clients');
			if (info.includes(`\r\nblocked_clients:${count}\r\n`)) return;
			await sleep(2);
		}
	}

	/** A new client that waits in `command`; `behind` are sent with it. */
	async function waiting(command: string, ...behind: string[]): Promise<RawClient> {
		const info = await session.run('info clients');
		const count = Number(/blocked_clients:(\d+)/.exec(info)![1]);
		const client = await newClient();
		client.send([command, ...behind].map((line) => encodeCommand(line.split(' '))).join(''));
		await waitForBlocked(count + 1);
		return client;
	}

	/** The shape of the next reply of each client. */
	async function replies(...from: RawClient[]): Promise<unknown[]> {
		const shapes: unknown[] = [];
		for (const client of from) shapes.push(shape(parseReply(await client.reply())));
		return shapes;
	}

	/** Commands in one write from a new client. */
	async function pipeline(...commands: string[]): Promise<void> {
		const client = await newClient();
		await client.pipeline(commands.map((command) => command.split(' ')));
	}

	/** The entries of the log from the one numbered `first` on. */
	function entriesFrom(first: number): string[] {
		return logEntries(session.server.dir)
			.slice(first)
			.map((entry) => entry.join(' '));
	}

	describe('the order', () => {
		it('first come, first served', async () => {
			const [a, b, c] = [
				await waiting('blpop k 0'),
				await waiting('brpop x k 0'),
				await waiting('blpop k 0'),
			];
			await session.run('rpush k 1 2 3');
			assert.deepEqual(await replies(a, b, c), [
				['k', '1'],
				['k', '3'],
				['k', '2'],
			]);
		});

		it('of its keys a client takes the first that has something, whichever was filled first', async () => {
			const a = await waiting('blpop a b 0');
			await session.run('multi', 'rpush b 1', 'rpush a 2', 'exec');
			assert.deepEqual(await replies(a), [['a', '2']]);
			assert.equal(await session.run('llen b'), ':1\r\n');
		});

		it('requests behind a wait come after the others who wait', async () => {
			const a = await waiting('blpop k 0', 'blpop k 0', 'ping');
			const b = await waiting('blpop k 0');
			await session.run('rpush k 1 2');
			assert.deepEqual(await replies(a, b), [
				['k', '1'],
				['k', '2'],
			]);
			await session.run('rpush k 3');
			assert.deepEqual(await replies(a, a), [['k', '3'], '+PONG']);
		});

		it('moves that wait for one another run before the next request', async () => {
			const a = await waiting('blmove src dst left right 0');
			const b = await waiting('blmove dst src right left 0');
			const logged = logEntries(session.server.dir).length;
			await pipeline('set k1 v', 'lpush src e', 'set k2 v');
			assert.deepEqual(await replies(a, b), ['e', 'e']);
			assert.deepEqual(entriesFrom(logged), [
				'set k1 v',
				'lpush src e',
				'LMOVE src dst left right',
				'LMOVE dst src right left',
				'set k2 v',
			]);
		});

		it('a chain of a thousand clients that free one another', async () => {
			const first = await waiting('blpop k0 0', 'rpush k1 x');
			for (let i = 1; i < 1000; i++) {
				const client = await newClient();
				client.send(encodeCommand(['blpop', `k${i}`, '0']) + encodeCommand(['rpush', `k${i + 1}`, 'x']));
			}
			await waitForBlocked(1000);
			await session.run('rpush k0 x');
			assert.deepEqual(await replies(first, first), [['k0', 'x'], ':1']);
			await waitForBlocked(0);
			assert.equal(await session.run('llen k1000'), ':1\r\n');
		});
	});

	describe('what wakes a client that waits for a list', () => {
		const cases: readonly [name: string, commands: string[], expected: unknown][] = [
			['RENAME', ['rpush o 1', 'rename o k'], '1'],
			['COPY', ['rpush o 1', 'copy o k'], '1'],
			['SORT STORE', ['rpush o 1', 'sort o store k'], '1'],
			['SWAPDB', ['select 1', 'rpush k 1', 'swapdb 0 1', 'select 0'], '1'],
			['MOVE', ['select 1', 'rpush k 1', 'move k 0', 'select 0'], '1'],
			['LMOVE', ['rpush o 1', 'lmove o k left left'], '1'],
			['what is left after a transaction', ['multi', 'rpush k 1', 'del k', 'rpush k 2', 'exec'], '2'],
			['not a string, but the list after it', ['set k 1', 'del k', 'rpush k 2'], '2'],
			['not a sorted set, but the list after it', ['zadd k 1 m', 'del k', 'rpush k 2'], '2'],
			[
				'not a list gone by the end of its transaction',
				['multi', 'rpush k 1', 'del k', 'exec', 'rpush k 2'],
				'2',
			],
		];
		for (const [name, commands, expected] of cases) {
			it(name, async () => {
				const client = await waiting('blpop k 0');
				await session.run(...commands);
				assert.deepEqual(await replies(client), [['k', expected]]);
			});
		}

		it('an error ends the wait: the target of a move is no list', async () => {
			await session.run('set target x');
			const client = await waiting('brpoplpush k target 0');
			await session.run('rpush k 1');
			assert.match(String((await replies(client))[0]), /^-WRONGTYPE /);
			assert.equal(await session.run('llen k'), ':1\r\n');
		});

		it('an element that is expired when it is looked at does not, and the deadline stays', async () => {
			const client = await waiting('blpop k 0.5');
			const startedMs = performance.now();
			await session.run('multi', 'rpush k 1', 'pexpire k 20', 'debug sleep 0.1', 'exec');
			assert.deepEqual(await replies(client), [NIL_ARRAY]);
			assert.isBelow(performance.now() - startedMs, 700);
		});
	});

	describe('other ends of a wait', () => {
		it('CLIENT UNBLOCK, as a time-out or an error; what is behind goes on', async () => {
			const outcomes: readonly [reason: string, expected: unknown][] = [
				['timeout', NIL_ARRAY],
				['error', '-UNBLOCKED client unblocked via CLIENT UNBLOCK'],
			];
			for (const [reason, expected] of outcomes) {
				const client = await newClient();
				const id = integerOf(await client.command(['client', 'id']));
				client.send(encodeCommand(['blpop', 'k', '0']) + encodeCommand(['ping']));
				await waitForBlocked(1);
				assert.equal(await session.run(`client unblock ${id} ${reason}`), ':1\r\n');
				assert.deepEqual(await replies(client, client), [expected, '+PONG']);
				assert.equal(await session.run(`client unblock ${id} ${reason}`), ':0\r\n');
			}
		});

		it('in a transaction: the client goes on after it', async () => {
			const client = await newClient();
			const id = integerOf(await client.command(['client', 'id']));
			client.send(encodeCommand(['blpop', 'k', '0']) + encodeCommand(['set', 'x', 'theirs']));
			await waitForBlocked(1);
			const reply = await session.run('multi', `client unblock ${id}`, 'get x', 'exec');
			assert.equal(reply, '*2\r\n:1\r\n$-1\r\n');
			assert.deepEqual(await replies(client, client), [NIL_ARRAY, '+OK']);
		});

		it('commands held back by CLIENT PAUSE come after the transaction that ends it', async () => {
			await session.run('client pause 100000 write');
			const client = await waiting('set x theirs', 'get x');
			assert.equal(await session.run('multi', 'client unpause', 'get x', 'exec'), '*2\r\n+OK\r\n$-1\r\n');
			assert.deepEqual(await replies(client, client), ['+OK', 'theirs']);
		});

		it('a client that is gone gets nothing', async () => {
			const [a, b] = [await waiting('blpop k 0'), await waiting('blpop k 0')];
			a.destroy();
			await waitForBlocked(1);
			await session.run('rpush k 1');
			assert.deepEqual(await replies(b), [['k', '1']]);
		});

		it('CLIENT REPLY SKIP and OFF hold for the reply to a wait', async () => {
			const client = await waiting('ping', 'client reply skip', 'blpop k 0', 'ping');
			await session.run('rpush k 1');
			assert.deepEqual(await replies(client, client), ['+PONG', '+PONG']);
			client.send(encodeCommand(['client', 'reply', 'off']) + encodeCommand(['blpop', 'k', '0.01']));
			client.send(encodeCommand(['client', 'reply', 'on']));
			assert.deepEqual(await replies(client), ['+OK']);
		});
	});

	it('counts a command that waited once, and as failed if it ended with an error', async () => {
		await session.run('config resetstat', 'set target x');
		const client = await waiting('blpop k 0');
		await session.run('rpush k 1');
		await client.reply();
		await client.command(['blpop', 'k', '0.01']);
		const other = await waiting('brpoplpush k target 0');
		await session.run('rpush k 1');
		await other.reply();
		const stats = await session.run('info commandstats');
		assert.match(stats, /cmdstat_blpop:calls=2,.*,rejected_calls=0,failed_calls=0\r/);
		assert.match(stats, /cmdstat_brpoplpush:calls=1,.*,rejected_calls=0,failed_calls=1\r/);
	});

	it('waits at least as long as it was asked to', async () => {
		const client = await newClient();
		for (const seconds of ['0.001', '0.02', '0.1']) {
			const startedMs = performance.now();
			assert.equal(await client.command(['blpop', 'k', seconds]), '*-1\r\n');
			const tookMs = performance.now() - startedMs;
			assert.isAtLeast(tookMs, Number(seconds) * 1000);
		}
	});
});
