/**
 * Servers as child processes, ours and real ones, each on a free loopback port
 * with a temporary folder as its working directory. Whatever a fleet started is
 * ended, and whatever it made on disk is removed, by `close()`, and at the
 * latest when this process exits.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerExecutable } from './executables.js';
import { RawClient } from './raw-client.js';

const PORT_MIN = 21_000;
const PORT_COUNT = 11_000;
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;
const LOG_CHARS_MAX = 1 << 20;

/** Directives of redis.conf; a list gives the directive several times. */
export type ServerOptions = Readonly<Record<string, string | readonly string[]>>;

export interface StartRequest {
	readonly executable: ServerExecutable;
	readonly options?: ServerOptions;
	/** The working directory; a new temporary one if absent. */
	readonly dir?: string;
	/** Do not wait until it accepts connections. */
	readonly noWait?: boolean;
	/** By default one that is free. */
	readonly port?: number;
}

export class ServerProcess {
	readonly executable: ServerExecutable;
	readonly port: number;
	readonly dir: string;
	readonly child: ChildProcess;
	/** What it has printed, both streams; the last megabyte. */
	log = '';
	/** Resolves when the process has ended. */
	readonly exited: Promise<void>;
	hasExited = false;

	constructor(executable: ServerExecutable, port: number, dir: string, args: readonly string[]) {
		this.executable = executable;
		this.port = port;
		this.dir = dir;
		this.child = spawn(executable.file, [...executable.args, ...args], {
			cwd: dir,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, LC_ALL: 'C' },
		});
		const collect = (chunk: Buffer): void => {
			this.log = (this.log + chunk.toString('latin1')).slice(-LOG_CHARS_MAX);
		};
		this.child.stdout?.on('data', collect);
		this.child.stderr?.on('data', collect);
		this.exited = new Promise((resolve) => {
			this.child.once('error', (error) => {
				this.log += `${error.message}\n`;
				this.hasExited = true;
				resolve();
			});
			this.child.once('exit', () => {
				this.hasExited = true;
				resolve();
			});
		});
	}

	get pid(): number {
		return this.child.pid ?? -1;
	}

	/** A new connection to it. */
	connect(): Promise<RawClient> {
		return RawClient.connect(this.port);
	}

	/** Waits until PING is answered, dataset loaded. Throws, with its log, if it ends first or takes a minute. */
	async waitReady(): Promise<void> {
		const deadlineMs = Date.now() + START_MS_MAX;
		while (Date.now() < deadlineMs && !this.hasExited) {
			if (await this.answersPing()) return;
			await sleep(10);
		}
		throw new Error(
			`${this.executable.name} does not accept connections; its log:\n${this.log.slice(-4000)}`,
		);
	}

	private async answersPing(): Promise<boolean> {
		try {
			const client = await this.connect();
			try {
				const reply = await client.command(['PING']);
				return !reply.startsWith('-LOADING');
			} finally {
				client.destroy();
			}
		} catch {
			return false;
		}
	}

	/** Ends it at once (SIGKILL) and waits until it is gone. */
	async kill(): Promise<void> {
		if (!this.hasExited) this.child.kill('SIGKILL');
		await this.exited;
	}

	/** Asks it to shut down (SIGTERM), and kills it if it has not within 20 seconds. */
	async stop(): Promise<void> {
		if (this.hasExited) return;
		this.child.kill('SIGTERM');
		const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS_MAX);
		await this.exited;
		clearTimeout(timer);
	}
}

/** The servers and folders of one test or benchmark. */
export class ServerFleet {
	private readonly servers = new Set<ServerProcess>();
	private readonly folders = new Set<string>();
	private readonly cleanUpNow = (): void => {
		for (const server of this.servers) server.child.kill('SIGKILL');
		for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
	};

	constructor() {
		process.on('exit', this.cleanUpNow);
	}

	/** A new temporary folder, which `close()` removes. */
	folder(): string {
		const folder = mkdtempSync(join(tmpdir(), 'tsredis-test-'));
		this.folders.add(folder);
		return folder;
	}

	/**
	 * Starts a server and waits until it serves. Unless `options` say otherwise: no save points, no log,
	 * DEBUG allowed.
	 */
	async start(request: StartRequest): Promise<ServerProcess> {
		const dir = request.dir ?? this.folder();
		const port = request.port ?? (await freePort());
		const options: ServerOptions = {
			port: String(port),
			bind: '127.0.0.1',
			dir,
			save: '',
			'enable-debug-command': 'yes',
			...request.options,
		};
		const args: string[] = [];
		for (const [name, value] of Object.entries(options)) {
			for (const one of typeof value === 'string' ? [value] : value) args.push(`--${name}`, one);
		}
		const server = new ServerProcess(request.executable, port, dir, args);
		this.servers.add(server);
		void server.exited.then(() => this.servers.delete(server));
		if (request.noWait !== true) await server.waitReady();
		return server;
	}

	/** Kills what is still running and removes the folders. */
	async close(): Promise<void> {
		await Promise.all([...this.servers].map((server) => server.kill()));
		this.cleanUpNow();
		this.folders.clear();
		process.off('exit', this.cleanUpNow);
	}
}

/** A loopback port above 20000 on which nothing listens now. */
export async function freePort(): Promise<number> {
	for (;;) {
		const port = PORT_MIN + Math.floor(Math.random() * PORT_COUNT);
		if (await canListen(port)) return port;
	}
}

function canListen(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const probe = createServer();
		probe.once('error', () => resolve(false));
		probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
	});
}

/** Resolves after `delayMs` milliseconds. */
export function sleep(delayMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, delayMs));
}
