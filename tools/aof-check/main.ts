#!/usr/bin/env node
/** `tsredis-check-aof`: see `options.ts`. */
import { ProgressBar } from '../support/progress-bar.js';
import { PROCESS_TERMINAL } from '../support/terminal.js';
import { LogCheck } from './check-log.js';
import { HELP, parseCheckAofOptions } from './options.js';
import { isFolder, manifestOfFolder } from '../support/log-path.js';

const options = parseCheckAofOptions(process.argv.slice(2));
const terminal = PROCESS_TERMINAL;
if (options === 'help') {
	terminal.print(HELP);
} else if ('message' in options) {
	terminal.print(options.message + '\n');
	process.exitCode = 1;
} else {
	let path: string | null = options.path;
	if (isFolder(path)) {
		const found = manifestOfFolder(path);
		if ('error' in found) { terminal.print(found.error + '\n'); path = null; } else path = found.path;
	}
	const progress = new ProgressBar();
	const check = new LogCheck({ fix: options.fix, toTimestamp: options.toTimestamp, terminal, blocks: new Map(), progress });
	if (path === null || !check.check(path)) process.exitCode = 1;
	progress.clear();
}
