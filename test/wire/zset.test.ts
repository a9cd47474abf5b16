/** Sorted sets over a socket: what goes into the log, both protocols, errors, waiting, bytes of any value. */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { logEntries } from '../support/log-entries.js';
import type { RawClient } from '../support/raw-client.js';
import { parseReply, type Reply, textsOf } from '../support/reply.js';
import { ServerFleet, type ServerProcess } from '../support/server-process.js';

const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const NIL = '$-1\r\n';
const NIL_ARRAY = '*-1\r\n';
const WRONGTYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

/** A reply as a nested array of texts: `null` for nils, doubles and integers with their type byte. */
function shape(reply: Reply): unknown {
	if (reply.items !== null) return reply.items.map(shape);
	return reply.type === '$' ? reply.text : reply.type + (reply.text ?? '');
}

describe('wire: sorted sets', function () {
	this.timeout(20_000);
	const fleet = new ServerFleet();
	let server: ServerProcess;
	let client: RawClient;
	/** The same server, in RESP3. */
	let client3: RawClient;

	before(async () => {
		server = await fleet.start({ executable: ourServer(), options: { appendonly: 'yes' } });
		client = await server.connect();
		client3 = await server.connect();
		await client3.command(['HELLO', '3']);
	});
	after(() => fleet.close());
	beforeEach(() => client.command(['FLUSHALL']));

	async function run(...commands: string[]): Promise<string> {
		let last = '';
		for (const command of commands) last = await client.command(words(command));
		return last;
	}

	/** The entries that come into the log while the commands are executed. */
	async function effectsOf(...commands: string[]): Promise<string[]> {
		const before = logEntries(server.dir).length;
		await run(...commands);
		return logEntries(server.dir)
			.slice(before)
			.map((entry) => entry.join(' '));
	}

	describe('the log', () => {
		const cases: readonly [name: string, setUp: string[], command: string, effects: string[]][] = [
			['ZADD', [], 'zadd z 1 a 2 b', ['zadd z 1 a 2 b']],
			['ZADD that changes nothing', ['zadd z 1 a'], 'zadd z 1 a', []],
			['ZADD NX of a member that is there', ['zadd z 1 a'], 'zadd z nx 2 a', []],
			['ZADD INCR', ['zadd z 1 a'], 'zadd z incr 0.1 a', ['zadd z incr 0.1 a']],
			['ZREM', ['zadd z 1 a'], 'zrem z a', ['zrem z a']],
			['ZREM of nothing', ['zadd z 1 a'], 'zrem z b', []],
			['ZPOPMIN', ['zadd z 1 a 2 b'], 'zpopmin z', ['zpopmin z']],
			['ZMPOP', ['zadd z 1 a 2 b'], 'zmpop 2 y z max count 9', ['ZPOPMAX z 2']],
			['ZMPOP of nothing', [], 'zmpop 2 y z max', []],
			['BZPOPMIN', ['zadd z 1 a'], 'bzpopmin y z 0', ['ZPOPMIN z']],
			['BZPOPMAX', ['zadd z 1 a'], 'bzpopmax z 0.5', ['ZPOPMAX z']],
			['BZMPOP', ['zadd z 1 a 2 b'], 'bzmpop 0 1 z min', ['ZPOPMIN z 1']],
			['ZUNIONSTORE', ['zadd z 1 a'], 'zunionstore y 1 z', ['zunionstore y 1 z']],
			['ZUNIONSTORE of nothing', ['zadd y 1 a'], 'zunionstore y 1 z', ['zunionstore y 1 z']],
			['ZUNIONSTORE, nothing to nothing', [], 'zunionstore y 1 z', []],
			['ZRANGESTORE', ['zadd z 1 a'], 'zrangestore y z 0 -1', ['zrangestore y z 0 -1']],
			['ZREMRANGEBYRANK', ['zadd z 1 a'], 'zremrangebyrank z 0 0', ['zremrangebyrank z 0 0']],
			['ZREMRANGEBYSCORE of nothing', ['zadd z 1 a'], 'zremrangebyscore z 2 3', []],
		];
		for (const [name, setUp, command, effects] of cases) {
			it(`has of ${name}: ${effects.join(', ') || 'nothing'}`, async () => {
				await run(...setUp);
				assert.deepEqual(await effectsOf(command), effects);
			});
		}

		it('has the pop that a waiting command did, behind the write that woke it', async () => {
			const waiting = await server.connect();
			const before = logEntries(server.dir).length;
			waiting.send('BZMPOP 0 2 y z MAX COUNT 5\r\n');
			await waitingClients(1);
			await run('zadd z 1 a 2 b 3 c');
			assert.deepEqual(shape(parseReply(await waiting.reply())), [
				'z',
				[
					['c', '3'],
					['b', '2'],
					['a', '1'],
				],
			]);
			const effects = logEntries(server.dir).slice(before);
			assert.deepEqual(
				effects.map((entry) => entry.join(' ')),
				['zadd z 1 a 2 b 3 c', 'ZPOPMAX z 3'],
			);
			waiting.destroy();
		});

		it('gives the same dataset after a crash', async () => {
			const other = await fleet.start({ executable: ourServer(), options: { appendonly: 'yes' } });
			const first = await other.connect();
			await first.pipeline([
				['ZADD', 'z', '0.1', ALL_BYTES, '-0', 'minus', 'inf', '\r\n', '1e-300', ''],
				['ZINCRBY', 'z', '0.2', ALL_BYTES],
				...Array.from({ length: 300 }, (_, i) => ['ZADD', 'big', String(i % 7), `m${i}`]),
				['ZREMRANGEBYLEX', 'big', '[m2', '(m3'],
				['ZRANGESTORE', 'lex', 'big', '[m1', '[m9', 'BYLEX', 'REV'],
				['ZRANGESTORE', 'some', 'big', '10', '200', 'REV'],
				['ZINTERSTORE', 'sum', '2', 'big', 'some', 'WEIGHTS', '0.1', '0.2'],
				['BZPOPMAX', 'sum', '0'],
				['ZMPOP', '1', 'sum', 'MIN', 'COUNT', '3'],
			]);
			const digest = await first.command(['DEBUG', 'DIGEST']);
			await other.kill();
			const again = await fleet.start({
				executable: ourServer(),
				dir: other.dir,
				options: { appendonly: 'yes' },
			});
			assert.equal(await (await again.connect()).command(['DEBUG', 'DIGEST']), digest);
		});
	});

	describe('the replies of RESP3', () => {
		const cases: readonly [command: string, expected: unknown][] = [
			['zscore z b', ',1.5'],
			['zscore z none', '_'],
			['zmscore z a none', [',1', '_']],
			['zincrby z 0.5 b', ',2'],
			['zadd z xx incr 1 none', '_'],
			['zrange z 0 -1', ['a', 'b', 'c']],
			[
				'zrange z 0 -1 withscores',
				[
					['a', ',1'],
					['b', ',1.5'],
					['c', ',inf'],
				],
			],
			['zrangebyscore z -inf (2 withscores limit 1 5', [['b', ',1.5']]],
			['zrange none 0 -1 withscores', []],
			[
				'zunion 2 z s withscores',
				[
					['a', ',1'],
					['x', ',1'],
					['b', ',1.5'],
					['c', ',inf'],
				],
			],
			[
				'zdiff 2 z s withscores',
				[
					['a', ',1'],
					['b', ',1.5'],
					['c', ',inf'],
				],
			],
			['zrank z b withscore', [':1', ',1.5']],
			['zrank z none withscore', '_'],
			['zrank z none', '_'],
			['zpopmin z', ['a', ',1']],
			['zpopmin z 1', [['a', ',1']]],
			['zpopmax z 0', []],
			['zmpop 1 z max', ['z', [['c', ',inf']]]],
			['zmpop 1 none max', '_'],
			['bzpopmin z 0', ['z', 'a', ',1']],
			[
				'bzmpop 0 1 z min count 2',
				[
					'z',
					[
						['a', ',1'],
						['b', ',1.5'],
					],
				],
			],
			['bzpopmin none 0.001', '_'],
			['zrandmember one 1 withscores', [['a', ',7']]],
			[
				'zrandmember one -2 withscores',
				[
					['a', ',7'],
					['a', ',7'],
				],
			],
			['zrandmember one', 'a'],
			['zrandmember none', '_'],
			['zrandmember none 3', []],
			['zscan z 0', ['0', ['a', '1', 'b', '1.5', 'c', 'inf']]],
			['zscan z 0 match b', ['0', ['b', '1.5']]],
			['zscan none 0', ['0', []]],
		];
		for (const [command, expected] of cases) {
			it(command, async () => {
				await run('zadd z 1 a 1.5 b inf c', 'zadd one 7 a', 'sadd s x');
				assert.deepEqual(shape(parseReply(await client3.command(words(command)))), expected);
			});
		}

		it('flat in RESP2', async () => {
			await run('zadd z 1 a 1.5 b');
			assert.deepEqual(textsOf(parseReply(await run('zrange z 0 -1 withscores'))), ['a', '1', 'b', '1.5']);
			assert.deepEqual(textsOf(parseReply(await run('zpopmax z 2'))), ['b', '1.5', 'a', '1']);
			assert.equal(await run('zrank z none withscore'), NIL_ARRAY);
			assert.equal(await run('zmpop 1 none min'), NIL_ARRAY);
			assert.equal(await run('zscore z none'), NIL);
		});
	});

	describe('errors', () => {
		const cases: readonly [command: string, text: string][] = [
			['zadd z nx xx 1 a', 'ERR XX and NX options at the same time are not compatible'],
			['zadd z gt lt 1 a', 'ERR GT, LT, and/or NX options at the same time are not compatible'],
			['zadd z nx gt 1 a', 'ERR GT, LT, and/or NX options at the same time are not compatible'],
			['zadd z incr 1 a 2 b', 'ERR INCR option supports a single increment-element pair'],
			['zadd z 1 a 2', 'ERR syntax error'],
			['zadd z ch nx', 'ERR syntax error'],
			['zadd z 1 a x b', 'ERR value is not a valid float'],
			['zadd str nan a', 'ERR value is not a valid float'],
			['zadd z incr -inf top', 'ERR resulting score is not a number (NaN)'],
			['zincrby z nx top', 'ERR syntax error'],
			[
				'zrange z 0 -1 limit 0 1',
				'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
			],
			[
				'zrange z [a [b bylex withscores',
				'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
			],
			['zrange z a b byscore', 'ERR min or max is not a float'],
			['zrange z a b bylex', 'ERR min or max not valid string range item'],
			['zrange z a b', 'ERR value is not an integer or out of range'],
			['zrange z 0 1 byscore bylex', 'ERR syntax error'],
			['zrangestore y z 0 1 withscores', 'ERR syntax error'],
			['zrevrange z 0 1 rev', 'ERR syntax error'],
			['zcount z 1 nan', 'ERR min or max is not a float'],
			['zlexcount z a [b', 'ERR min or max not valid string range item'],
			['zrank z a b', 'ERR syntax error'],
			['zrank z a withscore b', "ERR wrong number of arguments for 'zrank' command"],
			['zunion 0 z', "ERR at least 1 input key is needed for 'zunion' command"],
			['zunionstore y 0 z', "ERR at least 1 input key is needed for 'zunionstore' command"],
			['zinter 2 z', 'ERR syntax error'],
			['zinter x z', 'ERR value is not an integer or out of range'],
			['zinter 1 z weights x', 'ERR weight value is not a float'],
			['zinter 1 z weights 1 2', 'ERR syntax error'],
			['zinter 1 z aggregate avg', 'ERR syntax error'],
			['zdiff 1 z weights 1', 'ERR syntax error'],
			['zunionstore y 1 z withscores', 'ERR syntax error'],
			['zintercard 1 z limit -1', "ERR LIMIT can't be negative"],
			['zintercard 1 z limit x', "ERR LIMIT can't be negative"],
			['zpopmin z 1 2', 'ERR syntax error'],
			['zpopmin z -1', 'ERR value is out of range, must be positive'],
			['zmpop 0 z min', 'ERR numkeys should be greater than 0'],
			['zmpop 1 z mid', 'ERR syntax error'],
			['zmpop 3 z min', 'ERR syntax error'],
			['zmpop 1 z min count 0', 'ERR count should be greater than 0'],
			['zmpop 1 z min count 1 count 1', 'ERR syntax error'],
			['bzpopmin z x', 'ERR timeout is not a float or out of range'],
			['bzpopmin z -1', 'ERR timeout is negative'],
			['bzmpop x 1 z min', 'ERR timeout is not a float or out of range'],
			['bzmpop x 1 z mid', 'ERR syntax error'],
			['zrandmember z x', 'ERR value is not an integer or out of range'],
			['zrandmember z 1 scores', 'ERR syntax error'],
			['zrandmember z -9223372036854775807 withscores', 'ERR value is out of range'],
			['zrandmember z -9223372036854775807', 'ERR value is out of range'],
			['zscan z x', 'ERR invalid cursor'],
			['zscan z 0 count 0', 'ERR syntax error'],
		];
		for (const [command, text] of cases) {
			it(`${command}: ${text}`, async () => {
				await run('zadd z inf top', 'set str x');
				assert.equal(await run(command), `-${text}\r\n`);
				assert.equal(await run('zcard z'), ':1\r\n');
			});
		}

		it('a key of another type', async () => {
			await run('set str x');
			const commands = [
				'zadd str 1 a',
				'zincrby str 1 a',
				'zrem str a',
				'zcard str',
				'zscore str a',
				'zmscore str a',
				'zrank str a',
				'zcount str 0 1',
				'zlexcount str - +',
				'zrange str 0 1',
				'zrangestore y str 0 1',
				'zremrangebyrank str 0 1',
				'zunion 1 str syntax',
				'zinterstore y 2 none str',
				'zintercard 1 str',
				'zpopmin str 0',
				'zmpop 2 none str min',
				'bzpopmax none str 0',
				'bzmpop 0 1 str max',
				'zrandmember str',
				'zscan str 0',
			];
			for (const command of commands) assert.equal(await run(command), WRONGTYPE, command);
		});
	});

	describe('bounds of scores', () => {
		// strtod alone reads them: white space in front, a zero byte ends it, an overflow is infinite.
		const cases: readonly [bound: string, count: number][] = [
			['-inf', 4],
			['(-inf', 3],
			['', 2],
			['(', 1],
			[' 1', 1],
			['1\0rest', 1],
			['-1e999', 4],
			['(-1e999', 3],
			['1e-999', 2],
			['-1e-999', 2],
			['0x1p-2000', 2],
			['1e999', 0],
			['Infinity', 0],
		];
		for (const [bound, count] of cases) {
			it(JSON.stringify(bound), async () => {
				await run('zadd z -inf low -1 minus 0 zero 1 one');
				assert.equal(await client.command(['ZCOUNT', 'z', bound, '+inf']), `:${count}\r\n`);
			});
		}
	});

	describe('waiting', () => {
		it('is served in the order of arrival, by any command that makes the key', async () => {
			const [first, second] = [await server.connect(), await server.connect()];
			first.send('BZPOPMIN y z 0\r\n');
			await waitingClients(1);
			second.send('BZPOPMAX z 0\r\n');
			await waitingClients(2);
			await run('sadd s a b', 'zunionstore z 1 s');
			assert.deepEqual(textsOf(parseReply(await first.reply())), ['z', 'a', '1']);
			assert.deepEqual(textsOf(parseReply(await second.reply())), ['z', 'b', '1']);
			assert.equal(await run('exists z'), ':0\r\n');
			first.destroy();
			second.destroy();
		});

		it('ends with a nil when the time is over, and at once in a transaction', async () => {
			assert.equal(await run('bzpopmin z 0.01'), NIL_ARRAY);
			assert.equal(await run('bzmpop 0.01 1 z min'), NIL_ARRAY);
			assert.equal(
				await run('multi', 'bzpopmin z 0', 'bzmpop 0 1 z min', 'exec'),
				`*2\r\n${NIL_ARRAY}${NIL_ARRAY}`,
			);
		});

		it('goes on where a key of another type appears', async () => {
			const waiting = await server.connect();
			waiting.send('BZPOPMIN z 0\r\n');
			await waitingClients(1);
			await run('rpush z a', 'del z', 'zadd z 3 c');
			assert.deepEqual(textsOf(parseReply(await waiting.reply())), ['z', 'c', '3']);
			waiting.destroy();
		});
	});

	it('members are bytes', async () => {
		const members = ['', '\0', '\r\n', ALL_BYTES, '__proto__', '\xff', 'é'];
		await client.command(['ZADD', 'z', ...members.flatMap((member) => ['0', member])]);
		assert.deepEqual(textsOf(parseReply(await run('zrange z 0 -1'))), [...members].sort(byBytes));
		for (const member of members) assert.equal(await client.command(['ZSCORE', 'z', member]), '$1\r\n0\r\n');
	});

	it('the sign of a zero goes in a listpack and stays in a skiplist', async () => {
		await run('zadd z -0 a', 'config set zset-max-listpack-entries 0', 'zadd y -0 a');
		assert.equal(await run('zscore z a'), '$1\r\n0\r\n');
		assert.equal(await run('zscore y a'), '$2\r\n-0\r\n');
		await run('config set zset-max-listpack-entries 128');
	});

	/** Waits until so many clients are blocked. */
	async function waitingClients(count: number): Promise<void> {
		for (;;) {
			const info = await client.command(['INFO', 'clients']);
			if (info.includes(`blocked_clients:${count}\r\n`)) return;
		}
	}
});

function words(command: string): string[] {
	return command.split(' ');
}

function byBytes(a: string, b: string): number {
	return a < b ? -1 : 1;
}
