import { assert } from 'chai';
import { aofBase } from '../../../src/log/log-folder.js';
import type { LogReader } from '../../../src/log/log-reader.js';
import type { ReplicatedLog } from '../../../src/log/replicated-log.js';
import { SeededRandom } from '../../support/random.js';
import { entriesText } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';
import { ID_A, ID_B, idsOf, KEEP_ALL, newLog, openReplicated, readAll } from './replicated-harness.js';

const SEED_COUNT = 30;
const STEP_COUNT = 400;

function append(log: ReplicatedLog, ...commands: string[][]): string {
	for (const args of commands) log.appendArgs(args);
	return entriesText(...commands);
}

/** A new incremental file, and a base where it begins. */
async function rewrite(fs: MemoryLogFs, log: ReplicatedLog): Promise<void> {
	const begun = log.beginNewFile();
	await fs.settle();
	log.flush();
	await fs.settle();
	const result = await begun;
	if (typeof result === 'string') throw new Error(result);
	fs.put('/d/snapshot', '');
	const replaced = log.replaceBase('/d/snapshot', 'aof', result.offset);
	await fs.settle();
	assert.isNull(await replaced);
}

describe('log/log-reader', () => {
	it('reads from the ring what is flushed, and is woken once a turn', () => {
		const { log } = newLog(new MemoryLogFs());
		log.setOffset(1000);
		log.readers.setRing(1024);
		const reader = log.readers.open(1000)!;
		let wakeups = 0;
		reader.onReadable = () => wakeups++;
		assert.isNull(reader.read(100));
		const text = append(log, ['SET', 'a', '1'], ['SET', 'b', '2']);
		assert.isNull(reader.read(100), 'the turn has not ended');
		log.flush();
		assert.equal(wakeups, 1);
		assert.equal(reader.read(10)!.latin1Slice(), text.slice(0, 10));
		assert.isFalse(reader.isCaughtUp);
		assert.equal(reader.read(1000)!.latin1Slice(), text.slice(10));
		assert.isTrue(reader.isCaughtUp);
		log.flush();
		assert.equal(wakeups, 1, 'nobody waits');
		assert.isNull(reader.read(1));
		append(log, ['PING']);
		log.flush();
		log.flush();
		assert.equal(wakeups, 2);
		reader.close();
		assert.isNull(reader.read(100));
	});

	it('the ring has the last bytes, whatever their number, and what is before it is gone', () => {
		const { log } = newLog(new MemoryLogFs());
		log.readers.setRing(300_000);
		const late = log.readers.open(0)!;
		let text = '';
		for (let i = 0; i < 3000; i++) {
			text += append(log, ['SET', `key:${i}`, 'x'.repeat(i % 700)]);
			log.flush();
			if (i % 100 !== 0) continue;
			const { sizeBytes, heldBytes } = log.readers.ring;
			assert.equal(sizeBytes, 300_000);
			assert.equal(heldBytes, Math.min(text.length, 300_000));
			const from = log.endOffset - heldBytes;
			assert.equal(log.readers.oldestOffset(), from);
			const reader = log.readers.open(from)!;
			assert.equal(reader.read(1e9)!.latin1Slice(), text.slice(from));
			reader.close();
			if (from > 0) assert.isNull(log.readers.open(from - 1));
		}
		assert.isNull(log.readers.open(log.endOffset + 1));
		assert.isNull(late.read(1000));
		assert.include(late.failure, 'has been removed');
		log.readers.setRing(1000);
		assert.equal(log.readers.ring.heldBytes, 1000);
		log.readers.setRing(0);
		assert.deepEqual(log.readers.ring, { sizeBytes: 0, heldBytes: 0 });
		append(log, ['PING']);
		log.flush();
		assert.equal(log.endOffset, text.length + 14);
		assert.isNull(log.readers.open(text.length));
	});

	it('reads files: those in use and the history, across their borders', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		let text = '';
		for (let i = 0; i < 5; i++) {
			text += append(log, ['SELECT', String(i)], ['SET', `key:${i}`, 'x'.repeat(100 * i)]);
			log.flush();
			if (i % 2 === 1) await rewrite(fs, log);
			else {
				const begun = log.beginNewFile();
				await fs.settle();
				assert.isNotString(await begun);
			}
		}
		text += append(log, ['PING']);
		log.flush();
		assert.isTrue(fs.list().some((name) => name.startsWith('/d/aof/history/')));
		assert.equal(log.readers.oldestOffset(), 0);
		for (const from of [0, 1, 30, 200, 700, text.length - 1, text.length]) {
			const reader = log.readers.open(from)!;
			assert.equal(await readAll(fs, reader, 37), text.slice(from));
			assert.isNull(reader.failure);
			assert.isTrue(reader.isCaughtUp);
			reader.close();
		}
		assert.equal(fs.openCount, 1, 'the file that is written');
		// After a restart they are still there.
		const closed = log.close();
		await fs.settle();
		await closed;
		const again = openReplicated(fs);
		assert.isTrue(again.isExact);
		assert.equal(await readAll(fs, again.log.readers.open(5)!), text.slice(5));
	});

	it('goes on in the file that it has open when the history is cut, and fails where the next one is gone', async () => {
		const fs = new MemoryLogFs();
		const limits = { ...KEEP_ALL };
		const { log } = openReplicated(fs, 'everysec', limits);
		const first = append(log, ['SET', 'a', 'x'.repeat(300_000)]);
		log.flush();
		await rewrite(fs, log);
		append(log, ['SET', 'b', 'x'.repeat(300_000)]);
		log.flush();
		await rewrite(fs, log);
		const reader = log.readers.open(0)!;
		assert.isNull(reader.read(100));
		await fs.settle();
		limits.logHistorySize = 0;
		const collected = log.collectHistory();
		await fs.settle();
		await collected;
		assert.isFalse(fs.list().some((name) => name.includes('history')));
		assert.isNull(log.readers.open(0));
		assert.equal(await readAll(fs, reader, 100_000), first);
		assert.include(reader.failure, 'has been removed');
		assert.equal(fs.openCount, 1);
	});

	it('under always gives away what has been fsynced only', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs, 'always');
		log.readers.setRing(1000);
		const reader = log.readers.open(0)!;
		let wakeups = 0;
		reader.onReadable = () => wakeups++;
		const text = append(log, ['SET', 'a', '1']);
		log.flush();
		assert.isNull(reader.read(100));
		assert.equal(log.writtenOffset, text.length);
		await fs.settle();
		assert.equal(wakeups, 1);
		assert.equal(reader.read(100)!.latin1Slice(), text);
	});

	it('keeps the ring when files come and go', async () => {
		const fs = new MemoryLogFs();
		const { log } = newLog(fs);
		log.readers.setRing(1000);
		log.setIds(idsOf(ID_A));
		let text = append(log, ['SET', 'a', '1']);
		log.flush();
		assert.isNull(log.startFresh(aofBase([])));
		text += append(log, ['SET', 'b', '1']);
		log.flush();
		log.stop();
		text += append(log, ['SET', 'c', '1']);
		log.flush();
		assert.equal(log.readers.open(3)!.read(1000)!.latin1Slice(), text.slice(3));
	});

	it('fails when the log of a master takes the place of what it reads', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		append(log, ['SET', 'a', '1']);
		log.flush();
		const reader = log.readers.open(log.endOffset)!;
		assert.isNull(reader.read(10));
		let wakeups = 0;
		reader.onReadable = () => wakeups++;
		const restarted = log.restartAt(aofBase([]), 5000, idsOf(ID_B, true), 0);
		await fs.settle();
		assert.isNull(await restarted);
		assert.equal(wakeups, 1);
		assert.isNull(reader.read(10));
		assert.include(reader.failure, 'replaced');
		assert.isNull(log.readers.open(0), 'another past');
		assert.equal(log.readers.oldestOffset(), 5000);
	});

	it('gives what was appended, in random programs of rotations, new bases, failures and switches', async () => {
		const total = { bytes: 0, fileReads: 0 };
		for (let seed = 1; seed <= SEED_COUNT; seed++) await run(seed, total);
		assert.isAbove(total.bytes, 100_000);
		assert.isAbove(total.fileReads, 100);
	}).timeout(60_000);
});

interface Reading {
	readonly reader: LogReader;
	/** Where it began. */
	readonly from: number;
	text: string;
}

async function run(seed: number, total: { bytes: number; fileReads: number }): Promise<void> {
	const random = new SeededRandom(seed);
	const fs = new MemoryLogFs();
	const limits = { ...KEEP_ALL, logHistorySize: [0, 5000, 1e9][seed % 3]! };
	const { log, env } = openReplicated(fs, random.pick(['always', 'everysec', 'no'] as const), limits);
	/** Everything from offset 0 on. */
	let text = '';
	let generation = -1;
	let readings: Reading[] = [];
	let snapshots = 0;
	for (let step = 0; step < STEP_COUNT; step++) {
		const what = random.below(100);
		if (what < 45) {
			if (log.fileGeneration !== generation) text += append(log, ['SELECT', String(random.below(3))]);
			generation = log.fileGeneration;
			text += append(log, [
				'SET',
				`key:${step}`,
				'v'.repeat(random.below(random.chance(0.02) ? 500_000 : 60)),
			]);
		} else if (what < 60) log.flush();
		else if (what < 70) log.tick(env.advance(random.below(1500)));
		else if (what < 78) fs.settleOne();
		else if (what < 82) {
			const begun = log.beginNewFile();
			if (random.chance(0.7)) void begun.then((result) => replaceBase(result));
		} else if (what < 84) fs.writeError = random.chance(0.3) ? 'ENOSPC' : null;
		else if (what < 86) fs.syncError = random.chance(0.3) ? 'EIO' : null;
		else if (what < 88) log.readers.setRing(random.pick([0, 100, 10_000]));
		else if (what < 89) {
			if (log.attached) log.stop();
			else log.startFresh(aofBase([]));
		} else if (what < 93 && readings.length < 6) {
			const from = random.chance(0.5) ? log.endOffset : random.below(log.endOffset + 1);
			const reader = log.readers.open(from);
			if (reader !== null) readings.push({ reader, from, text: '' });
			else assert.isBelow(from, log.readers.oldestOffset(), `seed ${seed}`);
		} else await Promise.resolve();
		for (const reading of readings) {
			const bytes = reading.reader.read(1 + random.below(200_000));
			if (bytes === null) {
				if (!reading.reader.isCaughtUp) total.fileReads++;
				continue;
			}
			reading.text += bytes.latin1Slice();
			const expected = text.slice(reading.from, reading.from + reading.text.length);
			if (reading.text !== expected)
				assert.fail(`seed ${seed}, step ${step}: other bytes than were appended`);
			assert.isAtMost(reading.reader.offset, log.releaseOffset);
		}
		readings = readings.filter(({ reader }) => {
			if (random.chance(0.02)) reader.close();
			else if (reader.failure === null) return true;
			return false;
		});
	}
	fs.writeError = null;
	fs.syncError = null;
	for (let i = 0; i < 5; i++) {
		log.tick(env.advance(3000));
		log.flush();
		await fs.settle();
	}
	for (const { reader, from, text: before } of readings) {
		const all = before + (await readAll(fs, reader, 100_000));
		if (reader.failure === null) assert.equal(from + all.length, log.endOffset, `seed ${seed}`);
		if (all !== text.slice(from, from + all.length))
			assert.fail(`seed ${seed}: other bytes than were appended`);
		total.bytes += all.length;
		reader.close();
	}
	const closed = log.close();
	await fs.settle();
	await closed;
	assert.equal(fs.openCount, 0, `seed ${seed}`);

	async function replaceBase(result: Awaited<ReturnType<ReplicatedLog['beginNewFile']>>): Promise<void> {
		if (typeof result === 'string') return;
		const path = `/d/snapshot.${snapshots++}`;
		fs.put(path, 'REDIS0010');
		await log.replaceBase(path, 'rdb', result.offset);
	}
}
