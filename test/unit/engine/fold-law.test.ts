/**
 * The law that everything rests on (DESIGN §1.3): at every offset, the fold of the log up to there is the dataset that
 * the live server had there; so is the fold of a snapshot, itself a fold, and of the log behind it. Programs are random, over every command that writes, with expiry, transactions, clients
 * that wait, and several databases. `FOLD_LAW_PROGRAMS` sets how many (200), `FOLD_LAW_SEED` repeats a run.
 */
import { assert } from 'chai';
import fc from 'fast-check';
import { Replay } from '../../../src/engine/replay.js';
import { AofEntryReader, aofEntryBytes } from '../../../src/formats/aof-entry.js';
import type { AppendLog } from '../../../src/log/append-log.js';
import type { FoldBase, FoldSection } from '../../../src/snapshot/fold-job.js';
import { generateProgram } from '../../oracle/generator.js';
import type { Step } from '../../oracle/step.js';
import { SeededRandom } from '../../support/random.js';
import { TestEngine } from '../engine-harness.js';
import { FoldHarness } from '../snapshot/fold-harness.js';

const PROGRAM_COUNT = Number(process.env.FOLD_LAW_PROGRAMS ?? 200);
const SEED = process.env.FOLD_LAW_SEED;
const STEPS_PER_PROGRAM = 120;
const VERSION = 7.2;
const CHECKED_PROBABILITY = 0.05;

/** Where the log was, and the digest of the dataset there. */
interface Checkpoint {
	readonly offset: number;
	readonly digest: string;
	/** A new file of the log begins here. */
	readonly isCut: boolean;
}

interface Run {
	readonly log: Buffer;
	readonly checkpoints: readonly Checkpoint[];
}

/** The log as bytes in memory, in the place of files. */
class MemoryLog {
	fileGeneration = 1;
	readonly writeError = null;
	readonly parts: Buffer[] = [];
	endOffset = 0;

	appendArgs(args: readonly string[]): void {
		this.#append(aofEntryBytes(args));
	}

	appendRaw(source: Buffer, start: number, end: number): void {
		this.#append(Buffer.from(source.subarray(start, end)));
	}

	#append(bytes: Buffer): void {
		this.parts.push(bytes);
		this.endOffset += bytes.length;
	}
}

/** What makes keys expire, which the programs of the oracle avoid. */
function expiryCommand(random: SeededRandom): readonly string[] {
	const key = random.pick(['s', 'l', 'h', 't', 'z']) + random.below(4);
	const ms = String(random.between(1, 3000));
	return random.pick([
		['PEXPIRE', key, ms],
		['EXPIRE', key, String(random.between(-1, 3))],
		['SET', `s${random.below(4)}`, 'v', 'PX', ms],
		['GETEX', `s${random.below(4)}`, 'PX', ms],
		['SETEX', `s${random.below(4)}`, '1', 'v'],
		['PERSIST', key],
	]);
}

function runProgram(seed: number): Run {
	const random = new SeededRandom(seed);
	const test = new TestEngine();
	const log = new MemoryLog();
	test.engine.effects.log = log as unknown as AppendLog;
	const checkpoints: Checkpoint[] = [];
	let clientCount = 1;
	const runStep = (step: Step): void => {
		if (step.kind === 'transaction') {
			if (step.watch !== null) test.run(['WATCH', step.watch]);
			test.run(['MULTI']);
			for (const { args } of step.commands) test.run(args);
			if (step.meanwhile !== null) test.run(step.meanwhile, clientCount++);
			test.run([step.end]);
		} else if (step.kind === 'blocked') {
			test.run(step.args, clientCount++);
			test.run(step.meanwhile, clientCount++);
		} else if ('args' in step) {
			test.run(step.args);
		}
	};
	for (const step of generateProgram(seed, STEPS_PER_PROGRAM, VERSION)) {
		runStep(step);
		if (random.chance(0.1)) test.run(expiryCommand(random));
		if (random.chance(0.1)) test.nowMs += random.between(1, 2000);
		if (random.chance(0.05)) test.engine.expiry.runCycle(100);
		if (!random.chance(CHECKED_PROBABILITY)) continue;
		const isCut = random.chance(0.4);
		checkpoints.push({ offset: log.endOffset, digest: test.digest, isCut });
		if (isCut) log.fileGeneration++;
	}
	checkpoints.push({ offset: log.endOffset, digest: test.digest, isCut: false });
	return { log: Buffer.concat(log.parts), checkpoints };
}

/** The digest of the fold of the log from `from` to `to`, on an engine that holds the fold up to `from`. */
function foldOn(test: TestEngine, bytes: Buffer): string {
	const replay = new Replay(test.engine);
	const reader = new AofEntryReader();
	let at = 0;
	for (;;) {
		const found = reader.next();
		if (found === 'entry') {
			const name = reader.args[0]!.toUpperCase();
			if (name !== 'MULTI' && name !== 'EXEC') assert.isUndefined(replay.apply(reader.args));
		} else if (found === 'more') {
			reader.reserve();
			const size = bytes.copy(reader.buffer, reader.fillAt, at);
			reader.filled(size);
			at += size;
		} else {
			assert.equal(found, 'end');
			return test.digest;
		}
	}
}

/** Snapshots at the cuts, each made from the one before, and at the end; all must have the digest of the live server. */
function checkSnapshots({ log, checkpoints }: Run): number {
	const harness = new FoldHarness();
	harness.fs.put('/d/log', log);
	let base: FoldBase | null = null;
	let from = 0;
	let checked = 0;
	for (const { offset, digest, isCut } of checkpoints) {
		const section: FoldSection = { path: '/d/log', from, to: offset };
		harness.fold(harness.job(base, [section]));
		assert.equal(harness.rdbDigest('/d/dump.rdb'), digest, `snapshot of ${from} to ${offset}`);
		checked++;
		if (!isCut) continue;
		harness.fs.put('/d/base.rdb', Buffer.from(harness.fs.content('/d/dump.rdb'), 'latin1'));
		base = { path: '/d/base.rdb', format: 'rdb' };
		from = offset;
	}
	return checked;
}

describe('the fold of the log', () => {
	it(`is the dataset, at any offset of ${PROGRAM_COUNT} programs`, function () {
		this.timeout(Math.max(60_000, PROGRAM_COUNT * 200));
		let checked = 0;
		fc.assert(
			fc.property(fc.nat(), (seed) => {
				const { log, checkpoints } = runProgram(seed);
				for (const { offset, digest } of checkpoints) {
					const test = new TestEngine();
					new Replay(test.engine).begin();
					assert.equal(foldOn(test, log.subarray(0, offset)), digest, `at offset ${offset}`);
				}
				checked += checkSnapshots({ log, checkpoints });
			}),
			{ numRuns: PROGRAM_COUNT, ...(SEED === undefined ? {} : { seed: Number(SEED) }) },
		);
		assert.isAtLeast(checked, PROGRAM_COUNT);
	});
});
