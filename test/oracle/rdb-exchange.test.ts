/**
 * Snapshots of one server in the other, and the payloads of DUMP: a random dataset with every type and encoding, and
 * from the real server streams with groups and HyperLogLogs, passes from each to the other and is the same.
 */
import { cpSync } from 'node:fs';
import { assert } from 'chai';
import { ourServer, type ServerExecutable } from '../support/executables.js';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import type { RawClient } from '../support/raw-client.js';
import { parseReply, textsOf } from '../support/reply.js';
import { ServerFleet, type ServerOptions, type ServerProcess } from '../support/server-process.js';
import { datasetDifference } from './dataset.js';
import { generateProgram } from './generator.js';
import { ProgramRunner } from './runner.js';
import { destroyBoth, ServerPair, smallEncodings } from './server-pair.js';

const STEP_COUNT = 3000;
const REDIS_7_2 = 70200;
const NOTHING = '$-1\r\n';

/** What only the real server can make. */
const REAL_ONLY: readonly string[] = [
	'PFADD hll-sparse a b c',
	'XADD stream 1-1 a 1 b 2',
	'XADD stream 1-2 a 3 b 4',
	'XADD stream 2-1 a 3 c 4',
	'XADD stream 18446744073709551615-1 a -5',
	'XADD emptied 7-7 a b',
	'XDEL emptied 7-7',
	'XGROUP CREATE created group $ MKSTREAM',
	'XGROUP CREATE stream first 0',
	'XGROUP CREATE stream second 1-1 ENTRIESREAD 1',
	'XGROUP CREATE stream last $',
	'XGROUP CREATECONSUMER stream first idle',
	'XREADGROUP GROUP first alice COUNT 2 STREAMS stream >',
	'XREADGROUP GROUP first bob COUNT 5 STREAMS stream >',
	'XREADGROUP GROUP second alice COUNT 1 STREAMS stream >',
	'XACK stream first 1-1',
	'XCLAIM stream first alice 0 2-1',
];
const STREAMS = ['stream', 'emptied', 'created', 'long-stream'];

/** More than fits into a node, with holes. */
function longStream(): string[] {
	const commands: string[] = [];
	for (let i = 1; i <= 500; i++) commands.push(`XADD long-stream ${i}-${i % 3} number ${i} text value${i}`);
	for (let i = 1; i <= 500; i += 7) commands.push(`XDEL long-stream ${i}-${i % 3}`);
	for (let i = 0; i < 3000; i++) commands.push(`PFADD hll-dense element${i}`);
	return commands;
}

describe('oracle: the snapshots', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	let options: ServerOptions;
	let pair: ServerPair;
	before(async function () {
		oracle = requireOracle(this);
		options = { ...smallEncodings(oracle.version), appendonly: 'no', save: '' };
		pair = await ServerPair.start(fleet, oracle, options);
		const seed = Number(process.env.ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
		console.log(`      ORACLE_SEED=${seed}`);
		const mismatch = await new ProgramRunner(pair).run(
			generateProgram(seed, STEP_COUNT, oracle.version),
			STEP_COUNT,
		);
		assert.isNull(mismatch, 'the servers differ before their files are exchanged');
		const { ours, real } = await pair.connect();
		for (const reply of await real.pipeline([...REAL_ONLY, ...longStream()].map((line) => line.split(' ')))) {
			assert.notEqual(reply[0], '-', reply);
		}
		for (const client of [ours, real]) assert.equal(await client.command(['SAVE']), '+OK\r\n');
		destroyBoth({ ours, real });
	});
	after(() => fleet.close());

	/** Starts `executable` on a copy of the files of `source`. */
	function startOn(executable: ServerExecutable, source: ServerProcess): Promise<ServerProcess> {
		const dir = fleet.folder();
		cpSync(source.dir, dir, { recursive: true });
		return fleet.start({ executable, options, dir });
	}

	async function assertSame(ours: ServerProcess, real: ServerProcess): Promise<void> {
		const clients = { ours: await ours.connect(), real: await real.connect() };
		assert.isNull(await datasetDifference(clients, oracle.version));
		// Small lists, and small sets of text, became listpacks in 7.2.
		const encoded = oracle.version < REDIS_7_2 ? [] : await keysOf(clients.real);
		for (const key of encoded) {
			const what = ['OBJECT', 'ENCODING', key];
			const [oursEncoding, realEncoding] = [
				await clients.ours.command(what),
				await clients.real.command(what),
			];
			assert.equal(oursEncoding, realEncoding, `encoding of ${key}`);
		}
		destroyBoth(clients);
	}

	it('of ours loads in the real server', async () => {
		const [ours, real] = [await startOn(ourServer(), pair.ours), await startOn(oracle.executable, pair.ours)];
		await assertSame(ours, real);
		await Promise.all([ours.stop(), real.stop()]);
	});

	it('of the real one loads in ours, and back', async () => {
		const [ours, again] = [
			await startOn(ourServer(), pair.real),
			await startOn(oracle.executable, pair.real),
		];
		await assertSame(ours, again);
		const client = await ours.connect();
		assert.equal(await client.command(['SAVE']), '+OK\r\n');
		const [back, oursAgain] = [await startOn(oracle.executable, ours), await startOn(ourServer(), ours)];
		await assertSame(oursAgain, back);
		const [before, after] = [await again.connect(), await back.connect()];
		for (const key of STREAMS)
			assert.equal(await describeStream(after, key), await describeStream(before, key));
		for (const key of ['hll-sparse', 'hll-dense']) {
			assert.equal(await after.command(['PFCOUNT', key]), await before.command(['PFCOUNT', key]));
		}
		for (const connected of [client, before, after]) connected.destroy();
		await Promise.all([ours, again, back, oursAgain].map((server) => server.stop()));
	});

	it('have values that pass by DUMP and RESTORE too, both ways', async () => {
		const clients = await pair.connect();
		const { ours, real } = clients;
		await ours.command(['FLUSHALL']);
		for (const key of await keysOf(real)) {
			const digest = ['DEBUG', 'DIGEST-VALUE', key];
			const dump = await real.command(['DUMP', key]);
			if (dump === NOTHING) continue; // it has expired meanwhile
			const restore = ['RESTORE', key, '0', parseReply(dump).text!, 'REPLACE'];
			assert.equal(await ours.command(restore), '+OK\r\n', key);
			await real.command(['PERSIST', key]);
			const realDigest = await real.command(digest);
			const isScored = (await real.command(['TYPE', key])) === '+zset\r\n';
			if (oracle.version >= REDIS_7_2 || !isScored) assert.equal(await ours.command(digest), realDigest, key);
			const back = parseReply(await ours.command(['DUMP', key])).text!;
			assert.equal(await real.command(['RESTORE', key, '0', back, 'REPLACE']), '+OK\r\n', key);
			assert.equal(await real.command(digest), realDigest, key);
		}
		destroyBoth(clients);
	});
});

async function keysOf(client: RawClient): Promise<string[]> {
	return textsOf(parseReply(await client.command(['KEYS', '*']))).map((key) => key ?? '');
}

/** Everything about a stream, but when its consumers were active, for which version 10 has no place. */
async function describeStream(client: RawClient, key: string): Promise<string> {
	const full = await client.command(['XINFO', 'STREAM', key, 'FULL', 'COUNT', '0']);
	return full.replace(/\$11\r\nactive-time\r\n:-?\d+\r\n/g, '');
}
