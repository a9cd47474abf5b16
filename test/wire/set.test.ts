/** Sets over a socket: what goes into the log, both protocols, errors, encodings of results, draws. */
import { assert } from 'chai';
import { parseReply, textsOf } from '../support/reply.js';
import { WireSession } from '../support/wire-session.js';

const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
const WRONGTYPE = '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n';

describe('wire: sets', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('FLUSHALL'));

	describe('the log', () => {
		const cases: readonly [name: string, setUp: string[], command: string, effects: string[]][] = [
			['SADD', [], 'sadd s a b', ['sadd s a b']],
			['SADD of what is there', ['sadd s a'], 'sadd s a', []],
			['SREM', ['sadd s a b'], 'srem s a x', ['srem s a x']],
			['SREM of nothing', ['sadd s a'], 'srem s x', []],
			['SMOVE', ['sadd s a'], 'smove s t a', ['smove s t a']],
			['SMOVE to itself', ['sadd s a'], 'smove s s a', []],
			['SPOP', ['sadd s a'], 'spop s', ['SREM s a']],
			['SPOP of all', ['sadd s a b'], 'spop s 2', ['DEL s']],
			['SPOP of nothing', ['sadd s a b'], 'spop s 0', []],
			['SRANDMEMBER', ['sadd s a b'], 'srandmember s 1', []],
			['SUNIONSTORE', ['sadd s a'], 'sunionstore d s t', ['sunionstore d s t']],
			['SDIFFSTORE of nothing', ['sadd s a', 'set d x'], 'sdiffstore d s s', ['sdiffstore d s s']],
			['SINTERSTORE, nothing to nothing', ['sadd s a'], 'sinterstore d s t', []],
		];
		for (const [name, setUp, command, effects] of cases) {
			it(`has of ${name}: ${effects.join(', ') || 'nothing'}`, async () => {
				await session.run(...setUp);
				assert.deepEqual(await session.effectsOf(command), effects);
			});
		}

		it('has of SPOP with a count the SREM of what was taken, in pieces of 1024', async () => {
			const members = Array.from({ length: 3000 }, (_, i) => `m${i}`);
			await session.client.command(['SADD', 's', ...members]);
			let popped: (string | null)[] = [];
			const effects = await session.effectsOf('spop s 2');
			assert.match(effects.join('|'), /^SREM s m\d+ m\d+$/);
			const many = await session.effectsOf('spop s 2500');
			assert.deepEqual(
				many.map((entry) => entry.split(' ').length),
				[1, 1026, 1026, 454, 1],
			);
			popped = many.slice(1, -1).flatMap((entry) => entry.split(' ').slice(2));
			assert.equal(new Set(popped).size, 2500);
			assert.equal(await session.run('scard s'), ':498\r\n');
		});
	});

	describe('the replies of RESP3 and RESP2', () => {
		const cases: readonly [command: string, resp3: unknown, resp2: unknown][] = [
			['smembers s', ['~', '1', '2', '3'], ['1', '2', '3']],
			['smembers none', ['~'], []],
			['sinter s t', ['~', '3'], ['3']],
			['sinter s none', ['~'], []],
			['sunion s t', ['~', '1', '2', '3', '4'], ['1', '2', '3', '4']],
			['sdiff s t', ['~', '1', '2'], ['1', '2']],
			['spop one', 'x', null],
			['spop none', '_', null],
			['spop none 3', ['~'], []],
			['spop s 0', ['~'], []],
			['srandmember one 3', ['x'], ['x']],
			['srandmember one -2', ['x', 'x'], ['x', 'x']],
			['srandmember none', '_', null],
			['srandmember none 1', [], []],
			['smismember s 1 9', [':1', ':0'], [':1', ':0']],
			['sintercard 2 s t limit 1', ':1', ':1'],
			['sscan t 0', ['0', ['3', '4']], ['0', ['3', '4']]],
		];
		for (const [command, resp3, resp2] of cases) {
			it(command, async () => {
				await session.run('sadd s 3 2 1', 'sadd t 3 4', 'sadd one x');
				assert.deepEqual(await session.shape3(command), resp3);
				assert.deepEqual(await session.shape2(command), resp2);
			});
		}
	});

	describe('errors', () => {
		const cases: readonly [command: string, text: string][] = [
			['spop s 1 2', 'ERR syntax error'],
			['spop s -1', 'ERR value is out of range, must be positive'],
			['spop str x', 'ERR value is out of range, must be positive'],
			['srandmember s 1 2', 'ERR syntax error'],
			['srandmember s x', 'ERR value is not an integer or out of range'],
			['srandmember s -9223372036854775807', 'ERR value is out of range'],
			[
				'srandmember s -9223372036854775808',
				'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
			],
			['sintercard 0 s', 'ERR numkeys should be greater than 0'],
			['sintercard x s', 'ERR numkeys should be greater than 0'],
			['sintercard 2 s', "ERR Number of keys can't be greater than number of args"],
			['sintercard 1 s limit', 'ERR syntax error'],
			['sintercard 1 s limit -1', "ERR LIMIT can't be negative"],
			['sintercard 1 s bound 1', 'ERR syntax error'],
			['sscan s x', 'ERR invalid cursor'],
			['sscan s 0 count 0', 'ERR syntax error'],
		];
		for (const [command, text] of cases) {
			it(`${command}: ${text}`, async () => {
				await session.run('sadd s a', 'set str x');
				assert.equal(await session.run(command), `-${text}\r\n`);
				assert.equal(await session.run('scard s'), ':1\r\n');
			});
		}

		it('a key of another type', async () => {
			await session.run('set str x', 'sadd s a');
			const commands = [
				'sadd str a',
				'srem str a',
				'scard str',
				'sismember str a',
				'smismember str a',
			].concat(
				['smembers str', 'spop str', 'spop str 1', 'srandmember str', 'srandmember str 1', 'sscan str 0'],
				['sinter none str', 'sunion s str', 'sdiff none str', 'sintercard 2 none str', 'smove str s a'],
				['sinterstore s none str', 'sunionstore s s str', 'sdiffstore s none str', 'smove s str a'],
			);
			for (const command of commands) assert.equal(await session.run(command), WRONGTYPE, command);
			assert.deepEqual(await session.shape2('smembers s'), ['a']);
			assert.equal(await session.run('smove none str a'), ':0\r\n');
		});
	});

	describe('the encoding of a result', () => {
		const cases: readonly [command: string, encoding: string][] = [
			['sinterstore d ints mixed', 'intset'],
			['sinterstore d mixed mixed', 'listpack'],
			['sinterstore d big ints', 'intset'],
			['sinterstore d big big', 'hashtable'],
			['sunionstore d ints ints', 'intset'],
			['sunionstore d ints mixed', 'listpack'],
			['sunionstore d ints big', 'hashtable'],
			['sdiffstore d mixed ints', 'listpack'],
			['sdiffstore d ints none', 'intset'],
		];
		for (const [command, encoding] of cases) {
			it(`${command}: ${encoding}`, async () => {
				await session.run('sadd ints 1 2 3', 'sadd mixed 3 2 a');
				const members = Array.from({ length: 200 }, (_, i) => (i < 10 ? String(i) : `m${i}`));
				await session.client.command(['SADD', 'big', ...members]);
				await session.run(command);
				assert.equal(await session.shape2('object encoding d'), encoding);
			});
		}
	});

	it('draws distinct members for a positive count, of every encoding', async () => {
		for (const make of [(i: number) => String(i), (i: number) => `m${i}`]) {
			for (const size of [100, 1000]) {
				await session.run('del s');
				await session.client.command(['SADD', 's', ...Array.from({ length: size }, (_, i) => make(i))]);
				for (const count of [1, size / 10, size / 2, size - 1, size, size * 2]) {
					const drawn = textsOf(parseReply(await session.run(`srandmember s ${count}`)));
					assert.lengthOf(drawn, Math.min(count, size));
					assert.equal(new Set(drawn).size, drawn.length);
				}
				const popped = textsOf(parseReply(await session.run(`spop s ${size - 10}`)));
				assert.equal(new Set(popped).size, size - 10);
				for (const member of popped.slice(0, 20))
					assert.equal(await session.run(`sismember s ${member}`), ':0\r\n');
				assert.equal(await session.run('scard s'), ':10\r\n');
			}
		}
	});

	// The last: it ends the server.
	describe('a crash', () => {
		it('leaves the same dataset', async () => {
			await session.client.pipeline([
				['SADD', 's', ALL_BYTES, '', '__proto__', '\r\n'],
				...Array.from({ length: 300 }, (_, i) => ['SADD', 'big', `m${i}`]),
				...Array.from({ length: 300 }, (_, i) => ['SADD', 'ints', String(i * i)]),
				...Array.from({ length: 20 }, () => ['SPOP', 'big']),
				['SPOP', 'big', '250'],
				['SPOP', 'ints', '7'],
				['SMOVE', 's', 'moved', ALL_BYTES],
				['SUNIONSTORE', 'all', 's', 'big', 'ints'],
				['SDIFFSTORE', 'ints', 'all', 'big'],
			]);
			const [before, after] = await session.digestsAroundCrash();
			assert.equal(after, before);
		});
	});
});
