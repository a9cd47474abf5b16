import { IndexedMap } from './indexed-map.js';
import type { HashLimits } from './limits.js';

/**
 * The value of a hash key: fields to values, both byte strings.
 *
 * The encoding starts as `listpack` (insertion order is kept, a removal keeps it too) and turns to `hashtable` for good
 * when a field, a value or the number of fields passes its limit.
 */
export class HashValue {
	readonly type = 'hash';
	encoding: 'listpack' | 'hashtable';
	private readonly map: IndexedMap<string>;

	constructor(
		map: IndexedMap<string> = new IndexedMap<string>(),
		encoding: 'listpack' | 'hashtable' = 'listpack',
	) {
		this.encoding = encoding;
		this.map = map;
	}

	/** The number of fields. */
	get size(): number {
		return this.map.size;
	}

	get(field: string): string | undefined {
		return this.map.get(field);
	}

	has(field: string): boolean {
		return this.map.has(field);
	}

	/** Sets or replaces a field; true if it is new. */
	set(field: string, value: string, limits: HashLimits): boolean {
		const added = this.map.set(field, value);
		if (
			this.encoding === 'listpack' &&
			(this.map.size > limits.hashMaxListpackEntries ||
				field.length > limits.hashMaxListpackValue ||
				value.length > limits.hashMaxListpackValue)
		) {
			this.encoding = 'hashtable';
		}
		return added;
	}

	/**
	 * Turns to `hashtable` if the fields and values `args[start]` to `args[end]`, about to be set by one command, ask for
	 * it: more of them than a listpack may have, duplicates counted, or one that is too long. A command that sets
	 * several fields calls this first, since Redis decides before it looks for duplicates.
	 */
	prepareToSet(args: readonly string[], start: number, end: number, limits: HashLimits): void {
		if (this.encoding === 'hashtable') return;
		if (Math.floor((end - start + 1) / 2) > limits.hashMaxListpackEntries) {
			this.encoding = 'hashtable';
			return;
		}
		for (let i = start; i <= end; i++) {
			if (args[i]!.length > limits.hashMaxListpackValue) {
				this.encoding = 'hashtable';
				return;
			}
		}
	}

	/** Removes a field; false if it is absent. */
	delete(field: string): boolean {
		return this.encoding === 'listpack' ? this.map.deleteKeepingOrder(field) : this.map.delete(field);
	}

	/** The field at a position, 0 to size - 1. Positions are the order of iteration, and change with any removal. */
	fieldAt(position: number): string {
		return this.map.keyAt(position);
	}

	/** The value of the field at a position. */
	valueAt(position: number): string {
		return this.map.valueAt(position);
	}

	/**
	 * One step of HSCAN: as `IndexedMap.scan`; a listpack is visited in one step whatever `count` says, in insertion
	 * order, as Redis does.
	 */
	scan(cursor: number, count: number, visit: (field: string, value: string) => void): number {
		if (this.encoding === 'hashtable') return this.map.scan(cursor, count, visit);
		for (let i = 0; i < this.map.size; i++) visit(this.map.keyAt(i), this.map.valueAt(i));
		return 0;
	}

	clone(): HashValue {
		return new HashValue(this.map.clone(), this.encoding);
	}
}
