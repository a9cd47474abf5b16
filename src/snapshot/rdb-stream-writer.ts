/**
 * A stream in RDB format, as RDB_TYPE_STREAM_LISTPACKS_2: what Redis 7.0 reads. It has no place for the time at which a
 * consumer was last active; whoever reads it takes the time at which it was last seen. The layout is told in
 * `rdb-stream-reader.ts`, that of a node in `stream-node.ts`.
 */
import type { ListpackWriter } from '../formats/listpack.js';
import type { RdbOutput } from '../formats/rdb-output.js';
import type { StreamGroup } from '../types/stream-group.js';
import type { StreamId } from '../types/stream-id.js';
import { type StreamNode, streamIdDifference } from '../types/stream-node.js';
import type { StreamValue } from '../types/stream-value.js';

/** The flag of an entry that has the fields of its node. */
const SAME_FIELDS = 2;

export function writeStream(output: RdbOutput, stream: StreamValue): void {
	output.writeLength(stream.nodeCount);
	const id = Buffer.alloc(16);
	for (const node of stream.allNodes()) {
		putId(id, node.id);
		output.writeBytes(id);
		output.listpack.reset();
		putNode(output.listpack, node);
		output.writeBytes(output.listpack.finish());
	}
	output.writeLength(stream.length);
	writeId(output, stream.lastId);
	writeId(output, stream.firstId);
	writeId(output, stream.maxDeletedId);
	output.writeLength(stream.entriesAdded);
	output.writeLength(stream.groups.size);
	for (const group of stream.sortedGroups()) writeGroup(output, group);
}

function putNode(listpack: ListpackWriter, node: StreamNode): void {
	listpack.appendInteger(node.entries.length);
	listpack.appendInteger(0);
	listpack.appendInteger(node.fields.length);
	for (const field of node.fields) listpack.append(field);
	listpack.appendInteger(0);
	for (const entry of node.entries) {
		const isSame = entry.fields === node.fields;
		const count = entry.values.length;
		listpack.appendInteger(isSame ? SAME_FIELDS : 0);
		listpack.appendInteger(streamIdDifference(entry.ms, node.id.ms));
		listpack.appendInteger(streamIdDifference(entry.seq, node.id.seq));
		if (!isSame) listpack.appendInteger(count);
		for (let i = 0; i < count; i++) {
			if (!isSame) listpack.append(entry.fields[i]!);
			listpack.append(entry.values[i]!);
		}
		listpack.appendInteger(isSame ? count + 3 : count * 2 + 4);
	}
}

function writeGroup(output: RdbOutput, group: StreamGroup): void {
	output.writeString(group.name);
	writeId(output, group.lastId);
	// A count that is not known is -1, as an unsigned number.
	output.writeLength(
		group.entriesRead < 0 ? BigInt.asUintN(64, BigInt(group.entriesRead)) : group.entriesRead,
	);
	const id = Buffer.alloc(16);
	output.writeLength(group.pending.size);
	for (const pending of group.pending.items()) {
		putId(id, pending);
		output.writeRaw(id, 0, id.length);
		output.writeInt64(pending.deliveredMs);
		output.writeLength(pending.deliveryCount);
	}
	output.writeLength(group.consumers.size);
	for (const consumer of group.sortedConsumers()) {
		output.writeString(consumer.name);
		output.writeInt64(consumer.seenMs);
		output.writeLength(consumer.pending.size);
		for (const pending of consumer.pending.items()) {
			putId(id, pending);
			output.writeRaw(id, 0, id.length);
		}
	}
}

function writeId(output: RdbOutput, id: StreamId): void {
	output.writeLength(id.ms);
	output.writeLength(id.seq);
}

function putId(bytes: Buffer, id: StreamId): void {
	bytes.writeBigUInt64BE(BigInt(id.ms), 0);
	bytes.writeBigUInt64BE(BigInt(id.seq), 8);
}
