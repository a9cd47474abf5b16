/**
 * What the log says when the process ends by a bug of ours or by a signal that means one: enough to report it. The
 * headings are Redis's (debug.c, printCrashReport), which those who watch logs look for.
 */
import { TSREDIS_VERSION } from '../base/version.js';
import { infoText } from './info.js';
import type { Server } from './server.js';

/** The signals that a report can be about, by their numbers. */
const SIGNAL_NUMBERS = { SIGABRT: 6, SIGSEGV: 11 } as const;
export type CrashSignal = keyof typeof SIGNAL_NUMBERS;

/** The end that DEBUG asks for: by the signal, or undefined as by a bug of ours. */
export class RequestedCrash extends Error {
	readonly signal: CrashSignal | undefined;

	constructor(signal: CrashSignal | undefined) {
		super('crash requested by DEBUG');
		this.signal = signal;
	}
}

/** What a report says of an end by a signal. */
export function signalCause(signal: CrashSignal): string {
	return `crashed by signal: ${SIGNAL_NUMBERS[signal]}`;
}

/**
 * The report, lines and all. `cause`: what happened; `stack`: where the program was. `server`
 * undefined: it had not begun.
 */
export function crashReport(cause: string, stack: string, server: Server | undefined): string {
	const lines = [
		'',
		'=== REDIS BUG REPORT START: Cut & paste starting from here ===',
		`tsredis ${TSREDIS_VERSION} (Node.js ${process.versions.node}, ${process.platform} ${process.arch}) ${cause}`,
		'',
		'------ STACK TRACE ------',
		stack,
	];
	if (server !== undefined)
		lines.push('', '------ INFO OUTPUT ------', ...infoLines(server), ...clientLines(server));
	lines.push('', '=== REDIS BUG REPORT END. ===', '');
	return lines.join('\n');
}

function infoLines(server: Server): string[] {
	try {
		return infoText(server, ['everything']).split('\r\n');
	} catch (error) {
		return [`INFO failed: ${String(error)}`];
	}
}

function clientLines(server: Server): string[] {
	const { client } = server.engine.ctx;
	if (client.lastCommand === '') return [];
	return ['', '------ CURRENT CLIENT INFO ------', `id=${client.id} cmd=${client.lastCommand}`];
}
