/** The program `tsredis-check-aof`: see `options.ts` for what it does. */
import { isFolder, manifestOfFolder } from '../support/log-path.js';
import { ProgressBar } from '../support/progress-bar.js';
import { PROCESS_TERMINAL } from '../support/terminal.js';
import { LogCheck } from './check-log.js';
import { HELP, parseCheckAofOptions } from './options.js';
import { recordedLog } from './recorded-log.js';
import { Salvage, type SalvageOutcome } from './salvage.js';

const SALVAGE_EXIT_CODES: Readonly<Record<SalvageOutcome, number>> = { complete: 0, failed: 1, lossy: 2 };

/** Runs it with the arguments behind its name, and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
	const terminal = PROCESS_TERMINAL;
	const options = parseCheckAofOptions(args);
	if (options === 'help') {
		terminal.print(HELP);
		return;
	}
	process.exitCode = 1;
	if ('message' in options) {
		terminal.print(options.message + '\n');
		return;
	}
	const { fix, toTimestamp } = options;
	const found = isFolder(options.path) ? manifestOfFolder(options.path) : { path: options.path };
	if ('error' in found) {
		terminal.print(found.error + '\n');
		return;
	}
	const progress = new ProgressBar();
	const catalog = await recordedLog(found.path);
	if (options.salvagePath === '') {
		const check = new LogCheck({ fix, toTimestamp, terminal, catalog, progress });
		if (check.check(found.path)) process.exitCode = 0;
	} else {
		const salvage = new Salvage({ outPath: options.salvagePath, terminal, catalog, progress });
		process.exitCode = SALVAGE_EXIT_CODES[salvage.run(found.path)];
	}
	progress.clear();
}
