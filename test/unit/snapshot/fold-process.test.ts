/** The child of a snapshot: its messages, and its end when it hangs, dies or is not wanted any more. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert } from 'chai';
import { systemEnv } from '../../../src/base/system-env.js';
import { Settings } from '../../../src/engine/settings.js';
import { type FoldJob, loadFoldCodec } from '../../../src/snapshot/fold-job.js';
import { startFoldProcess } from '../../../src/snapshot/fold-process.js';
import type { SnapshotTask } from '../../../src/snapshot/snapshot-task.js';

const PROGRAM = fileURLToPath(new URL('../../../src/snapshot/fold-child.js', import.meta.url));

describe('fold process', () => {
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'tsredis-test-'));
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	function job(path = join(folder, 'temp.rdb')): FoldJob {
		return {
			base: null,
			sections: [{ path: join(folder, 'incr'), from: 1, to: 2 ** 40 }],
			output: { format: 'rdb', path, finalPath: join(folder, 'dump.rdb') },
			settings: new Settings(),
			maxmemoryPolicy: 'allkeys-lru',
			aux: [['redis-ver', '7.2.6']],
			keyCount: 3,
		};
	}
	function start(jobOf: () => FoldJob | Promise<FoldJob>, silentMsMax = 60_000): SnapshotTask {
		return startFoldProcess({ env: systemEnv(), program: PROGRAM, silentMsMax, codec: loadFoldCodec, jobOf });
	}
	/** Never comes. */
	const noJob = () => new Promise<FoldJob>(() => undefined);

	it('messages come as they went', async () => {
		const codec = await loadFoldCodec();
		const decoded = codec.decodeJob(codec.encodeJob(job()), new Settings());
		assert.deepEqual(decoded.sections, job().sections);
		assert.deepEqual(decoded.output, job().output);
		assert.deepEqual(decoded.aux, job().aux);
		assert.equal(decoded.maxmemoryPolicy, 'allkeys-lru');
		assert.equal(decoded.settings.listMaxListpackSize, -2);
		assert.isTrue(decoded.settings.rdbcompression);
		const done = { kind: 'done', result: { size: 1, keys: 2, keysCopied: 3 }, peakMemory: 2 ** 33 } as const;
		assert.deepEqual(codec.decodeReport(codec.encodeReport(done)), done);
		const failure = { kind: 'failure', message: 'why', sourceIsDamaged: true } as const;
		assert.deepEqual(codec.decodeReport(codec.encodeReport(failure)), failure);
	});

	it('writes an empty dataset', async () => {
		const outcome = await start(() => ({ ...job(), sections: [] })).outcome;
		assert.equal(outcome.kind, 'done');
		assert.isTrue(existsSync(join(folder, 'dump.rdb')));
	});

	it('says what is wrong', async () => {
		const missing = await start(job).outcome;
		assert.deepEqual(missing, {
			kind: 'failed',
			message: 'No such file or directory',
			sourceIsDamaged: false,
		});
		const nowhere = await start(() => ({ ...job(join(folder, 'no', 'file')), sections: [] })).outcome;
		assert.include(nowhere, { kind: 'failed', message: 'No such file or directory' });
		const refused = await start(() => Promise.reject(new Error('no job'))).outcome;
		assert.include(refused, { kind: 'failed', message: 'no job' });
	});

	it('is killed when it is not heard of', async () => {
		const task = start(noJob, 600);
		process.kill(task.pid, 'SIGSTOP');
		const outcome = await task.outcome;
		assert.equal(outcome.kind, 'hung');
	});

	it('ends when it is not wanted any more, or killed', async () => {
		const cancelled = start(noJob);
		cancelled.cancel();
		assert.deepEqual(await cancelled.outcome, { kind: 'cancelled' });
		const killed = start(noJob);
		process.kill(killed.pid, 'SIGTERM');
		assert.deepEqual(await killed.outcome, { kind: 'signal', signal: 15 });
	});
});
