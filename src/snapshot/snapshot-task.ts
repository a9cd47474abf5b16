/**
 * A snapshot being made, as its supervisor sees it: by a child that folds the log, or in the server itself where there
 * is no log to fold.
 */
import type { FoldProgress, FoldResult } from './fold-job.js';

/**
 * How it ended. done: the file is whole, durable and has its final name; failed: in words; signal: the process that made
 * it was killed by somebody else; hung: it was killed because it showed no progress; cancelled: `cancel` was called.
 * Unless it is done, nothing has changed on disk but for the temporary file.
 */
export type SnapshotOutcome =
	| { readonly kind: 'done'; readonly result: FoldResult; readonly peakMemory: number }
	| { readonly kind: 'failed'; readonly message: string; readonly sourceIsDamaged: boolean }
	| { readonly kind: 'signal'; readonly signal: number }
	| { readonly kind: 'hung'; readonly silentMs: number }
	| { readonly kind: 'cancelled' };

export interface SnapshotTask {
	/** The process that makes it. */
	readonly pid: number;
	readonly progress: Readonly<FoldProgress>;
	/** Resolves when it has ended and its process is gone; never rejects. */
	readonly outcome: Promise<SnapshotOutcome>;
	/** Ends it as soon as possible. */
	cancel(): void;
}
