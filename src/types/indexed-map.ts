import { KeyTable, scanEnd } from './key-table.js';

/**
 * A map from byte strings to values whose entries also have positions, 0 to size - 1: a draw at random is one array
 * load, and a scan needs no state but a number. Used for keyspaces, expiry tables and sorted sets.
 *
 * Every key is ordinary data (`__proto__` included). The number of entries is limited by V8's arrays alone, to about 2^27
 * (2^26 of unboxed numbers), where a Map ends at 2^24.
 */
export class IndexedMap<V> extends KeyTable {
	/** The values by position, parallel to `keys`, and under the same rules. */
	values: V[];

	/** `values` is empty, and becomes the map's own; see `ofNumbers`. */
	constructor(values: V[] = []) {
		super();
		this.values = values;
	}

	/**
	 * A map to numbers that V8 keeps unboxed, 8 bytes each and not 24. An array literal that maps of other values are
	 * made from as well would lose that.
	 */
	static ofNumbers(): IndexedMap<number> {
		const values = [0.5];
		values.pop();
		return new IndexedMap<number>(values);
	}

	get(key: string): V | undefined {
		const position = this.indexOf(key);
		return position === -1 ? undefined : this.values[position];
	}

	/** Sets or replaces; true if the key is new. */
	set(key: string, value: V): boolean {
		const position = this.findOrAdd(key, value);
		if (position === -1) return true;
		this.values[position] = value;
		return false;
	}

	/** The position of `key` if it is there, its value left alone; else adds the entry and returns -1. */
	findOrAdd(key: string, value: V): number {
		const position = this.findOrAppend(key);
		if (position === -1) this.values.push(value);
		return position;
	}

	/** Adds an entry whose key must be absent. */
	appendEntry(key: string, value: V): void {
		this.append(key);
		this.values.push(value);
	}

	/** Removes an entry; the last entry takes its position. False if the key is absent. */
	delete(key: string): boolean {
		const position = this.removeKeySwap(key);
		if (position === -1) return false;
		this.fillValueHole(position);
		return true;
	}

	/** Removes the entry at `position`; the last entry takes its position. */
	deleteAt(position: number): void {
		this.removeSwap(position);
		this.fillValueHole(position);
	}

	private fillValueHole(position: number): void {
		const last = this.values.pop() as V;
		if (position < this.values.length) this.values[position] = last;
	}

	/** Removes an entry and moves every later one down by one: O(n). False if the key is absent. */
	deleteKeepingOrder(key: string): boolean {
		const position = this.indexOf(key);
		if (position === -1) return false;
		this.removeShift(position);
		this.values.splice(position, 1);
		return true;
	}

	keyAt(position: number): string {
		return this.keys[position]!;
	}

	valueAt(position: number): V {
		return this.values[position]!;
	}

	setValueAt(position: number, value: V): void {
		this.values[position] = value;
	}

	override clear(): void {
		super.clear();
		this.values.length = 0;
	}

	/** One step of an iteration that tolerates changes between its steps; as `scanKeys`, where the proof is. */
	scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
		const from = this.scanStart(cursor);
		const to = scanEnd(from, count);
		for (let i = from - 1; i >= to; i--) visit(this.keys[i]!, this.values[i]!);
		return to;
	}

	/** A copy that shares the values. */
	clone(): IndexedMap<V> {
		const copy = new IndexedMap<V>(this.values.slice());
		copy.copyKeysFrom(this);
		return copy;
	}
}
