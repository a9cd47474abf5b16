import { HashIndex } from '../types/hash-index.js';
import type { Value } from '../types/value.js';
import type { PartitionWalk } from './dataset-walk.js';

/**
 * A part of a database's keys: a `HashIndex` from key to position, an array in which key and value stand side by side
 * (one cache line for both), and an array of access clocks. Positions are dense, 0 to size - 1.
 */
export class Partition {
	readonly index = new HashIndex(0, 1);
	/** The key at a position, then its value, and so on. */
	readonly pairs: Value[] = [];
	access = new Uint32Array(8);
	/** The walk that has entries of this partition still to visit. */
	walk: PartitionWalk | undefined = undefined;

	get size(): number {
		return this.pairs.length >> 1;
	}

	/** The position of a key, or -1. */
	find(key: string, hash: number): number {
		return this.index.find(this.pairs, key, hash);
	}

	keyAt(position: number): string {
		return this.pairs[position * 2] as string;
	}

	valueAt(position: number): Value {
		return this.pairs[position * 2 + 1]!;
	}
}
