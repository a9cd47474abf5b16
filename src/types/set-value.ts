import type { Random } from '../base/env.js';
import { type Int64, parseInt64 } from '../base/numbers.js';
import { KeyTable } from './key-table.js';
import type { SetLimits } from './limits.js';

/**
 * The value of a set key: distinct byte strings.
 *
 * Encodings, as in Redis 7.2: `intset` while every member is a canonical 64-bit integer (members in ascending order);
 * `listpack` while small (insertion order, a removal keeps it); else `hashtable`. An intset becomes a listpack or a
 * hashtable, a listpack becomes a hashtable, nothing goes back by itself.
 */
export class SetValue {
	encoding: 'intset' | 'listpack' | 'hashtable';
	/** The members of an intset, ascending; a bigint only beyond the safe integers. Null in other encodings. */
	private integers: (number | bigint)[] | null;
	/** The members in other encodings; null in an intset. */
	private table: KeyTable | null;

	/** An empty intset by default, which is what the first members then decide about. */
	constructor(encoding: 'intset' | 'listpack' | 'hashtable' = 'intset') {
		this.encoding = encoding;
		this.integers = encoding === 'intset' ? [] : null;
		this.table = encoding === 'intset' ? null : new KeyTable();
	}

	get type(): 'set' {
		return 'set';
	}

	/**
	 * An empty set in the encoding that Redis starts with when it is about to add `sizeHint` members of which
	 * `firstMember` is the first.
	 */
	static forAdding(firstMember: string, sizeHint: number, limits: SetLimits): SetValue {
		if (sizeHint <= limits.setMaxIntsetEntries && parseInt64(firstMember) !== undefined)
			return new SetValue('intset');
		return new SetValue(sizeHint <= limits.setMaxListpackEntries ? 'listpack' : 'hashtable');
	}

	/** A set of `members`, which it keeps as its own; undefined if one is there twice. For what is read from a file. */
	static ofMembers(members: string[], encoding: 'listpack' | 'hashtable'): SetValue | undefined {
		const set = new SetValue(encoding);
		return set.table!.adoptKeys(members) ? set : undefined;
	}

	/** An intset of `integers`, ascending, which it keeps as its own; a hashtable if they are too many for the limit. */
	static ofIntegers(integers: Int64[], limits: SetLimits): SetValue {
		const set = new SetValue('intset');
		set.integers = integers;
		if (integers.length > limits.setMaxIntsetEntries) set.leaveIntset('hashtable');
		return set;
	}

	/** The members of an intset, ascending, not to be changed; null in another encoding. */
	get intsetMembers(): readonly Int64[] | null {
		return this.integers;
	}

	/** The number of members. */
	get size(): number {
		return this.encoding === 'intset' ? this.integers!.length : this.table!.size;
	}

	has(member: string): boolean {
		if (this.encoding !== 'intset') return this.table!.has(member);
		const integer = parseInt64(member);
		return integer !== undefined && this.integers![this.lowerBound(integer)] === integer;
	}

	/** Adds a member, converting the set if it has to be; false if it is there already. */
	add(member: string, limits: SetLimits): boolean {
		if (this.encoding === 'intset') return this.addToIntset(member, limits);
		const table = this.table!;
		if (table.findOrAppend(member) !== -1) return false;
		if (
			this.encoding === 'listpack' &&
			(table.size > limits.setMaxListpackEntries || member.length > limits.setMaxListpackValue)
		) {
			this.encoding = 'hashtable';
		}
		return true;
	}

	/** Removes a member; false if it is absent. */
	remove(member: string): boolean {
		if (this.encoding === 'intset') {
			const integer = parseInt64(member);
			if (integer === undefined) return false;
			const position = this.lowerBound(integer);
			if (this.integers![position] !== integer) return false;
			this.integers!.splice(position, 1);
			return true;
		}
		const table = this.table!;
		if (this.encoding === 'hashtable') return table.removeKeySwap(member) !== -1;
		const position = table.indexOf(member);
		if (position === -1) return false;
		table.removeShift(position);
		return true;
	}

	/** The member at a position, 0 to size - 1. Positions are the order of iteration, and change with any removal. */
	memberAt(position: number): string {
		return this.encoding === 'intset' ? String(this.integers![position]!) : this.table!.keys[position]!;
	}

	/** Removes the member at a position and returns it. */
	popAt(position: number): string {
		const member = this.memberAt(position);
		if (this.encoding === 'intset') this.integers!.splice(position, 1);
		else if (this.encoding === 'listpack') this.table!.removeShift(position);
		else this.table!.removeSwap(position);
		return member;
	}

	/** A member drawn at random, each as likely as any other. The set must not be empty. */
	randomMember(random: Random): string {
		return this.memberAt(random.below(this.size));
	}

	/** Removes and returns a member drawn at random. The set must not be empty. */
	popRandom(random: Random): string {
		return this.popAt(random.below(this.size));
	}

	/** Turns to `hashtable` if `sizeHint` members, about to be added by one command, are too many for the encoding. */
	prepareToAdd(sizeHint: number, limits: SetLimits): void {
		if (this.encoding === 'listpack' && sizeHint > limits.setMaxListpackEntries) this.encoding = 'hashtable';
		else if (this.encoding === 'intset' && sizeHint > limits.setMaxIntsetEntries)
			this.leaveIntset('hashtable');
	}

	/** Turns to `intset` if every member is an integer and they are few enough; used for the results of SINTERSTORE. */
	convertToIntset(limits: SetLimits): void {
		if (this.encoding === 'intset' || this.size > intsetSizeMax(limits)) return;
		const integers: (number | bigint)[] = [];
		for (const member of this.table!.keys) {
			const integer = parseInt64(member);
			if (integer === undefined) return;
			integers.push(integer);
		}
		integers.sort((a, b) => (a < b ? -1 : 1));
		this.integers = integers;
		this.table = null;
		this.encoding = 'intset';
	}

	/**
	 * One step of SSCAN: as `IndexedMap.scan`; an intset or listpack is visited in one step whatever `count` says, as
	 * Redis does.
	 */
	scan(cursor: number, count: number, visit: (member: string) => void): number {
		if (this.encoding === 'hashtable') return this.table!.scanKeys(cursor, count, visit);
		for (let i = 0; i < this.size; i++) visit(this.memberAt(i));
		return 0;
	}

	clone(): SetValue {
		const copy = new SetValue(this.encoding);
		if (this.encoding === 'intset') copy.integers = this.integers!.slice();
		else copy.table = this.table!.copy();
		return copy;
	}

	private addToIntset(member: string, limits: SetLimits): boolean {
		const integer = parseInt64(member);
		if (integer === undefined) {
			this.leaveIntset(this.fitsListpackWith(member, limits) ? 'listpack' : 'hashtable');
			this.table!.append(member);
			return true;
		}
		const position = this.lowerBound(integer);
		if (this.integers![position] === integer) return false;
		if (position === this.integers!.length) this.integers!.push(integer);
		else this.integers!.splice(position, 0, integer);
		if (this.integers!.length > intsetSizeMax(limits)) this.leaveIntset('hashtable');
		return true;
	}

	/** Whether the members of the intset and one that is no integer may share a listpack. */
	private fitsListpackWith(member: string, limits: SetLimits): boolean {
		const size = this.integers!.length;
		if (size >= limits.setMaxListpackEntries || member.length > limits.setMaxListpackValue) return false;
		if (size === 0) return true;
		return (
			String(this.integers![0]!).length <= limits.setMaxListpackValue &&
			String(this.integers![size - 1]!).length <= limits.setMaxListpackValue
		);
	}

	private leaveIntset(encoding: 'listpack' | 'hashtable'): void {
		const table = new KeyTable();
		for (const integer of this.integers!) table.append(String(integer));
		this.table = table;
		this.integers = null;
		this.encoding = encoding;
	}

	/** The position of the first integer that is not less than `integer`. */
	private lowerBound(integer: number | bigint): number {
		const integers = this.integers!;
		let low = 0;
		let high = integers.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (integers[middle]! < integer) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

/** An intset has at most 2^30 members, whatever the configuration says. */
function intsetSizeMax(limits: SetLimits): number {
	return Math.min(limits.setMaxIntsetEntries, 2 ** 30);
}
