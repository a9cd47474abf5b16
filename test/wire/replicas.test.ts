/** The master's end of replication, with replicas written by hand. */
import { assert } from 'chai';
import { encodeCommand, type RawClient } from '../support/raw-client.js';
import { RawReplica } from '../support/raw-replica.js';
import { sleep } from '../support/server-process.js';
import { WireSession } from '../support/wire-session.js';

/** The value of a field of INFO replication. */
async function info(client: RawClient, field: string, section = 'replication'): Promise<string> {
	const text = await client.command(['INFO', section]);
	return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? '';
}

async function until(what: string, isMet: () => Promise<boolean>): Promise<void> {
	for (let i = 0; i < 500; i++) {
		if (await isMet()) return;
		await sleep(20);
	}
	assert.fail(`it never came to pass: ${what}`);
}

for (const appendonly of ['yes', 'no']) {
	describe(`replicas of a server with appendonly ${appendonly}`, function () {
		this.timeout(30_000);
		const session = new WireSession();
		const replicas: RawReplica[] = [];
		let client: RawClient;
		let writeCount = 0;
		before(async () => {
			await session.start({ appendonly, 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '100' });
			client = session.client;
		});
		after(() => session.stop());
		afterEach(async () => {
			for (const replica of replicas.splice(0)) replica.destroy();
			await until('all replicas are gone', async () => (await info(client, 'connected_slaves')) === '0');
		});

		async function attach(): Promise<RawReplica> {
			const replica = await RawReplica.connect(session.server.port);
			replicas.push(replica);
			return replica;
		}

		/** A replica that has all; its offset. */
		async function attachOnline(port: number): Promise<[RawReplica, string, number]> {
			const replica = await attach();
			await replica.greet(port, 'eof', 'psync2');
			const [, replid, offset] = (await replica.ask('PSYNC', '?', '-1')).split(' ') as [
				string,
				string,
				string,
			];
			await replica.snapshot();
			replica.send('REPLCONF', 'ACK', offset);
			return [replica, replid, Number(offset)];
		}

		/** Writes what has not been written before; how it looks in the stream. */
		async function write(): Promise<string> {
			const args = ['SET', 'a', `value ${++writeCount}`];
			assert.equal(await client.command(args), '+OK\r\n');
			return encodeCommand(args);
		}

		it('gives a snapshot, then the stream, and lists the replica', async () => {
			await session.run('SET before 1');
			const [replica, replid, offset] = await attachOnline(4711);
			assert.match(replid, /^[0-9a-f]{40}$/);
			const stream = await replica.streamUpTo(await write());
			assert.include(stream, encodeCommand(['SELECT', '0']));
			const end = Number(await info(client, 'master_repl_offset'));
			assert.equal(offset + stream.length, end);
			replica.send('REPLCONF', 'ACK', String(end));
			await until(
				'acknowledged',
				async () =>
					(await info(client, 'slave0')) === `ip=127.0.0.1,port=4711,state=online,offset=${end},lag=0`,
			);
			const role = await client.command(['ROLE']);
			assert.include(role, `$9\r\n127.0.0.1\r\n$4\r\n4711\r\n$${String(end).length}\r\n${end}\r\n`);
			assert.match(await client.command(['CLIENT', 'LIST', 'TYPE', 'replica']), /flags=S/);
		});

		it('sends a snapshot with its size to whoever does not know better, and to SYNC', async () => {
			const replica = await attach();
			replica.send('SYNC');
			const bytes = await replica.snapshot();
			assert.isFalse(replica.snapshotIsMarked);
			assert.match(bytes, /^REDIS0010/);
			await replica.streamUpTo(await write());
		});

		it('lets a replica continue', async () => {
			const [first, replid, offset] = await attachOnline(4712);
			const stream = await first.streamUpTo(await write());
			first.destroy();
			await session.run('SET b 2');
			const again = await attach();
			await again.greet(4712, 'eof', 'psync2');
			const at = offset + stream.length + 1;
			assert.equal(await again.ask('PSYNC', replid, String(at)), `+CONTINUE ${replid}`);
			await again.streamUpTo(encodeCommand(['SET', 'b', '2']));
			const ahead = await attach();
			await ahead.greet(4713, 'eof', 'psync2');
			assert.match(await ahead.ask('PSYNC', replid, '99999999999'), /^\+FULLRESYNC/);
			const stranger = await attach();
			await stranger.greet(4714, 'eof', 'psync2');
			assert.match(await stranger.ask('PSYNC', 'f'.repeat(40), '1'), /^\+FULLRESYNC/);
		});

		it('waits for acknowledgements', async () => {
			const [replica, , offset] = await attachOnline(4715);
			await session.run('SET a 1');
			assert.equal(await session.run('WAIT 1 20'), ':0\r\n');
			const waiting = session.run('WAIT 1 0');
			const stream = await replica.streamUpTo(encodeCommand(['REPLCONF', 'GETACK', '*']));
			replica.send('REPLCONF', 'ACK', String(offset + stream.length));
			assert.equal(await waiting, ':1\r\n');
			assert.equal(await session.run('WAIT 0 0'), ':1\r\n');
			assert.match(await session.run('WAIT x 0'), /^-ERR value is not an integer/);
			assert.match(await session.run('WAIT 1 -1'), /^-ERR timeout is negative/);
			const onDisk = session.run('WAITAOF 0 1 0');
			replica.send('REPLCONF', 'ACK', String(offset + stream.length), 'FACK', String(offset + stream.length));
			assert.equal((await onDisk).endsWith(':1\r\n'), true);
			if (appendonly === 'yes')
				assert.equal(await session.run('SET a 2', 'WAITAOF 1 0 0'), '*2\r\n:1\r\n:0\r\n');
			else assert.match(await session.run('WAITAOF 1 0 0'), /^-ERR WAITAOF cannot be used when numlocal/);
			const other = await session.server.connect();
			const id = /:(\d+)/.exec(await other.command(['CLIENT', 'ID']))![1]!;
			const unblocked = other.command(['WAIT', '5', '0']);
			await until('it waits', async () => (await info(client, 'blocked_clients', 'clients')) === '1');
			await session.run(`CLIENT UNBLOCK ${id}`);
			assert.equal(await unblocked, ':1\r\n');
			other.destroy();
		});

		it('takes writes only while replicas keep up, if told so', async () => {
			await session.run('CONFIG SET min-replicas-to-write 1');
			assert.match(await session.run('SET a 1'), /^-NOREPLICAS Not enough good replicas to write/);
			await attachOnline(4716);
			await until('it is online', async () => (await info(client, 'min_slaves_good_slaves')) === '1');
			assert.equal(await session.run('SET a 1'), '+OK\r\n');
			await session.run('CONFIG SET min-replicas-to-write 0');
		});

		it('sends on what is published, and transactions whole', async () => {
			const [replica] = await attachOnline(4717);
			await session.run('PUBLISH channel message', 'MULTI', 'INCR n', 'INCR n', 'EXEC');
			const stream = await replica.streamUpTo(await write());
			assert.include(stream, encodeCommand(['PUBLISH', 'channel', 'message']));
			const group = [['MULTI'], ['INCR', 'n'], ['INCR', 'n'], ['EXEC']].map(encodeCommand).join('');
			assert.include(stream, group);
		});

		it('gives the stream to a slow reader without keeping it in memory twice', async () => {
			const [replica, , offset] = await attachOnline(4718);
			replica.pauseReading();
			const value = 'v'.repeat(100_000);
			for (let i = 0; i < 100; i++) await client.command(['SET', `big${i % 3}`, value]);
			assert.isBelow(Number(await info(client, 'mem_clients_slaves', 'memory')), 64e6);
			replica.resumeReading();
			const stream = await replica.streamUpTo(await write());
			assert.equal(offset + stream.length, Number(await info(client, 'master_repl_offset')));
		});

		it('ends the connection of one that does not read any more', async () => {
			const [replica] = await attachOnline(4719);
			await client.command(['CONFIG', 'SET', 'client-output-buffer-limit', 'replica 4mb 0 0']);
			replica.pauseReading();
			const value = 'v'.repeat(100_000);
			for (let i = 0; i < 200; i++) await client.command(['SET', 'big', value]);
			await until('it is cut off', async () => (await info(client, 'connected_slaves')) === '0');
			assert.include(session.server.log, 'closed for overcoming of output buffer limits');
			await client.command(['CONFIG', 'SET', 'client-output-buffer-limit', 'replica 256mb 64mb 60']);
		});

		it('drops a replica that sends garbage, or commands that are answered', async () => {
			const [replica] = await attachOnline(4720);
			replica.send('GET', 'a');
			await replica.closed();
			const [other] = await attachOnline(4721);
			other.send('PING');
			await other.closed();
			assert.match(session.server.log, /Replica generated a reply to command 'ping'/);
		});

		it('forgets one that is cut off while it gets its snapshot', async () => {
			await session.run('DEBUG POPULATE 20000 key 200');
			const replica = await attach();
			await replica.greet(4722, 'eof', 'psync2');
			replica.send('PSYNC', '?', '-1');
			await replica.line();
			replica.destroy();
			await until('it is gone', async () => (await info(client, 'connected_slaves')) === '0');
			await until(
				'no child is left',
				async () => (await info(client, 'rdb_bgsave_in_progress', 'persistence')) === '0',
			);
			const [next] = await attachOnline(4723);
			assert.isAbove(next.snapshotSize, 0);
			assert.equal(await session.run('CLIENT KILL TYPE replica'), ':1\r\n');
			await next.closed();
		});

		it('gives one snapshot to all who come within the delay, or to as many as are awaited', async () => {
			await session.run('CONFIG SET repl-diskless-sync-delay 60 repl-diskless-sync-max-replicas 2');
			// What a base would do for is too long ago.
			await session.run('DEBUG POPULATE 20000 late 100');
			const pair = [await attach(), await attach()];
			for (const [i, replica] of pair.entries()) {
				await replica.greet(4724 + i, 'eof', 'psync2');
				replica.send('PSYNC', '?', '-1');
			}
			const lines = await Promise.all(pair.map((replica) => replica.line()));
			assert.equal(lines[0], lines[1]);
			const [first, second] = await Promise.all(pair.map((replica) => replica.snapshot()));
			assert.equal(first, second);
			await session.run('CONFIG SET repl-diskless-sync-delay 0 repl-diskless-sync-max-replicas 0');
		});

		it('gives a failover up in time, and lets writes go on then', async () => {
			await attachOnline(4726);
			await write();
			assert.equal(await session.run('FAILOVER TIMEOUT 400'), '+OK\r\n');
			assert.equal(await info(client, 'master_failover_state'), 'waiting-for-sync');
			assert.match(await session.run('FAILOVER'), /^-ERR FAILOVER already in progress/);
			assert.match(
				await session.run('REPLICAOF 127.0.0.1 1'),
				/^-ERR REPLICAOF not allowed while failing over/,
			);
			const beganMs = Date.now();
			await write();
			assert.isAtLeast(Date.now() - beganMs, 100);
			assert.equal(await info(client, 'master_failover_state'), 'no-failover');
			assert.include(session.server.log, 'aborted: Replica never caught up before timeout');
			assert.equal(await session.run('FAILOVER'), '+OK\r\n');
			assert.equal(await session.run('FAILOVER ABORT'), '+OK\r\n');
			await write();
		});

		it('says what is wrong with REPLCONF and FAILOVER', async () => {
			assert.match(await session.run('REPLCONF capa'), /^-ERR syntax error/);
			assert.match(await session.run('REPLCONF nosuch 1'), /^-ERR Unrecognized REPLCONF option: nosuch/);
			assert.match(await session.run('FAILOVER'), /^-ERR FAILOVER requires connected replicas/);
			assert.match(await session.run('FAILOVER ABORT'), /^-ERR No failover in progress/);
			assert.match(await session.run('FAILOVER TIMEOUT 0'), /^-ERR FAILOVER timeout must be greater than 0/);
		});
	});
}
