import { assert } from 'chai';
import { readWholeFile } from '../../../src/log/log-folder.js';
import { loadRdbNow, type RdbLoaded } from '../../../src/snapshot/rdb-load.js';
import { AbortedWalk, SnapshotWalk } from '../../../src/snapshot/walk.js';
import { generateProgram } from '../../oracle/generator.js';
import type { Step } from '../../oracle/step.js';
import { SeededRandom } from '../../support/random.js';
import { TestEngine } from '../engine-harness.js';
import { MemoryLogFs } from '../log/memory-log-fs.js';

const NO_OPTIONS = { isAofBase: false, replication: undefined, functions: [] };
const VERSION = 7.2;

function runStep(test: TestEngine, step: Step): void {
	if (step.kind === 'transaction') {
		test.run(['MULTI']);
		for (const { args } of step.commands) test.run(args);
		test.run([step.end]);
	} else if (step.kind !== 'blocked' && 'args' in step) test.run(step.args);
}

/** A filled engine, and a program to go on with. */
function filled(seed: number): { test: TestEngine; more: readonly Step[] } {
	const test = new TestEngine();
	const program = generateProgram(seed, 600, VERSION);
	for (const step of program.slice(0, 400)) runStep(test, step);
	return { test, more: program.slice(400) };
}

describe('SnapshotWalk', () => {
	it('writes the dataset of the moment at which it began', async () => {
		for (let seed = 1; seed <= 10; seed++) {
			const { test, more } = filled(seed);
			const expected = test.digest;
			const fs = new MemoryLogFs();
			const walk = new SnapshotWalk(test.engine, NO_OPTIONS);
			const running = walk.run(fs, '/d', 'dump.rdb', 'temp-1.rdb');
			const random = new SeededRandom(seed);
			let done = false;
			void running.finally(() => {
				done = true;
			});
			for (const step of more) {
				runStep(test, step);
				fs.settleOne();
				if (!done && random.chance(0.1)) await new Promise((resolve) => setImmediate(resolve));
			}
			while (!done) {
				fs.settleOne();
				await new Promise((resolve) => setImmediate(resolve));
			}
			await running;
			assert.equal(walk.written, walk.total);
			const copy = new TestEngine(test.nowMs);
			const source = Buffer.from(readWholeFile(fs, '/d/dump.rdb'), 'latin1');
			assert.equal(source.length, walk.bytes);
			const loaded = loadRdbNow(copy.engine, { source, dropExpired: false, replaceExisting: false });
			assert.equal((loaded as RdbLoaded).keysLoaded, walk.total);
			assert.equal(copy.digest, expected, `seed ${seed}`);
			assert.notEqual(test.digest, expected);
		}
	});

	it('leaves the old file and no other when the disk fails, or when it is given up', async () => {
		const { test } = filled(1);
		const fs = new MemoryLogFs();
		fs.immediate = true;
		await new SnapshotWalk(test.engine, NO_OPTIONS).run(fs, '/d', 'dump.rdb', 'temp-1.rdb');
		const before = readWholeFile(fs, '/d/dump.rdb');
		test.run(['SET', 'another', 'value']);
		fs.writeError = 'ENOSPC';
		let failure: unknown;
		await new SnapshotWalk(test.engine, NO_OPTIONS)
			.run(fs, '/d', 'dump.rdb', 'temp-1.rdb')
			.catch((error: unknown) => {
				failure = error;
			});
		assert.match(String(failure), /ENOSPC/);
		fs.writeError = null;
		const walk = new SnapshotWalk(test.engine, NO_OPTIONS);
		walk.abort();
		await walk.run(fs, '/d', 'dump.rdb', 'temp-1.rdb').catch((error: unknown) => {
			failure = error;
		});
		assert.instanceOf(failure, AbortedWalk);
		assert.equal(readWholeFile(fs, '/d/dump.rdb'), before);
		assert.equal(fs.kindSync('/d/temp-1.rdb'), 'none');
	});
});
