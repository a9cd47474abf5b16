/** Members with their scores in order of score, then of member bytes. First version: one sorted array. */
export class ZSetTree {
	private scores: number[];
	private members: string[];

	constructor() {
		this.scores = [];
		this.members = [];
	}

	get size(): number {
		return this.members.length;
	}

	/** Adds an element, which must be absent. */
	insert(score: number, member: string): void {
		const rank = this.rankOf(score, member);
		this.scores.splice(rank, 0, score);
		this.members.splice(rank, 0, member);
	}

	/** Removes an element, which must be present. */
	remove(score: number, member: string): void {
		const rank = this.rankOf(score, member);
		this.scores.splice(rank, 1);
		this.members.splice(rank, 1);
	}

	/** The number of elements before (score, member). */
	rankOf(score: number, member: string): number {
		let low = 0;
		let high = this.members.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = this.scores[middle]!;
			if (s < score || (s === score && this.members[middle]! < member)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** The number of elements with a score less than (or, on request, equal to) `score`. */
	countBelowScore(score: number, orEqual: boolean): number {
		let low = 0;
		let high = this.members.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const s = this.scores[middle]!;
			if (s < score || (orEqual && s === score)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** The number of elements with a member less than (or equal to) `member`; for sets of one score. */
	countBelowMember(member: string, orEqual: boolean): number {
		let low = 0;
		let high = this.members.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			const m = this.members[middle]!;
			if (m < member || (orEqual && m === member)) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	/** A cursor on the element of a rank; not valid if the rank is out of range. */
	cursorAt(rank: number): ZSetCursor {
		return new ZSetCursor(this.scores, this.members, rank);
	}

	/** Removes `count` elements from rank `start` on; `visit` sees each before the tree changes. */
	removeRange(start: number, count: number, visit: (member: string, score: number) => void): void {
		for (let i = start; i < start + count; i++) visit(this.members[i]!, this.scores[i]!);
		this.scores.splice(start, count);
		this.members.splice(start, count);
	}

	clone(): ZSetTree {
		const copy = new ZSetTree();
		copy.scores = this.scores.slice();
		copy.members = this.members.slice();
		return copy;
	}
}

/** A place in the order, to walk from in either direction. It ends to be usable when the sorted set changes. */
export class ZSetCursor {
	private readonly scores: number[];
	private readonly members: string[];
	private offset: number;

	constructor(scores: number[], members: string[], offset: number) {
		this.scores = scores;
		this.members = members;
		this.offset = offset;
	}

	/** Whether the cursor is on an element. */
	get valid(): boolean {
		return this.offset >= 0 && this.offset < this.members.length;
	}

	/** The member; only while `valid`. */
	get member(): string {
		return this.members[this.offset]!;
	}

	/** The score; only while `valid`. */
	get score(): number {
		return this.scores[this.offset]!;
	}

	/** Moves to the next higher element. */
	forward(): void {
		this.offset++;
	}

	/** Moves to the next lower element. */
	backward(): void {
		this.offset--;
	}
}
