/**
 * Random programs of appends, flushes, ticks, rotations, new bases and disk faults. At every step the process is killed and the power is cut
 * (on copies of the disk): what is found must be an exact prefix of what was appended, at the same offsets, and hold
 * everything that was released, respectively everything that was said to be durable.
 */
import { assert } from 'chai';
import { AofEntryReader } from '../../../src/formats/aof-entry.js';
import { aofBase } from '../../../src/log/log-folder.js';
import type { FoldSource, FsyncPolicy } from '../../../src/log/log-options.js';
import { SeededRandom } from '../../support/random.js';
import { entriesText, load, loaded, openLog } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const SEED_COUNT = 20;
const STEP_COUNT = 250;

interface Model {
	/** The entries appended so far, transactions as one, with their database. */
	readonly groups: { readonly entries: string[]; readonly endOffset: number }[];
	db: number;
	generation: number;
}

/** What a run has come to. */
interface Counts {
	generations: number;
	rotations: number;
	bases: number;
	rotationsRefused: number;
}

async function run(seed: number, policy: FsyncPolicy, counts: Counts): Promise<void> {
	const random = new SeededRandom(seed);
	const fs = new MemoryLogFs();
	/** A disk that mostly works, so that snapshots come to their end. */
	const isCalm = seed % 2 === 0;
	const logHistorySize = [0, 3000, 1_000_000][seed % 3]!;
	const history = { logHistorySize, logHistorySeconds: 0, aofDisableAutoGc: seed % 7 === 0 };
	const { log, env } = openLog(fs, policy, history);
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
	/** A base in AOF format that has every entry up to `offset`, so that what is loaded is always the whole history. */
	const commandsUpTo = (offset: number): string[][] =>
		model.groups
			.filter((group) => group.endOffset <= offset)
			.flatMap((group) => group.entries)
			.flatMap((text) => {
				const [, db, command] = /^(\d+): (.*)$/.exec(text)!;
				return [['SELECT', db!], command!.split(' ')];
			});
	let freshCount = 0;
	const snapshot = async (): Promise<void> => {
		const freshBefore = freshCount;
		const begun = await log.beginNewFile();
		if (typeof begun === 'string') {
			counts.rotationsRefused++;
			return;
		}
		counts.rotations++;
		assert.equal(begun.source.endOffset, begun.offset);
		if (freshCount === freshBefore) checkSource(fs, begun.source, model);
		if (random.chance(0.3)) return;
		fs.put('/d/temp-1.aof', entriesText(...commandsUpTo(begun.offset)));
		for (let turns = random.below(20); turns > 0; turns--) await Promise.resolve();
		if (!log.attached) return;
		if ((await log.replaceBase('/d/temp-1.aof', 'aof', begun.offset)) === null) counts.bases++;
	};
	let snapshotting: Promise<void> | null = null;
	const disturb = (): void => {
		switch (random.below(isCalm ? 8 : 5)) {
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
		for (let i = 0; i < (isCalm ? 3 : 1); i++) if (random.chance(0.5)) fs.settleOne();
		if (random.chance(0.3)) log.tick(env.advance(random.below(1500)));
		if (random.chance(isCalm ? 0.03 : 0.15)) disturb();
		if (snapshotting === null && random.chance(0.1)) {
			snapshotting = snapshot().finally(() => {
				snapshotting = null;
			});
		}
		if (random.chance(0.01) && log.startFresh(aofBase(commandsUpTo(log.endOffset))) === null) freshCount++;
		if (random.chance(0.02)) assert.equal(log.flushNow(), log.writtenOffset === log.endOffset);
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
	assert.isNull(snapshotting, `seed ${seed}: a snapshot hangs`);
	assert.isNull(log.writeError, `seed ${seed}: service did not resume`);
	assert.equal(log.releaseOffset, log.endOffset, `seed ${seed}: not everything was released`);
	fs.immediate = true;
	await log.close();
	assert.equal(fs.openCount, 0, `seed ${seed}: files left open`);
	if (policy !== 'no' || !syncHasFailed) check(fs.afterPowerCut(), log.endOffset, `seed ${seed}, closed`);
	check(fs.afterKill(), log.endOffset, `seed ${seed}, closed`);
	counts.generations += log.fileGeneration - 1;
}

/** What the child of a snapshot would read: every entry up to the end, and nothing else. */
function checkSource(fs: MemoryLogFs, source: FoldSource, model: Model): void {
	const parts = [
		...(source.base === null ? [] : [fs.content(source.base.path)]),
		...source.sections.map(({ path, from, to }) => fs.content(path).slice(from, to)),
	];
	const entries: string[] = [];
	for (const part of parts) {
		const reader = new AofEntryReader();
		reader.buffer = Buffer.from(part, 'latin1');
		reader.filled(reader.buffer.length);
		reader.filled(0);
		let db = '0';
		for (let found = reader.next(); found !== 'end'; found = reader.next()) {
			assert.equal(found, 'entry');
			const { args } = reader;
			if (args[0] === 'SELECT') db = args[1]!;
			else if (args[0] !== 'MULTI' && args[0] !== 'EXEC') entries.push(`${db}: ${args.join(' ')}`);
		}
	}
	const groups = model.groups.filter((group) => group.endOffset <= source.endOffset);
	assert.deepEqual(
		entries,
		groups.flatMap((group) => group.entries),
		'the source of a fold',
	);
}

describe('log/append-log under random faults', () => {
	for (const policy of ['always', 'everysec', 'no'] as const) {
		it(`loses nothing with appendfsync ${policy}`, async () => {
			const counts: Counts = { generations: 0, rotations: 0, bases: 0, rotationsRefused: 0 };
			for (let seed = 1; seed <= SEED_COUNT; seed++) await run(seed, policy, counts);
			assert.isAbove(counts.generations, SEED_COUNT, 'the faults did not come to anything');
			assert.isAbove(counts.bases, SEED_COUNT, 'there were hardly any snapshots');
			assert.isAbove(counts.rotationsRefused, 0, 'no rotation failed');
		});
	}
});
