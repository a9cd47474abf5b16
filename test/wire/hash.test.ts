/** Hashes over a socket: what goes into the log, both protocols, errors, bytes of any value. */
import { assert } from 'chai';
import { parseReply, textsOf } from '../support/reply.js';
import { WireSession } from '../support/wire-session.js';

const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const WRONGTYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

describe('wire: hashes', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('FLUSHALL'));

	describe('the log', () => {
		const cases: readonly [name: string, setUp: string[], command: string, effects: string[]][] = [
			['HSET', [], 'hset h a 1 b 2', ['hset h a 1 b 2']],
			['HSETNX of a field that is there', ['hset h a 1'], 'hsetnx h a 2', []],
			['HDEL', ['hset h a 1'], 'hdel h a b', ['hdel h a b']],
			['HDEL of nothing', ['hset h a 1'], 'hdel h b', []],
			['HINCRBY', ['hset h a 1'], 'hincrby h a -3', ['hincrby h a -3']],
			['HINCRBYFLOAT', ['hset h a 0.1'], 'hincrbyfloat h a 0.2', ['HSET h a 0.3']],
			['HRANDFIELD', ['hset h a 1'], 'hrandfield h -3', []],
		];
		for (const [name, setUp, command, effects] of cases) {
			it(`has of ${name}: ${effects.join(', ') || 'nothing'}`, async () => {
				await session.run(...setUp);
				assert.deepEqual(await session.effectsOf(command), effects);
			});
		}
	});

	describe('the replies of RESP3 and RESP2', () => {
		const cases: readonly [command: string, resp3: unknown, resp2: unknown][] = [
			['hgetall h', ['%', 'a', '1', 'b', '2'], ['a', '1', 'b', '2']],
			['hgetall none', ['%'], []],
			['hkeys h', ['a', 'b'], ['a', 'b']],
			['hvals none', [], []],
			['hget h none', '_', null],
			['hmget h a none', ['1', '_'], ['1', null]],
			['hincrbyfloat h a 0.5', '1.5', '2'],
			['hrandfield one -2', ['f', 'f'], ['f', 'f']],
			[
				'hrandfield one -2 withvalues',
				[
					['f', 'v'],
					['f', 'v'],
				],
				['f', 'v', 'f', 'v'],
			],
			['hrandfield one 9 withvalues', [['f', 'v']], ['f', 'v']],
			['hrandfield none', '_', null],
			['hrandfield none 3', [], []],
			['hscan h 0 match b', ['0', ['b', '2']], ['0', ['b', '2']]],
			['hscan none 0', ['0', []], ['0', []]],
		];
		for (const [command, resp3, resp2] of cases) {
			it(command, async () => {
				await session.run('hset h a 1 b 2', 'hset one f v');
				assert.deepEqual(await session.shape3(command), resp3);
				assert.deepEqual(await session.shape2(command), resp2);
			});
		}
	});

	describe('errors', () => {
		const cases: readonly [command: string, text: string][] = [
			['hset h a', "ERR wrong number of arguments for 'hset' command"],
			['hset h a 1 b', "ERR wrong number of arguments for 'hset' command"],
			['hmset h a 1 b', "ERR wrong number of arguments for 'hmset' command"],
			['hincrby h text 1', 'ERR hash value is not an integer'],
			['hincrby h text x', 'ERR value is not an integer or out of range'],
			['hincrby h max 1', 'ERR increment or decrement would overflow'],
			['hincrbyfloat h text 1', 'ERR hash value is not a float'],
			['hincrbyfloat h text x', 'ERR value is not a valid float'],
			['hincrbyfloat h text inf', 'ERR value is NaN or Infinity'],
			['hincrbyfloat str a inf', 'ERR value is NaN or Infinity'],
			['hincrbyfloat str a x', 'ERR value is not a valid float'],
			['hincrbyfloat h inf 1', 'ERR increment would produce NaN or Infinity'],
			['hrandfield h x', 'ERR value is not an integer or out of range'],
			['hrandfield h 1 fields', 'ERR syntax error'],
			['hrandfield h 1 withvalues x', 'ERR syntax error'],
			['hrandfield h 9223372036854775807 withvalues', 'ERR value is out of range'],
			['hrandfield h -9223372036854775807', 'ERR value is out of range'],
			['hscan h x', 'ERR invalid cursor'],
			['hscan none x', 'ERR invalid cursor'],
			['hscan h 0 count 0', 'ERR syntax error'],
			['hscan h 0 count x', 'ERR value is not an integer or out of range'],
			['hscan h 0 type hash', 'ERR syntax error'],
		];
		for (const [command, text] of cases) {
			it(`${command}: ${text}`, async () => {
				await session.run('hset h text abc max 9223372036854775807 inf inf', 'set str x');
				assert.deepEqual(await session.effectsOf(command), []);
				assert.equal(await session.run(command), `-${text}\r\n`);
			});
		}

		it('a key of another type', async () => {
			await session.run('set str x');
			const commands = ['hset str a 1', 'hsetnx str a 1', 'hget str a', 'hmget str a', 'hdel str a'].concat(
				['hlen str', 'hstrlen str a', 'hexists str a', 'hkeys str', 'hvals str', 'hgetall str'],
				['hincrby str a 1', 'hincrbyfloat str a 1', 'hrandfield str', 'hrandfield str 0', 'hscan str 0 x'],
			);
			for (const command of commands) assert.equal(await session.run(command), WRONGTYPE, command);
		});
	});

	it('keeps every byte of keys, fields and values, `__proto__` included', async () => {
		for (const name of [ALL_BYTES, '', '__proto__', 'constructor', '\r\n']) {
			await session.client.command(['HSET', name, name, ALL_BYTES]);
			assert.equal(await session.client.command(['HGET', name, name]), `$256\r\n${ALL_BYTES}\r\n`);
			assert.deepEqual(textsOf(parseReply(await session.client.command(['HGETALL', name]))), [
				name,
				ALL_BYTES,
			]);
		}
	});

	it('draws every field alike, and distinct ones for a positive count', async () => {
		const fields = Array.from({ length: 600 }, (_, i) => `f${i}`);
		await session.client.command(['HSET', 'big', ...fields.flatMap((field) => [field, 'v'])]);
		for (const count of [1, 10, 199, 201, 599, 600, 9999]) {
			const drawn = textsOf(parseReply(await session.run(`hrandfield big ${count}`)));
			assert.lengthOf(drawn, Math.min(count, 600));
			assert.equal(new Set(drawn).size, drawn.length);
		}
		const repeated = textsOf(parseReply(await session.run('hrandfield big -12000')));
		assert.equal(new Set(repeated).size, 600);
	});

	it('tells subscribers, and only where something changed', async () => {
		await session.run('config set notify-keyspace-events KEA');
		const listener = await session.server.connect();
		await listener.command(['PSUBSCRIBE', '__keyevent@0__:*']);
		await session.run('hset h a 1', 'hset h a 1', 'hsetnx h a 1', 'hincrby h a 1', 'hincrbyfloat h a 1');
		await session.run('hdel h z', 'hdel h a', 'hdel h a', 'config set notify-keyspace-events ""');
		const events: string[] = [];
		for (let i = 0; i < 6; i++) events.push(textsOf(parseReply(await listener.reply()))[2]!.split(':')[1]!);
		assert.deepEqual(events, ['hset', 'hset', 'hincrby', 'hincrbyfloat', 'hdel', 'del']);
		listener.destroy();
	});

	// The last: it ends the server.
	describe('a crash', () => {
		it('leaves the same dataset', async () => {
			await session.client.pipeline([
				['HSET', 'h', ALL_BYTES, ALL_BYTES, '', ''],
				...Array.from({ length: 700 }, (_, i) => ['HINCRBYFLOAT', 'h', `f${i % 600}`, '0.1']),
				['HDEL', 'h', 'f1', 'f2'],
				['HINCRBY', 'h', 'n', '9007199254740993'],
				['COPY', 'h', 'h2'],
			]);
			const [before, after] = await session.digestsAroundCrash();
			assert.equal(after, before);
		});
	});
});
