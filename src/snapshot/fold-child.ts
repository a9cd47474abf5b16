/**
 * The program of the child process that makes snapshots. Its first message is the job; it tells how far it is several
 * times a second, says at last how it went, and exits: 0 when the snapshot is whole, 1 when not.
 *
 * It outlives nobody: when the channel to the server closes, it removes its file and exits. So does SIGUSR1, by which
 * Redis ends a child whose work is not wanted any more. SIGINT of a terminal is for the server alone.
 */
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { errorText } from '../base/error-text.js';
import { SILENT_LOGGER } from '../base/logger.js';
import { systemEnv } from '../base/system-env.js';
import { Settings } from '../engine/settings.js';
import { removeIfThere } from '../log/durable-steps.js';
import { nodeLogFs } from '../log/log-fs.js';
import { Fold } from './fold.js';
import { FoldFault } from './fold-fault.js';
import { copyInput, foldInput, inputPathOf } from './fold-input.js';
import {
	type FoldCodec,
	type FoldProgress,
	type FoldReport,
	type FoldResult,
	loadFoldCodec,
} from './fold-job.js';
import { EXIT_BY_SIGUSR1 } from './fold-process.js';

/** So long it works before it looks at its messages and timers. */
const SLICE_US = 10_000;
const REPORT_PERIOD_MS = 100;

class FoldProgram {
	readonly #codec: FoldCodec;
	readonly #env = systemEnv();
	#steps: Generator<number, FoldResult, void> | undefined = undefined;
	/** Where what the server sends is written, '' for nowhere. */
	#inputPath = '';

	constructor(codec: FoldCodec) {
		this.#codec = codec;
	}

	start(bytes: Uint8Array): void {
		const job = this.#codec.decodeJob(bytes, new Settings());
		const fs = nodeLogFs();
		const env = this.#env;
		const reportAlways = (progress: FoldProgress) => {
			env.timers.setInterval(() => this.#report({ kind: 'progress', progress }), REPORT_PERIOD_MS);
		};
		if (job.baseIsInput) {
			const progress: FoldProgress = { phase: 'writing', keysProcessed: 0, bytes: 0 };
			reportAlways(progress);
			const path = inputPathOf(job);
			this.#inputPath = path;
			copyInput(process.stdin, fs, path, job.settings.rdbSaveIncrementalFsync, progress).then(
				(size) => this.#begin(foldInput(job, size, progress, fs, env, SILENT_LOGGER)),
				(error: unknown) => this.#fail(error),
			);
			return;
		}
		const fold = new Fold({ job, fs, env, logger: SILENT_LOGGER });
		reportAlways(fold.progress);
		this.#begin(fold.run());
	}

	#begin(steps: Generator<number, FoldResult, void>): void {
		this.#steps = steps;
		this.#work(steps);
	}

	#fail(error: unknown): void {
		this.#end({
			kind: 'failure',
			message: messageOf(error),
			sourceIsDamaged: error instanceof FoldFault && error.sourceIsDamaged,
		});
	}

	/** Ends the work, which removes its file, and the process. */
	stop(exitCode: number): void {
		this.#steps?.return(undefined as never);
		if (this.#inputPath !== '') removeIfThere(nodeLogFs(), this.#inputPath);
		process.exit(exitCode);
	}

	#work(steps: Generator<number, FoldResult, void>): void {
		const { clock, timers } = this.#env;
		const startUs = clock.monotonicUs();
		try {
			for (;;) {
				const next = steps.next();
				if (next.done) return this.#end({ kind: 'done', result: next.value, peakMemory: peakMemory() });
				const delayMs = next.value / 1000;
				if (delayMs >= 1) {
					timers.setTimeout(() => this.#work(steps), delayMs);
					return;
				}
				if (clock.monotonicUs() - startUs > SLICE_US) {
					timers.setImmediate(() => this.#work(steps));
					return;
				}
			}
		} catch (error) {
			this.#fail(error);
		}
	}

	#end(report: FoldReport): void {
		this.#report(report, () => process.exit(report.kind === 'done' ? 0 : 1));
	}

	#report(report: FoldReport, sent?: () => void): void {
		// A closed channel is no news: `disconnect` ends the process.
		process.send?.(this.#codec.encodeReport(report), undefined, undefined, () => sent?.());
	}
}

/** A system error by its words; a bug with the place where it came up. */
function messageOf(error: unknown): string {
	if (error instanceof FoldFault) return error.message;
	if (error instanceof Error && !('code' in error)) return error.stack ?? error.message;
	return errorText(error);
}

/** The largest resident size of this process, in bytes. */
function peakMemory(): number {
	try {
		const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
		if (kilobytes !== undefined) return Number(kilobytes) * 1024;
	} catch {
		// Not Linux.
	}
	// On Linux that of the process that forked this one, if it was larger.
	return process.resourceUsage().maxRSS * 1024;
}

async function main(): Promise<void> {
	const program = new FoldProgram(await loadFoldCodec());
	process.title = 'tsredis-fold';
	process.on('disconnect', () => program.stop(1));
	process.on('SIGUSR1', () => program.stop(EXIT_BY_SIGUSR1));
	process.on('SIGINT', () => undefined);
	process.once('message', (bytes) => program.start(bytes as Uint8Array));
}

try {
	setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
	// Not allowed here: then it shares the processor evenly.
}
void main();
