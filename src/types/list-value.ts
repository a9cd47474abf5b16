import type { ListLimits } from './limits.js';
import {
	ListNode,
	nodeLimitBytes,
	nodeLimitCount,
	nodesMerge,
	nodeTakes,
	sizeExceedsLimit,
} from './list-node.js';
import { LISTPACK_EMPTY_BYTES } from './listpack-size.js';

/**
 * The value of a list key: byte strings in order, as a doubly linked list of nodes of some kilobytes each.
 *
 * The division into nodes follows Redis's quicklist entry by entry, with sizes counted as listpacks would have them,
 * because the encoding depends on it: a list is `listpack` until what is added makes it larger than one node may be, then
 * `quicklist` until removals leave a single node of at most half of that. In the `listpack` encoding there is at most
 * one node, of any size.
 *
 * Pushing and popping at either end is O(1) amortised; reaching an index is O(nodes) from the nearer end.
 */
export class ListValue {
	encoding: 'listpack' | 'quicklist';
	/** The number of elements. */
	length: number;
	private head: ListNode | null;
	private tail: ListNode | null;
	private nodeCount: number;

	constructor() {
		this.encoding = 'listpack';
		this.length = 0;
		this.head = null;
		this.tail = null;
		this.nodeCount = 0;
	}

	get type(): 'list' {
		return 'list';
	}

	/** Adds an element at the head. */
	pushHead(value: string, limits: ListLimits): void {
		this.prepareToGrow(1, value.length, limits);
		this.addAtHead(value, limits);
	}

	/** Adds an element at the tail. */
	pushTail(value: string, limits: ListLimits): void {
		this.prepareToGrow(1, value.length, limits);
		this.addAtTail(value, limits);
	}

	/**
	 * Pushes `values[start]` to `values[end]` one after the other, as one command does: Redis decides about the encoding
	 * once, by the sum of their lengths. Pushed at the head they end in reverse order.
	 */
	pushAll(values: readonly string[], start: number, end: number, atHead: boolean, limits: ListLimits): void {
		let addedBytes = 0;
		for (let i = start; i <= end; i++) addedBytes += values[i]!.length;
		this.prepareToGrow(end - start + 1, addedBytes, limits);
		for (let i = start; i <= end; i++) {
			if (atHead) this.addAtHead(values[i]!, limits);
			else this.addAtTail(values[i]!, limits);
		}
	}

	/**
	 * Adds an element at the tail for a list that is being built (loading, SORT … STORE). The caller ends with
	 * `convertBuilt`.
	 */
	appendBuilt(value: string, limits: ListLimits): void {
		this.encoding = 'quicklist';
		this.addAtTail(value, limits);
	}

	/** As `appendBuilt`: adds a node of just these elements at the tail, and keeps the array as its own. */
	appendBuiltNode(values: string[]): void {
		this.encoding = 'quicklist';
		this.link(ListNode.of(values), this.tail);
		this.length += values.length;
	}

	/** Visits the nodes from head to tail: how many elements each has, and a cursor on its first. */
	visitNodes(visit: (count: number, first: ListCursor) => void): void {
		for (let node = this.head; node !== null; node = node.next) visit(node.count, new ListCursor(node, 0));
	}

	/** Chooses the encoding of a list that has been built: `listpack` if it fits into one node. */
	convertBuilt(limits: ListLimits): void {
		this.convertToListpack(false, limits);
	}

	/** Removes and returns the first element; undefined if there is none. */
	popHead(limits: ListLimits): string | undefined {
		const node = this.head;
		if (node === null) return undefined;
		const value = node.shift();
		this.afterPop(node, limits);
		return value;
	}

	/** Removes and returns the last element; undefined if there is none. */
	popTail(limits: ListLimits): string | undefined {
		const node = this.tail;
		if (node === null) return undefined;
		const value = node.pop();
		this.afterPop(node, limits);
		return value;
	}

	/** The element at `index`, counted from 0, or from -1 at the tail; undefined out of range. */
	get(index: number): string | undefined {
		const position = index < 0 ? index + this.length : index;
		if (position < 0 || position >= this.length) return undefined;
		const cursor = this.cursorAt(position);
		return cursor.value;
	}

	/** Replaces the element at `index` (as in `get`); false out of range. */
	set(index: number, value: string, limits: ListLimits): boolean {
		const position = index < 0 ? index + this.length : index;
		if (position < 0 || position >= this.length) return false;
		this.prepareToGrow(1, value.length, limits);
		const cursor = this.cursorAt(position);
		cursor.node!.replaceAt(cursor.offset, value);
		this.convertToListpack(true, limits);
		return true;
	}

	/** Inserts in front of the element at `index`, 0 to length - 1. */
	insertBefore(index: number, value: string, limits: ListLimits): void {
		this.insert(index, value, false, limits);
	}

	/** Inserts behind the element at `index`, 0 to length - 1. */
	insertAfter(index: number, value: string, limits: ListLimits): void {
		this.insert(index, value, true, limits);
	}

	/** Inserts so that the element has the index `index`, 0 to length. */
	insertAt(index: number, value: string, limits: ListLimits): void {
		if (index >= this.length) this.pushTail(value, limits);
		else this.insert(index, value, false, limits);
	}

	/**
	 * Removes elements equal to `value`: the first `count` of them, the last -`count` if it is negative, all if it is 0.
	 * Returns how many there were.
	 */
	removeMatching(value: string, count: number, limits: ListLimits): number {
		const wanted = count === 0 ? this.length : Math.abs(count);
		let removed = 0;
		let node = count < 0 ? this.tail : this.head;
		while (node !== null && removed < wanted) {
			const following: ListNode | null = count < 0 ? node.prev : node.next;
			removed += node.removeMatching(value, wanted - removed, count < 0);
			if (node.count === 0) this.unlink(node);
			node = following;
		}
		this.length -= removed;
		if (removed > 0) this.convertToListpack(true, limits);
		return removed;
	}

	/** Removes every element outside [start, end], both in 0 to length - 1; start > end empties the list. */
	trim(start: number, end: number, limits: ListLimits): void {
		if (start > end) {
			this.clear();
			return;
		}
		let dropTail = this.length - 1 - end;
		for (let drop = start; drop > 0; ) {
			const node = this.head!;
			const n = Math.min(drop, node.count);
			node.removeRange(0, n);
			if (node.count === 0) this.unlink(node);
			this.length -= n;
			drop -= n;
		}
		while (dropTail > 0) {
			const node = this.tail!;
			const n = Math.min(dropTail, node.count);
			node.removeRange(node.count - n, n);
			if (node.count === 0) this.unlink(node);
			this.length -= n;
			dropTail -= n;
		}
		this.convertToListpack(true, limits);
	}

	/** A cursor on the element at `index`, 0 to length - 1; exhausted from the start if it is out of range. */
	cursorAt(index: number): ListCursor {
		if (index < 0 || index >= this.length) return new ListCursor(null, 0);
		if (index < this.length / 2) {
			let node = this.head!;
			let before = 0;
			while (before + node.count <= index) {
				before += node.count;
				node = node.next!;
			}
			return new ListCursor(node, index - before);
		}
		let node = this.tail!;
		let first = this.length - node.count;
		while (first > index) {
			node = node.prev!;
			first -= node.count;
		}
		return new ListCursor(node, index - first);
	}

	/** Visits the elements of [start, end], both in 0 to length - 1, from start to end. */
	visitRange(start: number, end: number, visit: (value: string) => void): void {
		const cursor = this.cursorAt(start);
		for (let left = end - start + 1; left > 0 && cursor.valid; left--) {
			visit(cursor.value);
			cursor.forward();
		}
	}

	/** Visits the elements of [start, end], both in 0 to length - 1, from end to start. */
	visitRangeBackward(start: number, end: number, visit: (value: string) => void): void {
		const cursor = this.cursorAt(end);
		for (let left = end - start + 1; left > 0 && cursor.valid; left--) {
			visit(cursor.value);
			cursor.backward();
		}
	}

	clone(): ListValue {
		const copy = new ListValue();
		for (let node = this.head; node !== null; node = node.next) copy.link(node.clone(), copy.tail);
		copy.length = this.length;
		copy.encoding = this.encoding;
		return copy;
	}

	/** The bytes of all nodes, counted as listpacks. */
	get listpackBytes(): number {
		let bytes = 0;
		for (let node = this.head; node !== null; node = node.next) bytes += node.bytes;
		return this.nodeCount === 0 ? LISTPACK_EMPTY_BYTES : bytes;
	}

	/** The number of nodes (`ql_nodes` of DEBUG OBJECT). */
	get nodes(): number {
		return this.nodeCount;
	}

	private clear(): void {
		this.head = null;
		this.tail = null;
		this.nodeCount = 0;
		this.length = 0;
	}

	/**
	 * Announces that elements are to be added, so many of so many bytes in all: `listpack` becomes `quicklist` if they
	 * would not fit. What adds elements does it itself; it is for a command that may end without adding any.
	 */
	prepareToGrow(addedCount: number, addedBytes: number, limits: ListLimits): void {
		if (this.encoding !== 'listpack') return;
		const bytes = this.head === null ? LISTPACK_EMPTY_BYTES : this.head.bytes;
		if (sizeExceedsLimit(limits.listMaxListpackSize, bytes + addedBytes, this.length + addedCount)) {
			this.encoding = 'quicklist';
		}
	}

	private addAtHead(value: string, limits: ListLimits): void {
		let node = this.head;
		if (
			node === null ||
			!(this.encoding === 'listpack' || nodeTakes(node, limits.listMaxListpackSize, value.length))
		) {
			node = new ListNode();
			this.link(node, null);
		}
		node.unshift(value);
		this.length++;
	}

	private addAtTail(value: string, limits: ListLimits): void {
		let node = this.tail;
		if (
			node === null ||
			!(this.encoding === 'listpack' || nodeTakes(node, limits.listMaxListpackSize, value.length))
		) {
			node = new ListNode();
			this.link(node, this.tail);
		}
		node.push(value);
		this.length++;
	}

	private afterPop(node: ListNode, limits: ListLimits): void {
		this.length--;
		if (node.count === 0) this.unlink(node);
		if (this.encoding === 'quicklist') this.convertToListpack(true, limits);
	}

	private convertToListpack(shrinking: boolean, limits: ListLimits): void {
		if (this.encoding !== 'quicklist' || this.nodeCount > 1) return;
		const node = this.head;
		if (node !== null) {
			const bytesMax = nodeLimitBytes(limits.listMaxListpackSize);
			const countMax = nodeLimitCount(limits.listMaxListpackSize);
			const divisor = shrinking ? 2 : 1;
			if (node.bytes > Math.floor(bytesMax / divisor) || this.length > Math.floor(countMax / divisor)) return;
		}
		this.encoding = 'listpack';
	}

	private insert(index: number, value: string, after: boolean, limits: ListLimits): void {
		this.prepareToGrow(1, value.length, limits);
		const cursor = this.cursorAt(index);
		const node = cursor.node!;
		const offset = cursor.offset;
		const fill = limits.listMaxListpackSize;
		this.length++;
		if (this.encoding === 'listpack' || nodeTakes(node, fill, value.length)) {
			node.insertAt(after ? offset + 1 : offset, value);
			return;
		}
		const edge = after ? offset === node.count - 1 : offset === 0;
		if (edge) {
			const neighbour = after ? node.next : node.prev;
			const taker =
				neighbour !== null && nodeTakes(neighbour, fill, value.length) ? neighbour : new ListNode();
			if (taker !== neighbour) this.link(taker, after ? node : node.prev);
			if (after) taker.unshift(value);
			else taker.push(value);
			return;
		}
		// The new element joins the part that is split off: the rear part if it goes behind `offset`, else the front.
		if (after) {
			const rear = node.splitOff(offset + 1);
			rear.unshift(value);
			this.link(rear, node);
		} else {
			const rear = node.splitOff(offset);
			node.push(value);
			this.link(rear, node);
			this.mergeAround(rear, fill);
			return;
		}
		this.mergeAround(node, fill);
	}

	/** Joins neighbours that fit into one node: the two before `center`, the two behind it, then `center` with each. */
	private mergeAround(center: ListNode, fill: number): void {
		if (center.prev !== null) this.mergeIfFits(center.prev.prev, center.prev, fill);
		if (center.next !== null) this.mergeIfFits(center.next, center.next.next, fill);
		const target = this.mergeIfFits(center.prev, center, fill) ? center.prev! : center;
		this.mergeIfFits(target, target.next, fill);
	}

	/** Appends `right` to `left` if both exist and fit into one node; `left` stays. */
	private mergeIfFits(left: ListNode | null, right: ListNode | null, fill: number): boolean {
		if (left === null || right === null || !nodesMerge(left, right, fill)) return false;
		left.absorb(right);
		this.unlink(right);
		return true;
	}

	/** Links `node` behind `previous`, or in front of all if that is null. */
	private link(node: ListNode, previous: ListNode | null): void {
		const next = previous === null ? this.head : previous.next;
		node.prev = previous;
		node.next = next;
		if (previous === null) this.head = node;
		else previous.next = node;
		if (next === null) this.tail = node;
		else next.prev = node;
		this.nodeCount++;
	}

	/** Takes `node` out; its own links stay readable. */
	private unlink(node: ListNode): void {
		if (node.prev === null) this.head = node.next;
		else node.prev.next = node.next;
		if (node.next === null) this.tail = node.prev;
		else node.next.prev = node.prev;
		this.nodeCount--;
	}
}

/**
 * A place in a list, to walk from in either direction without copying. It ends to be usable when the list changes.
 */
export class ListCursor {
	/** For ListValue alone. */
	node: ListNode | null;
	/** For ListValue alone. */
	offset: number;

	constructor(node: ListNode | null, offset: number) {
		this.node = node;
		this.offset = offset;
	}

	/** Whether the cursor is on an element. */
	get valid(): boolean {
		return this.node !== null;
	}

	/** The element; only while `valid`. */
	get value(): string {
		return this.node!.at(this.offset);
	}

	/** Moves to the next element. */
	forward(): void {
		const node = this.node!;
		if (++this.offset < node.count) return;
		this.node = node.next;
		this.offset = 0;
	}

	/** Moves to the previous element. */
	backward(): void {
		if (--this.offset >= 0) return;
		const node = this.node!.prev;
		this.node = node;
		if (node !== null) this.offset = node.count - 1;
	}
}
