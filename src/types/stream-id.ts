/** The ID of a stream's entry: a time in milliseconds and a sequence number, each an unsigned 64-bit integer. */
import type { Int64 } from '../base/numbers.js';

export interface StreamId {
	readonly ms: Int64;
	readonly seq: Int64;
}

/** Below every entry's ID. */
export const STREAM_ID_ZERO: StreamId = { ms: 0, seq: 0 };

/** Negative, 0 or positive as `a` is less than, equal to or greater than `b`. */
export function compareStreamIds(a: StreamId, b: StreamId): number {
	if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
	if (a.seq !== b.seq) return a.seq < b.seq ? -1 : 1;
	return 0;
}

/** As commands take and give it: `ms-seq`. */
export function formatStreamId(id: StreamId): string {
	return `${id.ms}-${id.seq}`;
}
