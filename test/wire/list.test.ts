/** Lists over a socket: what goes into the log, both protocols, errors, bytes of any value. */
import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
/** As `shape` gives it in RESP2. */
const NIL_ARRAY = '*';
const WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const SYNTAX = 'ERR syntax error';
const NOT_INTEGER = 'ERR value is not an integer or out of range';
const NOT_POSITIVE = 'ERR value is out of range, must be positive';

describe('wire: lists', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('FLUSHALL'));

	describe('the log', () => {
		const cases: readonly [name: string, setUp: string[], command: string, effects: string[]][] = [
			['LPUSH', [], 'lpush l a b', ['lpush l a b']],
			['RPUSHX of no key', [], 'rpushx l a', []],
			['LPOP', ['rpush l a'], 'lpop l', ['lpop l']],
			['LPOP of no key', [], 'lpop l', []],
			['LPOP of 0', ['rpush l a'], 'lpop l 0', []],
			['LSET', ['rpush l a'], 'lset l -1 b', ['lset l -1 b']],
			['LINSERT', ['rpush l a'], 'linsert l after a b', ['linsert l after a b']],
			['LINSERT without its pivot', ['rpush l a'], 'linsert l after x b', []],
			['LREM', ['rpush l a b a'], 'lrem l 0 a', ['lrem l 0 a']],
			['LREM of nothing', ['rpush l a'], 'lrem l 0 x', []],
			['LTRIM', ['rpush l a b'], 'ltrim l 0 0', ['ltrim l 0 0']],
			['LTRIM of nothing', ['rpush l a b'], 'ltrim l 0 -1', []],
			['LMPOP', ['rpush l a b'], 'lmpop 2 none l right count 9', ['RPOP l 2']],
			['LMOVE', ['rpush l a'], 'lmove l m left right', ['lmove l m left right']],
			['BLPOP', ['rpush l a'], 'blpop none l 0', ['LPOP l']],
			['BRPOP', ['rpush l a'], 'brpop l 0.5', ['RPOP l']],
			['BLMPOP', ['rpush l a b c'], 'blmpop 0 1 l left count 2', ['LPOP l 2']],
			['BLMOVE', ['rpush l a'], 'blmove l m left right 0', ['LMOVE l m left right']],
			['BRPOPLPUSH', ['rpush l a'], 'brpoplpush l m 0', ['RPOPLPUSH l m']],
			['BLPOP that times out', [], 'blpop l 0.001', []],
		];
		for (const [name, setUp, command, effects] of cases) {
			it(`has of ${name}: ${effects.join(', ') || 'nothing'}`, async () => {
				await session.run(...setUp);
				assert.deepEqual(await session.effectsOf(command), effects);
			});
		}

		it('has a transaction with pops that would block as one group', async () => {
			const effects = await session.effectsOf('multi', 'rpush l a', 'blpop l 0', 'blpop l 0', 'exec');
			assert.deepEqual(effects, ['MULTI', 'rpush l a', 'LPOP l', 'EXEC']);
		});
	});

	describe('the replies of RESP3 and RESP2', () => {
		const cases: readonly [command: string, resp3: unknown, resp2: unknown][] = [
			['lpop none', '_', null],
			['lpop none 2', '_', NIL_ARRAY],
			['lpop l 0', [], []],
			['lindex l 9', '_', null],
			['lindex l -1', '3', '3'],
			['lrange l -2 99', ['2', '3'], ['2', '3']],
			['lrange none 0 -1', [], []],
			['lpos l 2', ':1', ':1'],
			['lpos l x', '_', null],
			['lpos l x count 0', [], []],
			['lpos l 1 count 0 rank -1', [':0'], [':0']],
			['lmpop 1 none left', '_', NIL_ARRAY],
			['rpoplpush none l', '_', null],
			['blpop none 0.001', '_', NIL_ARRAY],
			['blmove none l left left 0.001', '_', NIL_ARRAY],
			['blmpop 0.001 1 none left', '_', NIL_ARRAY],
			['lmpop 1 l left count 1', ['l', ['1']], ['l', ['2']]],
			['blpop l 0', ['l', '1'], ['l', '2']],
		];
		for (const [command, resp3, resp2] of cases) {
			it(command, async () => {
				await session.run('rpush l 1 2 3');
				assert.deepEqual(await session.shape3(command), resp3);
				assert.deepEqual(await session.shape2(command), resp2);
			});
		}

		it('the time-out of a move is a nil array, its refusal in a transaction a nil', async () => {
			assert.equal(await session.run('blmove none l left left 0.001'), '*-1\r\n');
			assert.equal(await session.run('multi', 'brpoplpush none l 0', 'exec'), '*1\r\n$-1\r\n');
		});
	});

	describe('errors', () => {
		const cases: readonly [command: string, text: string][] = [
			['lpush s a', WRONGTYPE],
			['lpop s x', NOT_POSITIVE],
			['lpop l -1', NOT_POSITIVE],
			['lpop l 1 2', "ERR wrong number of arguments for 'lpop' command"],
			['lindex s x', WRONGTYPE],
			['lindex l x', NOT_INTEGER],
			['lrange s 0 x', NOT_INTEGER],
			['lset none x y', 'ERR no such key'],
			['lset l 9 y', 'ERR index out of range'],
			['linsert s between a b', SYNTAX],
			['lrem s x a', NOT_INTEGER],
			['lpos s a rank', SYNTAX],
			[
				'lpos l a rank -9223372036854775808',
				'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
			],
			['lpos l a count -1', "ERR COUNT can't be negative"],
			['lpos l a maxlen x', "ERR MAXLEN can't be negative"],
			['lmove s l up left', SYNTAX],
			['lmove l s left left', WRONGTYPE],
			['lmpop 0 l left', 'ERR numkeys should be greater than 0'],
			['lmpop 3 l left', SYNTAX],
			['lmpop 1 l left count 0', 'ERR count should be greater than 0'],
			['lmpop 1 l left count 1 count 1', SYNTAX],
			['blpop s x', 'ERR timeout is not a float or out of range'],
			['blpop l -1', 'ERR timeout is negative'],
			['blmove l l left x -1', SYNTAX],
			['blmpop -1 0 l left', 'ERR numkeys should be greater than 0'],
			['blpop none s 0', WRONGTYPE],
		];
		for (const [command, text] of cases) {
			it(`${command}: ${text}`, async () => {
				await session.run('rpush l a b c', 'set s text');
				assert.equal(await session.run(command), `-${text}\r\n`);
			});
		}

		it('are given without a change', async () => {
			await session.run('rpush l a b c', 'set s text');
			assert.deepEqual(await session.effectsOf('lmove l s left left', 'lset l 9 y'), []);
			assert.equal(await session.run('llen l'), ':3\r\n');
		});
	});

	it('keeps every byte, in short elements and in long ones', async () => {
		const { client } = session;
		const long = ALL_BYTES.repeat(400);
		await client.command(['rpush', ALL_BYTES, '', ALL_BYTES, long]);
		assert.equal(
			await client.command(['lrange', ALL_BYTES, '0', '-1']),
			`*3\r\n$0\r\n\r\n$256\r\n${ALL_BYTES}\r\n$${long.length}\r\n${long}\r\n`,
		);
		assert.equal(await client.command(['lpos', ALL_BYTES, long]), ':2\r\n');
		assert.equal(await client.command(['lrem', ALL_BYTES, '1', ALL_BYTES]), ':1\r\n');
		assert.equal(await client.command(['rpop', ALL_BYTES]), `$${long.length}\r\n${long}\r\n`);
	});

	it('replies with ranges longer than a piece of output', async () => {
		const elements = Array.from({ length: 30_000 }, (_, index) => `element:${index}`);
		await session.client.command(['rpush', 'l', ...elements]);
		assert.deepEqual(await session.shape2('lrange l 0 -1'), elements);
		assert.deepEqual(await session.shape2('lrange l 12345 12346'), elements.slice(12345, 12347));
	});

	// Within a group of its own: a group's own tests run before those of the groups in it.
	describe('a crash', () => {
		it('leaves the dataset as it was', async () => {
			await session.run(
				'rpush l a b c',
				'linsert l before b x',
				'lmove l m left left',
				'blmpop 0 1 l right',
				'blpop m 0',
			);
			const [before, after] = await session.digestsAroundCrash();
			assert.equal(after, before);
		});
	});
});
