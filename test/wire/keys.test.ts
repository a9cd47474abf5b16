/** The generic commands over a socket: what goes into the log, replies and errors, expiry, SCAN, SORT. */
import { assert } from 'chai';
import { parseReply, textsOf } from '../support/reply.js';
import { sleep } from '../support/server-process.js';
import { WireSession } from '../support/wire-session.js';

/** The year 2100, in ms. */
const LATER = '4102444800000';

describe('wire: keys', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());
	beforeEach(() => session.run('SELECT 0', 'FLUSHALL'));

	describe('the log', () => {
		const cases: readonly [name: string, setUp: string[], command: string, effects: string[]][] = [
			['DEL', ['set a 1'], 'del a b', ['del a b']],
			['DEL of nothing', [], 'del a b', []],
			['UNLINK', ['set a 1'], 'unlink a', ['unlink a']],
			['RENAME', ['set a 1'], 'rename a b', ['rename a b']],
			['RENAME to itself', ['set a 1'], 'rename a a', []],
			['RENAMENX to a key that is there', ['mset a 1 b 2'], 'renamenx a b', []],
			['MOVE', ['set a 1'], 'move a 3', ['move a 3']],
			['COPY', ['set a 1'], 'copy a b', ['copy a b']],
			['SWAPDB', [], 'swapdb 0 1', ['swapdb 0 1']],
			['EXPIREAT', ['set a 1'], 'expireat a 4102444800', [`PEXPIREAT a ${LATER}`]],
			['PEXPIREAT with a condition', ['set a 1'], `pexpireat a ${LATER} nx`, [`PEXPIREAT a ${LATER}`]],
			['EXPIRE whose condition fails', ['set a 1'], 'expire a 9 xx', []],
			['EXPIRE in the past', ['set a 1'], 'expire a -1', ['DEL a']],
			['PERSIST', ['set a 1', 'expire a 99'], 'persist a', ['persist a']],
			['PERSIST of a lasting key', ['set a 1'], 'persist a', []],
			['FLUSHDB', ['set a 1'], 'flushdb', ['flushdb']],
			['FLUSHALL of nothing', [], 'flushall async', ['flushall async']],
			['TOUCH', ['set a 1'], 'touch a', []],
			['SORT', ['rpush l 2 1'], 'sort l', []],
			['SORT … STORE', ['rpush l 2 1'], 'sort l store d', ['RPUSH d 1 2']],
			[
				'SORT … BY … STORE over a key',
				['rpush l 2 1', 'mset w_1 9 w_2 5 d x'],
				'sort l by w_* get # get w_* get nothing store d',
				['MULTI', 'DEL d', 'RPUSH d 2 5  1 9 ', 'EXEC'],
			],
			['SORT … STORE of nothing', ['set d x'], 'sort none store d', ['DEL d']],
			['SORT … STORE, nothing to nothing', [], 'sort none store d', []],
		];
		for (const [name, setUp, command, effects] of cases) {
			it(`has of ${name}: ${effects.join(', ') || 'nothing'}`, async () => {
				await session.run(...setUp);
				assert.deepEqual(await session.effectsOf(command), effects);
			});
		}

		it('has of EXPIRE and PEXPIRE the absolute time', async () => {
			await session.run('mset a 1 b 2');
			const nowMs = Date.now();
			const effects = await session.effectsOf('expire a 100', 'pexpire b 100000');
			for (const [i, effect] of effects.entries()) {
				assert.match(effect, i === 0 ? /^PEXPIREAT a \d+$/ : /^PEXPIREAT b \d+$/);
				assert.closeTo(Number(effect.split(' ')[2]), nowMs + 100_000, 5000);
			}
			assert.lengthOf(effects, 2);
		});

		it('has the deletion of an expired key that a read met, before nothing else', async () => {
			await session.run('debug set-active-expire 0', 'set a 1 px 1', 'rpush a2 x');
			await sleep(5);
			assert.deepEqual(await session.effectsOf('get a', 'get a', 'exists a'), ['DEL a']);
			await session.run('set a 1 px 1', 'pexpire a2 1');
			await sleep(5);
			assert.sameMembers(await session.effectsOf('scan 0 type hash'), ['DEL a', 'DEL a2']);
			await session.run('debug set-active-expire 1');
		});

		it('has the deletion of an expired key before the list that SORT stores in its place', async () => {
			await session.run('debug set-active-expire 0', 'set d 1 px 1', 'rpush l 2 1');
			await sleep(5);
			assert.deepEqual(await session.effectsOf('sort l store d'), ['MULTI', 'DEL d', 'RPUSH d 1 2', 'EXEC']);
			assert.equal(await session.run('ttl d'), ':-1\r\n');
			await session.run('debug set-active-expire 1');
		});
	});

	describe('replies', () => {
		const cases: readonly [command: string, reply: unknown][] = [
			['exists a a none', ':2'],
			['type a', '+string'],
			['type h', '+hash'],
			['type none', '+none'],
			['touch a none a', ':2'],
			['keys [ab]', ['a']],
			['keys none', []],
			['dbsize', ':4'],
			['rename a a', '+OK'],
			['renamenx a h', ':0'],
			['move a 1', ':1'],
			['move none 1', ':0'],
			['copy h c db 5', ':1'],
			['copy h a', ':0'],
			['copy h a replace', ':1'],
			['expire none 5', ':0'],
			['expire a 5 gt', ':0'],
			['expire a 5 lt', ':1'],
			['expire v 1 gt', ':0'],
			[`pexpireat v 4102444800001 gt xx`, ':1'],
			['pexpiretime v', `:${LATER}`],
			['expiretime v', ':4102444800'],
			['ttl a', ':-1'],
			['pttl none', ':-2'],
			['persist v', ':1'],
			['object encoding a', 'int'],
			['object encoding none', null],
			['object refcount a', ':2147483647'],
			['object idletime a', ':0'],
			['scan 0 count 100 type hash', ['0', ['h']]],
			['scan 0 match nothing* count 100', ['0', []]],
			['scan 0 type nosuch count 100', ['0', []]],
			['sort l desc', ['10', '9', '1']],
			['sort l alpha limit 1 5', ['10', '9']],
			['sort l by nosort get # get h', ['10', null, '9', null, '1', null]],
			['sort l by x*->f get h*->none', [null, null, null]],
			['sort_ro l limit 0 1', ['1']],
			['sort none', []],
		];
		for (const [command, reply] of cases) {
			it(command, async () => {
				await session.run('set a 1', 'hset h f v', 'rpush l 10 9 1', `set v x pxat ${LATER}`);
				assert.deepEqual(await session.shape2(command), reply);
			});
		}
	});

	describe('errors', () => {
		const cases: readonly [command: string, text: string][] = [
			['rename none a', 'ERR no such key'],
			['rename none none', 'ERR no such key'],
			['move a 0', 'ERR source and destination objects are the same'],
			['move a 16', 'ERR DB index is out of range'],
			['move a x', 'ERR value is not an integer or out of range'],
			['move a 2147483648', 'ERR value is out of range, value must between -2147483648 and 2147483647'],
			['copy a a', 'ERR source and destination objects are the same'],
			['copy a b db 16', 'ERR DB index is out of range'],
			['copy a b db', 'ERR syntax error'],
			['swapdb x 0', 'ERR invalid first DB index'],
			['swapdb 0 2147483648', 'ERR invalid second DB index'],
			['swapdb 0 16', 'ERR DB index is out of range'],
			['expire a x', 'ERR value is not an integer or out of range'],
			['expire a 1 maybe', 'ERR Unsupported option maybe'],
			['expire a 1 nx lt', 'ERR NX and XX, GT or LT options at the same time are not compatible'],
			['expire a 1 gt lt', 'ERR GT and LT options at the same time are not compatible'],
			['expire a 9223372036854775', "ERR invalid expire time in 'expire' command"],
			['pexpire a 9223372036854775807', "ERR invalid expire time in 'pexpire' command"],
			['expireat a -9223372036854776', "ERR invalid expire time in 'expireat' command"],
			['flushall now', 'ERR syntax error'],
			['flushdb sync async', 'ERR syntax error'],
			['scan x', 'ERR invalid cursor'],
			['scan 0 count', 'ERR syntax error'],
			['scan 0 count 0', 'ERR syntax error'],
			['object nosuch a', "ERR unknown subcommand 'nosuch'. Try OBJECT HELP."],
			[
				'object freq a',
				'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when ' +
					'switching between policies at runtime LRU and LFU data will take some time to adjust.',
			],
			['sort a', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
			['sort none limit 1', 'ERR syntax error'],
			['sort none limit x 1', 'ERR value is not an integer or out of range'],
			['sort_ro none store d', 'ERR syntax error'],
			['sort words', "ERR One or more scores can't be converted into double"],
			['sort words store a', "ERR One or more scores can't be converted into double"],
		];
		for (const [command, text] of cases) {
			it(`${command}: ${text}`, async () => {
				await session.run('set a 1', 'rpush words one two');
				assert.deepEqual(await session.effectsOf(command), []);
				assert.equal(await session.run(command), `-${text}\r\n`);
			});
		}
	});

	it('SCAN returns every key that stays, whatever comes and goes meanwhile', async () => {
		const names = Array.from({ length: 3000 }, (_, i) => `stay${i}`);
		await session.client.command(['MSET', ...names.flatMap((name) => [name, 'v'])]);
		const seen = new Set<string>();
		let cursor = '0';
		let step = 0;
		do {
			const [next, keys] = (await session.shape2(`scan ${cursor} count 37`)) as [string, string[]];
			for (const key of keys) seen.add(key);
			cursor = next;
			await session.run(`set come${step} v`, `del come${step - 3}`);
			step++;
		} while (cursor !== '0');
		assert.isAbove(step, 50);
		assert.deepEqual(
			names.filter((name) => !seen.has(name)),
			[],
		);
	});

	it('RANDOMKEY draws every key, passes over expired ones, and ends when there is none', async () => {
		await session.run('debug set-active-expire 0', 'mset a 1 b 2 c 3', 'set gone 1 px 1');
		await sleep(5);
		const drawn = new Set<string>();
		for (let i = 0; i < 200; i++) drawn.add((await session.shape2('randomkey')) as string);
		assert.sameMembers([...drawn], ['a', 'b', 'c']);
		await session.run('flushall', 'set gone 1 px 1');
		await sleep(5);
		assert.isNull(await session.shape2('randomkey'));
		await session.run('debug set-active-expire 1');
	});

	it('KEYS hides expired keys and lets them be', async () => {
		await session.run('debug set-active-expire 0', 'set gone 1 px 1');
		await sleep(5);
		assert.deepEqual(await session.effectsOf('keys *'), []);
		assert.deepEqual(await session.shape2('keys *'), []);
		assert.equal(await session.run('dbsize'), ':1\r\n');
		await session.run('debug set-active-expire 1');
	});

	it('MOVE, RENAME and COPY take the time of expiry along; what they replace loses its own', async () => {
		await session.run(`set a 1 pxat ${LATER}`, 'set lasting x', 'copy a b', 'rename a c', 'move c 1');
		assert.equal(await session.run('pexpiretime b'), `:${LATER}\r\n`);
		assert.equal(await session.run('copy lasting b replace', 'pexpiretime b'), ':-1\r\n');
		assert.equal(await session.run('select 1', 'pexpiretime c'), `:${LATER}\r\n`);
	});

	it('a watched key that is moved, renamed, swapped or made to expire ends the transaction', async () => {
		const other = await session.server.connect();
		for (const command of [
			'MOVE a 1',
			'RENAME a b',
			'SWAPDB 0 1',
			'EXPIRE a 10',
			'FLUSHDB',
			'COPY c a REPLACE',
		]) {
			await session.run('flushall', 'set a 1', 'set c 1', 'watch a');
			await other.command(command.split(' '));
			assert.equal(await session.run('multi', 'ping', 'exec'), '*-1\r\n', command);
		}
		other.destroy();
	});

	it('SORT orders by bytes and by numbers as strtod reads them', async () => {
		await session.client.command(['RPUSH', 'bytes', '\xff', 'a', 'B', '\0', '']);
		const sorted = textsOf(parseReply(await session.run('sort bytes alpha')));
		assert.deepEqual(sorted, ['', '\0', 'B', 'a', '\xff']);
		await session.client.command(['RPUSH', 'numbers', 'inf', '0x10', '1e1', ' 9', '-inf', '']);
		const numbers = textsOf(parseReply(await session.run('sort numbers')));
		assert.deepEqual(numbers, ['-inf', '', ' 9', '1e1', '0x10', 'inf']);
	});

	// The last: it ends the server.
	describe('a crash', () => {
		it('leaves the same dataset', async () => {
			await session.client.pipeline([
				...Array.from({ length: 200 }, (_, i) => ['SET', `k${i}`, String(i), 'PXAT', LATER]),
				...Array.from({ length: 100 }, (_, i) => ['RENAME', `k${i}`, `r${i}`]),
				['RPUSH', 'l', ...Array.from({ length: 100 }, (_, i) => String(i))],
				['SORT', 'l', 'BY', 'r*', 'DESC', 'GET', '#', 'GET', 'k*', 'STORE', 'sorted'],
				['SORT', 'l', 'LIMIT', '3', '9', 'STORE', 'l'],
				['COPY', 'sorted', 'there', 'DB', '9'],
				['MOVE', 'k150', '9'],
				['SWAPDB', '9', '4'],
				['EXPIRE', 'k151', '1000'],
				['PERSIST', 'k152'],
				['PEXPIREAT', 'k153', '9223372036854775807'],
				['EXPIRE', 'k154', '-5'],
			]);
			const [before, after] = await session.digestsAroundCrash();
			assert.equal(after, before);
		});
	});
});
