/** The scratch log of a server with save points and `appendonly no`: its snapshots, and that it leaves nothing. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import type { RawClient } from '../support/raw-client.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';

const WAIT_MS_MAX = 20_000;
const OPTIONS: ServerOptions = { appendonly: 'no', save: '3600 1000000' };

describe('scratch log', () => {
	const fleet = new ServerFleet();
	let server: ServerProcess;
	let client: RawClient;

	async function start(dir?: string): Promise<void> {
		const request = { executable: ourServer(), options: OPTIONS };
		server = await fleet.start(dir === undefined ? request : { ...request, dir });
		client = await server.connect();
	}
	async function run(...commands: string[]): Promise<string> {
		let last = '';
		for (const command of commands) last = await client.command(command.split(' '));
		return last;
	}
	async function save(): Promise<void> {
		assert.equal(await run('BGSAVE'), '+Background saving started\r\n');
		const deadlineMs = Date.now() + WAIT_MS_MAX;
		while (!(await run('INFO persistence')).includes('rdb_bgsave_in_progress:0')) {
			if (Date.now() > deadlineMs) assert.fail(server.log.slice(-3000));
			await sleep(20);
		}
		assert.include(await run('INFO persistence'), 'rdb_last_bgsave_status:ok', server.log.slice(-3000));
	}
	const digest = () => run('DEBUG DIGEST');
	const folder = () => join(server.dir, `temp-log-${server.pid}`);
	const files = () => readdirSync(folder()).sort();

	afterEach(() => fleet.close());

	it('is what a dump is made from, and each dump is its base', async () => {
		await start();
		assert.deepEqual(files(), ['appendonly.aof.1.incr.aof', 'appendonly.aof.manifest']);
		await run('DEBUG POPULATE 1000', 'SELECT 3', 'SET a 1');
		await save();
		assert.deepEqual(files(), [
			'appendonly.aof.1.base.rdb',
			'appendonly.aof.2.incr.aof',
			'appendonly.aof.manifest',
		]);
		await run('INCR a', 'SELECT 0', 'DEL key:1');
		await save();
		const before = await digest();
		await server.kill();
		await start(server.dir);
		assert.equal(await digest(), before);
		assert.deepEqual(
			readdirSync(server.dir).filter((name) => name.startsWith('temp-')),
			[`temp-log-${server.pid}`],
			'what the killed one has left',
		);
		assert.include(files(), 'appendonly.aof.1.base.rdb', 'the dump that was loaded');
		await run('SET b 2');
		await save();
		const after = await digest();
		await run('CONFIG SET appendonly yes');
		while (!(await run('INFO persistence')).includes('aof_rewrite_in_progress:0')) await sleep(20);
		await server.stop();
		assert.notMatch(readdirSync(server.dir).join(), /temp-/);
		assert.include(readdirSync(join(server.dir, 'appendonlydir')), 'appendonly.aof.1.base.rdb');
		await start(server.dir);
		assert.equal(await digest(), after);
	});

	it('ends with the save points, and begins again with the next snapshot', async () => {
		await start();
		await run('SET a 1');
		await client.command(['CONFIG', 'SET', 'save', '']);
		assert.throws(files);
		await run('SET b 2');
		await save();
		assert.throws(files);
		await client.command(['CONFIG', 'SET', 'save', '3600 1000000']);
		await run('SET c 3');
		await save();
		assert.include(files(), 'appendonly.aof.1.base.rdb');
		await run('SET d 4', 'BGREWRITEAOF');
		while (!(await run('INFO persistence')).includes('aof_rewrite_in_progress:0')) await sleep(20);
		assert.include(files(), 'appendonly.aof.1.base.rdb', 'another log was rewritten');
		assert.deepEqual(readdirSync(join(server.dir, 'appendonlydir')), [
			'appendonly.aof.1.base.rdb',
			'appendonly.aof.manifest',
		]);
		await save();
		const before = await digest();
		await server.kill();
		await start(server.dir);
		assert.equal(await digest(), before);
	});

	it('a dump that somebody has written over is not what the next snapshot is made from', async () => {
		await start();
		await run('SET old 1', 'SET kept 1');
		await save();
		await run('DEL old');
		await save();
		const dump = join(server.dir, 'dump.rdb');
		const other = readFileSync(dump);
		await run('SET later 1');
		await save();
		writeFileSync(dump, other);
		await run('SET last 1');
		await save();
		const expected = await digest();
		await server.kill();
		await start(server.dir);
		assert.equal(await digest(), expected);
	});
});
