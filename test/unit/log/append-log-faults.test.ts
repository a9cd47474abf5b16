/**
 * Random programs of appends, flushes, ticks and disk faults. At every step the process is killed and the power is cut
 * (on copies of the disk): what is found must be an exact prefix of what was appended, at the same offsets, and hold
 * everything that was released, respectively everything that was said to be durable.
 */
import { assert } from 'chai';
import type { FsyncPolicy } from '../../../src/log/log-options.js';
import { SeededRandom } from '../../support/random.js';
import { load, loaded, openLog } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const SEED_COUNT = 20;
const STEP_COUNT = 250;

interface Model {
	/** The entries appended so far, transactions as one, with their database. */
	readonly groups: { readonly entries: string[]; readonly endOffset: number }[];
	db: number;
	generation: number;
}

async function run(seed: number, policy: FsyncPolicy): Promise<{ resumed: number }> {
	const random = new SeededRandom(seed);
	const fs = new MemoryLogFs();
	const { log, env } = openLog(fs, policy);
	const model: Model = { groups: [], db: -1, generation: log.fileGeneration };
	let released = 0;
	let syncHasFailed = false;
	const noteRelease = (): void => {
		assert.isAtLeast(log.releaseOffset, released, 'releaseOffset went back');
		assert.isAtMost(log.releaseOffset, log.endOffset);
		released = log.releaseOffset;
	};
	log.onRelease = noteRelease;
	const append = (): void => {
		if (log.fileGeneration !== model.generation) {
			model.generation = log.fileGeneration;
			model.db = -1;
		}
		const db = random.chance(0.3) || model.db < 0 ? random.below(3) : model.db;
		if (db !== model.db) log.appendArgs(['SELECT', String(db)]);
		model.db = db;
		const entries: string[][] = random.times(random.chance(0.3) ? 3 : 1, () => [
			'SET',
			`key:${model.groups.length}`,
			'v'.repeat(random.chance(0.005) ? 300_000 : random.below(40)),
		]);
		if (entries.length > 1) log.appendArgs(['MULTI']);
		for (const args of entries) log.appendArgs(args);
		if (entries.length > 1) log.appendArgs(['EXEC']);
		model.groups.push({
			entries: entries.map((args) => `${db}: ${args.join(' ')}`),
			endOffset: log.endOffset,
		});
	};
	const check = (image: MemoryLogFs, promised: number, what: string): void => {
		const { result, entries } = load(image);
		const { endOffset } = loaded(result);
		assert.isAtLeast(endOffset, promised, `${what}: less than promised`);
		const groups = model.groups.filter((group) => group.endOffset <= endOffset);
		assert.deepEqual(
			entries,
			groups.flatMap((group) => group.entries),
			what,
		);
	};
	const disturb = (): void => {
		switch (random.below(5)) {
			case 0:
				fs.room = random.below(2000);
				break;
			case 1:
				fs.syncError = 'EIO';
				syncHasFailed = true;
				break;
			case 2:
				fs.writeError = 'EIO';
				break;
			case 3:
				fs.writeSizeMax = 1 + random.below(50_000);
				break;
			default:
				fs.room = Number.POSITIVE_INFINITY;
				fs.syncError = null;
				fs.writeError = null;
				fs.writeSizeMax = Number.POSITIVE_INFINITY;
		}
	};
	for (let step = 0; step < STEP_COUNT; step++) {
		// Writes are refused while the disk fails, but the server's own effects may still come.
		if (log.writeError === null || random.chance(0.05)) append();
		if (random.chance(0.7)) log.flush();
		noteRelease();
		if (random.chance(0.5)) fs.settleOne();
		if (random.chance(0.3)) log.tick(env.advance(random.below(1500)));
		if (random.chance(0.15)) disturb();
		for (let i = 0; i < 8; i++) await Promise.resolve();
		if (random.chance(0.2)) {
			const what = `seed ${seed} ${policy} step ${step}`;
			check(fs.afterKill(), log.releaseOffset, `${what}, killed`);
			// `no` keeps nothing in memory that a failed fsync could be made good with.
			if (policy !== 'no' || !syncHasFailed) {
				const promised = policy === 'always' ? log.releaseOffset : log.fsyncedOffset;
				check(fs.afterPowerCut(), promised, `${what}, power cut`);
			}
		}
	}
	fs.room = Number.POSITIVE_INFINITY;
	fs.syncError = null;
	fs.writeError = null;
	fs.writeSizeMax = Number.POSITIVE_INFINITY;
	for (let i = 0; i < 4; i++) {
		log.flush();
		log.tick(env.advance(2000));
		await fs.settle();
	}
	assert.isNull(log.writeError, `seed ${seed}: service did not resume`);
	assert.equal(log.releaseOffset, log.endOffset, `seed ${seed}: not everything was released`);
	fs.immediate = true;
	await log.close();
	assert.equal(fs.openCount, 0, `seed ${seed}: files left open`);
	if (policy !== 'no' || !syncHasFailed) check(fs.afterPowerCut(), log.endOffset, `seed ${seed}, closed`);
	check(fs.afterKill(), log.endOffset, `seed ${seed}, closed`);
	return { resumed: log.fileGeneration - 1 };
}

describe('log/append-log under random faults', () => {
	for (const policy of ['always', 'everysec', 'no'] as const) {
		it(`loses nothing with appendfsync ${policy}`, async () => {
			let resumed = 0;
			for (let seed = 1; seed <= SEED_COUNT; seed++) resumed += (await run(seed, policy)).resumed;
			assert.isAbove(resumed, SEED_COUNT / 2, 'the faults did not come to anything');
		});
	}
});
