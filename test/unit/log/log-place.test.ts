import { assert } from 'chai';
import { removeStaleScratch } from '../../../src/log/log-place.js';
import { entriesText, ListLogger, load, MANIFEST_PATH, openLog } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

/** A log that has been switched off, at offset 27. */
function stopped(): ReturnType<typeof openLog> & { fs: MemoryLogFs } {
	const fs = new MemoryLogFs();
	const opened = openLog(fs, 'everysec');
	opened.log.appendArgs(['SET', 'a', '1']);
	opened.log.stop();
	return { fs, ...opened };
}

describe('log/append-log before it has a base, and in a scratch folder', () => {
	it('writes to a temporary file that becomes the log when the snapshot is done', async () => {
		const { fs, log, logger } = stopped();
		assert.isNull(log.beginTemporary('home'));
		assert.isTrue(log.isTemporary);
		const before = fs.content(MANIFEST_PATH);
		log.appendArgs(['SET', 'b', '2']);
		log.flush();
		assert.equal(fs.content('/d/aof/temp-a.incr'), entriesText(['SET', 'b', '2']));
		assert.equal(fs.content(MANIFEST_PATH), before);
		assert.throws(() => log.foldSource());
		assert.equal(await log.beginNewFile(), 'the log has no base yet');
		fs.put('/d/temp-1.aof', entriesText(['SET', 'a', '1']));
		const adopting = log.adoptBase('/d/temp-1.aof', 'aof', 'rename');
		log.appendArgs(['SET', 'c', '3']);
		log.flush();
		await fs.settle();
		assert.isNull(await adopting);
		await fs.settle();
		assert.isFalse(log.isTemporary);
		assert.deepEqual(load(fs.afterKill()).entries, ['0: SET a 1', '0: SET b 2', '0: SET c 3']);
		assert.deepEqual(fs.list(), ['/d/aof/a.2.base.aof', '/d/aof/a.2.incr.aof', MANIFEST_PATH]);
		assert.isTrue(
			logger.has('Successfully renamed the temporary AOF incr file temp-a.incr into a.2.incr.aof'),
		);
		const source = log.foldSource();
		assert.deepInclude(source.sections[0], { from: 0, to: 54, endOffset: 81 });
	});

	it('a snapshot that fails: the temporary file goes, the old files stay', () => {
		const { fs, log, logger } = stopped();
		const before = fs.list();
		log.beginTemporary('home');
		log.appendArgs(['SET', 'b', '2']);
		log.stop();
		assert.deepEqual(fs.list(), before);
		assert.isFalse(log.attached);
		assert.isTrue(logger.has('Removing the temp incr aof file temp-a.incr in the background'));
		assert.equal(fs.openCount, 0);
		log.flush();
		assert.equal(log.releaseOffset, log.endOffset);
	});

	it('a temporary file that can not be written is given up, and refuses nobody', async () => {
		const { fs, log } = stopped();
		log.beginTemporary('home');
		fs.room = 3;
		log.appendArgs(['SET', 'b', '2']);
		log.flush();
		assert.isNotNull(log.writeError);
		log.flush();
		assert.isNull(log.writeError);
		assert.isFalse(log.attached);
		assert.equal(log.releaseOffset, log.endOffset);
		assert.isString(await log.adoptBase('/d/temp-1.aof', 'aof', 'rename'));
	});

	it('a crash at any operation of the adoption leaves the old log or the new one', async () => {
		const { fs, log } = stopped();
		log.beginTemporary('home');
		log.appendArgs(['SET', 'b', '2']);
		log.flush();
		fs.put('/d/temp-1.aof', entriesText(['SET', 'a', '1']));
		const images: MemoryLogFs[] = [];
		void log.adoptBase('/d/temp-1.aof', 'aof', 'rename');
		do {
			for (let i = 0; i < 20; i++) await Promise.resolve();
			images.push(fs.afterKill());
		} while (fs.settleOne());
		const texts = images.map((image) => load(image).entries.join());
		assert.sameMembers([...new Set(texts)], ['0: SET a 1', '0: SET a 1,0: SET b 2']);
	});

	it('is never fsynced in its scratch folder, takes each dump as its base, and leaves nothing', async () => {
		const { fs, log } = stopped();
		const before = fs.list();
		fs.put('/d/dump.rdb', 'REDIS1');
		assert.isNull(log.beginTemporary('scratch'));
		const adopting = log.adoptBase('/d/dump.rdb', 'rdb', 'link');
		await fs.settle();
		assert.isNull(await adopting);
		assert.isTrue(log.isScratch);
		assert.equal(log.fsyncPolicy, 'everysec');
		fs.trace = [];
		log.appendArgs(['SET', 'b', '2']);
		log.flush();
		assert.equal(log.releaseOffset, log.endOffset);
		const beginning = log.beginNewFile();
		await fs.settle();
		const begun = await beginning;
		if (typeof begun === 'string') throw new Error(begun);
		assert.equal(begun.source.base?.path, '/d/temp-log-0/a.1.base.rdb');
		assert.equal(begun.source.sections.length, 1);
		fs.put('/d/dump.rdb', 'REDIS2');
		const replacing = log.replaceBase('/d/dump.rdb', 'rdb', begun.offset, 'link');
		await fs.settle();
		assert.isNull(await replacing);
		await fs.settle();
		assert.equal(fs.content('/d/temp-log-0/a.2.base.rdb'), 'REDIS2');
		assert.equal(fs.content('/d/dump.rdb'), 'REDIS2');
		assert.deepEqual(
			fs.list().filter((path) => path.startsWith('/d/temp-log-0/')),
			['a.2.base.rdb', 'a.2.incr.aof', 'a.manifest'].map((name) => `/d/temp-log-0/${name}`),
		);
		assert.notMatch(fs.trace.join(), /sync/);
		await log.close();
		assert.deepEqual(fs.list(), [...before, '/d/dump.rdb']);
		assert.equal(fs.openCount, 0);
	});

	it('the scratch folder of a dead process is removed, and no other', () => {
		const fs = new MemoryLogFs();
		for (const pid of [17, 18]) fs.put(`/d/temp-log-${pid}/a.1.incr.aof`, 'x');
		fs.put('/d/temp-log-x/file', 'x');
		removeStaleScratch(fs, '/d', (pid) => pid === 18, new ListLogger());
		assert.deepEqual(fs.list(), ['/d/temp-log-18/a.1.incr.aof', '/d/temp-log-x/file']);
	});
});
