import { assert } from 'chai';
import { aofBase } from '../../../src/log/log-folder.js';
import type { FsyncPolicy } from '../../../src/log/log-options.js';
import { entriesText, load, loaded, MANIFEST_PATH, type OpenLog, openLog } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const REPLID = 'f'.repeat(40);
const INCR1 = '/d/aof/a.1.incr.aof';
const INCR2 = '/d/aof/a.2.incr.aof';
const PING = entriesText(['PING']);

function begin(policy: FsyncPolicy): OpenLog & { fs: MemoryLogFs } {
	const fs = new MemoryLogFs();
	const opened = openLog(fs, policy);
	fs.trace = [];
	return { fs, ...opened };
}

describe('log/append-log', () => {
	it('begins a log in an empty folder, every file durable before the manifest names it', () => {
		const fs = new MemoryLogFs();
		const { log, logger } = openLog(fs, 'everysec');
		assert.deepEqual(fs.trace, [
			'sync-folder /d',
			'create /d/aof/temp-a.base',
			'sync /d/aof/temp-a.base',
			'rename /d/aof/temp-a.base /d/aof/a.1.base.aof',
			'sync-folder /d/aof',
			'create /d/aof/temp-a.incr',
			'sync /d/aof/temp-a.incr',
			'rename /d/aof/temp-a.incr /d/aof/a.1.incr.aof',
			'sync-folder /d/aof',
			'create /d/aof/temp-a.manifest.2',
			'write /d/aof/temp-a.manifest.2 0+124',
			'sync /d/aof/temp-a.manifest.2',
			'rename /d/aof/temp-a.manifest.2 /d/aof/a.manifest',
			'sync-folder /d/aof',
		]);
		assert.equal(
			fs.content(MANIFEST_PATH),
			'file a.1.base.aof seq 1 type b\n' +
				'file a.1.incr.aof seq 1 type i\n' +
				`#offsets @${REPLID} 1:0 1:0 end`,
		);
		assert.deepEqual(logger.lines, [
			'Creating AOF base file a.1.base.aof on server start',
			'Creating AOF incr file a.1.incr.aof on server start',
		]);
		assert.equal(log.fileGeneration, 1);
	});

	it('writes once a flush, and releases what is written', () => {
		const { fs, log } = begin('everysec');
		log.appendArgs(['SET', 'a', '1']);
		const request = Buffer.from(`xx${PING}yy`);
		log.appendRaw(request, 2, 2 + PING.length);
		assert.equal(log.releaseOffset, 0);
		assert.equal(log.stats().bufferLength, log.endOffset);
		log.flush();
		assert.equal(log.endOffset, 27 + 14);
		assert.equal(log.releaseOffset, log.endOffset);
		assert.deepEqual(fs.trace, [`write ${INCR1} 0+41`]);
		assert.equal(fs.content(INCR1), entriesText(['SET', 'a', '1'], ['PING']));
		log.flush();
		assert.equal(fs.trace.length, 1);
	});

	it('everysec: one fsync a second, on the thread pool, and only when there is something', () => {
		const { fs, log, env } = begin('everysec');
		const tick = (ms: number): void => log.tick(env.advance(ms));
		tick(5000);
		assert.equal(fs.pending.length, 0);
		log.appendArgs(['PING']);
		log.flush();
		tick(0);
		assert.equal(fs.pending.length, 1);
		assert.equal(log.stats().pendingFsyncs, 1);
		tick(2500);
		assert.equal(log.stats().delayedFsyncs, 1);
		fs.settleOne();
		assert.equal(log.fsyncedOffset, 14);
		log.appendArgs(['PING']);
		log.flush();
		tick(0);
		assert.equal(fs.pending.length, 1, 'a second after the last one began');
	});

	it('everysec: with an fsync under way a write goes to the thread pool and its replies wait', () => {
		const { fs, log, env } = begin('everysec');
		let released = 0;
		log.onRelease = () => {
			released = log.releaseOffset;
		};
		log.appendArgs(['PING']);
		log.flush();
		log.tick(env.advance(2000));
		log.appendArgs(['SET', 'a', '1']);
		log.flush();
		log.appendArgs(['SET', 'b', '1']);
		log.flush();
		assert.equal(log.releaseOffset, 14);
		assert.equal(fs.pending.length, 2, 'the fsync and one write');
		fs.settleOne();
		assert.equal(released, 14);
		fs.settleOne();
		assert.equal(released, 14 + 27 * 2, 'the rest was written when the disk was free');
		assert.equal(fs.content(INCR1), entriesText(['PING'], ['SET', 'a', '1'], ['SET', 'b', '1']));
	});

	it('always: replies wait for the fsync, and what gathers meanwhile is written at once', () => {
		const { fs, log } = begin('always');
		log.appendArgs(['PING']);
		log.flush();
		assert.equal(log.releaseOffset, 0);
		for (const key of ['a', 'b', 'c']) {
			log.appendArgs(['SET', key, '1']);
			log.flush();
		}
		fs.settleOne();
		assert.equal(log.releaseOffset, 14);
		fs.settleOne();
		assert.equal(log.releaseOffset, 14 + 27 * 3);
		assert.deepEqual(fs.trace, [
			`write ${INCR1} 0+14`,
			`sync ${INCR1}`,
			`write ${INCR1} 14+81`,
			`sync ${INCR1}`,
		]);
		assert.equal(fs.pending.length, 0);
	});

	it('keeps entries of any size whole across its segments', () => {
		const { fs, log } = begin('everysec');
		const commands: string[][] = [];
		for (const size of [1, 100_000, 3, 262_144, 1_000_000, 262_100, 20, 262_117]) {
			commands.push(['SET', `k${size}`, 'v'.repeat(size)], ['PING']);
		}
		for (const args of commands) log.appendArgs(args);
		const raw = Buffer.from(entriesText(['SET', 'raw', 'w'.repeat(600_000)]), 'latin1');
		log.appendRaw(raw, 0, raw.length);
		log.flush();
		const expected = entriesText(...commands, ['SET', 'raw', 'w'.repeat(600_000)]);
		assert.isTrue(fs.content(INCR1) === expected);
		assert.equal(log.endOffset, expected.length);
	});

	it('continues after a restart at the same offset', async () => {
		const { fs, log } = begin('everysec');
		log.appendArgs(['SET', 'a', '1']);
		fs.immediate = true;
		await log.close();
		assert.equal(fs.openCount, 0);
		const again = openLog(fs, 'everysec');
		assert.equal(again.log.endOffset, 27);
		assert.equal(again.log.releaseOffset, 27);
		again.log.appendArgs(['SET', 'b', '2']);
		again.log.flush();
		assert.deepEqual(load(fs.afterKill()).entries, ['0: SET a 1', '0: SET b 2']);
	});

	describe('a disk that fails', () => {
		it('full: cuts the file back, goes on in a new one when there is room, and then releases', async () => {
			const { fs, log, env, logger } = begin('everysec');
			let calls = 0;
			log.onRelease = () => calls++;
			log.appendArgs(['SELECT', '4']);
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			fs.room = 10;
			log.appendArgs(['MULTI']);
			log.appendArgs(['SET', 'b', '2']);
			log.appendArgs(['EXEC']);
			log.flush();
			assert.equal(log.writeError, 'No space left on device');
			assert.equal(calls, 1);
			assert.equal(log.releaseOffset, 50);
			assert.equal(log.replyOffset, 106, 'what was replied to the write waits');
			log.flush();
			assert.equal(log.replyOffset, 50, 'reads go on');
			assert.deepEqual(logger.lines.slice(-1), [
				'Short write while writing to the AOF file: (nwritten=10, expected=56)',
			]);
			assert.equal(fs.content(INCR1).length, 50);
			log.tick(env.advance(100));
			assert.equal(fs.pending.length, 0, 'not yet');
			fs.room = 20;
			log.tick(env.advance(1000));
			await fs.settle();
			assert.equal(log.writeError, 'No space left on device');
			assert.notInclude(fs.list(), '/d/aof/temp-a.incr');
			fs.room = Number.POSITIVE_INFINITY;
			log.tick(env.advance(1000));
			await fs.settle();
			assert.isNull(log.writeError);
			assert.equal(log.releaseOffset, 106);
			assert.equal(log.fsyncedOffset, 106);
			assert.equal(log.fileGeneration, 2);
			assert.isTrue(logger.has('AOF write error looks solved, Redis can write again.'));
			assert.equal(
				fs.content(MANIFEST_PATH),
				'file a.1.base.aof seq 1 type b\n' +
					'file a.1.incr.aof seq 1 type i\n' +
					'file a.2.incr.aof seq 2 type i\n' +
					`#offsets @${REPLID} 1:0 1:0 2:50+23 end`,
			);
			const { result, entries } = load(fs.afterPowerCut());
			assert.deepEqual(entries, ['4: SET a 1', '4: SET b 2']);
			assert.equal(loaded(result).endOffset, 106);
		});

		it('a failed fsync: the bytes since the last good one go to a new file, and the old one is cut', async () => {
			const { fs, log, env } = begin('always');
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			fs.settleOne();
			fs.syncError = 'EIO';
			log.appendArgs(['SET', 'b', '2']);
			log.flush();
			fs.settleOne();
			assert.equal(log.writeError, 'Input/output error');
			assert.equal(log.releaseOffset, 27);
			fs.syncError = null;
			fs.trace = [];
			log.tick(env.advance(1000));
			await fs.settle();
			assert.isNull(log.writeError);
			assert.equal(log.releaseOffset, 54);
			assert.deepEqual(fs.trace, [
				'create /d/aof/temp-a.incr',
				'write /d/aof/temp-a.incr 0+27',
				'sync /d/aof/temp-a.incr',
				`rename /d/aof/temp-a.incr ${INCR2}`,
				'sync-folder /d/aof',
				'create /d/aof/temp-a.manifest',
				'write /d/aof/temp-a.manifest 0+160',
				'sync /d/aof/temp-a.manifest',
				`rename /d/aof/temp-a.manifest ${MANIFEST_PATH}`,
				'sync-folder /d/aof',
				`cut ${INCR1} 27`,
				`sync ${INCR1}`,
			]);
			assert.deepEqual(load(fs.afterPowerCut()).entries, ['0: SET a 1', '0: SET b 2']);
		});

		it('a failure between a write and the end of its turn: the reply waits', () => {
			const { fs, log } = begin('always');
			log.appendArgs(['PING']);
			log.flush();
			fs.syncError = 'EIO';
			log.appendArgs(['PING']);
			fs.settleOne();
			assert.isNotNull(log.writeError);
			log.flush();
			assert.equal(log.replyOffset, 28);
			log.appendArgs(['DEL', 'expired']);
			log.flush();
			assert.equal(log.replyOffset, 0, "the server's own effects hold nobody up");
		});

		it('short writes are continued', () => {
			const { fs, log } = begin('everysec');
			fs.writeSizeMax = 5;
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			assert.equal(log.releaseOffset, 27);
			assert.isNull(log.writeError);
		});
	});

	describe('switched on and off', () => {
		it('counts offsets and releases without files', () => {
			const { log } = begin('everysec');
			log.stop();
			assert.isFalse(log.attached);
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			assert.equal(log.endOffset, 27);
			assert.equal(log.releaseOffset, 27);
		});

		it('begins afresh with a base of the dataset, and removes the old files last', async () => {
			const { fs, log, logger } = begin('everysec');
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			log.appendArgs(['SET', 'a', '2']);
			fs.trace = [];
			assert.isNull(log.startFresh(aofBase([['SET', 'a', '2']])));
			assert.equal(log.releaseOffset, 54);
			assert.equal(log.fileGeneration, 2);
			await fs.settle();
			const kinds = fs.trace.map((line) => line.replace(/ .*\//, ' '));
			assert.isBelow(
				kinds.indexOf('rename a.manifest'),
				kinds.findIndex((line) => line.startsWith('unlink')),
			);
			assert.deepEqual(fs.list(), ['/d/aof/a.2.base.aof', INCR2, MANIFEST_PATH]);
			assert.equal(
				fs.content(MANIFEST_PATH),
				'file a.2.base.aof seq 2 type b\n' +
					`file a.2.incr.aof seq 2 type i\n#offsets @${REPLID} 2:54 2:54 end`,
			);
			assert.isTrue(logger.has('Removing the history file a.1.base.aof in the background'));
			log.appendArgs(['SET', 'b', '3']);
			log.flush();
			const { result, entries } = load(fs.afterKill());
			assert.deepEqual(entries, ['0: SET a 2', '0: SET b 3']);
			assert.equal(loaded(result).endOffset, 81);
		});

		it('switched on again it continues the numbers', () => {
			const { fs, log } = begin('everysec');
			log.appendArgs(['SET', 'a', '1']);
			log.stop();
			assert.equal(fs.content(INCR1).length, 27);
			assert.equal(fs.openCount, 0);
			log.appendArgs(['SET', 'a', '2']);
			log.flush();
			assert.isNull(log.startFresh(aofBase([['SET', 'a', '2']])));
			assert.deepEqual(load(fs.afterPowerCut()).entries, ['0: SET a 2']);
			assert.equal(loaded(load(fs.afterPowerCut()).result).endOffset, 54);
		});

		it('a disk that is full leaves everything as it was', () => {
			const { fs, log } = begin('everysec');
			log.appendArgs(['SET', 'a', '1']);
			log.flush();
			fs.room = 5;
			assert.isString(log.startFresh(aofBase([['SET', 'a', '1']])));
			assert.isTrue(log.attached);
			fs.room = 1000;
			log.appendArgs(['SET', 'b', '2']);
			log.flush();
			assert.deepEqual(load(fs.afterKill()).entries, ['0: SET a 1', '0: SET b 2']);
		});
	});
});
