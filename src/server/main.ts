/**
 * The program `tsredis-server`: from its arguments to a running server, and from a signal to its end.
 *
 * Exit codes are Redis's: 0 after a shutdown in order, and for `--version`; 1 for `--help`, for a
 * configuration that can't be used, for an address that can't be listened on, for data that can't be
 * loaded, for a second SIGINT, and for a bug of ours.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { SILENT_LOGGER } from '../base/logger.js';
import { fromNative, toNative } from '../base/native-text.js';
import { systemEnv } from '../base/system-env.js';
import { REDIS_VERSION, TSREDIS_VERSION } from '../base/version.js';
import { Settings } from '../engine/settings.js';
import { pictureText, showsPicture, usageText, versionText } from './banner.js';
import { type CommandLine, parseCommandLine } from './config/command-line.js';
import { Config } from './config/config.js';
import { type LoadResult, loadConfig, settingsWithoutEffect } from './config/config-loader.js';
import { crashReport, RequestedCrash, signalCause } from './crash-report.js';
import { HeapWatch } from './heap-watch.js';
import { ServerLogger } from './logger.js';
import { LoadError } from './persistence.js';
import {
	createPidFile,
	daemonize,
	mustDaemonize,
	OomScore,
	removePidFile,
	setProcTitle,
	warnOfSmallBacklog,
} from './process-control.js';
import { Server } from './server.js';

/** Runs the program; `args` are those after the program's name. Ends the process by itself. */
export async function main(args: readonly string[]): Promise<void> {
	const commandLine = parseCommandLine(args.map(fromNative));
	if (commandLine.kind !== 'run') {
		const exitCode = runSpecial(commandLine);
		process.exit(exitCode);
	}
	const cwd = process.cwd();
	const stdin = commandLine.readStdin ? readFileSync(0, 'latin1') : undefined;
	const loaded = loadConfig(commandLine, {
		dir: fromNative(cwd),
		readStdin: () => stdin ?? '',
		commandNames: () => Server.commandNames(),
	});
	if (!loaded.ok) {
		showFailure(loaded);
		process.exit(1);
	}
	const { settings } = loaded;
	if (mustDaemonize(settings)) {
		await daemonize(args, cwd, stdin);
		process.exit(0);
	}
	const configFile = commandLine.configFile === '' ? '' : resolve(cwd, toNative(commandLine.configFile));
	await new Program(settings, configFile, args.length > 0).start();
}

/** Options that do something else than serve; gives the exit code. */
function runSpecial(commandLine: Exclude<CommandLine, { kind: 'run' }>): number {
	switch (commandLine.kind) {
		case 'version':
			process.stdout.write(versionText());
			return 0;
		case 'help':
			process.stderr.write(usageText());
			return 1;
		case 'check-system':
			process.stderr.write(
				'--check-system is not supported: the server uses no kernel feature that it would check.\n',
			);
			return 1;
		case 'test-memory':
			process.stderr.write('--test-memory is not supported.\n');
			return 1;
		case 'sentinel':
			process.stderr.write('--sentinel is not supported yet: this program is a server.\n');
			return 1;
	}
}

function showFailure(result: Extract<LoadResult, { ok: false }>): void {
	const { block, line } = result.failure;
	if (block !== undefined) process.stderr.write(Buffer.from(block, 'latin1'));
	if (line !== undefined) newLogger(new Settings(), '').log('warning', line);
}

function newLogger(settings: Settings, file: string): ServerLogger {
	return new ServerLogger({
		level: settings.loglevel,
		format: settings.logFormat,
		file,
		pid: process.pid,
		role: 'C',
		now: () => Date.now(),
	});
}

/** The child's program beside the bundled one of the server; undefined where the modules run by themselves. */
function bundledFoldProgram(): string | undefined {
	const program = process.argv[1];
	if (program?.endsWith('.js') !== false) return undefined;
	const path = join(dirname(realpathSync(program)), 'tsredis-fold.cjs');
	return existsSync(path) ? path : undefined;
}

/** A server process, from its configuration on. */
class Program {
	readonly #settings: Settings;
	readonly #config: Config;
	readonly #logger: ServerLogger;
	readonly #hasArguments: boolean;
	#server: Server | undefined = undefined;
	#pidFile = '';
	#shuttingDown = false;

	constructor(settings: Settings, configFile: string, hasArguments: boolean) {
		this.#settings = settings;
		this.#hasArguments = hasArguments;
		this.#logger = newLogger(settings, settings.logfile === '' ? '' : this.#path(settings.logfile));
		this.#config = new Config(settings, configFile, this.#logger);
	}

	#path(name: string): string {
		return resolve(toNative(this.#settings.dir), toNative(name));
	}

	async start(): Promise<void> {
		const settings = this.#settings;
		const logger = this.#logger;
		process.on('uncaughtException', (error) => this.#crash(error));
		process.chdir(toNative(settings.dir));
		this.#announce();
		this.#pidFile = createPidFile(settings, (path) => this.#path(path), logger);
		setProcTitle(settings, this.#config.file);
		this.#handleSignals();
		const oomScore = new OomScore(settings, logger);
		this.#registerHooks(oomScore);
		oomScore.apply();
		logger.role = settings.replicaof === undefined ? 'M' : 'S';
		this.#showMode();
		warnOfSmallBacklog(settings, logger);
		for (const remark of settingsWithoutEffect(settings)) logger.log('warning', remark);
		if (settings.port === 0 && settings.tlsPort === 0 && settings.unixsocket === '') {
			this.#fail(new Error('Configured to not listen anywhere, exiting.'));
		}
		try {
			this.#server = new Server({
				config: this.#config,
				env: systemEnv(),
				logger,
				resolvePath: (path) => this.#path(path),
				foldProgram: bundledFoldProgram(),
				onRole: (isReplica) => {
					logger.role = isReplica ? 'S' : 'M';
				},
				onShutdown: (exitCode) => void this.#shutDown(exitCode),
			});
			new HeapWatch(this.#server);
			await this.#server.listen();
		} catch (error) {
			this.#fail(error);
		}
	}

	#announce(): void {
		const logger = this.#logger;
		logger.log('notice', 'oO0OoO0OoO0Oo tsredis is starting oO0OoO0OoO0Oo');
		logger.log(
			'notice',
			`tsredis version=${TSREDIS_VERSION}, Redis version=${REDIS_VERSION}, Node.js version=${process.versions.node}, pid=${process.pid}, just started`,
		);
		if (this.#hasArguments) {
			logger.log('notice', 'Configuration loaded');
			return;
		}
		logger.log(
			'warning',
			'Warning: no config file specified, using the default config. ' +
				'In order to specify a config file use tsredis-server /path/to/redis.conf',
		);
	}

	#showMode(): void {
		const settings = this.#settings;
		if (showsPicture(settings)) {
			this.#logger.writeRaw(pictureText(settings));
			return;
		}
		const port = settings.port === 0 ? settings.tlsPort : settings.port;
		this.#logger.log('notice', `Running mode=standalone, port=${port}, PID: ${process.pid}.`);
	}

	#registerHooks(oomScore: OomScore): void {
		const settings = this.#settings;
		const onApply = (name: string, hook: () => void): void =>
			this.#config.onApply(name, () => {
				hook();
				return undefined;
			});
		this.#config.onApply('oom-score-adj', () => oomScore.apply());
		onApply('loglevel', () => this.#logger.setLevel(settings.loglevel));
		onApply('log-format', () => this.#logger.setFormat(settings.logFormat));
		onApply('dir', () => process.chdir(toNative(settings.dir)));
		for (const name of ['proc-title-template', 'port', 'tls-port', 'bind']) {
			onApply(name, () => setProcTitle(settings, this.#config.file));
		}
	}

	#handleSignals(): void {
		process.on('SIGHUP', () => undefined);
		process.on('SIGTERM', () => this.#onSignal('SIGTERM'));
		process.on('SIGINT', () => this.#onSignal('SIGINT'));
		process.on('SIGABRT', () => this.#onAbort());
	}

	#onSignal(name: 'SIGTERM' | 'SIGINT'): void {
		const server = this.#server;
		if ((this.#shuttingDown || server?.shutdown.isPending === true) && name === 'SIGINT') {
			server?.snapshots.abandon();
			this.#logger.logSignal('You insist... exiting now.');
			process.exit(1);
		}
		this.#logger.logSignal(
			server?.engine.loading === true
				? 'Received shutdown signal during loading, scheduling shutdown.'
				: `Received ${name} scheduling shutdown...`,
		);
		const { shutdownOnSigterm, shutdownOnSigint } = this.#settings;
		if (server === undefined) void this.#shutDown(0);
		else server.shutdown.ask(name === 'SIGTERM' ? shutdownOnSigterm : shutdownOnSigint);
	}

	async #shutDown(exitCode: number): Promise<void> {
		if (this.#shuttingDown) return;
		this.#shuttingDown = true;
		const logger = this.#logger;
		try {
			await this.#server?.close();
		} catch (error) {
			const reason = error instanceof Error ? fromNative(error.message) : String(error);
			logger.log('warning', `Errors trying to shut down the server: ${reason}`);
			process.exit(1);
		}
		removePidFile(this.#pidFile, logger);
		logger.log('warning', 'Redis is now ready to exit, bye bye...');
		logger.close();
		process.exit(exitCode);
	}

	/** The server can't start: what stands in the way, in words. */
	#fail(error: unknown): never {
		// Why the log can't be loaded has been said where it was found, in Redis's words.
		if (!(error instanceof LoadError)) {
			this.#logger.log('warning', error instanceof Error ? fromNative(error.message) : String(error));
		}
		// Without a word: the reason is to be the last line of the log.
		removePidFile(this.#pidFile, SILENT_LOGGER);
		process.exit(1);
	}

	/** A bug of ours. What the log holds is on disk as far as the fsync policy has promised it. */
	#crash(error: unknown): never {
		const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
		const signal = error instanceof RequestedCrash ? error.signal : undefined;
		this.#report(
			signal === undefined ? 'ended by an exception that nothing caught' : signalCause(signal),
			fromNative(detail),
		);
		if (signal !== undefined) process.kill(process.pid, signal);
		process.exit(1);
	}

	/** Somebody, or a library of Node.js, thinks that the process is broken; it ends as the signal would have it. */
	#onAbort(): void {
		this.#report(signalCause('SIGABRT'), new Error('SIGABRT').stack ?? '');
		process.removeAllListeners('SIGABRT');
		process.kill(process.pid, 'SIGABRT');
	}

	#report(cause: string, stack: string): void {
		if (this.#settings.crashLogEnabled) this.#logger.writeRaw(crashReport(cause, stack, this.#server));
		else this.#logger.log('warning', `${cause}: ${stack}`);
	}
}
