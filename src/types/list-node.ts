import { LISTPACK_EMPTY_BYTES, listpackEntryBytes } from './listpack-size.js';
import { appendString } from './small-array.js';

/**
 * A node of a list: some byte strings, and how large they would be as a listpack. The array has room at the front, so
 * that pushing there is O(1) amortised too.
 */
export class ListNode {
	/** Elements at [first, first + count); the slots before it hold ''. */
	private items: string[];
	private first: number;
	count: number;
	/** The size as a listpack. */
	bytes: number;
	prev: ListNode | null;
	next: ListNode | null;

	constructor() {
		this.items = [];
		this.first = 0;
		this.count = 0;
		this.bytes = LISTPACK_EMPTY_BYTES;
		this.prev = null;
		this.next = null;
	}

	/** A node of `items`, which it keeps as its own; it is not linked. */
	static of(items: string[]): ListNode {
		const node = new ListNode();
		node.items = items;
		node.count = items.length;
		for (const item of items) node.bytes += listpackEntryBytes(item);
		return node;
	}

	at(offset: number): string {
		return this.items[this.first + offset]!;
	}

	push(value: string): void {
		this.items = appendString(this.items, value);
		this.count++;
		this.bytes += listpackEntryBytes(value);
	}

	unshift(value: string): void {
		if (this.first === 0) this.makeRoomInFront();
		this.items[--this.first] = value;
		this.count++;
		this.bytes += listpackEntryBytes(value);
	}

	pop(): string {
		const value = this.items.pop()!;
		this.count--;
		this.bytes -= listpackEntryBytes(value);
		return value;
	}

	shift(): string {
		const value = this.items[this.first]!;
		this.items[this.first++] = '';
		this.count--;
		this.bytes -= listpackEntryBytes(value);
		// A queue that is pushed at the tail and popped at the head may never empty its node: the free front is given up
		// before it outgrows the elements.
		if (this.first > 32 && this.first > this.count) this.compact();
		return value;
	}

	replaceAt(offset: number, value: string): void {
		const position = this.first + offset;
		this.bytes += listpackEntryBytes(value) - listpackEntryBytes(this.items[position]!);
		this.items[position] = value;
	}

	insertAt(offset: number, value: string): void {
		if (offset === 0) {
			this.unshift(value);
			return;
		}
		this.items.splice(this.first + offset, 0, value);
		this.count++;
		this.bytes += listpackEntryBytes(value);
	}

	removeRange(offset: number, count: number): void {
		const removed = this.items.splice(this.first + offset, count);
		for (const value of removed) this.bytes -= listpackEntryBytes(value);
		this.count -= removed.length;
	}

	/** Removes up to `countMax` elements equal to `value`, from either end on; returns how many. */
	removeMatching(value: string, countMax: number, fromTail: boolean): number {
		let removed = 0;
		const step = fromTail ? -1 : 1;
		const items = this.items;
		const end = fromTail ? this.first - 1 : items.length;
		const marks: number[] = [];
		for (let i = fromTail ? items.length - 1 : this.first; i !== end && removed < countMax; i += step) {
			if (items[i] !== value) continue;
			marks.push(i);
			removed++;
		}
		if (removed === 0) return 0;
		if (fromTail) marks.reverse();
		let to = marks[0]!;
		let mark = 1;
		for (let from = to + 1; from < items.length; from++) {
			if (from === marks[mark]) mark++;
			else items[to++] = items[from]!;
		}
		items.length = to;
		this.count -= removed;
		this.bytes -= removed * listpackEntryBytes(value);
		return removed;
	}

	/** Moves the elements from `offset` on to a new node, and returns that; it is not linked. */
	splitOff(offset: number): ListNode {
		const rear = new ListNode();
		for (const value of this.items.splice(this.first + offset)) rear.push(value);
		this.count = offset;
		this.bytes -= rear.bytes - LISTPACK_EMPTY_BYTES;
		return rear;
	}

	/** Adds the elements of `other` behind ours; `other` is not changed. */
	absorb(other: ListNode): void {
		for (let i = 0; i < other.count; i++) this.items.push(other.at(i));
		this.count += other.count;
		this.bytes += other.bytes - LISTPACK_EMPTY_BYTES;
	}

	/** A copy that is not linked. */
	clone(): ListNode {
		const copy = new ListNode();
		copy.items = this.items.slice(this.first);
		copy.count = this.count;
		copy.bytes = this.bytes;
		return copy;
	}

	private compact(): void {
		this.items.copyWithin(0, this.first);
		this.items.length = this.count;
		this.first = 0;
	}

	private makeRoomInFront(): void {
		const room = Math.max(4, this.count >> 1);
		const items: string[] = [];
		for (let i = 0; i < room; i++) items.push('');
		for (const value of this.items) items.push(value);
		this.items = items;
		this.first = room;
	}
}

/** Facts from Redis's quicklist.c: what a node may hold, by `list-max-listpack-size`. */
const NODE_BYTES_BY_LEVEL = [4096, 8192, 16384, 32768, 65536];
/** The largest node of more than one entry where the limit is a number of entries. */
const COUNTED_NODE_BYTES_MAX = 8192;
/** What is reckoned for the overhead of an entry that is about to be added. */
const ENTRY_OVERHEAD_BYTES = 8;
/** The largest number of entries that a node may be limited to; larger settings count as this. */
const FILL_MAX = 32767;

/** The most bytes of a node; Infinity where the limit is a count. */
export function nodeLimitBytes(fill: number): number {
	if (fill >= 0) return Number.POSITIVE_INFINITY;
	return NODE_BYTES_BY_LEVEL[Math.min(-fill, NODE_BYTES_BY_LEVEL.length) - 1]!;
}

/** The most entries of a node; Infinity where the limit is a size. */
export function nodeLimitCount(fill: number): number {
	return fill < 0 ? Number.POSITIVE_INFINITY : Math.max(1, fill);
}

/** Whether a node of `bytes` and `count` entries would be too large. */
export function sizeExceedsLimit(fill: number, bytes: number, count: number): boolean {
	if (fill < 0) return bytes > nodeLimitBytes(fill);
	return bytes > COUNTED_NODE_BYTES_MAX || count > Math.max(1, fill);
}

/** Whether `node` takes one more element of `length` bytes. */
export function nodeTakes(node: ListNode, fill: number, length: number): boolean {
	return !sizeExceedsLimit(
		Math.min(fill, FILL_MAX),
		node.bytes + length + ENTRY_OVERHEAD_BYTES,
		node.count + 1,
	);
}

/** Whether two nodes may become one. */
export function nodesMerge(a: ListNode, b: ListNode, fill: number): boolean {
	return !sizeExceedsLimit(
		Math.min(fill, FILL_MAX),
		a.bytes + b.bytes - LISTPACK_EMPTY_BYTES,
		a.count + b.count,
	);
}
