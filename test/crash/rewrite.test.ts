/**
 * Kills the server, or the child that rewrites its log, at random moments of a rewrite while clients write: no
 * acknowledged write is lost, the next start is clean, and nothing unfinished stays behind. `CRASH_CYCLES` sets the
 * number of kills (default 10), `CRASH_SEED` the seed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { SeededRandom } from '../support/random.js';
import type { RawClient } from '../support/raw-client.js';
import { ServerFleet, type ServerOptions, type ServerProcess, sleep } from '../support/server-process.js';
import { Writer } from './writer.js';

const WRITER_COUNT = 4;
const CYCLE_COUNT = Number(process.env.CRASH_CYCLES ?? 10);
/** A rewrite takes 150 to 2000 ms here. */
const KILL_MS_MAX = 2500;
const CHILD_PROBABILITY = 0.4;
const CYCLES_PER_FOLDER = 25;

describe('kill -9 during a rewrite', () => {
	it(`of the server or the child loses nothing (${CYCLE_COUNT} kills)`, async function () {
		this.timeout(CYCLE_COUNT * 30_000);
		const seed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
		const random = new SeededRandom(seed);
		let rewrites = 0;
		for (let remaining = CYCLE_COUNT; remaining > 0; remaining -= CYCLES_PER_FOLDER) {
			rewrites += await crashCycles(random, Math.min(remaining, CYCLES_PER_FOLDER), seed);
		}
		console.log(`      ${rewrites} rewrites were finished, seed ${seed}`);
	});
});

/** Runs the kills in one new folder; how many rewrites came to their end. Throws on any loss. */
async function crashCycles(random: SeededRandom, cycleCount: number, seed: number): Promise<number> {
	const fleet = new ServerFleet();
	let rewrites = 0;
	try {
		const dir = fleet.folder();
		const writers = Array.from({ length: WRITER_COUNT }, (_, id) => new Writer(id, random));
		for (let cycle = 1; cycle <= cycleCount; cycle++) {
			const options: ServerOptions = {
				appendonly: 'yes',
				appendfsync: random.pick(['always', 'everysec', 'no']),
				'aof-use-rdb-preamble': random.pick(['yes', 'yes', 'no']),
				'log-history-size': random.pick(['0', '256mb']),
			};
			const server = await fleet.start({ executable: ourServer(), options, dir });
			// A child needs a moment to notice that its server has gone.
			for (let wait = 0; wait < 50 && unfinished(dir).length > 0; wait++) await sleep(100);
			assert.deepEqual(unfinished(dir), [], `cycle ${cycle}, seed ${seed}: files left behind`);
			const admin = await server.connect();
			for (const writer of writers) {
				const faults = await writer.check(admin);
				assert.isEmpty(faults, `cycle ${cycle}, seed ${seed}: ${faults.join('; ')}`);
			}
			const clients = await Promise.all(writers.map(() => server.connect()));
			const writing = Promise.all(writers.map((writer, index) => writer.write(clients[index]!)));
			const early = writing.then(
				() => 'all connections ended',
				(error: unknown) => String(error),
			);
			await sleep(random.between(20, 200));
			await admin.command([random.pick(['BGREWRITEAOF', 'BGREWRITEAOF', 'BGSAVE'])]);
			const killMs = sleep(random.between(0, KILL_MS_MAX));
			const first = await Promise.race([early, killMs]);
			assert.isUndefined(first, `before the kill; the server's log:\n${server.log.slice(-2000)}`);
			if (random.chance(CHILD_PROBABILITY)) await killChild(server, admin);
			await server.kill();
			await writing;
			rewrites += server.log.split('rewrite finished successfully').length - 1;
		}
	} finally {
		await fleet.close();
	}
	return rewrites;
}

/** Kills what the server has forked, if that is still there, and waits until the server has noticed. */
async function killChild(server: ServerProcess, admin: RawClient): Promise<void> {
	const pids = [...server.log.matchAll(/(?:rewriting|saving) started by pid (\d+)/g)];
	const pid = Number(pids.at(-1)?.[1] ?? 0);
	if (pid === 0) return;
	try {
		process.kill(pid, 'SIGKILL');
	} catch {
		return; // It has ended by itself.
	}
	for (;;) {
		const info = await admin.command(['INFO', 'persistence']);
		if (/rdb_bgsave_in_progress:0/.test(info) && /aof_rewrite_in_progress:0/.test(info)) return;
		await sleep(10);
	}
}

/** What has a temporary name, or is a file of the log that its manifest does not name. */
function unfinished(dir: string): string[] {
	const folder = join(dir, 'appendonlydir');
	const manifest = readFileSync(join(folder, 'appendonly.aof.manifest'), 'latin1');
	const names = readdirSync(folder).filter(
		(name) => name.startsWith('temp-') || (/\.(rdb|aof)$/.test(name) && !manifest.includes(`file ${name} `)),
	);
	return [...readdirSync(dir).filter((name) => name.startsWith('temp-')), ...names];
}
