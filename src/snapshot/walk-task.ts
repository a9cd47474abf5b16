/** A walk over the dataset, as its supervisor sees it. */
import { errorText } from '../base/error-text.js';
import type { Engine } from '../engine/engine.js';
import type { LogFs } from '../log/log-fs.js';
import type { RdbSaveOptions } from './rdb-save.js';
import type { SnapshotOutcome, SnapshotTask } from './snapshot-task.js';
import { AbortedWalk, SnapshotWalk } from './walk.js';

export interface WalkTarget {
	readonly fs: LogFs;
	readonly folder: string;
	readonly name: string;
	readonly tempName: string;
}

/** Begins to write the dataset as it is now. */
export function startWalk(engine: Engine, options: RdbSaveOptions, target: WalkTarget): SnapshotTask {
	const walk = new SnapshotWalk(engine, options);
	return {
		pid: process.pid,
		get progress() {
			return { phase: 'writing' as const, keysProcessed: walk.written, bytes: walk.bytes };
		},
		outcome: outcomeOf(walk, target),
		cancel: () => walk.abort(),
	};
}

async function outcomeOf(walk: SnapshotWalk, target: WalkTarget): Promise<SnapshotOutcome> {
	try {
		await walk.run(target.fs, target.folder, target.name, target.tempName);
		const result = { size: walk.bytes, keys: walk.written, keysCopied: 0 };
		return { kind: 'done', result, peakMemory: 0 };
	} catch (error) {
		if (error instanceof AbortedWalk) return { kind: 'cancelled' };
		return { kind: 'failed', message: errorText(error), sourceIsDamaged: false };
	}
}
