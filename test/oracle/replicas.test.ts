/** The real server as a replica of ours, in full and partial resyncs, and roles that change between the two. */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import type { RawClient } from '../support/raw-client.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';

const QUICK: ServerOptions = { 'repl-diskless-sync-delay': '0' };

interface Node {
	readonly server: ServerProcess;
	readonly client: RawClient;
}

describe('oracle: a replica that is the real server', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	before(function () {
		oracle = requireOracle(this);
	});
	afterEach(() => fleet.close());

	async function ours(options: ServerOptions = {}, dir?: string): Promise<Node> {
		const request = { executable: ourServer(), options: { ...QUICK, ...options } };
		const server = await fleet.start(dir === undefined ? request : { ...request, dir });
		return { server, client: await server.connect() };
	}

	async function real(): Promise<Node> {
		const server = await fleet.start({ executable: oracle.executable, options: QUICK });
		return { server, client: await server.connect() };
	}

	async function field(node: Node, section: string, name: string): Promise<string> {
		const text = await node.client.command(['INFO', section]);
		return new RegExp(`^${name}:(.*)\r$`, 'm').exec(text)?.[1] ?? '';
	}

	async function run(node: Node, command: string): Promise<string> {
		return await node.client.command(command.split(' '));
	}

	async function until(what: string, isMet: () => Promise<boolean>): Promise<void> {
		for (let i = 0; i < 600; i++) {
			if (await isMet()) return;
			await sleep(30);
		}
		assert.fail(`it never came to pass: ${what}`);
	}

	async function follow(replica: Node, master: Node): Promise<void> {
		await run(replica, `REPLICAOF 127.0.0.1 ${master.server.port}`);
	}

	/** Waits until the replica has everything, and compares. */
	async function assertSame(replica: Node, master: Node): Promise<void> {
		await until('the replica has everything', async () => {
			if ((await field(replica, 'replication', 'master_link_status')) !== 'up') return false;
			const [a, b] = await Promise.all([
				field(replica, 'replication', 'master_repl_offset'),
				field(master, 'replication', 'master_repl_offset'),
			]);
			return a === b;
		});
		assert.equal(await run(replica, 'DEBUG DIGEST'), await run(master, 'DEBUG DIGEST'));
	}

	/** Changes of many kinds. */
	async function write(node: Node, round: number): Promise<void> {
		const commands = [
			`SET string:${round} value`,
			`SETEX volatile:${round} 1000 value`,
			'INCR counter',
			'APPEND string:long abcdef',
			`RPUSH list ${round} a b c`,
			'LPOP list',
			`SADD set ${round} x y z`,
			'SPOP set',
			`HSET hash field:${round} ${round}`,
			'HINCRBYFLOAT hash float 1.5',
			`ZADD zset ${round} member:${round}`,
			'ZPOPMIN zset',
			'SELECT 3',
			`SET other:${round} value`,
			'MULTI',
			'INCR counter',
			'EXPIRE counter 5000',
			'EXEC',
			'SELECT 0',
			'DEL string:nosuch',
		];
		for (let i = 0; i < 20; i++)
			for (const reply of await node.client.pipeline(commands.map((command) => command.split(' '))))
				assert.notMatch(reply, /^-/);
	}

	for (const [appendonly, diskless] of [
		['yes', 'yes'],
		['yes', 'no'],
		['no', 'yes'],
		['no', 'no'],
	] as const) {
		it(`syncs with appendonly ${appendonly}, repl-diskless-sync ${diskless}`, async () => {
			const master = await ours({ appendonly, 'repl-diskless-sync': diskless });
			await write(master, 1);
			const replica = await real();
			await follow(replica, master);
			await write(master, 2);
			await assertSame(replica, master);
			assert.equal(await field(master, 'stats', 'sync_full'), '1');
			// The link breaks, and the ring has what is missing.
			await run(master, 'CLIENT KILL TYPE replica');
			await write(master, 3);
			await assertSame(replica, master);
			assert.equal(await field(master, 'stats', 'sync_full'), '1');
			assert.equal(await field(master, 'stats', 'sync_partial_ok'), '1');
		});
	}

	it('goes on where the ring has forgotten, from the files', async () => {
		const master = await ours({ appendonly: 'yes', 'repl-backlog-size': '16kb' });
		const replica = await real();
		await follow(replica, master);
		await assertSame(replica, master);
		replica.server.child.kill('SIGSTOP');
		await run(master, 'CLIENT KILL TYPE replica');
		await write(master, 1);
		const text = 'x'.repeat(10_000);
		for (let i = 0; i < 100; i++) await master.client.command(['SET', `big:${i}`, text]);
		await run(master, 'BGREWRITEAOF');
		await until(
			'rewritten',
			async () => (await field(master, 'persistence', 'aof_rewrite_in_progress')) === '0',
		);
		replica.server.child.kill('SIGCONT');
		await assertSame(replica, master);
		assert.equal(await field(master, 'stats', 'sync_partial_ok'), '1');
		assert.equal(await field(master, 'stats', 'sync_full'), '1');
	});

	it('goes on behind a restart of ours', async () => {
		const dir = fleet.folder();
		const master = await ours({ appendonly: 'yes' }, dir);
		const replica = await real();
		await follow(replica, master);
		await write(master, 1);
		await assertSame(replica, master);
		await master.server.stop();
		const again = await ours({ appendonly: 'yes' }, dir);
		await write(again, 2);
		await follow(replica, again);
		await assertSame(replica, again);
		assert.equal(await field(again, 'stats', 'sync_partial_ok'), '1');
		assert.equal(await field(again, 'stats', 'sync_full'), '0');
	});

	it('hands over to it by FAILOVER, and takes over again', async () => {
		const first = await ours({ appendonly: 'yes' });
		const second = await real();
		await follow(second, first);
		await write(first, 1);
		await assertSame(second, first);
		for (const [master, replica] of [
			[first, second],
			[second, first],
		] as const) {
			assert.equal(
				await run(master, `FAILOVER TO 127.0.0.1 ${replica.server.port} TIMEOUT 10000`),
				'+OK\r\n',
			);
			await until(
				'it is over',
				async () => (await field(master, 'replication', 'master_failover_state')) === 'no-failover',
			);
			assert.equal(await field(master, 'replication', 'role'), 'slave');
			assert.equal(await field(replica, 'replication', 'role'), 'master');
			assert.match(await run(master, 'SET a 1'), /^-READONLY/);
			await write(replica, 2);
			await assertSame(master, replica);
			assert.equal(await field(replica, 'stats', 'sync_full'), replica === first ? '1' : '0');
		}
	});
});
