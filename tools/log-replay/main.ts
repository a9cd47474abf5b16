/** The program `tsredis-replay`: see `options.ts` for what it does. */
import { errorCode, errorText } from '../../src/base/error-text.js';
import { openCatalogCopy } from '../../src/log/catalog-reader.js';
import { nodeLogFs } from '../../src/log/log-fs.js';
import { isFolder, logNamesOf, manifestOfFolder, shownPath } from '../support/log-path.js';
import { ProgressBar } from '../support/progress-bar.js';
import { PROCESS_TERMINAL, printError, writeOut } from '../support/terminal.js';
import { exportDataset } from './export-dataset.js';
import { listEntries } from './list-entries.js';
import { readLogMap } from './log-map.js';
import { LogView } from './log-view.js';
import { type ExportOptions, HELP, type ListOptions, parseReplayOptions } from './options.js';
import { ReplayFault } from './replay-fault.js';

const EXIT_USAGE = 1;
const EXIT_CODES: Readonly<Record<ReplayFault['kind'], number>> = { log: 2, position: 3, output: 4 };
/** A running server may move or remove files between the look at the manifest and the reading of them. */
const TRIES_MAX = 3;

/** Runs it with the arguments behind its name, and sets the exit code. */
export async function main(args: readonly string[]): Promise<void> {
	const options = parseReplayOptions(args);
	if (options === 'help') {
		PROCESS_TERMINAL.print(HELP);
		return;
	}
	if ('message' in options) {
		printError(`${options.message}. See tsredis-replay --help\n`);
		process.exitCode = EXIT_USAGE;
		return;
	}
	const progress = new ProgressBar();
	try {
		await runWithRetries(options, progress);
	} catch (error) {
		const kind = error instanceof ReplayFault ? error.kind : 'log';
		if (!(error instanceof ReplayFault) && errorCode(error) === '') throw error;
		progress.clear();
		const path = (error as { path?: unknown }).path;
		printError(`${typeof path === 'string' ? `${path}: ` : ''}${errorText(error)}\n`);
		process.exitCode = EXIT_CODES[kind];
	}
	progress.clear();
}

async function runWithRetries(options: ListOptions | ExportOptions, progress: ProgressBar): Promise<void> {
	for (let count = 1; ; count++) {
		const state = { hasPrinted: false };
		try {
			await run(options, progress, state);
			return;
		} catch (error) {
			if (errorCode(error) !== 'ENOENT' || state.hasPrinted || count === TRIES_MAX) throw error;
		}
	}
}

async function run(
	options: ListOptions | ExportOptions,
	progress: ProgressBar,
	state: { hasPrinted: boolean },
): Promise<void> {
	const fs = nodeLogFs();
	const found = isFolder(options.log) ? manifestOfFolder(options.log) : { path: options.log };
	if ('error' in found) throw new ReplayFault('log', found.error);
	const names = logNamesOf(found.path);
	const map = readLogMap(fs, found.path, names);
	const catalog = await openCatalogCopy(names);
	try {
		const say = (text: string): void => {
			progress.clear();
			printError(text + '\n');
		};
		// A bar would stand between the lines of a list.
		const hasBar = options.command === 'export' || !process.stdout.isTTY;
		const view = new LogView(fs, map, catalog, {
			onProgress: (offset) =>
				hasBar && progress.update(offset - map.start, map.end - map.start, 'reading the log'),
			onGap: (from, to) => say(`The log from position ${from} to ${to} is not kept`),
			onTornEnd: (offset) => say(`The log ends within an entry or a transaction, at position ${offset}`),
		});
		if (options.command === 'list') {
			await listEntries(view, options, (bytes) => {
				state.hasPrinted = true;
				return writeOut(bytes);
			});
			return;
		}
		const exported = await exportDataset(view, options, ({ bytes, phase }, totalBytes) => {
			progress.update(bytes, totalBytes, phase);
		});
		progress.clear();
		PROCESS_TERMINAL.print(
			`${exported.keys} keys as of log position ${exported.offset}, ${exported.size} bytes, ` +
				`in ${shownPath(options.rdbPath)}\n`,
		);
	} finally {
		await catalog?.close();
	}
}
