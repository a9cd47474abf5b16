/**
 * Mocha's `spec` report, and the counts in a file for a script to read: `{"passed":…,"failed":…,"skipped":…}`
 * in the file that `TSREDIS_TEST_COUNTS` names. A failed hook counts as a failure.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class CountingReporter extends Mocha.reporters.Spec {
	constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
		super(runner, options);
		runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
			const file = process.env.TSREDIS_TEST_COUNTS;
			if (file === undefined) return;
			const { passes: passed, failures: failed, pending: skipped } = this.stats;
			writeFileSync(file, `${JSON.stringify({ passed, failed, skipped })}\n`);
		});
	}
}
