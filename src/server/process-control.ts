/**
 * What a server process does to itself as a process of the operating system: going into the
 * background, its pid file, its title, its out-of-memory score.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import type { Settings } from '../engine/settings.js';
import { expandProcTitle } from './config/proc-title.js';

/** Tells the process that it is the one in the background. */
const DAEMON_VARIABLE = 'TSREDIS_DAEMON';
const PIDFILE_DEFAULT = '/var/run/redis.pid';
/** Room for short-lived objects, in MB: 32 to 64 cut the time of garbage collection by a quarter. */
const SEMI_SPACE_MB = 64;
const SEMI_SPACE_OPTION = '--max-semi-space-size';
const OOM_SCORE_FILE = '/proc/self/oom_score_adj';
const OOM_SCORE_LIMIT = 1000;

/** Whether `daemonize` asks this process to go on in the background. */
export function mustDaemonize(settings: Settings): boolean {
	return settings.daemonize && process.env[DAEMON_VARIABLE] === undefined;
}

/**
 * Starts the same program again, detached from the terminal, and resolves when it may be left alone.
 * Node.js can't fork; the new process reads its configuration again, standard input's part from `stdin`.
 */
export async function daemonize(
	args: readonly string[],
	cwd: string,
	stdin: string | undefined,
): Promise<void> {
	// Here, as it takes 3 ms that a start in the foreground need not spend.
	const { spawn } = await import('node:child_process');
	const hasOption = process.execArgv.some((option) => option.startsWith(SEMI_SPACE_OPTION));
	const options = hasOption
		? process.execArgv
		: [...process.execArgv, `${SEMI_SPACE_OPTION}=${SEMI_SPACE_MB}`];
	const child = spawn(process.execPath, [...options, process.argv[1]!, ...args], {
		cwd,
		detached: true,
		stdio: [stdin === undefined ? 'ignore' : 'pipe', 'ignore', 'ignore'],
		env: { ...process.env, [DAEMON_VARIABLE]: '1' },
	});
	return new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('spawn', () => {
			child.unref();
			if (child.stdin === null) resolve();
			else child.stdin.end(stdin, 'latin1', resolve);
		});
	});
}

/** Writes the pid file, if there is to be one; its path, '' if none was written. */
export function createPidFile(
	settings: Settings,
	resolvePath: (path: string) => string,
	logger: Logger,
): string {
	const background = settings.daemonize;
	if (settings.pidfile === '' && !background) return '';
	const path = settings.pidfile === '' ? PIDFILE_DEFAULT : resolvePath(settings.pidfile);
	try {
		writeFileSync(path, `${process.pid}\n`);
		return path;
	} catch (error) {
		logger.log('warning', `Failed to write PID file: ${errorText(error)}`);
		return '';
	}
}

export function removePidFile(path: string, logger: Logger): void {
	if (path === '') return;
	logger.log('notice', 'Removing the pid file.');
	rmSync(path, { force: true });
}

/** Shows the server in the process list by `proc-title-template`, if `set-proc-title` says so. */
export function setProcTitle(settings: Settings, configFile: string): void {
	if (!settings.setProcTitle) return;
	const { port, tlsPort, unixsocket, bind } = settings;
	const shownPort = port === 0 ? tlsPort : port;
	const host = bind[0] === undefined || bind[0] === '' ? '*' : bind[0].replace(/^-/, '');
	process.title = expandProcTitle(settings.procTitleTemplate, {
		title: 'tsredis-server',
		listenAddress: shownPort === 0 ? `unixsocket:${unixsocket}` : `${host}:${shownPort}`,
		serverMode: '',
		port,
		tlsPort,
		unixsocket,
		configFile,
	});
}

/** Keeps `/proc/self/oom_score_adj` at what `oom-score-adj` asks for (Linux; elsewhere it does nothing). */
export class OomScore {
	readonly #settings: Settings;
	readonly #logger: Logger;
	/** What the process was started with; undefined until it has been changed. */
	#original: number | undefined = undefined;

	constructor(settings: Settings, logger: Logger) {
		this.#settings = settings;
		this.#logger = logger;
	}

	/** An error text if the score can't be set. */
	apply(): string | undefined {
		const { oomScoreAdj, oomScoreAdjValues } = this.#settings;
		if (process.platform !== 'linux' || (oomScoreAdj === 'no' && this.#original === undefined))
			return undefined;
		try {
			this.#original ??= Number(readFileSync(OOM_SCORE_FILE, 'latin1'));
			const value =
				oomScoreAdj === 'no'
					? this.#original
					: oomScoreAdjValues[0] + (oomScoreAdj === 'absolute' ? 0 : this.#original);
			writeFileSync(OOM_SCORE_FILE, String(Math.max(-OOM_SCORE_LIMIT, Math.min(value, OOM_SCORE_LIMIT))));
			return undefined;
		} catch (error) {
			this.#logger.log('warning', `Unable to write oom_score_adj: ${errorText(error)}`);
			return 'Failed to set current oom_score_adj. Check server logs.';
		}
	}
}

/** The backlog that the kernel really allows, if it is less than the setting's. */
export function warnOfSmallBacklog(settings: Settings, logger: Logger): void {
	let allowed: number;
	try {
		allowed = Number(readFileSync('/proc/sys/net/core/somaxconn', 'latin1'));
	} catch {
		return;
	}
	if (!(allowed > 0 && allowed < settings.tcpBacklog)) return;
	logger.log(
		'warning',
		`WARNING: The TCP backlog setting of ${settings.tcpBacklog} cannot be enforced because ` +
			`/proc/sys/net/core/somaxconn is set to the lower value of ${allowed}.`,
	);
}
