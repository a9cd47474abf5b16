/** CONFIG and the life of the program, over a socket and as a process. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { RawClient } from '../support/raw-client.js';
import { parseReply, textsOf } from '../support/reply.js';
import { freePort, ServerFleet, type ServerProcess, sleep } from '../support/server-process.js';

const OK = '+OK\r\n';

describe('wire: config', () => {
	const fleet = new ServerFleet();
	let server: ServerProcess;
	let client: RawClient;

	before(async () => {
		server = await fleet.start({ executable: ourServer(), options: { 'enable-protected-configs': 'yes' } });
		client = await server.connect();
	});

	after(() => fleet.close());

	const config = (...args: string[]) => client.command(['CONFIG', ...args]);
	const get = async (...names: string[]) => textsOf(parseReply(await config('GET', ...names)));

	it('shows by name, alias and pattern', async () => {
		assert.deepEqual(await get('slave-priority', 'maxmemory-s*'), [
			'slave-priority',
			'100',
			'maxmemory-samples',
			'5',
		]);
		assert.deepEqual(await get('nosuch'), []);
	});

	it('replies with a map in RESP3', async () => {
		const other = await server.connect();
		await other.command(['HELLO', '3']);
		assert.equal(await other.command(['CONFIG', 'GET', 'hz']), '%1\r\n$2\r\nhz\r\n$2\r\n10\r\n');
		other.destroy();
	});

	it('sets every directive that it may to the value it has', async () => {
		const all = await get('*');
		for (let i = 0; i < all.length; i += 2) {
			const reply = await config('SET', all[i]!, all[i + 1]!);
			if (reply !== OK) assert.include(reply, "can't set immutable config", all[i]!);
		}
		assert.deepEqual(await get('*'), all);
	});

	it('moves to another port, and goes on serving those who are connected', async () => {
		const port = await freePort();
		assert.equal(await config('SET', 'port', String(port)), OK);
		const other = await RawClient.connect(port);
		assert.equal(await other.command(['PING']), '+PONG\r\n');
		assert.equal(await config('SET', 'port', String(server.port)), OK);
		assert.equal(await other.command(['PING']), '+PONG\r\n');
		other.destroy();
		(await server.connect()).destroy();
	});

	it('sets everything back when the port is taken', async () => {
		const taken = createServer();
		const port = await freePort();
		await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
		try {
			assert.equal(
				await config('SET', 'timeout', '1000', 'port', String(port)),
				"-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.\r\n",
			);
			assert.deepEqual(await get('timeout', 'port'), ['timeout', '0', 'port', String(server.port)]);
			(await server.connect()).destroy();
		} finally {
			taken.close();
		}
	});

	it('answers pipelined commands in order around a CONFIG SET that waits', async () => {
		const replies = await client.pipeline([
			['PING', 'a'],
			['CONFIG', 'SET', 'bind', '127.0.0.1'],
			['PING', 'b'],
		]);
		assert.deepEqual(replies, ['$1\r\na\r\n', OK, '$1\r\nb\r\n']);
	});

	it('rewrites its file, from which it starts again', async () => {
		const dir = fleet.folder();
		const file = join(dir, 'redis.conf');
		const port = await freePort();
		writeFileSync(file, `# mine\nport ${port}\nbind 127.0.0.1\nsave ""\n`);
		// The fleet's own options come after the file, as a user's would.
		const withFile = { ...ourServer(), args: [...ourServer().args, file] };
		const first = await fleet.start({ executable: withFile, dir });
		const one = await first.connect();
		assert.equal(await one.command(['CONFIG', 'SET', 'maxclients', '77', 'requirepass', 'a "b"']), OK);
		assert.equal(await one.command(['CONFIG', 'REWRITE']), OK);
		await first.stop();
		const text = readFileSync(file, 'latin1');
		assert.match(text, /^# mine\n/);
		assert.include(text, '\nmaxclients 77\n');
		assert.include(text, '\nrequirepass "a \\"b\\""\n');
		const second = await fleet.start({ executable: withFile, dir });
		const two = await second.connect();
		assert.equal(await two.command(['AUTH', 'a "b"']), OK);
		assert.include(await two.command(['CONFIG', 'GET', 'maxclients']), '77');
		await second.stop();
	});

	it('refuses a folder, and a client that is not allowed to choose one', async () => {
		assert.include(await config('SET', 'dir', '/no/such/folder'), 'No such file or directory');
		const strict = await fleet.start({ executable: ourServer() });
		const other = await strict.connect();
		assert.include(await other.command(['CONFIG', 'SET', 'dir', '.']), "can't set protected config");
	});
});

describe('wire: the program', () => {
	const fleet = new ServerFleet();

	after(() => fleet.close());

	function run(...args: string[]) {
		const { file, args: own } = ourServer();
		return spawnSync(file, [...own, ...args], { encoding: 'latin1', timeout: 20_000, cwd: fleet.folder() });
	}

	it('tells its version and its usage', () => {
		const version = run('--version');
		assert.match(version.stdout, /^Redis server v=7\.2\.6 /);
		assert.equal(version.status, 0);
		const help = run('--help');
		assert.match(help.stderr, /^Usage: /);
		assert.equal(help.status, 1);
	});

	it('refuses what it can not do, with exit code 1', () => {
		const failed = run('--port', '7000', '--loglevel', 'loud');
		assert.equal(failed.status, 1);
		assert.match(
			failed.stderr,
			/\*\*\* FATAL CONFIG FILE ERROR \(Redis 7\.2\.6\) \*\*\*\nReading the configuration file, at line 3\n>>> 'loglevel "loud"'\n/,
		);
		assert.equal(run('x.conf', '--sentinel').status, 1);
		const missing = run('missing.conf');
		assert.equal(missing.status, 1);
		assert.include(
			missing.stdout,
			"# Fatal error, can't open config file 'missing.conf': No such file or directory",
		);
		const nowhere = run('--port', '0');
		assert.equal(nowhere.status, 1);
		assert.include(nowhere.stdout, 'Configured to not listen anywhere, exiting.');
	});

	it('says that a port is taken', async () => {
		const taken = createServer();
		const port = await freePort();
		await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
		const failed = run('--port', String(port), '--bind', '127.0.0.1');
		taken.close();
		assert.equal(failed.status, 1);
		assert.include(failed.stdout, `Failed listening on port ${port} (tcp), aborting.`);
	});

	for (const signal of ['SIGTERM', 'SIGINT'] as const) {
		it(`ends on ${signal} with code 0, and takes its pid file along`, async () => {
			const pidfile = join(fleet.folder(), 'server.pid');
			const server = await fleet.start({ executable: ourServer(), options: { pidfile } });
			assert.equal(readFileSync(pidfile, 'latin1'), `${server.pid}\n`);
			server.child.kill(signal);
			await server.exited;
			assert.equal(server.child.exitCode, 0);
			assert.isFalse(existsSync(pidfile));
			assert.match(
				server.log,
				new RegExp(` PID: ${server.pid}[\\s\\S]*Server initialized[\\s\\S]*Ready to accept connections tcp`),
			);
			assert.include(server.log, `) Received ${signal} scheduling shutdown...`);
			assert.match(
				server.log,
				/M .* \* User requested shutdown\.\.\.\n[\s\S]*# Redis is now ready to exit, bye bye\.\.\.\n$/,
			);
		});
	}

	it('reads standard input', () => {
		const { file, args } = ourServer();
		const failed = spawnSync(file, [...args, '-'], { input: 'port nonsense', encoding: 'latin1' });
		assert.include(failed.stderr, ">>> 'port nonsense'");
	});

	it('reports settings without effect', async () => {
		const server = await fleet.start({ executable: ourServer(), options: { 'io-threads': '4' } });
		assert.include(server.log, "# Setting 'io-threads' has no effect: the event loop has one thread.");
	});

	it('logs JSON when it is asked to', async () => {
		const server = await fleet.start({ executable: ourServer(), options: { 'log-format': 'json' } });
		await server.stop();
		const messages = server.log
			.trim()
			.split('\n')
			.filter((line) => line.startsWith('{'))
			.map((line) => JSON.parse(line).msg);
		assert.include(messages, 'Server initialized');
	});

	it('goes into the background', async function () {
		if (process.platform === 'win32') this.skip();
		const dir = fleet.folder();
		const port = await freePort();
		const pidfile = join(dir, 'pid');
		const args = ['--port', String(port), '--bind', '127.0.0.1', '--daemonize', 'yes'];
		const started = run(...args, '--dir', dir, '--pidfile', pidfile, '--logfile', 'log', '--save', '');
		assert.equal(started.status, 0, started.stderr);
		let client: RawClient | undefined;
		for (let tries = 0; client === undefined && tries < 200; tries++) {
			client = await RawClient.connect(port).catch(() => undefined);
			await sleep(50);
		}
		assert.isDefined(client, 'it does not serve');
		assert.equal(await client!.command(['PING']), '+PONG\r\n');
		const pid = Number(readFileSync(pidfile, 'latin1'));
		process.kill(pid, 'SIGTERM');
		for (let tries = 0; existsSync(pidfile) && tries < 200; tries++) await sleep(50);
		assert.isFalse(existsSync(pidfile));
		assert.include(readFileSync(join(dir, 'log'), 'latin1'), 'Ready to accept connections tcp');
	});
});
