/** A snapshot whose bytes come from the server: written, checked and named here, or the base of what is written here. */
import type { Readable } from 'node:stream';
import type { Env } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import { removeIfThere } from '../log/durable-steps.js';
import type { LogFs } from '../log/log-fs.js';
import { Fold } from './fold.js';
import type { FoldJob, FoldProgress, FoldResult } from './fold-job.js';
import { FileSink } from './fold-output.js';
import { finishSnapshot } from './fold-rdb.js';

/** Writes all of `input` to `path`, durably; the size. Rejects with the error of either; the file is gone then. */
export async function copyInput(
	input: Readable,
	fs: LogFs,
	path: string,
	syncEarly: boolean,
	progress: FoldProgress,
): Promise<number> {
	const sink = new FileSink(fs, path, syncEarly);
	let isWritten = false;
	try {
		for await (const chunk of input) {
			sink.write(chunk as Buffer);
			progress.bytes = sink.size;
		}
		isWritten = true;
	} finally {
		if (!isWritten) {
			sink.abandon();
			removeIfThere(fs, path);
		}
	}
	sink.finish();
	return sink.size;
}

/** Where the input of a job is kept: the snapshot itself, unless that has another format. */
export function inputPathOf(job: FoldJob): string {
	return job.output.format === 'rdb' ? job.output.path : `${job.output.path}.input`;
}

/** What is left to do when the input, of `size` bytes, is there. */
export function* foldInput(
	job: FoldJob,
	size: number,
	progress: FoldProgress,
	fs: LogFs,
	env: Env,
	logger: Logger,
): Generator<number, FoldResult, void> {
	if (job.output.format === 'rdb') {
		const result = { size, keys: job.keyCount, keysCopied: 0 };
		yield* finishSnapshot(fs, job, result, progress);
		return result;
	}
	const path = inputPathOf(job);
	try {
		const fold = new Fold({ job: { ...job, base: { path, format: 'rdb' }, sections: [] }, fs, env, logger });
		return yield* fold.run();
	} finally {
		removeIfThere(fs, path);
	}
}
