/**
 * A set of byte strings in numbered positions: key to position by hash, position to key by array.
 *
 * Positions are dense, 0 to size - 1. A new key takes the position `size`. A removal either moves the last key into the
 * hole (`removeSwap`, O(1)) or shifts everything behind it down by one (`removeShift`, O(n), keeps the order). So a key
 * that stays in the table never moves to a higher position; the cursors of SCAN rest on this (see `IndexedMap.scan`).
 */

/** Tables up to this size are searched from end to end and have no index. */
const LINEAR_SIZE_MAX = 8;

export class KeyTable {
	/** The keys by position. Read it freely; change it only through the methods. */
	readonly keys: string[];
	private index: Map<string, number> | null;

	constructor() {
		this.keys = [];
		this.index = null;
	}

	get size(): number {
		return this.keys.length;
	}

	/** The position of `key`, or -1. */
	indexOf(key: string): number {
		const index = this.index;
		if (index === null) return this.keys.indexOf(key);
		const position = index.get(key);
		return position === undefined ? -1 : position;
	}

	has(key: string): boolean {
		return this.indexOf(key) !== -1;
	}

	/** Adds `key`, which must be absent, at the end; returns its position. */
	append(key: string): number {
		const position = this.keys.length;
		this.keys.push(key);
		if (this.index !== null) this.index.set(key, position);
		else if (position >= LINEAR_SIZE_MAX) this.index = this.buildIndex();
		return position;
	}

	/** Removes the key at `position`, which the last key then takes. */
	removeSwap(position: number): void {
		const keys = this.keys;
		const last = keys.pop()!;
		if (position === keys.length) {
			this.index?.delete(last);
			return;
		}
		this.index?.delete(keys[position]!);
		keys[position] = last;
		this.index?.set(last, position);
	}

	/** Removes the key at `position`; every later key moves down by one. O(n): for compact encodings only. */
	removeShift(position: number): void {
		this.keys.splice(position, 1);
		if (this.index !== null) this.index = this.keys.length > LINEAR_SIZE_MAX ? this.buildIndex() : null;
	}

	clear(): void {
		this.keys.length = 0;
		this.index = null;
	}

	/** As `IndexedMap.scan`, of the keys alone. */
	scanKeys(cursor: number, count: number, visit: (key: string) => void): number {
		const size = this.size;
		const from = cursor > 0 && cursor < size ? cursor : size;
		const to = from > count ? from - Math.max(1, count) : 0;
		for (let i = from - 1; i >= to; i--) visit(this.keys[i]!);
		return to;
	}

	private buildIndex(): Map<string, number> {
		const index = new Map<string, number>();
		for (let i = 0; i < this.keys.length; i++) index.set(this.keys[i]!, i);
		return index;
	}
}
