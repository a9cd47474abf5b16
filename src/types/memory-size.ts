import { HashValue } from './hash-value.js';
import { ListValue } from './list-value.js';
import { RawString } from './raw-string.js';
import { SetValue } from './set-value.js';
import { StreamValue } from './stream-value.js';
import type { Value } from './value.js';

/**
 * How many bytes of memory values take, for MEMORY USAGE and eviction: an estimate by V8's object layout on 64-bit
 * machines (no pointer compression in Node), garbage not counted.
 */

/** A one-byte string: 16 bytes of header (map, hash, length) and its bytes, rounded up to 8. */
export function stringBytes(length: number): number {
	return (16 + length + 7) & ~7;
}

/** A wrapper object, its arrays' headers and its index object. */
const CONTAINER_BYTES = 150;
/** A slot of each of two parallel arrays and of the index, with the average spare room of growing arrays. */
const TABLE_ENTRY_BYTES = 32;
/** The same with one array, as a set has it. */
const SET_ENTRY_BYTES = 23;
/** A slot of a list's array. */
const LIST_ENTRY_BYTES = 10;
/** A sorted set's entry in its table (an unboxed score) and in its tree; the latter alone in a listpack. */
const ZSET_ENTRY_BYTES = 64;
const ZSET_LISTPACK_ENTRY_BYTES = 28;
/** A stream's entry with its array of values, and a slot of that; a node of them. */
const STREAM_ENTRY_BYTES = 88;
const STREAM_SLOT_BYTES = 8;
const STREAM_NODE_BYTES = 120;
/** An entry that is pending: the object and its slots in two lists. */
const STREAM_PENDING_BYTES = 80;
/** A Buffer outside the heap, and the object that holds it. */
const RAW_STRING_BYTES = 200;

/**
 * The bytes of a value. The strings in a container are measured on its first `samples` elements (all of them if 0) and
 * reckoned up, as MEMORY USAGE does; O(samples).
 */
export function estimateBytes(value: Value, samples: number): number {
	// V8 keeps integers of 32 bits in the slot of the value, others in an object.
	if (typeof value === 'number') return (value | 0) === value ? 0 : 16;
	if (typeof value === 'string') return stringBytes(value.length);
	if (value instanceof RawString) return RAW_STRING_BYTES + value.buffer.length;
	if (value instanceof ListValue) {
		const n = sampleCount(value.length, samples);
		let bytes = 0;
		const cursor = value.cursorAt(0);
		for (let i = 0; i < n; i++, cursor.forward()) bytes += stringBytes(cursor.value.length);
		return total(value.length, n, bytes, LIST_ENTRY_BYTES);
	}
	if (value instanceof StreamValue) return streamBytes(value, samples);
	const n = sampleCount(value.size, samples);
	let bytes = 0;
	if (value instanceof HashValue) {
		for (let i = 0; i < n; i++) {
			bytes += stringBytes(value.fieldAt(i).length) + stringBytes(value.valueAt(i).length);
		}
		return total(value.size, n, bytes, TABLE_ENTRY_BYTES);
	}
	if (value instanceof SetValue) {
		if (value.encoding === 'intset') return CONTAINER_BYTES + value.size * LIST_ENTRY_BYTES;
		for (let i = 0; i < n; i++) bytes += stringBytes(value.memberAt(i).length);
		return total(value.size, n, bytes, SET_ENTRY_BYTES);
	}
	for (let i = 0; i < n; i++) bytes += stringBytes(value.memberAt(i).length);
	const entryBytes = value.encoding === 'listpack' ? ZSET_LISTPACK_ENTRY_BYTES : ZSET_ENTRY_BYTES;
	return total(value.size, n, bytes, entryBytes);
}

function streamBytes(stream: StreamValue, samples: number): number {
	const n = sampleCount(stream.length, samples);
	let bytes = 0;
	let seen = 0;
	for (const entry of stream.entries()) {
		if (seen++ === n) break;
		for (const text of entry.values) bytes += STREAM_SLOT_BYTES + stringBytes(text.length);
	}
	let groupBytes = 0;
	for (const group of stream.groups.values()) {
		groupBytes += CONTAINER_BYTES * (1 + group.consumers.size) + group.pending.size * STREAM_PENDING_BYTES;
	}
	return (
		total(stream.length, n, bytes, STREAM_ENTRY_BYTES) + stream.nodeCount * STREAM_NODE_BYTES + groupBytes
	);
}

/** The bytes that one more element takes in a container, strings of about `meanStringBytes` each. */
export function elementBytes(value: Value, meanStringBytes: number): number {
	if (value instanceof ListValue) return LIST_ENTRY_BYTES + meanStringBytes;
	if (value instanceof HashValue) return TABLE_ENTRY_BYTES + 2 * meanStringBytes;
	if (value instanceof StreamValue) return STREAM_ENTRY_BYTES + STREAM_SLOT_BYTES + meanStringBytes;
	if (value instanceof SetValue)
		return value.encoding === 'intset' ? LIST_ENTRY_BYTES : SET_ENTRY_BYTES + meanStringBytes;
	if (typeof value !== 'object' || value instanceof RawString) return 0;
	return meanStringBytes + (value.encoding === 'listpack' ? ZSET_LISTPACK_ENTRY_BYTES : ZSET_ENTRY_BYTES);
}

function sampleCount(size: number, samples: number): number {
	return samples <= 0 ? size : Math.min(size, samples);
}

function total(size: number, sampled: number, sampledBytes: number, entryBytes: number): number {
	if (sampled === 0) return CONTAINER_BYTES;
	return CONTAINER_BYTES + size * entryBytes + Math.round((sampledBytes / sampled) * size);
}
