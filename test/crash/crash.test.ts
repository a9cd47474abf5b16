/**
 * Kills the server with SIGKILL while eight clients write, starts it again on the same files, and counts: no
 * acknowledged write lost, no transaction halved. `CRASH_CYCLES` sets the number of kills in total (default 20,
 * shared by the policies), `CRASH_SEED` the seed of what is written and when it is killed.
 */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { SeededRandom } from '../support/random.js';
import { ServerFleet, type ServerOptions, sleep } from '../support/server-process.js';
import { Writer } from './writer.js';

const WRITER_COUNT = 8;
const POLICIES = ['always', 'everysec'];
const CYCLE_COUNT = Math.ceil(Number(process.env.CRASH_CYCLES ?? 20) / POLICIES.length);
const WRITE_MS_MIN = 20;
const WRITE_MS_MAX = 900;
/** Kills in one folder before a new one is begun, so that the time to load does not grow without end. */
const CYCLES_PER_FOLDER = 50;
const REWRITE_PROBABILITY = 0.3;

describe('kill -9', () => {
	for (const policy of POLICIES) {
		it(`loses no acknowledged write under appendfsync ${policy} (${CYCLE_COUNT} kills)`, async function () {
			this.timeout(CYCLE_COUNT * 30_000);
			const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
			const random = new SeededRandom(seed);
			let ackedTotal = 0;
			for (let remaining = CYCLE_COUNT; remaining > 0; remaining -= CYCLES_PER_FOLDER) {
				ackedTotal += await crashCycles(random, policy, Math.min(remaining, CYCLES_PER_FOLDER), seed);
			}
			console.log(`      ${ackedTotal} acknowledged writes, seed ${seed}`);
			assert.isAbove(ackedTotal, CYCLE_COUNT * WRITER_COUNT);
		});
	}
});

/** Runs `cycleCount` kills in one new folder; the number of acknowledged writes. Throws on any loss. */
async function crashCycles(
	random: SeededRandom,
	policy: string,
	cycleCount: number,
	seed: number,
): Promise<number> {
	const fleet = new ServerFleet();
	try {
		const dir = fleet.folder();
		const options: ServerOptions = { appendonly: 'yes', appendfsync: policy };
		const writers = Array.from({ length: WRITER_COUNT }, (_, id) => new Writer(id, random));
		let server = await fleet.start({ executable: ourServer(), options, dir });
		for (let cycle = 1; cycle <= cycleCount; cycle++) {
			const clients = await Promise.all(writers.map(() => server.connect()));
			const writing = Promise.all(writers.map((writer, index) => writer.write(clients[index]!)));
			// Handled from the start, whatever happens first.
			const early = writing.then(
				() => 'all connections ended',
				(error: unknown) => String(error),
			);
			const writeMs = random.between(WRITE_MS_MIN, WRITE_MS_MAX);
			if (random.chance(REWRITE_PROBABILITY)) {
				await sleep(writeMs / 2);
				const admin = await server.connect();
				await admin.command(['BGREWRITEAOF']);
				admin.destroy();
			}
			const first = await Promise.race([early, sleep(writeMs)]);
			assert.isUndefined(first, `before the kill; the server's log:\n${server.log.slice(-2000)}`);
			await server.kill();
			await writing;
			server = await fleet.start({ executable: ourServer(), options, dir });
			const checker = await server.connect();
			for (const writer of writers) {
				const faults = await writer.check(checker);
				assert.isEmpty(faults, `cycle ${cycle}, policy ${policy}, seed ${seed}: ${faults.join('; ')}`);
			}
			checker.destroy();
		}
		return writers.reduce((total, writer) => total + writer.ackedTotal, 0);
	} finally {
		await fleet.close();
	}
}
