import { KeyTable } from './key-table.js';

/**
 * A map from byte strings to values whose entries also have positions, 0 to size - 1: a draw at random is one array
 * load, and a scan needs no state but a number. Used for keyspaces, expiry tables, hashes and sorted sets.
 *
 * Every key is ordinary data (`__proto__` included).
 */
export class IndexedMap<V> extends KeyTable {
	/** The values by position, parallel to `keys`. Read it freely; change it only through the methods. */
	readonly values: V[];

	constructor() {
		super();
		this.values = [];
	}

	get(key: string): V | undefined {
		const position = this.indexOf(key);
		return position === -1 ? undefined : this.values[position];
	}

	/** Sets or replaces; true if the key is new. */
	set(key: string, value: V): boolean {
		const position = this.indexOf(key);
		if (position !== -1) {
			this.values[position] = value;
			return false;
		}
		this.append(key);
		this.values.push(value);
		return true;
	}

	/** Removes an entry; the last entry takes its position. False if the key is absent. */
	delete(key: string): boolean {
		const position = this.indexOf(key);
		if (position === -1) return false;
		this.deleteAt(position);
		return true;
	}

	/** Removes the entry at `position`; the last entry takes its position. */
	deleteAt(position: number): void {
		this.removeSwap(position);
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

	/**
	 * One step of an iteration that tolerates changes between its steps.
	 *
	 * Visits up to `count` (at least 1) entries, walking positions downward from `cursor`; cursor 0 starts at the top.
	 * Returns the number of positions that are left, which is the next cursor; 0 means that the iteration is complete.
	 * `visit` must not change the map.
	 *
	 * Every entry that is present from the first step to the last is visited at least once. Proof: after a step with
	 * result c, the entries not yet visited are those at positions below c. An entry never moves upward (see
	 * `KeyTable`), so one that is below c stays below c until the walk comes to it; and a cursor above the size is
	 * cut down to it, past no entry. Entries that are added meanwhile go to the top and may be missed; one that moves
	 * down from a position already visited may be seen twice. Redis promises the same.
	 */
	scan(cursor: number, count: number, visit: (key: string, value: V) => void): number {
		const size = this.size;
		const from = cursor > 0 && cursor < size ? cursor : size;
		const to = from > count ? from - Math.max(1, count) : 0;
		for (let i = from - 1; i >= to; i--) visit(this.keys[i]!, this.values[i]!);
		return to;
	}

	/** A copy that shares the values. */
	clone(): IndexedMap<V> {
		const copy = new IndexedMap<V>();
		for (let i = 0; i < this.keys.length; i++) {
			copy.append(this.keys[i]!);
			copy.values.push(this.values[i]!);
		}
		return copy;
	}
}
