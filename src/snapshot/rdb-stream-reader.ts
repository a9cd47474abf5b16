/**
 * A stream in RDB format:
 *
 *     nodes       a count; for each its ID as a string of 16 bytes, high byte first, and its listpack as a string
 *     length      the number of entries
 *     last ID     two lengths, as all IDs here that are not said to be 16 bytes
 *   from RDB_TYPE_STREAM_LISTPACKS_2 on:
 *     first ID, greatest ID deleted, number of entries ever added
 *
 *     groups      a count; for each:
 *       name, last ID, [from _2 on: entries read, -1 for unknown]
 *       pending     a count; for each its ID of 16 bytes, the time of delivery (8 bytes, ms), the number of deliveries
 *       consumers   a count; for each: name, time last seen (8 bytes), [from _3 on: time last active (8 bytes)],
 *                   pending: a count, and IDs of 16 bytes, which must be pending in the group too
 *
 * Beyond what Redis checks, the IDs must ascend, within a node and from node to node, up to the last ID. The number of
 * entries is taken from the entries, as Redis has written wrong ones.
 *
 * Source: Redis 7.2.6, rdb.c and t_stream.c (streamValidateListpackIntegrity).
 */
import { type Int64, parseInt64 } from '../base/numbers.js';
import { decodeListpack } from '../formats/listpack.js';
import { RDB_TYPE_STREAM_LISTPACKS, RDB_TYPE_STREAM_LISTPACKS_3 } from '../formats/rdb-codes.js';
import type { RdbInput } from '../formats/rdb-input.js';
import { ENTRIES_READ_UNKNOWN, StreamConsumer, StreamGroup, StreamPending } from '../types/stream-group.js';
import { compareStreamIds, STREAM_ID_ZERO, type StreamId } from '../types/stream-id.js';
import { StreamNode } from '../types/stream-node.js';
import { StreamValue } from '../types/stream-value.js';

const DELETED = 1;
const SAME_FIELDS = 2;
const TIME_MS_MAX = Number.MAX_SAFE_INTEGER;

/** Reads a stream of one of the types RDB_TYPE_STREAM_LISTPACKS. @throws RdbFault */
export function readStream(input: RdbInput, type: number): StreamValue {
	const stream = new StreamValue();
	let previous: StreamId | null = null;
	for (let left = input.readCount(); left > 0; left--) {
		const node = readNode(input, previous);
		if (node.entries.length === 0) continue;
		stream.appendBuiltNode(node);
		previous = node.entries[node.entries.length - 1]!;
	}
	const declaredLength = input.readLength();
	stream.lastId = readId(input);
	if (type === RDB_TYPE_STREAM_LISTPACKS) {
		stream.entriesAdded = stream.length;
	} else {
		readId(input);
		stream.maxDeletedId = readId(input);
		stream.entriesAdded = input.readLength();
	}
	if (declaredLength !== 0 && stream.nodeCount === 0) {
		input.damaged('Stream length inconsistent with rax entries');
	}
	if (previous !== null && compareStreamIds(previous, stream.lastId) > 0) {
		input.damaged('Stream entry behind the last ID');
	}
	for (let left = input.readCount(); left > 0; left--) readGroup(input, type, stream);
	return stream;
}

// ---- nodes ------------------------------------------------------------------------------------------

/** `previous`: the last entry before this node. */
function readNode(input: RdbInput, previous: StreamId | null): StreamNode {
	input.readBlob();
	if (input.blobEnd - input.blobStart !== 16) {
		input.damaged('Stream node key entry is not the size of a stream ID');
	}
	const key = Buffer.from(input.blobBytes.subarray(input.blobStart, input.blobEnd));
	const id = { ms: int64Of(key.readBigUInt64BE(0)), seq: int64Of(key.readBigUInt64BE(8)) };
	input.readBlob();
	input.checkedCount++;
	const elements = decodeListpack(input.blobBytes, input.blobStart, input.blobEnd);
	const node = elements === undefined ? null : new NodeReader(elements, id).read(previous);
	return node ?? input.damaged('Stream listpack integrity check failed.');
}

class NodeReader {
	private readonly elements: readonly string[];
	private readonly id: StreamId;
	private at = 0;

	constructor(elements: readonly string[], id: StreamId) {
		this.elements = elements;
		this.id = id;
	}

	/** The node; null if the listpack is not one of a stream. */
	read(previous: StreamId | null): StreamNode | null {
		const live = this.integer();
		const deleted = this.integer();
		if (live === null || deleted === null || live < 0 || deleted < 0) return null;
		const fields = this.strings(this.integer());
		if (fields === null || this.integer() !== 0) return null;
		const node = new StreamNode(this.id, fields);
		let last = previous;
		for (let left = Number(live) + Number(deleted); left > 0; left--) {
			const flags = this.integer();
			const ms = this.integer();
			const seq = this.integer();
			if (typeof flags !== 'number' || ms === null || seq === null) return null;
			const id = { ms: addDifference(this.id.ms, ms), seq: addDifference(this.id.seq, seq) };
			if (!this.readEntry(node, id, flags)) return null;
			if (last !== null && compareStreamIds(id, last) <= 0) return null;
			last = id;
		}
		if (this.at !== this.elements.length || node.entries.length !== live) return null;
		return node;
	}

	private readEntry(node: StreamNode, id: StreamId, flags: number): boolean {
		const start = this.at - 3;
		let { fields } = node;
		let values: string[] | null;
		if (flags & SAME_FIELDS) {
			values = this.strings(fields.length);
		} else {
			const pairs = this.pairs(this.integer());
			if (pairs === null) return false;
			fields = pairs.fields;
			values = pairs.values;
		}
		const size = this.at - start;
		if (values === null || this.integer() !== size) return false;
		if (flags & DELETED) node.noteDeleted();
		else node.append(id, fields, values);
		return true;
	}

	private integer(): Int64 | null {
		const text = this.elements[this.at];
		if (text === undefined) return null;
		this.at++;
		return parseInt64(text) ?? null;
	}

	private strings(count: Int64 | null): string[] | null {
		if (typeof count !== 'number' || count < 0 || this.at + count > this.elements.length) return null;
		this.at += count;
		return this.elements.slice(this.at - count, this.at);
	}

	private pairs(count: Int64 | null): { fields: string[]; values: string[] } | null {
		const all = typeof count === 'number' ? this.strings(count * 2) : null;
		if (all === null) return null;
		const fields: string[] = [];
		const values: string[] = [];
		for (let i = 0; i < all.length; i += 2) {
			fields.push(all[i]!);
			values.push(all[i + 1]!);
		}
		return { fields, values };
	}
}

/** `base` + `difference` for an unsigned 64-bit base, which wraps. */
function addDifference(base: Int64, difference: Int64): Int64 {
	if (typeof base === 'number' && typeof difference === 'number') {
		const sum = base + difference;
		if (sum >= 0 && sum <= Number.MAX_SAFE_INTEGER) return sum;
	}
	return int64Of(BigInt.asUintN(64, BigInt(base) + BigInt(difference)));
}

// ---- groups -----------------------------------------------------------------------------------------

function readGroup(input: RdbInput, type: number, stream: StreamValue): void {
	const name = input.readString();
	const lastId = readId(input);
	const entriesRead =
		type === RDB_TYPE_STREAM_LISTPACKS
			? estimateEntriesRead(stream, lastId)
			: int64Of(BigInt.asIntN(64, BigInt(input.readLength())));
	const group = new StreamGroup(name, lastId, entriesRead);
	if (stream.groups.has(name)) input.damaged(`Duplicated consumer group name ${name}`);
	stream.groups.set(name, group);
	// Whose they are is said afterwards, by the consumers.
	const nobody = new StreamConsumer('', 0, 0);
	for (let left = input.readCount(); left > 0; left--) {
		const id = readRawId(input);
		const pending = new StreamPending(id, timeOf(input.readInt64()), input.readLength(), nobody);
		if (!group.pending.add(pending)) {
			input.damaged('Duplicated global PEL entry loading stream consumer group');
		}
	}
	let owned = 0;
	for (let left = input.readCount(); left > 0; left--) owned += readConsumer(input, type, group, nobody);
	if (owned !== group.pending.size) input.damaged('Stream CG PEL entry without consumer');
}

/** The number of pending entries that are the consumer's. */
function readConsumer(input: RdbInput, type: number, group: StreamGroup, nobody: StreamConsumer): number {
	const name = input.readString();
	const seenMs = timeOf(input.readInt64());
	const activeMs = type === RDB_TYPE_STREAM_LISTPACKS_3 ? timeOf(input.readInt64()) : seenMs;
	const consumer = new StreamConsumer(name, seenMs, activeMs);
	if (group.consumers.has(name)) input.damaged('Duplicate stream consumer detected.');
	group.consumers.set(name, consumer);
	for (let left = input.readCount(); left > 0; left--) {
		const pending = group.pending.get(readRawId(input));
		if (pending === undefined) input.damaged('Consumer entry not found in group global PEL');
		if (pending.consumer !== nobody) {
			input.damaged('Duplicated consumer PEL entry loading a stream consumer group');
		}
		pending.consumer = consumer;
		consumer.pending.add(pending);
	}
	return consumer.pending.size;
}

/** How many of all entries ever added come up to `id`, where that can be told without counting (t_stream.c). */
function estimateEntriesRead(stream: StreamValue, id: StreamId): Int64 {
	const { entriesAdded, length } = stream;
	if (entriesAdded === 0) return 0;
	const toLast = compareStreamIds(id, stream.lastId);
	if (toLast === 0 || (length === 0 && toLast < 0)) return entriesAdded;
	if (toLast > 0) return ENTRIES_READ_UNKNOWN;
	// Such a stream comes without a greatest ID deleted: nothing is known to be missing.
	const toFirst = compareStreamIds(id, stream.firstId);
	if (toFirst < 0) return Number(entriesAdded) - length;
	return toFirst === 0 ? Number(entriesAdded) - length + 1 : ENTRIES_READ_UNKNOWN;
}

// ---- numbers ----------------------------------------------------------------------------------------

function readId(input: RdbInput): StreamId {
	const ms = input.readLength();
	const seq = input.readLength();
	return ms === 0 && seq === 0 ? STREAM_ID_ZERO : { ms, seq };
}

function readRawId(input: RdbInput): StreamId {
	return { ms: input.readUint64BE(), seq: input.readUint64BE() };
}

/** Times beyond the safe integers are cut to them: they mean nothing, and are shown as such. */
function timeOf(ms: Int64): number {
	return typeof ms === 'number' ? ms : ms < 0n ? -TIME_MS_MAX : TIME_MS_MAX;
}

function int64Of(b: bigint): Int64 {
	return b >= Number.MIN_SAFE_INTEGER && b <= Number.MAX_SAFE_INTEGER ? Number(b) : b;
}
