import { assert } from 'chai';
import { aofBase } from '../../../src/log/log-folder.js';
import { type HistoryLimits, readHistory } from '../../../src/log/log-history.js';
import { entriesText, load, loaded, MANIFEST_PATH, NAMES, openLog } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const KEEP: HistoryLimits = { logHistorySize: 1_000_000, logHistorySeconds: 0, aofDisableAutoGc: false };

/** Appends a command, makes a snapshot of everything so far, and lets the history settle. */
async function rewrite(fs: MemoryLogFs, log: ReturnType<typeof openLog>['log'], key: string): Promise<void> {
	log.appendArgs(['SET', key, '1']);
	log.flush();
	const beginning = log.beginNewFile();
	await fs.settle();
	const begun = await beginning;
	if (typeof begun === 'string') throw new Error(begun);
	fs.put('/d/temp-1.aof', entriesText(['SET', 'all', key]));
	const replacing = log.replaceBase('/d/temp-1.aof', 'aof', begun.offset);
	await fs.settle();
	assert.isNull(await replacing);
	await fs.settle();
}

function names(fs: MemoryLogFs): string[] {
	return fs.list().map((path) => path.replace('/d/aof/', ''));
}

describe('log/log-history', () => {
	it('keeps the files before the base in a folder of their own, with their places in the log', async () => {
		const fs = new MemoryLogFs();
		const { log, env } = openLog(fs, 'everysec', KEEP);
		await rewrite(fs, log, 'a');
		env.advance(500);
		await rewrite(fs, log, 'b');
		assert.equal(
			fs.content(MANIFEST_PATH).split('#')[0],
			'file a.3.base.aof seq 3 type b\nfile a.3.incr.aof seq 3 type i\n',
		);
		assert.deepEqual(names(fs), [
			'a.3.base.aof',
			'a.3.incr.aof',
			'a.manifest',
			'history/a.1.base.aof',
			'history/a.1.incr.aof',
			'history/a.2.base.aof',
			'history/a.2.incr.aof',
			'history/a.index',
		]);
		assert.deepEqual(
			readHistory(fs, NAMES).map(({ name, kind, info, endedMs }) => [
				name,
				kind,
				info.startOffset,
				info.replid.length,
				endedMs,
			]),
			[
				['a.1.base.aof', 'base', 0, 40, 1_000_000],
				['a.1.incr.aof', 'incr', 0, 40, 1_000_000],
				['a.2.base.aof', 'base', 27, 40, 1_000_500],
				['a.2.incr.aof', 'incr', 27, 40, 1_000_500],
			],
		);
		assert.deepEqual(
			log.manifestWithHistory().history.map((file) => file.name),
			['a.1.base.aof', 'a.1.incr.aof', 'a.2.base.aof', 'a.2.incr.aof'].map((name) => `history/${name}`),
		);
		assert.equal(loaded(load(fs.afterPowerCut()).result).endOffset, 54);
	});

	it('goes from its oldest file on, by size and by age', async () => {
		const fs = new MemoryLogFs();
		const limits = { ...KEEP, logHistorySize: 100 };
		const { log, env } = openLog(fs, 'everysec', limits);
		for (const key of ['a', 'b', 'c', 'd']) {
			env.advance(10_000);
			await rewrite(fs, log, key);
		}
		const kept = (): string[] => readHistory(fs, NAMES).map((file) => file.name);
		assert.deepEqual(kept(), ['a.3.incr.aof', 'a.4.base.aof', 'a.4.incr.aof']);
		limits.logHistorySeconds = 5;
		log.tick(env.advance(4000));
		await fs.settle();
		assert.deepEqual(kept(), ['a.4.base.aof', 'a.4.incr.aof']);
		log.tick(env.advance(3000));
		await fs.settle();
		assert.deepEqual(names(fs), ['a.5.base.aof', 'a.5.incr.aof', 'a.manifest']);
	});

	it('is removed at once when none is to be kept, with the lines that Redis logs', async () => {
		const fs = new MemoryLogFs();
		const { log, logger } = openLog(fs, 'everysec');
		await rewrite(fs, log, 'a');
		assert.deepEqual(names(fs), ['a.2.base.aof', 'a.2.incr.aof', 'a.manifest']);
		assert.isTrue(logger.has('Removing the history file a.1.base.aof in the background'));
		assert.isTrue(logger.has('Removing the history file a.1.incr.aof in the background'));
	});

	it('stays in the manifest with aof-disable-auto-gc, in the order of Redis, until that is switched off', async () => {
		const fs = new MemoryLogFs();
		const limits = { logHistorySize: 0, logHistorySeconds: 0, aofDisableAutoGc: true };
		const { log } = openLog(fs, 'everysec', limits);
		await rewrite(fs, log, 'a');
		await rewrite(fs, log, 'b');
		assert.equal(
			fs.content(MANIFEST_PATH).split('#')[0],
			'file a.3.base.aof seq 3 type b\n' +
				'file a.2.incr.aof seq 2 type h\nfile a.2.base.aof seq 2 type h\n' +
				'file a.1.incr.aof seq 1 type h\nfile a.1.base.aof seq 1 type h\n' +
				'file a.3.incr.aof seq 3 type i\n',
		);
		limits.aofDisableAutoGc = false;
		const collecting = log.collectHistory();
		await fs.settle();
		await collecting;
		assert.deepEqual(names(fs), ['a.3.base.aof', 'a.3.incr.aof', 'a.manifest']);
	});

	it('gives another name to a file whose number has come again', async () => {
		const fs = new MemoryLogFs();
		const { log } = openLog(fs, 'everysec', KEEP);
		for (const key of ['a', 'b']) {
			log.appendArgs(['SET', key, '1']);
			log.stop();
			assert.isNull(log.startFresh(aofBase([['SET', 'a', key]])));
			await fs.settle();
		}
		assert.includeMembers(names(fs), ['history/a.1.incr.aof', 'history/a.2.incr.aof']);
		assert.equal(
			new Set(readHistory(fs, NAMES).map((file) => file.name)).size,
			readHistory(fs, NAMES).length,
		);
	});

	it('a crash at any operation leaves a whole log, and a history that the next start puts in order', async () => {
		const fs = new MemoryLogFs();
		const { log, env } = openLog(fs, 'everysec', KEEP);
		await rewrite(fs, log, 'a');
		const images: MemoryLogFs[] = [];
		const turn = async (): Promise<void> => {
			for (let i = 0; i < 20; i++) await Promise.resolve();
			images.push(fs.afterKill(), fs.afterPowerCut());
		};
		log.appendArgs(['SET', 'b', '1']);
		log.flush();
		log.tick(env.advance(2000));
		await fs.settle();
		const beginning = log.beginNewFile();
		await turn();
		while (fs.settleOne()) await turn();
		const begun = await beginning;
		if (typeof begun === 'string') throw new Error(begun);
		fs.put('/d/temp-1.aof', entriesText(['SET', 'all', 'b']));
		void log.replaceBase('/d/temp-1.aof', 'aof', begun.offset);
		await turn();
		while (fs.settleOne()) await turn();
		assert.isAbove(images.length, 30);
		for (const [i, image] of images.entries()) {
			const { result, entries } = load(image);
			assert.equal(loaded(result).endOffset, 54, `image ${i}`);
			assert.isTrue(
				['0: SET all a,0: SET b 1', '0: SET all b'].includes(entries.join()),
				`image ${i}: ${entries.join()}`,
			);
			const next = openLog(image, 'everysec', KEEP);
			await image.settle();
			for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
			assert.isEmpty(next.log.manifest.history, `image ${i}`);
			const offsets = readHistory(image, NAMES).map((file) => file.info.startOffset);
			assert.oneOf(offsets.join(), ['0,0', '0,0,27,27'], `image ${i}`);
			assert.notInclude(names(image).join(), 'temp-a', `image ${i}`);
		}
	});
});
