/** BGSAVE, BGREWRITEAOF, SAVE, the save points, SHUTDOWN: what is on disk afterwards, what is said, what is left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import type { RawClient } from '../support/raw-client.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';

const WAIT_MS_MAX = 20_000;

describe('snapshots', () => {
	const fleet = new ServerFleet();
	let server: ServerProcess;
	let client: RawClient;

	async function start(options: ServerOptions = {}, dir?: string): Promise<void> {
		server = await fleet.start({ executable: ourServer(), options, ...(dir === undefined ? {} : { dir }) });
		client = await server.connect();
	}
	/** Runs commands, words separated by spaces; the raw reply of the last one. */
	async function run(...commands: string[]): Promise<string> {
		let last = '';
		for (const command of commands) last = await client.command(command.split(' '));
		return last;
	}
	async function info(field: string): Promise<string> {
		const text = await run('INFO persistence');
		return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? '';
	}
	async function until(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
		const deadlineMs = Date.now() + WAIT_MS_MAX;
		while (!(await condition())) {
			if (Date.now() > deadlineMs) assert.fail(`${what}; the log:\n${server.log.slice(-3000)}`);
			await sleep(20);
		}
	}
	const saved = () => until('BGSAVE has ended', async () => (await info('rdb_bgsave_in_progress')) === '0');
	const rewritten = () =>
		until('the rewrite has ended', async () => (await info('aof_rewrite_in_progress')) === '0');
	const digest = () => run('DEBUG DIGEST');
	/** The server on the same files, after it has gone. */
	async function digestAfterRestart(options: ServerOptions): Promise<string> {
		await server.exited;
		await start(options, server.dir);
		return digest();
	}
	const temporaries = () => readdirSync(server.dir).filter((name) => name.startsWith('temp-'));
	/** The process that the server has started. */
	function childPid(): number {
		for (const name of readdirSync('/proc')) {
			if (/^\d+$/.test(name) && statFields(Number(name))[1] === String(server.pid)) return Number(name);
		}
		return assert.fail('the server has no child');
	}
	/** State, parent, … of a process; empty if there is none. */
	function statFields(pid: number): string[] {
		try {
			return readFileSync(`/proc/${pid}/stat`, 'latin1')
				.replace(/^.*\) /s, '')
				.split(' ');
		} catch {
			return [];
		}
	}
	const isAlive = (pid: number): boolean => !['Z', undefined].includes(statFields(pid)[0]);

	const FILL = [
		'DEBUG POPULATE 1000',
		'RPUSH list a b 3',
		'SADD set x 1',
		'HSET hash f v',
		'ZADD zset 1.5 a',
		'SET volatile 1 PX 1000000',
		'SELECT 5',
		'SET other 2',
		'SELECT 0',
	];

	afterEach(() => fleet.close());

	for (const appendonly of ['no', 'yes']) {
		it(`BGSAVE writes dbfilename (appendonly ${appendonly})`, async () => {
			await start({ appendonly });
			await run(...FILL);
			assert.equal(await run('BGSAVE'), '+Background saving started\r\n');
			assert.match(await run('BGSAVE'), /^-ERR Background save already in progress/);
			await run('SET during 1');
			await saved();
			assert.equal(await info('rdb_changes_since_last_save'), '1');
			assert.equal(await info('rdb_last_bgsave_status'), 'ok');
			assert.include(server.log, 'Background saving terminated with success');
			await run('DEL during');
			const before = await digest();
			await server.kill();
			assert.equal(await digestAfterRestart({}), before);
			assert.deepEqual(temporaries(), []);
			assert.equal(await info('rdb_last_load_keys_loaded'), '1006');
		});

		for (const preamble of ['yes', 'no']) {
			it(`BGREWRITEAOF makes a base (appendonly ${appendonly}, RDB preamble ${preamble})`, async () => {
				await start({ appendonly, 'aof-use-rdb-preamble': preamble });
				await run(...FILL);
				assert.equal(await run('BGREWRITEAOF'), '+Background append only file rewriting started\r\n');
				assert.match(await run('BGREWRITEAOF'), /^-ERR Background append only file rewriting already/);
				await rewritten();
				assert.include(server.log, 'Background AOF rewrite finished successfully');
				if (appendonly === 'yes') await run('SET behind 1');
				const before = await digest();
				assert.equal(await run('DEBUG LOADAOF'), '+OK\r\n');
				assert.equal(await digest(), before);
				await server.kill();
				assert.equal(await digestAfterRestart({ appendonly: 'yes' }), before);
				const bases = readdirSync(join(server.dir, 'appendonlydir')).filter((name) =>
					name.includes('.base.'),
				);
				assert.match(bases.join(), preamble === 'yes' ? /\.rdb$/ : /\.aof$/);
			});
		}
	}

	it('SAVE, LASTSAVE and DEBUG RELOAD', async () => {
		await start();
		await run(...FILL);
		const before = await digest();
		assert.equal(await run('SAVE'), '+OK\r\n');
		assert.equal(await info('rdb_changes_since_last_save'), '0');
		const seconds = Number((await run('LASTSAVE')).slice(1));
		assert.closeTo(seconds, Date.now() / 1000, 5);
		assert.equal(await run('DEBUG RELOAD'), '+OK\r\n');
		assert.equal(await digest(), before);
		await run('SET more 1');
		assert.match(await run('DEBUG RELOAD NOSAVE NOFLUSH'), /^-ERR Error trying to load the RDB dump/);
		assert.equal(await run('DEBUG RELOAD NOSAVE NOFLUSH MERGE'), '+OK\r\n');
		assert.equal(await run('GET more'), '$1\r\n1\r\n');
		assert.equal(await run('DEBUG RELOAD NOSAVE'), '+OK\r\n');
		assert.equal(await digest(), before);
		assert.match(await run('DEBUG RELOAD OTHER'), /^-ERR DEBUG RELOAD only supports/);
	});

	it('DEBUG RELOAD NOSAVE is in the log', async () => {
		await start({ appendonly: 'yes' });
		await run(...FILL, 'SAVE', 'SET more 1', 'DEBUG RELOAD NOSAVE', 'SET last 1');
		const before = await digest();
		await server.kill();
		assert.equal(await digestAfterRestart({ appendonly: 'yes' }), before);
	});

	it('schedules what has to wait', async () => {
		await start({ appendonly: 'yes' });
		await run('SET a 1');
		assert.equal(
			await run('MULTI', 'BGSAVE', 'BGREWRITEAOF', 'EXEC'),
			'*2\r\n+Background saving scheduled\r\n+Background append only file rewriting scheduled\r\n',
		);
		await until('both are done', () =>
			/rewrite finished.*Background saving terminated with/s.test(server.log),
		);
		await run('CONFIG SET rdb-key-save-delay 1000000', 'BGREWRITEAOF');
		assert.match(await run('BGSAVE'), /^-ERR Another child process is active/);
		assert.equal(await run('BGSAVE SCHEDULE'), '+Background saving scheduled\r\n');
		assert.equal(await info('aof_rewrite_in_progress'), '1');
		assert.match(await run('BGSAVE NOW'), /^-ERR syntax/);
	});

	it('save points', async () => {
		await start({ save: ['1 2'] });
		await run('SET a 1');
		await sleep(2500);
		assert.notInclude(server.log, 'Saving...');
		await run('SET b 1');
		await until('it saves', () => server.log.includes('2 changes in 1 seconds. Saving...'));
		await until('it has saved', () => server.log.includes('Background saving terminated with success'));
		// FLUSHALL writes the empty dataset.
		assert.equal(await run('FLUSHALL'), '+OK\r\n');
		assert.equal(await info('rdb_changes_since_last_save'), '0');
		await server.kill();
		await start({}, server.dir);
		assert.equal(await run('DBSIZE'), ':0\r\n');
	});

	for (const appendonly of ['no', 'yes']) {
		it(`a child that is killed leaves everything as it was (appendonly ${appendonly})`, async () => {
			await start({ appendonly, save: ['10000 10000000'] });
			await run(...FILL, 'SAVE');
			const dump = readFileSync(join(server.dir, 'dump.rdb'));
			await run('SET a 1', 'CONFIG SET rdb-key-save-delay 1000000', 'BGSAVE');
			process.kill(childPid(), 'SIGKILL');
			await saved();
			assert.equal(await info('rdb_last_bgsave_status'), 'err');
			assert.include(server.log, 'Background saving terminated by signal 9');
			assert.match(await run('SET a 2'), /^-MISCONF Redis is configured to save RDB snapshots/);
			assert.match(await run('GET a'), /1/);
			assert.deepEqual(readFileSync(join(server.dir, 'dump.rdb')), dump);
			assert.deepEqual(temporaries(), []);
			await run('CONFIG SET rdb-key-save-delay 0', 'BGSAVE');
			await saved();
			assert.equal(await run('SET a 2'), '+OK\r\n');
		});
	}

	it('a rewrite that is killed leaves the log whole', async () => {
		await start({ appendonly: 'yes' });
		await run(...FILL, 'CONFIG SET rdb-key-save-delay 1000000', 'BGREWRITEAOF');
		await until('it is under way', () => server.log.includes('rewriting started by pid'));
		process.kill(childPid(), 'SIGKILL');
		await rewritten();
		assert.equal(await info('aof_last_bgrewrite_status'), 'err');
		assert.equal(await info('aof_rewrites_consecutive_failures'), '1');
		assert.equal(await run('SET a 2'), '+OK\r\n');
		const before = await digest();
		await server.kill();
		assert.equal(await digestAfterRestart({ appendonly: 'yes' }), before);
		assert.deepEqual(temporaries(), []);
	});

	it('a server that is killed leaves no child, and no file behind the next start', async () => {
		await start({ appendonly: 'yes' });
		await run(...FILL, 'CONFIG SET rdb-key-save-delay 1000000', 'BGSAVE');
		await sleep(300);
		const pid = childPid();
		writeFileSync(join(server.dir, 'temp-999999999.rdb'), 'left');
		const before = await digest();
		await server.kill();
		await until('the child has gone', () => !isAlive(pid));
		assert.equal(await digestAfterRestart({ appendonly: 'yes' }), before);
		assert.deepEqual(temporaries(), []);
	});

	it('a disk that is full is told, and the old file stays', async () => {
		await start({ appendonly: 'yes' });
		await run(...FILL, 'SAVE');
		const { size } = statSync(join(server.dir, 'dump.rdb'));
		rmSync(join(server.dir, 'dump.rdb'));
		mkdirSync(join(server.dir, 'dump.rdb'));
		await run('BGSAVE');
		await saved();
		assert.equal(await info('rdb_last_bgsave_status'), 'err');
		assert.match(server.log, /Error making the snapshot: .*irectory/);
		assert.equal(await run('SAVE'), '-ERR\r\n');
		assert.deepEqual(temporaries(), []);
		assert.isAbove(size, 0);
	});

	it('a damaged base is told, and the next snapshot comes from memory', async () => {
		await start({ appendonly: 'yes' });
		await run(...FILL, 'BGREWRITEAOF');
		await rewritten();
		const folder = join(server.dir, 'appendonlydir');
		const base = readdirSync(folder).find((name) => name.endsWith('.base.rdb'))!;
		const bytes = readFileSync(join(folder, base));
		bytes[bytes.length >> 1]! ^= 1;
		writeFileSync(join(folder, base), bytes);
		await run('SET a 1', 'BGSAVE');
		await saved();
		assert.equal(await info('rdb_last_bgsave_status'), 'err');
		await run('BGSAVE');
		await saved();
		assert.equal(await info('rdb_last_bgsave_status'), 'ok');
		await run('BGREWRITEAOF');
		await rewritten();
		const before = await digest();
		await server.kill();
		assert.equal(await digestAfterRestart({ appendonly: 'yes' }), before);
	});

	it('SHUTDOWN saves if there are save points, or if asked to', async () => {
		for (const [save, command, isSaved] of [
			['', 'SHUTDOWN', false],
			['', 'SHUTDOWN SAVE', true],
			['100 100', 'SHUTDOWN', true],
			['100 100', 'SHUTDOWN NOSAVE', false],
		] as const) {
			await start({ save });
			await run('SET a 1');
			client.send(`${command}\r\n`);
			await server.exited;
			assert.equal(existsSync(join(server.dir, 'dump.rdb')), isSaved, `${command} with save '${save}'`);
			assert.equal(server.child.exitCode, 0);
		}
		await start({ save: '100 100' });
		mkdirSync(join(server.dir, 'dump.rdb'));
		assert.equal(await run('SHUTDOWN'), '-ERR Errors trying to SHUTDOWN. Check logs.\r\n');
		assert.equal(await run('SHUTDOWN ABORT'), '-ERR No shutdown in progress.\r\n');
		assert.match(await run('SHUTDOWN SAVE NOSAVE'), /^-ERR syntax/);
		assert.equal(await run('PING'), '+PONG\r\n');
		client.send('SHUTDOWN FORCE\r\n');
		await server.exited;
		assert.equal(server.child.exitCode, 0);
	});

	it('SIGTERM does as shutdown-on-sigterm says', async () => {
		await start({ save: '100 100', 'shutdown-on-sigterm': 'nosave' });
		await run('SET a 1');
		await server.stop();
		assert.isFalse(existsSync(join(server.dir, 'dump.rdb')));
		await start({ save: '100 100' });
		await run('SET a 1');
		await server.stop();
		assert.isTrue(existsSync(join(server.dir, 'dump.rdb')));
	});

	it('does not start with a damaged dump.rdb, and leaves it as it is', async () => {
		await start();
		await run(...FILL, 'SAVE');
		await server.kill();
		const path = join(server.dir, 'dump.rdb');
		const bytes = readFileSync(path);
		bytes[bytes.length - 3]! ^= 1;
		writeFileSync(path, bytes);
		const again = await fleet.start({ executable: ourServer(), dir: server.dir, noWait: true });
		await again.exited;
		assert.equal(again.child.exitCode, 1);
		assert.deepEqual(readFileSync(path), bytes);
	});
});
