/**
 * Random programs, the same to the real server and to ours: the same replies, the same DEBUG DIGEST. Set
 * `ORACLE_SEED` and `ORACLE_STEPS` to repeat or to search longer; a failure prints both, and the shortest
 * program found that still differs. `ORACLE_FAMILIES=strings,lists` narrows the search.
 */
import { assert } from 'chai';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import { ServerFleet } from '../support/server-process.js';
import { FAMILY_NAMES, generateProgram } from './generator.js';
import { minimise } from './minimise.js';
import { type Mismatch, ProgramRunner } from './runner.js';
import { ServerPair, smallEncodings } from './server-pair.js';
import { describeStep, type Step } from './step.js';

const STEP_COUNT = Number(process.env.ORACLE_STEPS ?? 60_000);
const PROGRAM_STEPS_MAX = 2000;
const DIGEST_EVERY = 100;
/** Programs that may fail before the search stops: each is reported. */
const FAILURES_MAX = Number(process.env.ORACLE_FAILURES ?? 3);
const FAMILIES = process.env.ORACLE_FAMILIES?.split(',') ?? FAMILY_NAMES;
/** Steps that are shown when a program cannot be cut down. */
const SHOWN_STEPS = 70;
const MINIMISE_MS_MAX = 15_000;

describe('oracle: random programs', function () {
	this.timeout(600_000 + STEP_COUNT * 10);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	before(function () {
		oracle = requireOracle(this);
	});
	after(() => fleet.close());

	for (const encodings of ['small', 'default'] as const) {
		it(`the same replies and digests, ${encodings} encoding thresholds`, async () => {
			const options = encodings === 'small' ? smallEncodings(oracle.version) : {};
			const pair = await ServerPair.start(fleet, oracle, options);
			const runner = new ProgramRunner(pair);
			const seed = Number(process.env.ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
			const share = encodings === 'small' ? 0.8 : 0.2;
			console.log(`      ORACLE_SEED=${seed} ORACLE_STEPS=${STEP_COUNT}`);
			const reports: string[] = [];
			for (let done = 0, program = 0; done < STEP_COUNT * share; done += PROGRAM_STEPS_MAX, program++) {
				const steps = generateProgram(seed + program, PROGRAM_STEPS_MAX, oracle.version, FAMILIES);
				const mismatch = await runner.run(steps, DIGEST_EVERY);
				if (mismatch === null) continue;
				const failing = steps.slice(0, mismatch.index + 1);
				reports.push(await report(pair, runner, failing, seed + program, mismatch));
				if (pair.ours.hasExited || pair.real.hasExited) break;
				if (reports.length >= FAILURES_MAX) break;
			}
			assert.isEmpty(reports, reports.join('\n'));
		});
	}
});

async function report(
	pair: ServerPair,
	runner: ProgramRunner,
	failing: readonly Step[],
	seed: number,
	mismatch: Mismatch,
): Promise<string> {
	const run = (candidate: readonly Step[]): Promise<Mismatch | null> =>
		runner.run(candidate, Number.POSITIVE_INFINITY);
	const fails = async (candidate: readonly Step[]): Promise<boolean> => (await run(candidate)) !== null;
	// A server that has ended cannot be asked again.
	const isOver = pair.ours.hasExited || pair.real.hasExited;
	const shortest = isOver ? failing.slice(-SHOWN_STEPS) : await minimise(failing, fails, MINIMISE_MS_MAX);
	// An unstable failure may not show again: then the first sight of it is what there is to tell.
	const final = isOver ? mismatch : ((await run(shortest)) ?? mismatch);
	const program = shortest.map(describeStep).join('\n');
	return [
		`\n=== seed ${seed}, ${shortest.length} of ${failing.length} steps:`,
		program,
		`--- differs: ${final.what}`,
		`ours: ${JSON.stringify(final.ours.slice(0, 1000))}`,
		`real: ${JSON.stringify(final.real.slice(0, 1000))}`,
	].join('\n');
}
