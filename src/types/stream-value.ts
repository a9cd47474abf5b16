/**
 * The value of a stream key: entries in the order of their IDs, which only grow, and consumer groups. The entries are
 * kept in nodes, divided as Redis divides them: trimming by `~` removes whole nodes only.
 */
import type { Int64 } from '../base/numbers.js';
import type { StreamLimits } from './limits.js';
import { byName, type StreamGroup } from './stream-group.js';
import { compareStreamIds, STREAM_ID_ZERO, type StreamId } from './stream-id.js';
import { lowerBound } from './stream-id-list.js';
import { type StreamEntry, StreamNode } from './stream-node.js';

/** What a node may have in bytes, whatever the limit says (STREAM_LISTPACK_MAX_SIZE). */
const NODE_BYTES_MAX = 2 ** 30;

export class StreamValue {
	/** The number of entries. */
	length = 0;
	/** The greatest ID that an entry ever had, or XSETID gave. */
	lastId: StreamId = STREAM_ID_ZERO;
	/** The greatest ID that was deleted. */
	maxDeletedId: StreamId = STREAM_ID_ZERO;
	/** How many entries were ever added. */
	entriesAdded: Int64 = 0;
	readonly groups = new Map<string, StreamGroup>();
	/** Ascending by their IDs; none is without entries. */
	private nodes: StreamNode[] = [];

	get type(): 'stream' {
		return 'stream';
	}

	get encoding(): 'stream' {
		return 'stream';
	}

	/** The number of nodes. */
	get nodeCount(): number {
		return this.nodes.length;
	}

	/** The ID of the first entry; 0-0 if there is none. */
	get firstId(): StreamId {
		return this.nodes[0]?.entries[0] ?? STREAM_ID_ZERO;
	}

	/** Adds an entry, whose ID must be greater than `lastId`. */
	append(id: StreamId, fields: readonly string[], values: readonly string[], limits: StreamLimits): void {
		let node = this.nodes[this.nodes.length - 1];
		if (node === undefined || !nodeTakes(node, fields, values, limits)) {
			node = new StreamNode(id, fields);
			this.nodes.push(node);
		}
		node.append(id, fields, values);
		this.length++;
		this.entriesAdded =
			typeof this.entriesAdded === 'number' ? this.entriesAdded + 1 : this.entriesAdded + 1n;
		this.lastId = id;
	}

	/** Adds a node behind all others, for a stream that is being built; `lastId` and the counters are the caller's. */
	appendBuiltNode(node: StreamNode): void {
		this.nodes.push(node);
		this.length += node.entries.length;
	}

	/** In the order of their IDs, from the first that is not less than `from`. */
	*entries(from?: StreamId): Generator<StreamEntry> {
		let at = from === undefined ? 0 : Math.max(0, this.nodeOf(from));
		let position =
			from === undefined || at >= this.nodes.length ? 0 : lowerBound(this.nodes[at]!.entries, from);
		for (; at < this.nodes.length; at++, position = 0) {
			const { entries } = this.nodes[at]!;
			for (; position < entries.length; position++) yield entries[position]!;
		}
	}

	/** The nodes in order, not to be changed. */
	allNodes(): readonly StreamNode[] {
		return this.nodes;
	}

	/** By name, as Redis lists them. */
	sortedGroups(): StreamGroup[] {
		return [...this.groups.values()].sort(byName);
	}

	clone(): StreamValue {
		const copy = new StreamValue();
		copy.length = this.length;
		copy.lastId = this.lastId;
		copy.maxDeletedId = this.maxDeletedId;
		copy.entriesAdded = this.entriesAdded;
		copy.nodes = this.nodes.map((node) => node.clone());
		for (const group of this.groups.values()) copy.groups.set(group.name, group.clone());
		return copy;
	}

	/** The last node that begins at or before `id`, -1 if all begin behind it. */
	private nodeOf(id: StreamId): number {
		let low = 0;
		let high = this.nodes.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (compareStreamIds(this.nodes[middle]!.id, id) <= 0) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}
}

/** Whether the node takes one more entry (t_stream.c: strings count without their overhead, deleted entries count). */
function nodeTakes(
	node: StreamNode,
	fields: readonly string[],
	values: readonly string[],
	limits: StreamLimits,
): boolean {
	let added = 0;
	for (const field of fields) added += field.length;
	for (const value of values) added += value.length;
	const { streamNodeMaxBytes, streamNodeMaxEntries } = limits;
	const bytesMax = streamNodeMaxBytes === 0 ? NODE_BYTES_MAX : Math.min(streamNodeMaxBytes, NODE_BYTES_MAX);
	if (node.bytes + added >= bytesMax) return false;
	return streamNodeMaxEntries === 0 || node.entries.length + node.deletedCount < streamNodeMaxEntries;
}
