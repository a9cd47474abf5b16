import { appendNumber, appendString } from './small-array.js';

/**
 * The nodes of a sorted set's tree, and the searches within one.
 *
 * Elements are ordered by score, then by member bytes (JavaScript's `<` on latin1 strings). Scores lie in arrays of
 * unboxed doubles.
 */

/** The most elements of a leaf. 64 is where V8 lets an array of 32 grow to, so a leaf that was split has no slack. */
export const LEAF_SIZE_MAX = 64;
/** The most children of an inner node. */
export const FANOUT_MAX = 64;

export class ZSetLeaf {
	scores: number[];
	members: string[];
	prev: ZSetLeaf | null;
	next: ZSetLeaf | null;

	constructor(scores: number[], members: string[]) {
		this.scores = scores;
		this.members = members;
		this.prev = null;
		this.next = null;
	}

	/** The position of the first element that is not before (score, member). */
	lowerBound(score: number, member: string): number {
		const scores = this.scores;
		let low = 0;
		let high = scores.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = scores[middle]!;
			if (s < score || (s === score && this.members[middle]! < member)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** The number of elements with a score less than (or, on request, equal to) `score`. */
	countBelowScore(score: number, orEqual: boolean): number {
		const scores = this.scores;
		let low = 0;
		let high = scores.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = scores[middle]!;
			if (s < score || (orEqual && s === score)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** The number of elements with a member less than (or equal to) `member`, where all scores are equal. */
	countBelowMember(member: string, orEqual: boolean): number {
		const members = this.members;
		let low = 0;
		let high = members.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const m = members[middle]!;
			if (m < member || (orEqual && m === member)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** Whether (score, member) lies between the elements at two positions. */
	staysBetween(low: number, high: number, score: number, member: string): boolean {
		const lowScore = this.scores[low]!;
		const highScore = this.scores[high]!;
		return (
			(lowScore < score || (lowScore === score && this.members[low]! < member)) &&
			(score < highScore || (score === highScore && member < this.members[high]!))
		);
	}

	/** Puts an element at `position`. Moving by hand beats `splice` on arrays of this size, which allocates a result. */
	insertAt(position: number, score: number, member: string): void {
		this.scores = appendNumber(this.scores, score);
		this.members = appendString(this.members, member);
		const scores = this.scores;
		const members = this.members;
		for (let i = scores.length - 1; i > position; i--) {
			scores[i] = scores[i - 1]!;
			members[i] = members[i - 1]!;
		}
		scores[position] = score;
		members[position] = member;
	}

	/** Takes out `count` elements from `position` on. */
	removeAt(position: number, count: number): void {
		const scores = this.scores;
		const members = this.members;
		const length = scores.length - count;
		for (let i = position; i < length; i++) {
			scores[i] = scores[i + count]!;
			members[i] = members[i + count]!;
		}
		// `pop` is inlined where setting the length is a call.
		for (let i = 0; i < count; i++) {
			scores.pop();
			members.pop();
		}
	}
}

export type ZSetNode = ZSetLeaf | ZSetInner;

/**
 * An inner node. `minScores[i]`, `minMembers[i]` is a separator: no element of child i is before it, and every element
 * of child i - 1 is. It need not be an element any more. That of child 0 is not used.
 */
export class ZSetInner {
	children: ZSetNode[];
	/** The number of elements below each child. */
	counts: number[];
	minScores: number[];
	minMembers: string[];

	constructor(children: ZSetNode[], counts: number[], minScores: number[], minMembers: string[]) {
		this.children = children;
		this.counts = counts;
		this.minScores = minScores;
		this.minMembers = minMembers;
	}

	/** The child whose elements (score, member) belongs to. */
	childFor(score: number, member: string): number {
		const minScores = this.minScores;
		let low = 1;
		let high = minScores.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = minScores[middle]!;
			if (s < score || (s === score && this.minMembers[middle]! <= member)) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}

	/** The child in which the elements below a score end. */
	childForScore(score: number, orEqual: boolean): number {
		const minScores = this.minScores;
		let low = 1;
		let high = minScores.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = minScores[middle]!;
			if (s < score || (orEqual && s === score)) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}

	/** The child in which the elements below a member end, where all scores are equal. */
	childForMember(member: string): number {
		const minMembers = this.minMembers;
		let low = 1;
		let high = minMembers.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (minMembers[middle]! <= member) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}

	/** The number of elements in the children before `child`. */
	countBefore(child: number): number {
		const counts = this.counts;
		let count = 0;
		for (let i = 0; i < child; i++) count += counts[i]!;
		return count;
	}

	/** The number of elements. */
	total(): number {
		return this.countBefore(this.counts.length);
	}

	insertChild(at: number, child: ZSetNode, count: number, minScore: number, minMember: string): void {
		this.children.splice(at, 0, child);
		this.counts.splice(at, 0, count);
		this.minScores.splice(at, 0, minScore);
		this.minMembers.splice(at, 0, minMember);
	}

	removeChildren(at: number, count: number): void {
		this.children.splice(at, count);
		this.counts.splice(at, count);
		this.minScores.splice(at, count);
		this.minMembers.splice(at, count);
	}
}
