import { assert } from 'chai';
import { aofBase } from '../../../src/log/log-folder.js';
import type { ReplicatedLog } from '../../../src/log/replicated-log.js';
import { SeededRandom } from '../../support/random.js';
import { entriesText, load, loaded } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';
import { ID_A, ID_B, idsOf, newLog, openReplicated, readAll } from './replicated-harness.js';

const ID_C = 'c'.repeat(40);
const SEED_COUNT = 40;

/** Appends what a master sent, behind which `db` is selected. */
function receive(log: ReplicatedLog, db: number, ...commands: string[][]): string {
	const text = entriesText(...commands);
	log.appendStream(Buffer.from(text, 'latin1'), 0, text.length, db);
	return text;
}

async function close(fs: MemoryLogFs, log: ReplicatedLog): Promise<void> {
	const closed = log.close();
	await fs.settle();
	await closed;
}

describe('log/replicated-log', () => {
	it('keeps the IDs, and says whether the log was closed in order', async () => {
		const fs = new MemoryLogFs();
		const first = openReplicated(fs);
		first.log.appendArgs(['PING']);
		first.log.flush();
		assert.isNull(first.log.setIds(idsOf(ID_B, false, ID_A, 14)));
		first.log.appendArgs(['PING']);
		first.log.flush();
		const killed = openReplicated(fs.afterKill());
		assert.isFalse(killed.isExact);
		assert.deepInclude(killed.log.lineage, {
			replid: ID_B,
			replid2: ID_A,
			secondOffset: 14,
			cleanOffset: -1,
		});
		await close(fs, first.log);
		const image = fs.afterPowerCut();
		const second = openReplicated(image);
		assert.isTrue(second.isExact);
		assert.deepInclude(second.log.lineage, {
			replid: ID_B,
			replid2: ID_A,
			secondOffset: 14,
			cleanOffset: -1,
		});
		assert.equal(second.log.endOffset, 28);
		assert.isFalse(openReplicated(image.afterKill()).isExact, 'it is being written again');
		// A third ID: the first one is remembered as far as it counts.
		second.log.setIds(idsOf(ID_C, false, ID_B, 28));
		assert.deepEqual(second.log.lineage?.earlier, [{ replid: ID_A, offset: 14 }]);
		assert.isTrue(
			openReplicated(image.afterKill(), 'always').isExact,
			'nobody had more than what was fsynced',
		);
	});

	it('takes no IDs from a manifest behind which somebody else has written', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		await close(fs, log);
		const { log: other } = openReplicated(fs, 'everysec', undefined, idsOf(ID_B));
		assert.equal(other.lineage?.replid, ID_A);
		await close(fs, other);
		fs.put('/d/aof/a.1.incr.aof', entriesText(['PING']));
		const found = openReplicated(fs, 'everysec', undefined, idsOf(ID_B));
		assert.equal(found.log.lineage?.replid, ID_B);
	});

	it('says new IDs in a manifest that is being written meanwhile', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		const begun = log.beginNewFile();
		for (let i = 0; i < 4; i++) {
			fs.settleOne();
			await Promise.resolve();
			await Promise.resolve();
		}
		log.setIds(idsOf(ID_B, false, ID_A, 0));
		await fs.settle();
		assert.isNotString(await begun);
		const { log: again } = openReplicated(fs.afterPowerCut());
		assert.equal(again.lineage?.replid, ID_B);
		assert.equal(again.manifest.incrementals.length, 2);
	});

	it('appends what a master sends as it is, and loads to the same offset and database', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs, 'everysec', undefined, idsOf(ID_A, true));
		let text = receive(log, 3, ['SELECT', '3'], ['SET', 'a', '1']);
		log.flush();
		const begun = log.beginNewFile();
		await fs.settle();
		assert.deepInclude(await begun, { offset: text.length });
		assert.equal(((await begun) as { source: { db: number } }).source.db, 3);
		text += receive(log, 3, ['SET', 'b', '1'], ['MULTI'], ['SET', 'c', '1'], ['EXEC']);
		log.flush();
		assert.equal(await readAll(fs, log.readers.open(0)!), text, 'no byte more than was received');
		for (const image of [fs.afterKill()]) {
			const { entries, result, db } = load(image);
			assert.deepEqual(entries, ['3: SET a 1', '3: SET b 1', '3: SET c 1']);
			assert.equal(loaded(result).endOffset, text.length);
			assert.equal(db, 3);
		}
		// Its own entries, as a master, begin with a SELECT.
		const { fileGeneration } = log;
		log.setIds(idsOf(ID_B, false, ID_A, text.length));
		assert.notEqual(log.fileGeneration, fileGeneration);
	});

	it('loads a log whose last file has nothing but the database in it', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs, 'everysec', undefined, idsOf(ID_A, true));
		const text = receive(log, 5, ['SELECT', '5'], ['SET', 'a', '1']);
		log.flush();
		const begun = log.beginNewFile();
		await fs.settle();
		assert.isNotString(await begun);
		// As after a crash before the old file was whole.
		const torn = fs.afterKill();
		torn.put('/d/aof/a.1.incr.aof', `${text}*3\r\n$3\r\nSE`);
		for (const image of [fs.afterPowerCut(), torn]) {
			const again = openReplicated(image);
			assert.equal(again.log.endOffset, text.length);
			assert.equal(again.db, 5);
			receive(again.log, 5, ['SET', 'b', '1']);
			again.log.flush();
			assert.deepEqual(load(image.afterKill()).entries, ['5: SET a 1', '5: SET b 1']);
		}
	});

	it('begins again at the offset of a master, with the base that was received', async () => {
		const fs = new MemoryLogFs();
		const { log, logger } = openReplicated(fs);
		let released = 0;
		log.onRelease = () => {
			released = Math.max(released, log.releaseOffset);
		};
		log.appendArgs(['SET', 'mine', '1']);
		log.flush();
		fs.put('/d/received', entriesText(['SET', 'theirs', '1']));
		const restarted = log.restartAt({ path: '/d/received', format: 'aof' }, 10, idsOf(ID_B, true), 2);
		await fs.settle();
		assert.isNull(await restarted, logger.lines.join());
		assert.isAtLeast(released, 30, 'nobody waits for what was');
		assert.equal(log.endOffset, 10);
		const text = receive(log, 2, ['SET', 'a', '1']);
		log.flush();
		log.tick(1e9);
		await fs.settle();
		assert.equal(log.releaseOffset, 10 + text.length);
		assert.equal(await readAll(fs, log.readers.open(10)!), text);
		for (const image of [fs.afterKill(), fs.afterPowerCut()]) {
			const again = openReplicated(image);
			assert.deepEqual(load(image.afterKill()).entries, ['0: SET theirs 1', '2: SET a 1']);
			assert.equal(again.log.endOffset, 10 + text.length);
			assert.deepInclude(again.log.lineage, { replid: ID_B, replid2: '', isCopy: true });
			assert.equal(again.db, 2);
			assert.isNull(again.log.readers.open(0), 'what was before is of another past');
		}
		assert.isFalse(fs.list().includes('/d/received'));
	});

	it('is either the old log or the new one after a crash in between', async () => {
		const steps = async (stopAfter: number): Promise<boolean> => {
			const fs = new MemoryLogFs();
			const { log } = openReplicated(fs);
			log.appendArgs(['SET', 'mine', '1']);
			log.flush();
			log.tick(1e9);
			await fs.settle();
			fs.put('/d/received', entriesText(['SET', 'theirs', '1']));
			fs.trace = [];
			const images: MemoryLogFs[] = [];
			const push = fs.trace.push.bind(fs.trace);
			fs.trace.push = (...lines) => {
				if (fs.trace.length === stopAfter) images.push(fs.afterPowerCut(), fs.afterKill());
				return push(...lines);
			};
			const restarted = log.restartAt({ path: '/d/received', format: 'aof' }, 1000, idsOf(ID_B, true), 0);
			await fs.settle();
			assert.isNull(await restarted);
			for (const image of images) {
				const again = openReplicated(image);
				const { entries } = load(image.afterKill());
				const isNew = again.log.endOffset === 1000;
				assert.deepEqual(entries, [isNew ? '0: SET theirs 1' : '0: SET mine 1'], `step ${stopAfter}`);
				assert.equal(again.log.lineage?.replid, isNew ? ID_B : ID_A);
			}
			return images.length > 0;
		};
		let count = 0;
		while (await steps(count)) count++;
		assert.isAbove(count, 10);
	});

	it('without files takes only the offset', async () => {
		const fs = new MemoryLogFs();
		const { log } = newLog(fs);
		log.readers.setRing(1000);
		log.appendArgs(['PING']);
		log.flush();
		assert.isNull(await log.restartAt(aofBase([]), 5000, idsOf(ID_B, true), 4));
		const text = receive(log, 4, ['SET', 'a', '1']);
		log.flush();
		assert.equal(log.endOffset, 5000 + text.length);
		assert.equal(log.readers.open(5000)!.read(1000)!.latin1Slice(), text);
		assert.isNull(log.readers.open(4999));
		assert.isNull(log.startFresh(aofBase([])));
		receive(log, 4, ['SET', 'b', '1']);
		log.flush();
		assert.deepEqual(load(fs.afterKill()).entries, ['4: SET b 1']);
	});

	it('as a copy, in random programs of rotations and failures, is at every offset what was received', async () => {
		let rotations = 0;
		for (let seed = 1; seed <= SEED_COUNT; seed++) rotations += await runCopy(seed);
		assert.isAbove(rotations, 50);
	}).timeout(60_000);
});

async function runCopy(seed: number): Promise<number> {
	const random = new SeededRandom(seed);
	const fs = new MemoryLogFs();
	const { log, env } = openReplicated(
		fs,
		random.pick(['always', 'everysec'] as const),
		undefined,
		idsOf(ID_A, true),
	);
	const units: { readonly entries: string[]; readonly endOffset: number; readonly db: number }[] = [];
	let text = '';
	let db = 0;
	let rotations = 0;
	const faults = seed % 2 === 0 ? 0 : 0.4;
	for (let step = 0; step < 250; step++) {
		const what = random.below(100);
		if (what < 40) {
			const commands: string[][] = [];
			if (random.chance(0.3)) {
				db = random.below(3);
				commands.push(['SELECT', String(db)]);
			}
			commands.push(['SET', `key:${step}`, 'v'.repeat(random.below(50))]);
			text += receive(log, db, ...commands);
			units.push({ entries: [`${db}: ${commands.at(-1)!.join(' ')}`], endOffset: text.length, db });
		} else if (what < 55) log.flush();
		else if (what < 60) log.tick(env.advance(random.below(1500)));
		else if (what < 87) {
			fs.settleOne();
			if (random.chance(0.15)) await fs.settle();
		} else if (what < 90) {
			void log.beginNewFile().then((result) => {
				if (typeof result !== 'string') rotations++;
			});
		} else if (what < 92) fs.writeError = random.chance(faults) ? 'ENOSPC' : null;
		else if (what < 94) fs.syncError = random.chance(faults) ? 'EIO' : null;
		else await Promise.resolve();
		for (const image of step % 5 === 0 ? [fs.afterKill(), fs.afterPowerCut()] : []) {
			const { result, entries, db: dbAtEnd } = load(image);
			const { endOffset } = loaded(result);
			const there = units.filter((unit) => unit.endOffset <= endOffset);
			assert.deepEqual(
				entries,
				there.flatMap((unit) => unit.entries),
				`seed ${seed}, step ${step}`,
			);
			if (there.at(-1)?.endOffset === endOffset)
				assert.equal(dbAtEnd, there.at(-1)!.db, `seed ${seed}, step ${step}`);
		}
	}
	fs.writeError = null;
	fs.syncError = null;
	await close(fs, log);
	return rotations;
}
