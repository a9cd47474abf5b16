/** The program `tsredis-check-aof`: see `options.ts` for what it does. */
import { isFolder, manifestOfFolder } from '../support/log-path.js';
import { ProgressBar } from '../support/progress-bar.js';
import { PROCESS_TERMINAL } from '../support/terminal.js';
import { LogCheck } from './check-log.js';
import { HELP, parseCheckAofOptions } from './options.js';
import { recordedLog } from './recorded-log.js';

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
	const check = new LogCheck({
		fix,
		toTimestamp,
		terminal,
		blocks: await recordedLog(found.path),
		progress,
	});
	if (check.check(found.path)) process.exitCode = 0;
	progress.clear();
}
