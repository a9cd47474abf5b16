/**
 * A walk over the dataset as it is at one moment, in slices between which commands go on changing it (DESIGN §3).
 *
 * Every entry that exists when the walk begins is visited exactly once, with the value and the expiry time that it had
 * then. What is about to change an entry that has not been visited (`Database` tells) has it visited first; from then on
 * its key is among the handled ones. So is a key that is new, or comes back. A partition's keys are copied when the walk
 * comes to it, because positions move when entries go; until then all it costs is that set of keys.
 *
 * FLUSHALL and SWAPDB need no care: a database drops or exchanges its partitions and its table of expiry times as
 * objects, and the walk holds on to those it began with.
 */
import { hashKey } from '../types/hash-index.js';
import type { IndexedMap } from '../types/indexed-map.js';
import type { Value } from '../types/value.js';
import type { Database } from './database.js';
import type { Partition } from './partition.js';

/** What is told of an entry: the number of its database when the walk began; `expireAtMs` is -1 for none. */
export type VisitEntry = (
	dbId: number,
	key: string,
	value: Value,
	expireAtMs: number,
	accessClock: number,
) => void;

/** What a walk knows of one partition. */
export class PartitionWalk {
	readonly #visit: VisitEntry;
	readonly #partition: Partition;
	readonly #dbId: number;
	readonly #expires: IndexedMap<number>;
	/** Keys that have been visited, or did not exist when the walk began. */
	readonly #handled = new Set<string>();
	/** The keys to visit, from the end; undefined before the walk has come to this partition. */
	#keys: string[] | undefined = undefined;

	constructor(partition: Partition, dbId: number, expires: IndexedMap<number>, visit: VisitEntry) {
		this.#partition = partition;
		this.#dbId = dbId;
		this.#expires = expires;
		this.#visit = visit;
	}

	/** `key` is about to be added (position -1), changed or deleted. */
	beforeChange(key: string, position: number): void {
		if (this.#handled.has(key)) return;
		this.#handled.add(key);
		if (position !== -1) this.#visitAt(key, position);
	}

	/** Visits the next key; false when there is none left, and the partition need not tell any more. */
	step(): boolean {
		const partition = this.#partition;
		if (this.#keys === undefined) {
			this.#keys = [];
			for (let position = 0; position < partition.size; position++)
				this.#keys.push(partition.keyAt(position));
		}
		const key = this.#keys.pop();
		if (key === undefined) {
			this.end();
			return false;
		}
		if (this.#handled.has(key)) return true;
		this.#handled.add(key);
		this.#visitAt(key, partition.find(key, hashKey(key)));
		return true;
	}

	end(): void {
		this.#partition.walk = undefined;
	}

	#visitAt(key: string, position: number): void {
		const partition = this.#partition;
		const expireAtMs = this.#expires.size === 0 ? -1 : (this.#expires.get(key) ?? -1);
		this.#visit(this.#dbId, key, partition.valueAt(position), expireAtMs, partition.access[position]!);
	}
}

export class DatasetWalk {
	/** How many entries there were when the walk began. */
	readonly total: number;
	/** The partitions that are left, the next one at the end. */
	readonly #left: PartitionWalk[] = [];

	/** Only one walk at a time. `visit` must not change the dataset. */
	constructor(dbs: readonly Database[], visit: VisitEntry) {
		let total = 0;
		for (let i = dbs.length - 1; i >= 0; i--) {
			const db = dbs[i]!;
			total += db.size;
			for (const partition of db.partitions()) {
				if (partition.walk !== undefined) throw new Error('a walk is under way already');
				partition.walk = new PartitionWalk(partition, db.id, db.expires, visit);
				this.#left.push(partition.walk);
			}
		}
		this.total = total;
	}

	/** Visits one entry; false when all have been. */
	step(): boolean {
		while (this.#left.length > 0) {
			if (this.#left[this.#left.length - 1]!.step()) return true;
			this.#left.pop();
		}
		return false;
	}

	/** Gives up what is left. */
	end(): void {
		for (const walk of this.#left) walk.end();
		this.#left.length = 0;
	}
}
