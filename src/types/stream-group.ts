/** The consumer groups of a stream: who reads with whom, and what has been delivered but not acknowledged. */
import type { Int64 } from '../base/numbers.js';
import type { StreamId } from './stream-id.js';
import { StreamIdList } from './stream-id-list.js';

/** `entriesRead` of a group of which that can't be told. */
export const ENTRIES_READ_UNKNOWN = -1;

/** An entry that was delivered and is not acknowledged yet; it is in the lists of its group and of its consumer. */
export class StreamPending implements StreamId {
	readonly ms: Int64;
	readonly seq: Int64;
	/** When it was last delivered, ms since 1970. */
	deliveredMs: number;
	deliveryCount: Int64;
	/** Whom it was last delivered to. */
	consumer: StreamConsumer;

	constructor(id: StreamId, deliveredMs: number, deliveryCount: Int64, consumer: StreamConsumer) {
		this.ms = id.ms;
		this.seq = id.seq;
		this.deliveredMs = deliveredMs;
		this.deliveryCount = deliveryCount;
		this.consumer = consumer;
	}
}

export class StreamConsumer {
	readonly name: string;
	/** When it last tried to read or claim, ms since 1970. */
	seenMs: number;
	/** When it last did; -1: never. */
	activeMs: number;
	readonly pending = new StreamIdList<StreamPending>();

	constructor(name: string, seenMs: number, activeMs: number) {
		this.name = name;
		this.seenMs = seenMs;
		this.activeMs = activeMs;
	}
}

export class StreamGroup {
	readonly name: string;
	/** Up to where entries have been delivered. */
	lastId: StreamId;
	/** How many entries of all that were ever added come up to there, or ENTRIES_READ_UNKNOWN. */
	entriesRead: Int64;
	/** What all of its consumers have pending. */
	readonly pending = new StreamIdList<StreamPending>();
	readonly consumers = new Map<string, StreamConsumer>();

	constructor(name: string, lastId: StreamId, entriesRead: Int64) {
		this.name = name;
		this.lastId = lastId;
		this.entriesRead = entriesRead;
	}

	/** By name, as Redis lists them. */
	sortedConsumers(): StreamConsumer[] {
		return [...this.consumers.values()].sort(byName);
	}

	clone(): StreamGroup {
		const copy = new StreamGroup(this.name, this.lastId, this.entriesRead);
		for (const consumer of this.consumers.values()) {
			copy.consumers.set(
				consumer.name,
				new StreamConsumer(consumer.name, consumer.seenMs, consumer.activeMs),
			);
		}
		for (const pending of this.pending.items()) {
			const consumer = copy.consumers.get(pending.consumer.name)!;
			const copied = new StreamPending(pending, pending.deliveredMs, pending.deliveryCount, consumer);
			copy.pending.add(copied);
			consumer.pending.add(copied);
		}
		return copy;
	}
}

/** An order for sorting: by the bytes of the names. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
	if (a.name === b.name) return 0;
	return a.name < b.name ? -1 : 1;
}
