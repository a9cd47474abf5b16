import { IndexedMap } from './indexed-map.js';
import { KeyTable } from './key-table.js';
import type { ZSetLimits } from './limits.js';
import type { LexBound, LexRange, ScoreRange } from './zset-range.js';
import { type ZSetCursor, ZSetTree } from './zset-tree.js';

/** What `ZSetValue.put` did: nothing, as the member had that score; a new score; a new member. */
export const PUT_SAME = 0;
export const PUT_CHANGED = 1;
export const PUT_ADDED = 2;
export type PutOutcome = typeof PUT_SAME | typeof PUT_CHANGED | typeof PUT_ADDED;

/**
 * The value of a sorted set key: members (byte strings) with scores, ordered by score, equal scores by member bytes.
 *
 * Scores are doubles, infinities included, never NaN; -0 and 0 are equal in the order, and a skiplist keeps each as
 * given. Ranks count from 0 at the lowest element. The encoding starts as `listpack` and turns to `skiplist` for good when a member
 * or the number of members passes its limit.
 */
export class ZSetValue {
	encoding: 'listpack' | 'skiplist';
	/** Member to score; null in a listpack, whose few members are compared one by one. */
	private table: IndexedMap<number> | null;
	private tree: ZSetTree;

	constructor(encoding: 'listpack' | 'skiplist' = 'listpack') {
		this.encoding = encoding;
		this.table = encoding === 'skiplist' ? IndexedMap.ofNumbers() : null;
		this.tree = new ZSetTree();
	}

	get type(): 'zset' {
		return 'zset';
	}

	/**
	 * An empty sorted set in the encoding that Redis starts with when it is about to add `sizeHint` members, the first of
	 * them (ZADD) or the longest of `memberBytes` bytes.
	 */
	static forAdding(sizeHint: number, memberBytes: number, limits: ZSetLimits): ZSetValue {
		const small = sizeHint <= limits.zsetMaxListpackEntries && memberBytes <= limits.zsetMaxListpackValue;
		return new ZSetValue(small ? 'listpack' : 'skiplist');
	}

	/** A sorted set in the encoding `skiplist` of the members and scores of `table`, which it keeps as its own. */
	static ofTable(table: IndexedMap<number>): ZSetValue {
		const zset = new ZSetValue('skiplist');
		zset.table = table;
		for (let i = 0; i < table.size; i++) zset.tree.insert(table.valueAt(i), table.keyAt(i));
		return zset;
	}

	/**
	 * A sorted set of `members` with their `scores`, which it keeps as its own; undefined if a member is there twice. For
	 * what is read from a file: the caller decides about the encoding.
	 */
	static ofScored(
		members: string[],
		scores: number[],
		encoding: 'listpack' | 'skiplist',
	): ZSetValue | undefined {
		const zset = new ZSetValue(encoding);
		const table = zset.table ?? new KeyTable();
		if (!table.adoptKeys(members)) return undefined;
		if (zset.table !== null) for (const score of scores) zset.table.values.push(score);
		for (let i = 0; i < members.length; i++) {
			const score = scores[i]!;
			zset.tree.insert(encoding === 'listpack' ? withoutNegativeZero(score) : score, members[i]!);
		}
		return zset;
	}

	/** The number of members. */
	get size(): number {
		return this.tree.size;
	}

	/** The score of a member; undefined if it is absent. */
	score(member: string): number | undefined {
		return this.table === null ? this.tree.findScore(member) : this.table.get(member);
	}

	has(member: string): boolean {
		return this.table === null ? this.tree.findScore(member) !== undefined : this.table.has(member);
	}

	/** Adds a member or changes its score; true if it is new. */
	add(member: string, score: number, limits: ZSetLimits): boolean {
		return this.put(member, score, limits) === PUT_ADDED;
	}

	/**
	 * Adds a member or changes its score, and says which. A score that equals the present one changes nothing, not even
	 * the sign of a zero; and a listpack has no -0, as it keeps integers as such.
	 */
	put(member: string, score: number, limits: ZSetLimits): PutOutcome {
		const table = this.table;
		if (table === null) return this.putInListpack(member, score, limits);
		const position = table.findOrAdd(member, score);
		if (position === -1) {
			this.tree.insert(score, member);
			return PUT_ADDED;
		}
		const before = table.valueAt(position);
		if (before === score) return PUT_SAME;
		this.tree.move(before, score, member);
		table.setValueAt(position, score);
		return PUT_CHANGED;
	}

	private putInListpack(member: string, score: number, limits: ZSetLimits): PutOutcome {
		const before = this.tree.findScore(member);
		if (before !== undefined) {
			if (before === score) return PUT_SAME;
			this.tree.move(before, withoutNegativeZero(score), member);
			return PUT_CHANGED;
		}
		const full = this.tree.size >= limits.zsetMaxListpackEntries;
		if (full || member.length > limits.zsetMaxListpackValue) {
			this.leaveListpack();
			return this.put(member, score, limits);
		}
		this.tree.insert(withoutNegativeZero(score), member);
		return PUT_ADDED;
	}

	/** Turns to `skiplist` if `sizeHint` members, about to be added by one command, are too many for a listpack. */
	prepareToAdd(sizeHint: number, limits: ZSetLimits): void {
		if (this.table === null && sizeHint > limits.zsetMaxListpackEntries) this.leaveListpack();
	}

	/**
	 * Chooses the encoding of a sorted set that a command or a load has built: `listpack` if it is small enough, whatever
	 * it was while being built. O(size) only up to the limit of entries.
	 */
	convertBuilt(limits: ZSetLimits): void {
		let small = this.size <= limits.zsetMaxListpackEntries;
		if (small) {
			this.forEach((member) => {
				if (member.length > limits.zsetMaxListpackValue) small = false;
			});
		}
		if (small) {
			this.dropNegativeZeros();
			this.encoding = 'listpack';
			this.table = null;
		} else if (this.table === null) {
			this.leaveListpack();
		}
	}

	/** Removes a member; false if it is absent. */
	remove(member: string): boolean {
		const score = this.score(member);
		if (score === undefined) return false;
		this.tree.remove(score, member);
		this.table?.delete(member);
		return true;
	}

	/** The rank of a member, from the highest if `reverse`; -1 if it is absent. */
	rank(member: string, reverse: boolean): number {
		const score = this.score(member);
		if (score === undefined) return -1;
		const rank = this.tree.rankOf(score, member);
		return reverse ? this.tree.size - 1 - rank : rank;
	}

	/** A cursor on the element of a rank, to walk from in either direction; not valid if the rank is out of range. */
	cursorAt(rank: number): ZSetCursor {
		return this.tree.cursorAt(rank);
	}

	/** The member at a position, 0 to size - 1, in an order of no meaning: the cheapest draw at random. */
	memberAt(position: number): string {
		return this.table === null ? this.tree.cursorAt(position).member : this.table.keyAt(position);
	}

	/** The score of the member at a position, as in `memberAt`. */
	scoreAt(position: number): number {
		return this.table === null ? this.tree.cursorAt(position).score : this.table.valueAt(position);
	}

	/**
	 * The rank of the first element in a range of scores, and in `scoreRangeEnd` the rank behind the last one. The range
	 * is empty when the end is not above the start.
	 */
	scoreRangeStart(range: ScoreRange): number {
		return this.tree.countBelowScore(range.min, range.minExclusive);
	}

	scoreRangeEnd(range: ScoreRange): number {
		return this.tree.countBelowScore(range.max, !range.maxExclusive);
	}

	/** The number of elements in a range of scores. */
	countInScoreRange(range: ScoreRange): number {
		return Math.max(0, this.scoreRangeEnd(range) - this.scoreRangeStart(range));
	}

	/**
	 * The rank of the first element in a range of members, and in `lexRangeEnd` the rank behind the last one. They mean
	 * something only where all scores are equal; elsewhere they are some ranks from 0 to size, but always the same ones
	 * for the same elements, so that a command executed again from the log does what it did.
	 */
	lexRangeStart(range: LexRange): number {
		return this.ranksBelow(range.min, true);
	}

	lexRangeEnd(range: LexRange): number {
		return this.ranksBelow(range.max, false);
	}

	/** The number of elements in a range of members. */
	countInLexRange(range: LexRange): number {
		return Math.max(0, this.lexRangeEnd(range) - this.lexRangeStart(range));
	}

	/**
	 * Removes the elements of ranks [start, end], cut to what exists; `visit` sees each as it goes, in ascending order,
	 * and must not touch the set. Returns how many there were.
	 */
	deleteRangeByRank(start: number, end: number, visit: (member: string, score: number) => void): number {
		const from = Math.max(0, start);
		const count = Math.min(end, this.tree.size - 1) - from + 1;
		if (count <= 0) return 0;
		this.tree.removeRange(from, count, (member, score) => {
			this.table?.delete(member);
			visit(member, score);
		});
		return count;
	}

	/** Visits every element in ascending order. */
	forEach(visit: (member: string, score: number) => void): void {
		for (const cursor = this.cursorAt(0); cursor.valid; cursor.forward()) visit(cursor.member, cursor.score);
	}

	/**
	 * One step of ZSCAN: as `IndexedMap.scan`; a listpack is visited in one step whatever `count` says, in ascending
	 * order, as Redis does.
	 */
	scan(cursor: number, count: number, visit: (member: string, score: number) => void): number {
		if (this.table !== null) return this.table.scan(cursor, count, visit);
		this.forEach(visit);
		return 0;
	}

	clone(): ZSetValue {
		const copy = new ZSetValue();
		copy.encoding = this.encoding;
		copy.table = this.table === null ? null : this.table.clone();
		copy.tree = this.tree.clone();
		return copy;
	}

	private dropNegativeZeros(): void {
		const zeros: string[] = [];
		this.forEach((member, score) => {
			if (Object.is(score, -0)) zeros.push(member);
		});
		for (const member of zeros) this.tree.move(-0, 0, member);
	}

	private leaveListpack(): void {
		const table = IndexedMap.ofNumbers();
		this.forEach((member, score) => {
			table.set(member, score);
		});
		this.table = table;
		this.encoding = 'skiplist';
	}

	/** The number of elements in front of a bound; one that equals it is counted if a minimum excludes it or a maximum does not. */
	private ranksBelow(bound: LexBound, isMin: boolean): number {
		if (bound.kind === 'lowest' || this.size === 0) return 0;
		if (bound.kind === 'highest') return this.size;
		const orEqual = bound.exclusive === isMin;
		if (this.cursorAt(0).score === this.cursorAt(this.size - 1).score)
			return this.tree.countBelowMember(bound.member, orEqual);
		// A binary search by rank: unlike a descent, it does not depend on how the tree has grown.
		let low = 0;
		let high = this.size;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const { member } = this.cursorAt(middle);
			if (member < bound.member || (orEqual && member === bound.member)) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

/** A listpack keeps integers as such, so that -0 becomes 0 there. */
function withoutNegativeZero(score: number): number {
	return score + 0;
}
