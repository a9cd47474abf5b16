import { HashIndex, hashKey } from './hash-index.js';
import { appendString } from './small-array.js';

/**
 * A set of byte strings in numbered positions: key to position by hash, position to key by array.
 *
 * Positions are dense, 0 to size - 1. A new key takes the position `size`. A removal either moves the last key into the
 * hole (`removeSwap`, O(1)) or shifts everything behind it down by one (`removeShift`, O(n), keeps the order). So a key
 * that stays in the table never moves to a higher position; the cursors of SCAN rest on this (see `scanKeys`).
 */

/** Tables up to this size are searched from end to end and have no index, which would take more memory than they do. */
const LINEAR_SIZE_MAX = 16;

export class KeyTable {
	/** The keys by position. To be read, and changed through the methods only; not to be kept, since it is replaced. */
	keys: string[];
	private index: HashIndex | null;

	constructor() {
		this.keys = [];
		this.index = null;
	}

	/** The number of keys. */
	get size(): number {
		return this.keys.length;
	}

	/** The position of `key`, or -1. */
	indexOf(key: string): number {
		const index = this.index;
		if (index === null) return this.keys.indexOf(key);
		return index.find(this.keys, key, hashKey(key));
	}

	has(key: string): boolean {
		return this.indexOf(key) !== -1;
	}

	/** Adds `key`, which must be absent, at the end; returns its position. */
	append(key: string): number {
		this.appendHashed(key, this.index === null ? 0 : hashKey(key));
		return this.keys.length - 1;
	}

	/** The position of `key` if it is there; else adds it at the end and returns -1. Hashes the key once. */
	findOrAppend(key: string): number {
		const index = this.index;
		const hash = index === null ? 0 : hashKey(key);
		const position = index === null ? this.keys.indexOf(key) : index.find(this.keys, key, hash);
		if (position === -1) this.appendHashed(key, hash);
		return position;
	}

	/** Removes `key`, and the last key takes its position; returns the position, or -1 if it is absent. */
	removeKeySwap(key: string): number {
		const index = this.index;
		if (index === null) {
			const position = this.keys.indexOf(key);
			if (position !== -1) this.fillHole(position);
			return position;
		}
		const hash = hashKey(key);
		const position = index.find(this.keys, key, hash);
		if (position !== -1) {
			index.remove(hash, position);
			this.fillHole(position);
		}
		return position;
	}

	/** Removes the key at `position`, which the last key then takes. */
	removeSwap(position: number): void {
		if (this.index !== null) this.index.remove(hashKey(this.keys[position]!), position);
		this.fillHole(position);
	}

	/** Removes the key at `position`; every later key moves down by one. O(n): for compact encodings only. */
	removeShift(position: number): void {
		if (this.index !== null) {
			if (this.keys.length > LINEAR_SIZE_MAX)
				this.index.removeAndShift(hashKey(this.keys[position]!), position);
			else this.index = null;
		}
		this.keys.splice(position, 1);
	}

	clear(): void {
		this.keys = [];
		this.index = null;
	}

	/**
	 * One step of an iteration that tolerates changes between its steps.
	 *
	 * Visits up to `count` (at least 1) keys, walking positions downward from `cursor`; cursor 0 starts at the top.
	 * Returns the number of positions that are left, which is the next cursor; 0 means that the iteration is complete.
	 * `visit` must not change the table.
	 *
	 * Every key that is present from the first step to the last is visited at least once. Proof: after a step with
	 * result c, the keys not yet visited are at positions below c. A key never moves upward, so one that is below c
	 * stays below c until the walk comes to it; and a cursor above the size is cut down to it, past no key. Keys that
	 * are added meanwhile go to the top and may be missed; one that moves down from a position already visited may be
	 * seen twice. Redis promises the same.
	 */
	scanKeys(cursor: number, count: number, visit: (key: string) => void): number {
		const from = this.scanStart(cursor);
		const to = scanEnd(from, count);
		for (let i = from - 1; i >= to; i--) visit(this.keys[i]!);
		return to;
	}

	/** A table with the same keys in the same positions. */
	copy(): KeyTable {
		const table = new KeyTable();
		table.copyKeysFrom(this);
		return table;
	}

	/** Takes `keys` as the keys of this table, which is empty; false, and the table is of no use, if one is there twice. */
	adoptKeys(keys: string[]): boolean {
		const count = keys.length;
		if (count <= LINEAR_SIZE_MAX) {
			for (let i = 1; i < count; i++) if (keys.indexOf(keys[i]!) !== i) return false;
			this.keys = keys;
			return true;
		}
		const index = new HashIndex(count);
		for (let i = 0; i < count; i++) {
			const hash = hashKey(keys[i]!);
			if (index.find(keys, keys[i]!, hash) !== -1) return false;
			index.insert(keys, hash, i);
		}
		this.keys = keys;
		this.index = index;
		return true;
	}

	/** The position behind the first one that a step of a scan visits. */
	protected scanStart(cursor: number): number {
		return cursor > 0 && cursor < this.size ? cursor : this.size;
	}

	/** Makes this empty table a copy of `other`. */
	protected copyKeysFrom(other: KeyTable): void {
		this.keys = other.keys.slice();
		if (this.keys.length > LINEAR_SIZE_MAX) this.buildIndex();
	}

	/** `hash` counts only where there is an index. */
	private appendHashed(key: string, hash: number): void {
		const position = this.keys.length;
		this.keys = appendString(this.keys, key);
		if (this.index !== null) this.index.insert(this.keys, hash, position);
		else if (position >= LINEAR_SIZE_MAX) this.buildIndex();
	}

	/** Moves the last key to `position`, whose key the index has forgotten. */
	private fillHole(position: number): void {
		const keys = this.keys;
		const last = keys.pop()!;
		if (position < keys.length) {
			keys[position] = last;
			if (this.index !== null) this.index.move(hashKey(last), keys.length, position);
		} else if (keys.length === 0) {
			this.index = null;
		}
	}

	private buildIndex(): void {
		const keys = this.keys;
		const index = new HashIndex(keys.length);
		for (let i = 0; i < keys.length; i++) index.insert(keys, hashKey(keys[i]!), i);
		this.index = index;
	}
}

/** The last position that a step of a scan visits, and so the next cursor. */
export function scanEnd(from: number, count: number): number {
	return Math.max(0, from - Math.max(1, count));
}
