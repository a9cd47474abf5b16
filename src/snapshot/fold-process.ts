/**
 * The fold in a child process, seen from the server: forks the program of fold-child.ts, gives it the job, follows its
 * reports and watches over it. The child ends by itself when this process is gone.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Writable } from 'node:stream';
import type { Env, TimerHandle } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { FoldCodec, FoldJob, FoldProgress } from './fold-job.js';
import type { SnapshotOutcome, SnapshotTask } from './snapshot-task.js';

const WATCH_PERIOD_MS = 250;
/** What the child says on its standard error is kept up to here, for the log. */
const STDERR_CHARS_MAX = 4000;
/** The exit code by which the child says that SIGUSR1 has ended it (Redis's SERVER_CHILD_NOERROR_RETVAL). */
export const EXIT_BY_SIGUSR1 = 255;
/** Options of this process that the child needs as well. */
const INHERITED_OPTION = /^--max-old-space-size\b/;
/**
 * The garbage is collected by the thread that makes it: threads beside it would keep the priority that they were born
 * with, before the child lowers its own, and compete with the server.
 */
const CHILD_OPTIONS: readonly string[] = ['--single-threaded-gc', '--max-semi-space-size=8'];

export interface FoldProcessOptions {
	readonly env: Env;
	/** The module of the child, a path. */
	readonly program: string;
	/** The codec of the messages; asked for once a snapshot. */
	readonly codec: () => Promise<FoldCodec>;
	/** Without a report for that long it is killed. */
	readonly silentMsMax: number;
	/** Writes the child's standard input, if the job asks for it, from when it has the job to its end. Must not throw. */
	readonly feed?: (input: Writable) => Promise<void>;
	/**
	 * Makes the job when the process, and so its ID, is there. It starts meanwhile. Rejects with the reason why there is
	 * none.
	 */
	readonly jobOf: (pid: number) => FoldJob | Promise<FoldJob>;
}

/** Forks a child and gives it the job. */
export function startFoldProcess(options: FoldProcessOptions): SnapshotTask {
	// Loaded here, as it takes 3 ms that a start of the server need not spend; at once, so that the child is there when
	// the client has its reply.
	const { fork } = process.getBuiltinModule('node:child_process');
	const child = fork(options.program, [], {
		execArgv: [...CHILD_OPTIONS, ...process.execArgv.filter((option) => INHERITED_OPTION.test(option))],
		serialization: 'advanced',
		stdio: [options.feed === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe', 'ipc'],
	});
	return new FoldProcess(options, child);
}

class FoldProcess implements SnapshotTask {
	readonly progress: FoldProgress = { phase: 'starting', keysProcessed: 0, bytes: 0 };
	readonly outcome: Promise<SnapshotOutcome>;
	readonly #options: FoldProcessOptions;
	readonly #child: ChildProcess;
	#codec: FoldCodec | undefined = undefined;
	#lastReportMs: number;
	readonly #watch: TimerHandle;
	#stderr = '';
	/** What was decided before the process was gone: it said so, or it was killed here. */
	#verdict: SnapshotOutcome | undefined = undefined;

	constructor(options: FoldProcessOptions, child: ChildProcess) {
		const { clock, timers } = options.env;
		this.#options = options;
		this.#child = child;
		this.#lastReportMs = clock.nowMs();
		this.#watch = timers.setInterval(() => this.#look(), WATCH_PERIOD_MS);
		this.outcome = new Promise((resolve) => {
			const end = (outcome: SnapshotOutcome) => {
				timers.clearInterval(this.#watch);
				resolve(this.#verdict ?? outcome);
			};
			child.once('exit', (code, signal) => end(this.#outcomeOf(code, signal)));
			// Without a process there is no exit; with one, its exit says more than an error of the channel.
			child.on('error', (error) => {
				if (child.pid === undefined) end(failure(`Can't save in background: fork: ${errorText(error)}`));
			});
		});
		child.stderr?.on('data', (chunk: Buffer) => {
			this.#stderr = (this.#stderr + chunk.latin1Slice()).slice(-STDERR_CHARS_MAX);
		});
		child.on('message', (bytes) => this.#onReport(bytes as Uint8Array));
		// A child that is gone takes nothing more; how it went is told by its exit.
		child.stdin?.on('error', () => undefined);
		if (child.pid !== undefined) void this.#sendJob(child.pid);
	}

	get pid(): number {
		return this.#child.pid ?? -1;
	}

	async #sendJob(pid: number): Promise<void> {
		try {
			const codec = await this.#options.codec();
			this.#codec = codec;
			const job = await this.#options.jobOf(pid);
			if (!this.#child.connected) return;
			this.#child.send(codec.encodeJob(job));
			if (this.#child.stdin !== null) await this.#options.feed?.(this.#child.stdin);
		} catch (error) {
			this.#end(failure(error instanceof Error ? error.message : String(error)));
		}
	}

	cancel(): void {
		this.#end({ kind: 'cancelled' });
	}

	#end(verdict: SnapshotOutcome): void {
		if (this.#verdict !== undefined) return;
		this.#verdict = verdict;
		this.#child.kill('SIGKILL');
	}

	#onReport(bytes: Uint8Array): void {
		this.#lastReportMs = this.#options.env.clock.nowMs();
		const report = this.#codec?.decodeReport(bytes);
		if (report === undefined) return;
		if (report.kind === 'progress') Object.assign(this.progress, report.progress);
		else if (this.#verdict === undefined) {
			this.#verdict = report.kind === 'done' ? report : { ...report, kind: 'failed' };
		}
	}

	#look(): void {
		const silentMs = this.#options.env.clock.nowMs() - this.#lastReportMs;
		if (silentMs <= this.#options.silentMsMax) return;
		if (this.#verdict === undefined) this.#end({ kind: 'hung', silentMs });
		// It has said how it ended and does not go.
		else this.#child.kill('SIGKILL');
	}

	#outcomeOf(code: number | null, signal: NodeJS.Signals | null): SnapshotOutcome {
		if (signal !== null) return { kind: 'signal', signal: constants.signals[signal] };
		if (code === EXIT_BY_SIGUSR1) return { kind: 'signal', signal: constants.signals.SIGUSR1 };
		const detail = this.#stderr.trim();
		return failure(`the child exited with code ${code}${detail === '' ? '' : `: ${detail}`}`);
	}
}

function failure(message: string): SnapshotOutcome {
	return { kind: 'failed', message, sourceIsDamaged: false };
}
