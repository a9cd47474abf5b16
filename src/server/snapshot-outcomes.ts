/** How snapshots have ended, in the words and numbers of Redis. */
import { constants } from 'node:os';
import type { FoldSource } from '../log/log-options.js';
import type { FoldBase } from '../snapshot/fold-job.js';
import type { SnapshotOutcome } from '../snapshot/snapshot-task.js';

export function foldBaseOf(base: FoldSource['base']): FoldBase | null {
	return base === null ? null : { path: base.path, format: base.preamble ? 'aof' : base.format };
}

export function secondsBetween(startMs: number, endMs: number): number {
	return Math.floor(endMs / 1000) - Math.floor(startMs / 1000);
}

export function baseName(path: string): string {
	return path.slice(path.lastIndexOf('/') + 1);
}

export function failure(message: string): SnapshotOutcome {
	return { kind: 'failed', message, sourceIsDamaged: false };
}

/** The signal that ended it, 0 if none did. To end it on purpose Redis uses SIGUSR1. */
export function signalOf(outcome: SnapshotOutcome): number {
	if (outcome.kind === 'signal') return outcome.signal;
	return outcome.kind === 'cancelled' ? constants.signals.SIGUSR1 : 0;
}

/** Whether it counts as a failure: SIGUSR1 says that nobody wants the result any more. */
export function isError(outcome: SnapshotOutcome): boolean {
	if (outcome.kind === 'done' || outcome.kind === 'cancelled') return false;
	return outcome.kind !== 'signal' || outcome.signal !== constants.signals.SIGUSR1;
}

export function reasonOf(outcome: SnapshotOutcome): string {
	switch (outcome.kind) {
		case 'failed':
			return `Error making the snapshot: ${outcome.message}`;
		case 'hung':
			return `The child that makes the snapshot has not been heard of for ${Math.floor(outcome.silentMs / 1000)} seconds, and was killed`;
		default:
			return `The snapshot has ended: ${outcome.kind}`;
	}
}
