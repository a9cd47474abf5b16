import { FANOUT_MAX, LEAF_SIZE_MAX, ZSetInner, ZSetLeaf, type ZSetNode } from './zset-node.js';

/**
 * Members with their scores, ordered by score, then by member bytes: a B+ tree that counts, so that an element's rank and
 * the element of a rank are found in O(log n).
 *
 * Why not a skip list as Redis has: a leaf keeps up to 64 elements side by side where a skip list has an object for
 * each, which V8 would have to allocate and trace: 25 bytes an element instead of over 100, and a search touches 4
 * places in memory instead of 20.
 *
 * Shape: all leaves are at depth `height` (0: the root is a leaf) and linked to their neighbours. No node is empty, except
 * a root leaf. A node that overflows is split in half; but one that overflows at the end of the tree gives only its new
 * element to the new node, so that elements that come in ascending order fill their leaves. Removal joins a node with a
 * neighbour where both together fill at most half a node.
 */
export class ZSetTree {
	private root: ZSetNode;
	private height: number;
	/** The number of elements. */
	size: number;
	/** What `insertInto` leaves for its caller: a new right neighbour of the node, with its separator. */
	private splitNode: ZSetNode | null;
	private splitScore: number;
	private splitMember: string;

	constructor() {
		this.root = new ZSetLeaf([], []);
		this.height = 0;
		this.size = 0;
		this.splitNode = null;
		this.splitScore = 0.5;
		this.splitMember = '';
	}

	/** Adds an element, which must be absent. */
	insert(score: number, member: string): void {
		this.insertInto(this.root, this.height, score, member);
		this.size++;
		const right = this.splitNode;
		if (right === null) return;
		const rightCount = this.height === 0 ? (right as ZSetLeaf).scores.length : (right as ZSetInner).total();
		this.root = new ZSetInner(
			[this.root, right],
			[this.size - rightCount, rightCount],
			[Number.NEGATIVE_INFINITY, this.splitScore],
			['', this.splitMember],
		);
		this.height++;
		this.splitNode = null;
	}

	/** Removes an element, which must be present. */
	remove(score: number, member: string): void {
		this.removeFrom(this.root, this.height, score, member);
		this.size--;
		this.lowerRoot();
	}

	/** Changes the score of an element, which must be present. Where its place stays the same, that is one descent. */
	move(before: number, after: number, member: string): void {
		let node = this.root;
		for (let height = this.height; height > 0; height--) {
			const inner = node as ZSetInner;
			node = inner.children[inner.childFor(before, member)]!;
		}
		const leaf = node as ZSetLeaf;
		const at = leaf.lowerBound(before, member);
		if (at > 0 && at < leaf.scores.length - 1 && leaf.staysBetween(at - 1, at + 1, after, member)) {
			leaf.scores[at] = after;
			return;
		}
		this.remove(before, member);
		this.insert(after, member);
	}

	/** The number of elements before (score, member). */
	rankOf(score: number, member: string): number {
		let node = this.root;
		let rank = 0;
		for (let height = this.height; height > 0; height--) {
			const inner = node as ZSetInner;
			const child = inner.childFor(score, member);
			rank += inner.countBefore(child);
			node = inner.children[child]!;
		}
		return rank + (node as ZSetLeaf).lowerBound(score, member);
	}

	/** The number of elements with a score less than (or, on request, equal to) `score`. */
	countBelowScore(score: number, orEqual: boolean): number {
		let node = this.root;
		let rank = 0;
		for (let height = this.height; height > 0; height--) {
			const inner = node as ZSetInner;
			const child = inner.childForScore(score, orEqual);
			rank += inner.countBefore(child);
			node = inner.children[child]!;
		}
		return rank + (node as ZSetLeaf).countBelowScore(score, orEqual);
	}

	/** The number of elements with a member less than (or equal to) `member`; for sets whose scores are all equal. */
	countBelowMember(member: string, orEqual: boolean): number {
		let node = this.root;
		let rank = 0;
		for (let height = this.height; height > 0; height--) {
			const inner = node as ZSetInner;
			const child = inner.childForMember(member);
			rank += inner.countBefore(child);
			node = inner.children[child]!;
		}
		return rank + (node as ZSetLeaf).countBelowMember(member, orEqual);
	}

	/** A cursor on the element of a rank; not valid if the rank is out of range. */
	cursorAt(rank: number): ZSetCursor {
		if (rank < 0 || rank >= this.size) return new ZSetCursor(null, 0);
		let node = this.root;
		let offset = rank;
		for (let height = this.height; height > 0; height--) {
			const inner = node as ZSetInner;
			let child = 0;
			while (offset >= inner.counts[child]!) offset -= inner.counts[child++]!;
			node = inner.children[child]!;
		}
		return new ZSetCursor(node as ZSetLeaf, offset);
	}

	/**
	 * Removes `count` elements from rank `start` on, which must exist. `visit` sees each, in ascending order, before the
	 * tree changes.
	 */
	removeRange(start: number, count: number, visit: (member: string, score: number) => void): void {
		const cursor = this.cursorAt(start);
		for (let left = count; left > 0; left--, cursor.forward()) visit(cursor.member, cursor.score);
		this.removeRanksFrom(this.root, this.height, start, count);
		this.size -= count;
		this.lowerRoot();
	}

	/** The score of a member, found by comparing with every one: O(size), for small sets that have no table. */
	findScore(member: string): number | undefined {
		for (let leaf: ZSetLeaf | null = this.cursorAt(0).leaf; leaf !== null; leaf = leaf.next) {
			const position = leaf.members.indexOf(member);
			if (position !== -1) return leaf.scores[position]!;
		}
		return undefined;
	}

	/** O(size). */
	clone(): ZSetTree {
		const copy = new ZSetTree();
		for (const cursor = this.cursorAt(0); cursor.valid; cursor.forward())
			copy.insert(cursor.score, cursor.member);
		return copy;
	}

	private insertInto(node: ZSetNode, height: number, score: number, member: string): void {
		if (height === 0) {
			this.insertIntoLeaf(node as ZSetLeaf, score, member);
			return;
		}
		const inner = node as ZSetInner;
		const at = inner.childFor(score, member);
		this.insertInto(inner.children[at]!, height - 1, score, member);
		const right = this.splitNode;
		if (right === null) {
			inner.counts[at]!++;
			return;
		}
		const rightCount = height === 1 ? (right as ZSetLeaf).scores.length : (right as ZSetInner).total();
		inner.counts[at]! += 1 - rightCount;
		inner.insertChild(at + 1, right, rightCount, this.splitScore, this.splitMember);
		this.splitNode = null;
		const length = inner.children.length;
		if (length <= FANOUT_MAX) return;
		// A right neighbour of one element comes from the end of the tree, see above.
		const keep = rightCount === 1 ? length - 1 : length >> 1;
		this.splitScore = inner.minScores[keep]!;
		this.splitMember = inner.minMembers[keep]!;
		this.splitNode = new ZSetInner(
			inner.children.slice(keep),
			inner.counts.slice(keep),
			inner.minScores.slice(keep),
			inner.minMembers.slice(keep),
		);
		inner.removeChildren(keep, length - keep);
	}

	private insertIntoLeaf(leaf: ZSetLeaf, score: number, member: string): void {
		const position = leaf.lowerBound(score, member);
		if (leaf.scores.length < LEAF_SIZE_MAX) {
			leaf.insertAt(position, score, member);
			return;
		}
		let right: ZSetLeaf;
		if (position === LEAF_SIZE_MAX && leaf.next === null) {
			right = new ZSetLeaf([score], [member]);
		} else {
			const half = LEAF_SIZE_MAX >> 1;
			right = new ZSetLeaf(leaf.scores.slice(half), leaf.members.slice(half));
			leaf.scores.length = half;
			leaf.members.length = half;
			if (position <= half) leaf.insertAt(position, score, member);
			else right.insertAt(position - half, score, member);
		}
		right.prev = leaf;
		right.next = leaf.next;
		if (leaf.next !== null) leaf.next.prev = right;
		leaf.next = right;
		this.splitNode = right;
		this.splitScore = right.scores[0]!;
		this.splitMember = right.members[0]!;
	}

	private removeFrom(node: ZSetNode, height: number, score: number, member: string): void {
		if (height === 0) {
			const leaf = node as ZSetLeaf;
			leaf.removeAt(leaf.lowerBound(score, member), 1);
			return;
		}
		const inner = node as ZSetInner;
		const at = inner.childFor(score, member);
		this.removeFrom(inner.children[at]!, height - 1, score, member);
		inner.counts[at]!--;
		this.tidyChild(inner, at, height - 1);
	}

	/** Removes `count` ranks from `start` on from below `node`, which holds them all. */
	private removeRanksFrom(node: ZSetNode, height: number, start: number, count: number): void {
		if (height === 0) {
			(node as ZSetLeaf).removeAt(start, count);
			return;
		}
		const inner = node as ZSetInner;
		let at = 0;
		let offset = start;
		while (offset >= inner.counts[at]!) offset -= inner.counts[at++]!;
		const first = at;
		for (let left = count; left > 0; at++) {
			const here = Math.min(left, inner.counts[at]! - offset);
			if (here === inner.counts[at]!) this.unlinkLeaves(inner.children[at]!, height - 1);
			else this.removeRanksFrom(inner.children[at]!, height - 1, offset, here);
			inner.counts[at]! -= here;
			left -= here;
			offset = 0;
		}
		// Children between the first and the last one concerned are empty, and those two may be.
		const last = at - 1;
		const emptyFrom = inner.counts[first] === 0 ? first : first + 1;
		const emptyTo = last > first && inner.counts[last] !== 0 ? last : last + 1;
		if (emptyTo > emptyFrom) inner.removeChildren(emptyFrom, emptyTo - emptyFrom);
		if (emptyFrom < inner.children.length) this.tidyChild(inner, emptyFrom, height - 1);
		if (first < inner.children.length) this.tidyChild(inner, first, height - 1);
	}

	/** Takes all leaves below `node` out of their chain. */
	private unlinkLeaves(node: ZSetNode, height: number): void {
		let first = node;
		let last = node;
		for (let h = height; h > 0; h--) {
			first = (first as ZSetInner).children[0]!;
			last = (last as ZSetInner).children.at(-1)!;
		}
		const before = (first as ZSetLeaf).prev;
		const after = (last as ZSetLeaf).next;
		if (before !== null) before.next = after;
		if (after !== null) after.prev = before;
	}

	/** Removes the child `at` if it is empty, or joins it with a neighbour if they are small. */
	private tidyChild(inner: ZSetInner, at: number, height: number): void {
		const width = nodeWidth(inner.children[at]!, height);
		if (width === 0) {
			if (height === 0) this.unlinkLeaves(inner.children[at]!, 0);
			inner.removeChildren(at, 1);
			return;
		}
		const widthMax = (height === 0 ? LEAF_SIZE_MAX : FANOUT_MAX) >> 1;
		if (width * 2 > widthMax) return;
		if (at > 0 && nodeWidth(inner.children[at - 1]!, height) + width <= widthMax) {
			this.join(inner, at - 1, height);
		} else if (
			at + 1 < inner.children.length &&
			nodeWidth(inner.children[at + 1]!, height) + width <= widthMax
		) {
			this.join(inner, at, height);
		}
	}

	/** Moves what the child behind `at` has to the child at `at`. */
	private join(inner: ZSetInner, at: number, height: number): void {
		const left = inner.children[at]!;
		const right = inner.children[at + 1]!;
		if (height === 0) {
			const leaf = right as ZSetLeaf;
			for (const score of leaf.scores) (left as ZSetLeaf).scores.push(score);
			for (const member of leaf.members) (left as ZSetLeaf).members.push(member);
			this.unlinkLeaves(leaf, 0);
		} else {
			const from = right as ZSetInner;
			const to = left as ZSetInner;
			// The first separator of the right node is not kept up; what the parent has for that node is.
			from.minScores[0] = inner.minScores[at + 1]!;
			from.minMembers[0] = inner.minMembers[at + 1]!;
			to.children.push(...from.children);
			to.counts.push(...from.counts);
			to.minScores.push(...from.minScores);
			to.minMembers.push(...from.minMembers);
		}
		inner.counts[at]! += inner.counts[at + 1]!;
		inner.removeChildren(at + 1, 1);
	}

	/** Replaces a root that has one child by that child, and one that has none by a leaf. */
	private lowerRoot(): void {
		while (this.height > 0) {
			const children = (this.root as ZSetInner).children;
			if (children.length > 1) return;
			if (children.length === 0) {
				this.root = new ZSetLeaf([], []);
				this.height = 0;
				return;
			}
			this.root = children[0]!;
			this.height--;
		}
	}
}

/** The number of elements of a leaf or of children of an inner node. */
function nodeWidth(node: ZSetNode, height: number): number {
	return height === 0 ? (node as ZSetLeaf).scores.length : (node as ZSetInner).children.length;
}

/** A place in the order, to walk from in either direction. It ends to be usable when the sorted set changes. */
export class ZSetCursor {
	/** For ZSetTree alone. */
	leaf: ZSetLeaf | null;
	private offset: number;

	constructor(leaf: ZSetLeaf | null, offset: number) {
		this.leaf = leaf;
		this.offset = offset;
	}

	/** Whether the cursor is on an element. */
	get valid(): boolean {
		return this.leaf !== null;
	}

	/** The member; only while `valid`. */
	get member(): string {
		return this.leaf!.members[this.offset]!;
	}

	/** The score; only while `valid`. */
	get score(): number {
		return this.leaf!.scores[this.offset]!;
	}

	/** Moves to the next higher element. */
	forward(): void {
		const leaf = this.leaf!;
		if (++this.offset < leaf.members.length) return;
		this.leaf = leaf.next;
		this.offset = 0;
	}

	/** Moves to the next lower element. */
	backward(): void {
		if (--this.offset >= 0) return;
		const leaf = this.leaf!.prev;
		this.leaf = leaf;
		if (leaf !== null) this.offset = leaf.members.length - 1;
	}
}
