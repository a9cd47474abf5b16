/** DUMP and RESTORE over a socket: options, errors, and what goes into the log. */
import { assert } from 'chai';
import { parseReply } from '../support/reply.js';
import { WireSession } from '../support/wire-session.js';

describe('wire: DUMP and RESTORE', function () {
	this.timeout(20_000);
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());

	async function dump(key: string): Promise<string> {
		return parseReply(await session.client.command(['DUMP', key])).text!;
	}

	async function restore(key: string, ttl: string, payload: string, ...options: string[]): Promise<string> {
		return session.client.command(['RESTORE', key, ttl, payload, ...options]);
	}

	it('DUMP of no key is nil; RESTORE makes the key, and does not overwrite one unless asked', async () => {
		assert.equal(await session.run('DUMP none'), '$-1\r\n');
		await session.run('RPUSH list a b c');
		const payload = await dump('list');
		assert.equal(await restore('copy', '0', payload), '+OK\r\n');
		assert.deepEqual(await session.shape2('LRANGE copy 0 -1'), ['a', 'b', 'c']);
		assert.equal(await session.run('PTTL copy'), ':-1\r\n');
		assert.equal(await restore('copy', '0', payload), '-BUSYKEY Target key name already exists.\r\n');
		await session.run('SET copy other PX 100000');
		assert.equal(await restore('copy', '0', payload, 'REPLACE'), '+OK\r\n');
		assert.equal(await session.run('PTTL copy'), ':-1\r\n');
	});

	it('takes a time to live, relative or absolute', async () => {
		await session.run('SET key value');
		const payload = await dump('key');
		await restore('relative', '50000', payload);
		const left = Number((await session.run('PTTL relative')).slice(1));
		assert.isTrue(left > 40_000 && left <= 50_000, `${left} ms`);
		await restore('absolute', '99999999999999', payload, 'ABSTTL');
		assert.equal(await session.run('PEXPIRETIME absolute'), ':99999999999999\r\n');
		assert.equal(await restore('past', '1000', payload, 'ABSTTL'), '+OK\r\n');
		assert.equal(await session.run('EXISTS past'), ':0\r\n');
	});

	it('sets the idle time, or under an lfu policy the frequency', async () => {
		await session.run('SET key value');
		const payload = await dump('key');
		await restore('idle', '0', payload, 'IDLETIME', '1000');
		const idle = Number((await session.run('OBJECT IDLETIME idle')).slice(1));
		assert.isTrue(idle >= 1000 && idle < 1010, `${idle} s`);
		await session.run('CONFIG SET maxmemory-policy allkeys-lfu');
		await restore('often', '0', payload, 'FREQ', '100');
		assert.equal(await session.run('OBJECT FREQ often'), ':100\r\n');
		await session.run('CONFIG SET maxmemory-policy noeviction');
	});

	it('refuses what makes no sense, in the words of Redis', async () => {
		await session.run('SET key value');
		const payload = await dump('key');
		const wrong = `${payload.slice(0, -1)}${payload.endsWith('x') ? 'y' : 'x'}`;
		const cases: readonly (readonly [reply: string, ttl: string, payload: string, ...options: string[]])[] = [
			['ERR Invalid TTL value, must be >= 0', '-1', payload],
			['ERR value is not an integer or out of range', 'x', payload],
			['ERR DUMP payload version or checksum are wrong', '0', wrong],
			['ERR DUMP payload version or checksum are wrong', '0', 'short'],
			['ERR syntax error', '0', payload, 'NOTHING'],
			['ERR syntax error', '0', payload, 'IDLETIME', '1', 'FREQ', '1'],
			['ERR Invalid IDLETIME value, must be >= 0', '0', payload, 'IDLETIME', '-1'],
			['ERR Invalid FREQ value, must be >= 0 and <= 255', '0', payload, 'FREQ', '256'],
			['ERR value is not an integer or out of range', '0', payload, 'FREQ', 'x'],
		];
		for (const [reply, ...args] of cases) {
			assert.equal(await restore('refused', ...args), `-${reply}\r\n`);
		}
		await session.run('DEBUG SET-SKIP-CHECKSUM-VALIDATION 1');
		assert.equal(await restore('refused', '0', wrong), '+OK\r\n');
		const noList = `\x12\x01\x02\x05hello${payload.slice(-10)}`;
		assert.equal(await restore('damaged', '0', noList), '-ERR Bad data format\r\n');
		await session.run('DEBUG SET-SKIP-CHECKSUM-VALIDATION 0');
		assert.equal(await session.run('EXISTS damaged'), ':0\r\n');
	});

	it('is logged with its absolute time, or as the deletion that it comes to', async () => {
		await session.run('SET key value', 'SET old value');
		const payload = await dump('key');
		const before = Date.now();
		const [entry] = await session.effectsOf(`RESTORE soon 50000 ${payload}`);
		const words = entry!.split(' ');
		assert.approximately(Number(words[2]), before + 50_000, 5000);
		assert.equal(words.at(-1), 'ABSTTL');
		assert.deepEqual(await session.effectsOf(`RESTORE old 1000 ${payload} ABSTTL REPLACE`), ['DEL old']);
		assert.deepEqual(await session.effectsOf(`RESTORE none 1000 ${payload} ABSTTL REPLACE`), []);
		const [live, loaded] = await session.digestsAroundCrash();
		assert.equal(loaded, live);
	});
});
