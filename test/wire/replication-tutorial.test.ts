/** A master and a replica as a tutorial has them: two configuration files, and what is typed then. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { RawClient } from '../support/raw-client.js';
import { waitUntil } from '../support/replication.js';
import { parseReply } from '../support/reply.js';
import { freePort, ServerFleet } from '../support/server-process.js';

describe('a master and a replica by configuration files', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	const pids: number[] = [];
	before(function () {
		if (process.platform === 'win32') this.skip();
	});
	after(async () => {
		for (const pid of pids) process.kill(pid, 'SIGTERM');
		for (const pid of pids) await waitUntil('the end', async () => !isAlive(pid));
		await fleet.close();
	});

	/** Starts a server in the background, with the lines behind those that say where it lives; a client of it. */
	async function start(name: string, port: number, lines: readonly string[]): Promise<RawClient> {
		const dir = join(folder, name);
		mkdirSync(dir);
		const pidfile = join(dir, 'redis.pid');
		const own = ['daemonize yes', `pidfile ${pidfile}`, `port ${port}`, 'bind 127.0.0.1', `dir ${dir}`];
		const file = join(folder, `${name}.conf`);
		writeFileSync(file, [...own, 'logfile redis.log', ...lines, ''].join('\n'));
		const { file: program, args } = ourServer();
		execFileSync(program, [...args, file]);
		let client: RawClient | undefined;
		await waitUntil(`${name} serves`, async () => {
			client = await RawClient.connect(port).catch(() => undefined);
			return client !== undefined;
		});
		pids.push(Number(readFileSync(pidfile, 'latin1')));
		return client!;
	}

	let folder: string;
	const info = async (client: RawClient): Promise<string> =>
		parseReply(await client.command(['INFO', 'replication'])).text ?? '';

	it('work as typed', async () => {
		folder = fleet.folder();
		const [masterPort, replicaPort] = [await freePort(), await freePort()];
		const master = await start('master', masterPort, ['requirepass secret']);
		const replica = await start('replica', replicaPort, [
			`slaveof 127.0.0.1 ${masterPort}`,
			'masterauth secret',
			'repl-diskless-sync-delay 0',
		]);
		assert.equal(await master.command(['AUTH', 'secret']), '+OK\r\n');
		await waitUntil('the replica is online', async () => (await info(master)).includes('state=online'));
		const masterInfo = await info(master);
		assert.match(masterInfo, /^role:master\r$/m);
		assert.match(masterInfo, /^connected_slaves:1\r$/m);
		assert.match(
			masterInfo,
			new RegExp(`^slave0:ip=127\\.0\\.0\\.1,port=${replicaPort},state=online,offset=\\d+,lag=[01]\\r$`, 'm'),
		);
		await waitUntil('the link is up', async () => (await info(replica)).includes('master_link_status:up'));
		const replicaInfo = await info(replica);
		assert.match(replicaInfo, /^role:slave\r$/m);
		assert.match(
			replicaInfo,
			new RegExp(`^master_host:127\\.0\\.0\\.1\\r\nmaster_port:${masterPort}\\r$`, 'm'),
		);
		assert.equal(await master.command(['SET', 'name', 'value']), '+OK\r\n');
		await waitUntil('the value', async () => (await replica.command(['GET', 'name'])) === '$5\r\nvalue\r\n');
		assert.equal(
			await replica.command(['SET', 'name', 'other']),
			"-READONLY You can't write against a read only replica.\r\n",
		);
		master.destroy();
		replica.destroy();
		assert.match(
			readFileSync(join(folder, 'replica', 'redis.log'), 'latin1'),
			/^\d+:S .* Finished with success$/m,
		);
	});
});

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
