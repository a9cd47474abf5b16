/** A server of ours as the replica of a real one: full and partial resync, and every kind of write on the way. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import type { RawClient } from '../support/raw-client.js';
import { replicationField, waitForLink, waitForSameOffset } from '../support/replication.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';
import { datasetDifference } from './dataset.js';
import { generateProgram } from './generator.js';
import { destroyBoth, smallEncodings } from './server-pair.js';

const STEP_COUNT = 1500;

describe('oracle: a replica of ours of a real master', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	let options: ServerOptions;
	let master: ServerProcess;
	let atMaster: RawClient;
	let seed = Number(process.env.ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));

	before(async function () {
		oracle = requireOracle(this);
		options = { ...smallEncodings(oracle.version), 'repl-diskless-sync-delay': '0' };
		master = await fleet.start({ executable: oracle.executable, options });
		atMaster = await master.connect();
		console.log(`      ORACLE_SEED=${seed}`);
		await write();
	});
	after(() => fleet.close());

	/** A random program of writes, on the master alone. */
	async function write(): Promise<void> {
		for (const step of generateProgram(seed++, STEP_COUNT, oracle.version)) {
			if (step.kind === 'command') await atMaster.command(step.args);
			else if (step.kind === 'transaction') {
				for (const args of [['MULTI'], ...step.commands.map((command) => command.args), [step.end]])
					await atMaster.command(args);
			}
		}
	}

	async function assertSame(replica: ServerProcess): Promise<void> {
		await waitForSameOffset(master, replica);
		const clients = { ours: await replica.connect(), real: await master.connect() };
		assert.isNull(await datasetDifference(clients, oracle.version));
		destroyBoth(clients);
	}

	function follow(more: ServerOptions = {}, dir?: string): Promise<ServerProcess> {
		const replicaof = `127.0.0.1 ${master.port}`;
		const all = { ...options, replicaof, ...more };
		return fleet.start({ executable: ourServer(), options: all, ...(dir === undefined ? {} : { dir }) });
	}

	for (const appendonly of ['yes', 'no']) {
		for (const bySocket of ['yes', 'no']) {
			it(`gets everything, and then the stream: ${bySocket === 'yes' ? 'by socket' : 'by file'}, appendonly ${appendonly}`, async () => {
				await atMaster.command(['CONFIG', 'SET', 'repl-diskless-sync', bySocket]);
				const replica = await follow({ appendonly });
				await waitForLink(replica);
				await assertSame(replica);
				await write();
				await assertSame(replica);
				await replica.stop();
			});
		}
	}

	it('continues where it was when the link is dropped, in the middle of a load too', async () => {
		const replica = await follow({ appendonly: 'yes' });
		await waitForLink(replica);
		const full = await replicationField(master, 'sync_full');
		for (let i = 0; i < 5; i++) {
			const writing = write();
			await sleep(30);
			await fleetKillLinks(master);
			await writing;
		}
		await waitForLink(replica);
		await assertSame(replica);
		assert.equal(await replicationField(master, 'sync_full'), full);
		await replica.stop();
	});

	it('continues where it was after a restart, in order or by SIGKILL, with a log', async () => {
		const dir = fleet.folder();
		let replica = await follow({ appendonly: 'yes' }, dir);
		await waitForLink(replica);
		const full = await replicationField(master, 'sync_full');
		for (const end of ['stop', 'kill'] as const) {
			await write();
			await replica[end]();
			await write();
			replica = await follow({ appendonly: 'yes' }, dir);
			await waitForLink(replica);
			await assertSame(replica);
		}
		assert.equal(await replicationField(master, 'sync_full'), full);
		await replica.stop();
	});

	it('is promoted, writes, and comes back as a replica with what the master has', async () => {
		const dir = fleet.folder();
		const replica = await follow({ appendonly: 'yes' }, dir);
		await waitForLink(replica);
		const client = await replica.connect();
		assert.match(
			await client.command(['SET', 'a', 'b']),
			/^-READONLY You can't write against a read only replica/,
		);
		assert.equal(await client.command(['REPLICAOF', 'NO', 'ONE']), '+OK\r\n');
		const replid = await replicationField(replica, 'master_replid');
		const offset = Number(await replicationField(replica, 'second_repl_offset')) - 1;
		assert.equal(await client.command(['SET', 'only-here', 'x']), '+OK\r\n');
		assert.equal(await client.command(['REPLICAOF', '127.0.0.1', String(master.port)]), '+OK\r\n');
		await waitForLink(replica);
		await assertSame(replica);
		assert.equal(await client.command(['GET', 'only-here']), '$-1\r\n');
		// What only this server had is not lost.
		const saved = readdirSync(dir).filter((name) => name.startsWith('divergent-'));
		assert.lengthOf(saved, 1);
		assert.match(saved[0]!, new RegExp(`^divergent-${replid}-${offset}\\.aof$`));
		const text = readFileSync(join(dir, saved[0]!), 'latin1');
		// Before it may stand the SELECT of the database that the master had selected last.
		const own = '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$9\r\nonly-here\r\n$1\r\nx\r\n';
		assert.match(text.slice(0, -own.length), /^(\*2\r\n\$6\r\nSELECT\r\n\$\d\r\n\d+\r\n)?$/);
		assert.isTrue(text.endsWith(own), text);
		client.destroy();
		await replica.stop();
	});
});

async function fleetKillLinks(master: ServerProcess): Promise<void> {
	const client = await master.connect();
	await client.command(['CLIENT', 'KILL', 'TYPE', 'replica']);
	client.destroy();
}
