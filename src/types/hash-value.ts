import { KeyTable, scanEnd } from './key-table.js';
import type { HashLimits } from './limits.js';
import { appendString } from './small-array.js';

/**
 * The value of a hash key: fields to values, both byte strings.
 *
 * The encoding starts as `listpack` (insertion order is kept, a removal keeps it too) and turns to `hashtable` for good
 * when a field, a value or the number of fields passes its limit. It is one object with its two arrays, with no map
 * inside, since there may be millions of small hashes.
 */
export class HashValue extends KeyTable {
	/** The values by position, parallel to `keys`. */
	private values: string[];
	encoding: 'listpack' | 'hashtable';

	constructor() {
		super();
		this.values = [];
		this.encoding = 'listpack';
	}

	/**
	 * A hash of `pairs`, field, value, field, value …; undefined if a field is there twice. For what is read from a file:
	 * the caller decides about the encoding.
	 */
	static ofPairs(pairs: readonly string[], encoding: 'listpack' | 'hashtable'): HashValue | undefined {
		const hash = new HashValue();
		// Slices of a long array are as short as what is in them, where an array that was pushed to has spare room.
		const fields: string[] = [];
		const values: string[] = [];
		for (let i = 0; i < pairs.length; i += 2) {
			fields.push(pairs[i]!);
			values.push(pairs[i + 1]!);
		}
		if (!hash.adoptKeys(fields.slice())) return undefined;
		hash.values = values.slice();
		hash.encoding = encoding;
		return hash;
	}

	get type(): 'hash' {
		return 'hash';
	}

	get(field: string): string | undefined {
		const position = this.indexOf(field);
		return position === -1 ? undefined : this.values[position];
	}

	/** Sets or replaces a field; true if it is new. */
	set(field: string, value: string, limits: HashLimits): boolean {
		const position = this.findOrAppend(field);
		if (position === -1) {
			this.values = appendString(this.values, value);
		} else {
			this.values[position] = value;
		}
		if (
			this.encoding === 'listpack' &&
			(this.size > limits.hashMaxListpackEntries ||
				field.length > limits.hashMaxListpackValue ||
				value.length > limits.hashMaxListpackValue)
		) {
			this.encoding = 'hashtable';
		}
		return position === -1;
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
		if (this.encoding === 'listpack') {
			const position = this.indexOf(field);
			if (position === -1) return false;
			this.removeShift(position);
			this.values.splice(position, 1);
			return true;
		}
		const position = this.removeKeySwap(field);
		if (position === -1) return false;
		const last = this.values.pop()!;
		if (position < this.values.length) this.values[position] = last;
		return true;
	}

	/** The field at a position, 0 to size - 1. Positions are the order of iteration, and change with any removal. */
	fieldAt(position: number): string {
		return this.keys[position]!;
	}

	/** The value of the field at a position. */
	valueAt(position: number): string {
		return this.values[position]!;
	}

	/**
	 * One step of HSCAN: as `scanKeys`; a listpack is visited in one step whatever `count` says, in insertion order, as
	 * Redis does.
	 */
	scan(cursor: number, count: number, visit: (field: string, value: string) => void): number {
		if (this.encoding === 'listpack') {
			for (let i = 0; i < this.size; i++) visit(this.keys[i]!, this.values[i]!);
			return 0;
		}
		const from = this.scanStart(cursor);
		const to = scanEnd(from, count);
		for (let i = from - 1; i >= to; i--) visit(this.keys[i]!, this.values[i]!);
		return to;
	}

	clone(): HashValue {
		const copy = new HashValue();
		copy.copyKeysFrom(this);
		copy.values = this.values.slice();
		copy.encoding = this.encoding;
		return copy;
	}
}
