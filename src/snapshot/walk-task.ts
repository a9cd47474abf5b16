/**
 * A walk over the dataset whose bytes a child writes: file, fsync, the check of what was written and its name are out of
 * the server's way, and it is watched over as a fold is.
 */
import type { Writable } from 'node:stream';
import type { Timers } from '../base/env.js';
import type { Engine } from '../engine/engine.js';
import type { FoldJob } from './fold-job.js';
import { type FoldProcessOptions, startFoldProcess } from './fold-process.js';
import type { RdbSaveOptions } from './rdb-save.js';
import type { SnapshotTask } from './snapshot-task.js';
import { SnapshotWalk } from './walk.js';

export interface WalkTaskOptions extends Omit<FoldProcessOptions, 'feed' | 'jobOf'> {
	/** What the child is to do with the dataset. */
	readonly jobOf: (pid: number) => Omit<FoldJob, 'base' | 'sections' | 'baseIsInput' | 'keyCount'>;
}

/** Begins to write the dataset as it is now. */
export function startWalk(engine: Engine, save: RdbSaveOptions, options: WalkTaskOptions): SnapshotTask {
	const walk = new SnapshotWalk(engine, save);
	const task = startFoldProcess({
		...options,
		feed: (input) => feed(walk, input, options.env.timers),
		jobOf: (pid) => ({
			...options.jobOf(pid),
			base: null,
			sections: [],
			baseIsInput: true,
			keyCount: walk.total,
		}),
	});
	void task.outcome.then(() => walk.close());
	return {
		get pid() {
			return task.pid;
		},
		get progress() {
			return { phase: task.progress.phase, keysProcessed: walk.written, bytes: walk.bytes };
		},
		outcome: task.outcome,
		cancel: () => {
			walk.close();
			task.cancel();
		},
	};
}

async function feed(walk: SnapshotWalk, input: Writable, timers: Timers): Promise<void> {
	try {
		for (const part of walk.parts()) {
			if (typeof part === 'number') await pause(timers, part);
			else await write(input, part);
		}
		input.end();
	} catch {
		// Closed here, or no child any more: its exit says how that came.
		input.destroy();
	} finally {
		walk.close();
	}
}

function pause(timers: Timers, ms: number): Promise<void> {
	return new Promise((resolve) => {
		if (ms === 0) timers.setImmediate(resolve);
		else timers.setTimeout(resolve, ms);
	});
}

function write(input: Writable, chunk: Buffer): Promise<void> {
	return new Promise((resolve, reject) => {
		input.write(chunk, (error) => (error ? reject(error) : resolve()));
	});
}
