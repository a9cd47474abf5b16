/**
 * A node of a stream: some entries in the order of their IDs, as Redis keeps them together in one listpack.
 *
 * The fields of the first entry are the node's; an entry that has the same shares them. The size is that of Redis's
 * listpack, as a new node is begun by it. Entries that are deleted leave a mark there until the node is empty; here
 * only their number stays.
 *
 * The listpack (t_stream.c, streamAppendItem):
 *
 *     count, deleted, number of fields, fields …, 0
 *     for each entry: flags (1: deleted, 2: has the node's fields), ms and seq less those of the node's ID,
 *     [number of fields,] ([field,] value) …, the number of elements before this one
 */
import type { Int64 } from '../base/numbers.js';
import { LISTPACK_EMPTY_BYTES, listpackEntryBytes, listpackIntegerBytes } from './listpack-size.js';
import type { StreamId } from './stream-id.js';

/** An entry: its ID, and field and value by field and value. */
export class StreamEntry implements StreamId {
	readonly ms: Int64;
	readonly seq: Int64;
	/** The node's own array where they are the same. */
	readonly fields: readonly string[];
	/** Parallel to `fields`. */
	readonly values: readonly string[];

	constructor(id: StreamId, fields: readonly string[], values: readonly string[]) {
		this.ms = id.ms;
		this.seq = id.seq;
		this.fields = fields;
		this.values = values;
	}
}

export class StreamNode {
	/** The ID it was begun with; entries have this one or a greater one. */
	readonly id: StreamId;
	readonly fields: readonly string[];
	/** Ascending by ID. */
	entries: StreamEntry[] = [];
	deletedCount = 0;
	private readonly headBytes: number;
	private entryBytes = 0;

	constructor(id: StreamId, fields: readonly string[]) {
		this.id = id;
		this.fields = fields;
		let bytes = LISTPACK_EMPTY_BYTES + listpackIntegerBytes(fields.length) + listpackIntegerBytes(0);
		for (const field of fields) bytes += listpackEntryBytes(field);
		this.headBytes = bytes;
	}

	/** The bytes of the listpack. */
	get bytes(): number {
		const counts = listpackIntegerBytes(this.entries.length) + listpackIntegerBytes(this.deletedCount);
		return this.headBytes + counts + this.entryBytes;
	}

	/** Adds an entry behind all others. */
	append(id: StreamId, fields: readonly string[], values: readonly string[]): StreamEntry {
		const entry = new StreamEntry(id, sameStrings(fields, this.fields) ? this.fields : fields, values);
		this.entries.push(entry);
		this.entryBytes += this.bytesOf(entry);
		return entry;
	}

	/** An entry is marked as deleted that is not among `entries`, or not any more. */
	noteDeleted(): void {
		this.deletedCount++;
	}

	/** A copy that shares the entries, which never change. */
	clone(): StreamNode {
		const copy = new StreamNode(this.id, this.fields);
		copy.entries = this.entries.slice();
		copy.deletedCount = this.deletedCount;
		copy.entryBytes = this.entryBytes;
		return copy;
	}

	private bytesOf(entry: StreamEntry): number {
		const same = entry.fields === this.fields;
		const count = entry.values.length;
		let bytes =
			listpackIntegerBytes(same ? 2 : 0) +
			listpackIntegerBytes(streamIdDifference(entry.ms, this.id.ms)) +
			listpackIntegerBytes(streamIdDifference(entry.seq, this.id.seq)) +
			listpackIntegerBytes(same ? count + 3 : count * 2 + 4);
		if (!same) {
			bytes += listpackIntegerBytes(count);
			for (const field of entry.fields) bytes += listpackEntryBytes(field);
		}
		for (const value of entry.values) bytes += listpackEntryBytes(value);
		return bytes;
	}
}

/** a - b for unsigned 64-bit integers, as the signed one that has the same bits. */
export function streamIdDifference(a: Int64, b: Int64): Int64 {
	if (typeof a === 'number' && typeof b === 'number') return a - b;
	const difference = BigInt.asIntN(64, BigInt(a) - BigInt(b));
	return difference >= Number.MIN_SAFE_INTEGER && difference <= Number.MAX_SAFE_INTEGER
		? Number(difference)
		: difference;
}

function sameStrings(a: readonly string[], b: readonly string[]): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
