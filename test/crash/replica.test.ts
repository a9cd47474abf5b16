/**
 * Kills a master with SIGKILL while clients write and a replica follows, and starts it again: no acknowledged write is
 * lost, the replica goes on from where it was (it has nothing that the master has not kept), and both datasets are the
 * same. Every few times the replica is killed instead. `CRASH_CYCLES` sets the number of kills (default 8), `CRASH_SEED`
 * the seed.
 */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { SeededRandom } from '../support/random.js';
import { digestOf, replicationField, waitForSameOffset } from '../support/replication.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';
import { Writer } from './writer.js';

const WRITER_COUNT = 4;
const CYCLE_COUNT = Number(process.env.CRASH_CYCLES ?? 8);
const WRITE_MS_MIN = 20;
const WRITE_MS_MAX = 500;
/** Kills in one pair of folders before new ones are begun. */
const CYCLES_PER_FOLDER = 50;
const REWRITE_PROBABILITY = 0.2;
const REPLICA_PROBABILITY = 0.25;

describe('kill -9 with a replica', () => {
	it(`goes on with a partial resync under appendfsync everysec (${CYCLE_COUNT} kills)`, async function () {
		this.timeout(CYCLE_COUNT * 30_000);
		const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
		const random = new SeededRandom(seed);
		let fullSyncs = 0;
		for (let remaining = CYCLE_COUNT; remaining > 0; remaining -= CYCLES_PER_FOLDER)
			fullSyncs += await crashCycles(random, Math.min(remaining, CYCLES_PER_FOLDER), seed);
		console.log(`      seed ${seed}, ${fullSyncs} full syncs`);
	});
});

/** The number of times that the replica had more than the master. */
async function crashCycles(random: SeededRandom, cycleCount: number, seed: number): Promise<number> {
	const fleet = new ServerFleet();
	try {
		const writers = Array.from({ length: WRITER_COUNT }, (_, id) => new Writer(id, random));
		const options: ServerOptions = { appendonly: 'yes', appendfsync: 'everysec' };
		const dirs = { master: fleet.folder(), replica: fleet.folder() };
		let master = await fleet.start({ executable: ourServer(), options, dir: dirs.master });
		const { port } = master;
		const follow = (): Promise<ServerProcess> =>
			fleet.start({
				executable: ourServer(),
				options: { ...options, replicaof: `127.0.0.1 ${port}` },
				dir: dirs.replica,
			});
		let replica = await follow();
		await waitForSameOffset(master, replica);
		let fullSyncs = 0;
		for (let cycle = 1; cycle <= cycleCount; cycle++) {
			const where = `cycle ${cycle}, seed ${seed}`;
			const fullBefore = Number(await replicationField(master, 'sync_full'));
			const clients = await Promise.all(writers.map(() => master.connect()));
			const writing = Promise.all(writers.map((writer, index) => writer.write(clients[index]!)));
			if (random.chance(REWRITE_PROBABILITY)) {
				const admin = await random.pick([master, replica]).connect();
				await admin.command(['BGREWRITEAOF']);
				admin.destroy();
			}
			await sleep(random.between(WRITE_MS_MIN, WRITE_MS_MAX));
			let expectsFull = false;
			if (random.chance(REPLICA_PROBABILITY)) {
				await replica.kill();
				await sleep(random.between(0, 200));
				replica = await follow();
				await waitForSameOffset(master, replica);
				for (const client of clients) client.destroy();
				await writing;
				assert.equal(Number(await replicationField(master, 'sync_full')), fullBefore, where);
			} else {
				await master.kill();
				await writing;
				const had = Number(await replicationField(replica, 'master_repl_offset'));
				master = await fleet.start({ executable: ourServer(), options, dir: dirs.master, port });
				expectsFull = Number(await replicationField(master, 'master_repl_offset')) < had;
				await waitForSameOffset(master, replica);
				assert.equal(Number(await replicationField(master, 'sync_full')), expectsFull ? 1 : 0, where);
			}
			if (expectsFull) fullSyncs++;
			const checker = await master.connect();
			for (const writer of writers) {
				const faults = await writer.check(checker);
				assert.isEmpty(faults, `${where}: ${faults.join('; ')}`);
			}
			checker.destroy();
			await waitForSameOffset(master, replica);
			assert.equal(await digestOf(replica), await digestOf(master), where);
		}
		return fullSyncs;
	} finally {
		await fleet.close();
	}
}
