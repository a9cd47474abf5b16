/** `tsredis-replay` on the folder of a running server: lists what the server did, and exports what it held. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import protobuf from 'protobufjs';
import { ourServer, PROJECT_ROOT, realServer, type ServerExecutable } from '../support/executables.js';
import type { RawClient } from '../support/raw-client.js';
import { ServerFleet, type ServerProcess, sleep } from '../support/server-process.js';

const PROGRAM = join(PROJECT_ROOT, 'dist/tools/log-replay/tsredis-replay.js');

interface Run {
	readonly output: Buffer;
	readonly errors: string;
	readonly exitCode: number | null;
}

function replay(...args: string[]): Run {
	const run = spawnSync(process.execPath, [PROGRAM, ...args], { maxBuffer: 1 << 28 });
	return { output: run.stdout, errors: run.stderr.toString('latin1'), exitCode: run.status };
}

interface JsonEntry {
	readonly offset: number;
	readonly size: number;
	readonly db: number;
	readonly time: string | null;
	readonly origin: { readonly kind: string; readonly id: number; readonly name: string } | null;
	readonly command: readonly (string | { readonly base64: string })[];
}

function listJson(...args: string[]): JsonEntry[] {
	const run = replay('list', ...args, '--format', 'json');
	assert.equal(run.exitCode, 0, run.errors);
	const lines = run.output.toString('utf8').split('\n').slice(0, -1);
	return lines.map((line) => JSON.parse(line) as JsonEntry);
}

/** What the server held at some moment. */
interface Moment {
	readonly offset: number;
	readonly timeMs: number;
	readonly digest: string;
}

describe('wire: tsredis-replay', function () {
	this.timeout(120_000);
	const fleet = new ServerFleet();
	const moments: Moment[] = [];
	let server: ServerProcess;
	let client: RawClient;
	let endOffset = 0;

	async function moment(): Promise<void> {
		const info = await client.command(['INFO', 'replication']);
		const offset = Number(/master_repl_offset:(\d+)/.exec(info)![1]);
		const digest = await client.command(['DEBUG', 'DIGEST']);
		moments.push({ offset, timeMs: Date.now(), digest });
		await sleep(30);
	}

	async function rewrite(): Promise<void> {
		await client.command(['BGREWRITEAOF']);
		for (let i = 0; i < 1000; i++) {
			const info = await client.command(['INFO', 'persistence']);
			if (!/aof_rewrite_(in_progress|scheduled):1/.test(info)) return;
			await sleep(20);
		}
		throw new Error(`the rewrite does not end:\n${server.log}`);
	}

	before(async () => {
		server = await fleet.start({ executable: ourServer(), options: { appendonly: 'yes', databases: '4' } });
		client = await server.connect();
		await client.command(['CLIENT', 'SETNAME', 'writer']);
		for (let round = 0; round < 6; round++) {
			await client.command(['SELECT', String(round % 3)]);
			for (let i = 0; i < 300; i++) await client.command(['SET', `key:${i}`, `value ${round}.${i}`]);
			await client.command(['RPUSH', 'list', '\xff\x00', `round ${round}`]);
			await client.pipeline([
				['MULTI'],
				['SADD', 'set', String(round)],
				['ZADD', 'z', '1.5', `m${round}`],
				['EXEC'],
			]);
			await client.command(['SET', 'volatile', 'x', 'EX', '1000']);
			await moment();
			if (round === 2 || round === 4) await rewrite();
			if (round === 3) {
				await client.command(['FLUSHDB']);
				await moment();
			}
		}
		endOffset = moments.at(-1)!.offset;
		// The origins and the catalog are written about once a second.
		await sleep(1500);
	});
	after(() => fleet.close());

	it('lists the log without a gap, from the history on', () => {
		const entries = listJson(server.dir);
		let at = 0;
		for (const { offset, size } of entries) {
			assert.equal(offset, at);
			at += size;
		}
		assert.equal(at, endOffset);
		assert.equal(entries.filter(({ command }) => command[0] === 'SET').length, 6 * 301);
	});

	it('says who wrote an entry, and when', () => {
		const entries = listJson(join(server.dir, 'appendonlydir'));
		for (const entry of entries) {
			assert.equal(entry.origin?.kind, 'client');
			assert.equal(entry.origin?.name, 'writer');
			assert.isAbove(Date.parse(entry.time!), Date.now() - 120_000);
		}
		const push = entries.find(({ command }) => command[0] === 'RPUSH')!;
		assert.deepEqual(push.command, ['RPUSH', 'list', { base64: '/wA=' }, 'round 0']);
		assert.equal(entries.findLast(({ command }) => command[0] === 'RPUSH')!.db, 2);
	});

	it('lists from one place to another', () => {
		const [first, second] = moments as [Moment, Moment];
		const between = listJson(server.dir, '--from', String(first.offset), '--to', String(second.offset));
		assert.equal(between[0]!.offset, first.offset);
		assert.equal(between.at(-1)!.offset + between.at(-1)!.size, second.offset);
		// Within an entry means before it.
		assert.deepEqual(
			listJson(server.dir, '--from', String(first.offset + 1), '--to', String(second.offset)),
			between,
		);
		const iso = (timeMs: number): string => new Date(timeMs).toISOString();
		assert.deepEqual(listJson(server.dir, '--from', iso(first.timeMs), '--to', iso(second.timeMs)), between);
		assert.deepEqual(
			listJson(server.dir, '--from', `@${first.timeMs}`, '--to', `@${second.timeMs}`),
			between,
		);
	});

	it('lists as text and as protobuf', () => {
		const to = String(moments[0]!.offset);
		const text = replay('list', server.dir, '--to', to).output.toString('latin1').split('\n');
		assert.match(
			text[1]!,
			/^\d+ 20\d\d-\S+Z client id=\d+ addr=127\.0\.0\.1:\d+ name=writer db=0 "SET" "key:0" "value 0\.0"$/,
		);
		const root = new protobuf.Root().loadSync(join(PROJECT_ROOT, 'proto/replay.proto'));
		const type = root.lookupType('tsredis.LogEntry');
		const reader = protobuf.Reader.create(replay('list', server.dir, '--to', to, '--format', 'pb').output);
		const commands: string[] = [];
		while (reader.pos < reader.len) {
			const message = type.toObject(type.decodeDelimited(reader), { bytes: Buffer }) as { command: Buffer[] };
			commands.push(message.command.map((arg) => arg.toString('latin1')).join(' '));
		}
		assert.equal(commands.length, text.length - 1);
		assert.equal(commands[1], 'SET key:0 value 0.0');
	});

	async function digestOf(executable: ServerExecutable, rdbPath: string): Promise<string> {
		const dir = fleet.folder();
		copyFileSync(rdbPath, join(dir, 'dump.rdb'));
		const loaded = await fleet.start({ executable, dir });
		const digest = await (await loaded.connect()).command(['DEBUG', 'DIGEST']);
		await loaded.kill();
		return digest;
	}

	it('exports the dataset as it was at an offset and at a time', async () => {
		const rdbPath = join(fleet.folder(), 'then.rdb');
		const real = realServer();
		for (const [i, { offset, timeMs, digest }] of moments.entries()) {
			const places = [`@${timeMs}`, i % 2 === 0 ? String(offset) : String(offset + 1)];
			for (const at of places) {
				if (at === String(endOffset + 1)) continue;
				const run = replay('export', server.dir, '--at', at, '--rdb', rdbPath);
				assert.equal(run.exitCode, 0, run.errors);
				assert.include(run.output.toString(), `as of log position ${offset},`);
				const loader = i % 2 === 0 && real !== undefined ? real : ourServer();
				if (at.startsWith('@')) assert.equal(await digestOf(loader, rdbPath), digest);
				rmSync(rdbPath);
			}
		}
	});

	it('works without catalog and origins, by offset', () => {
		const dir = fleet.folder();
		const copied = spawnSync('cp', ['-r', join(server.dir, 'appendonlydir'), dir]);
		assert.equal(copied.status, 0);
		const log = join(dir, 'appendonlydir');
		spawnSync('sh', ['-c', `rm -rf ${log}/*.catalog ${log}/*.origins ${log}/history/*.origins`]);
		const { offset } = moments[3]!;
		const run = replay('export', dir, '--at', String(offset), '--rdb', join(dir, 'then.rdb'));
		assert.equal(run.exitCode, 0, run.errors);
		assert.isNull(listJson(dir)[0]!.origin);
		const byTime = replay('list', dir, '--from', `@${moments[3]!.timeMs}`);
		assert.equal(byTime.exitCode, 3);
		assert.include(byTime.errors, 'does not say when');
	});

	it('says what it can not do, by its exit code as well', () => {
		const there = fleet.folder();
		const beyond = replay('list', server.dir, '--from', '99999999');
		assert.equal(beyond.exitCode, 3);
		assert.include(beyond.errors, `the log ends at log position ${endOffset}`);
		assert.equal(replay('list', there).exitCode, 2);
		assert.equal(replay('list', server.dir, '--from', 'yesterday').exitCode, 1);
		assert.equal(replay('list').exitCode, 1);
		assert.equal(replay('export', server.dir, '--at', 'end').exitCode, 1);
		const missing = replay('export', server.dir, '--at', 'end', '--rdb', join(there, 'no/such/folder.rdb'));
		assert.equal(missing.exitCode, 4, missing.errors);
		assert.equal(replay('--help').exitCode, 0);
		assert.isFalse(existsSync(join(there, 'no')));
	});
});
