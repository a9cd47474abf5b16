/** Chains of our own servers: a promotion in the middle, and topologies that can't work. */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import {
	digestOf,
	replicationField,
	waitForLink,
	waitForSameOffset,
	waitUntil,
} from '../support/replication.js';
import { ServerFleet, type ServerProcess } from '../support/server-process.js';

describe('a chain of replicas', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	after(() => fleet.close());

	function start(appendonly: string): Promise<ServerProcess> {
		const options = { appendonly, 'repl-diskless-sync-delay': '0' };
		return fleet.start({ executable: ourServer(), options });
	}

	async function command(server: ServerProcess, ...args: string[]): Promise<string> {
		const client = await server.connect();
		const reply = await client.command(args);
		client.destroy();
		return reply;
	}

	async function follow(replica: ServerProcess, master: ServerProcess): Promise<void> {
		assert.equal(await command(replica, 'REPLICAOF', '127.0.0.1', String(master.port)), '+OK\r\n');
	}

	for (const appendonly of ['yes', 'no']) {
		it(`follows the one in the middle when that becomes the master, without a full sync, appendonly ${appendonly}`, async () => {
			const [a, b, c] = [await start(appendonly), await start(appendonly), await start(appendonly)];
			await follow(b, a);
			await waitForLink(b);
			await follow(c, b);
			await waitForLink(c);
			for (let i = 0; i < 50; i++) await command(a, 'SET', `key${i}`, 'x'.repeat(i));
			await waitForSameOffset(a, c);
			const full = await replicationField(b, 'sync_full');
			assert.equal(await command(b, 'REPLICAOF', 'NO', 'ONE'), '+OK\r\n');
			await follow(a, b);
			await waitForLink(a);
			await command(b, 'SET', 'behind', 'the promotion');
			await waitForSameOffset(b, a);
			await waitForSameOffset(b, c);
			assert.equal(await replicationField(b, 'sync_full'), full);
			const digest = await digestOf(b);
			assert.equal(await digestOf(a), digest);
			assert.equal(await digestOf(c), digest);
			assert.equal(await replicationField(c, 'master_replid'), await replicationField(b, 'master_replid'));
			await Promise.all([a, b, c].map((server) => server.stop()));
		});
	}

	it('says so when a server is to follow itself, or in a ring', async () => {
		const [a, b] = [await start('no'), await start('no')];
		await follow(a, a);
		await waitUntil('a line of the log', async () => a.log.includes('is this server itself'));
		await follow(a, b);
		await follow(b, a);
		await waitUntil('a line of the log', async () => /a ring of replicas/.test(a.log + b.log));
		assert.equal(await command(a, 'REPLICAOF', 'NO', 'ONE'), '+OK\r\n');
		await waitForLink(b);
		await Promise.all([a, b].map((server) => server.stop()));
	});
});
