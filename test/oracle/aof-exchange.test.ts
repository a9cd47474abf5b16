/**
 * The files of one server in the other: a random dataset, written with `appendonly yes` by ours, is loaded by
 * the real server, and the other way round, and is the same.
 */
import { cpSync } from 'node:fs';
import { assert } from 'chai';
import { ourServer, type ServerExecutable } from '../support/executables.js';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import { ServerFleet, type ServerOptions, type ServerProcess } from '../support/server-process.js';
import { datasetDifference } from './dataset.js';
import { generateProgram } from './generator.js';
import { ProgramRunner } from './runner.js';
import { destroyBoth, ServerPair } from './server-pair.js';

const STEP_COUNT = 3000;
const OPTIONS: ServerOptions = { appendonly: 'yes', appendfsync: 'no', 'aof-use-rdb-preamble': 'no' };

describe('oracle: the append-only files', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	let pair: ServerPair;
	before(async function () {
		oracle = requireOracle(this);
		pair = await ServerPair.start(fleet, oracle, OPTIONS);
		const seed = Number(process.env.ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
		console.log(`      ORACLE_SEED=${seed}`);
		const mismatch = await new ProgramRunner(pair).run(
			generateProgram(seed, STEP_COUNT, oracle.version),
			STEP_COUNT,
		);
		assert.isNull(mismatch, 'the servers differ before their files are exchanged');
		await Promise.all([pair.ours.stop(), pair.real.stop()]);
	});
	after(() => fleet.close());

	/** Starts `executable` on a copy of the files of `source`. */
	function startOn(executable: ServerExecutable, source: ServerProcess): Promise<ServerProcess> {
		const dir = fleet.folder();
		cpSync(source.dir, dir, { recursive: true });
		return fleet.start({ executable, options: OPTIONS, dir });
	}

	async function assertSame(ours: ServerProcess, real: ServerProcess): Promise<void> {
		const clients = { ours: await ours.connect(), real: await real.connect() };
		assert.isNull(await datasetDifference(clients, oracle.version));
		destroyBoth(clients);
		await Promise.all([ours.stop(), real.stop()]);
	}

	it('ours load in the real server', async () => {
		await assertSame(await startOn(ourServer(), pair.ours), await startOn(oracle.executable, pair.ours));
	});

	it('the real ones load in ours', async () => {
		await assertSame(await startOn(ourServer(), pair.real), await startOn(oracle.executable, pair.real));
	});

	it('both hold the same', async () => {
		await assertSame(await startOn(ourServer(), pair.ours), await startOn(oracle.executable, pair.real));
	});

	it('what the real server wrote goes on in ours, and back', async () => {
		const ours = await startOn(ourServer(), pair.real);
		const client = await ours.connect();
		assert.equal(await client.command(['RPUSH', 'went on', 'a', 'b']), ':2\r\n');
		assert.equal(await client.command(['DEL', 's0', 'l0']).then((reply) => reply[0]), ':');
		client.destroy();
		await ours.stop();
		await assertSame(await startOn(ourServer(), ours), await startOn(oracle.executable, ours));
	});
});
