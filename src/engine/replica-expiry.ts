/**
 * Keys with an expiry time that clients have made on a writable replica: its master knows nothing of them, so nobody else
 * would ever delete them. Source: Redis 7.2.6, expire.c (rememberSlaveKeyWithExpire, expireSlaveKeys).
 */
import { findKeys } from './command-keys.js';
import type { CommandSpec } from './command-spec.js';
import type { Engine } from './engine.js';

/** Keys looked at in one run of the cycle. */
const KEYS_PER_RUN = 64;

interface OwnKey {
	readonly dbId: number;
	readonly key: string;
}

export class ReplicaExpiry {
	private readonly engine: Engine;
	private readonly keys = new Map<string, OwnKey>();

	constructor(engine: Engine) {
		this.engine = engine;
	}

	/** Keys that are remembered (INFO, `slave_expires_tracked_keys`). */
	get size(): number {
		return this.keys.size;
	}

	/** A client of the replica has changed something with that command. */
	written(dbId: number, spec: CommandSpec, args: readonly string[]): void {
		const db = this.engine.dbs[dbId]!;
		for (const { index } of findKeys(spec, args) ?? []) {
			const key = args[index]!;
			if (db.expires.get(key) !== undefined) this.keys.set(`${dbId}:${key}`, { dbId, key });
		}
	}

	/** Deletes those that have expired, and forgets those that are gone or stay. */
	run(nowMs: number): void {
		let left = KEYS_PER_RUN;
		for (const [name, { dbId, key }] of this.keys) {
			if (left-- === 0) return;
			const db = this.engine.dbs[dbId]!;
			const expireAtMs = db.expires.get(key);
			// Behind those that have not been looked at yet.
			this.keys.delete(name);
			if (expireAtMs === undefined) continue;
			if (nowMs > expireAtMs) this.engine.expiry.deleteExpired(db, key);
			else this.keys.set(name, { dbId, key });
		}
	}

	/** The dataset is another one, or the server a master. */
	clear(): void {
		this.keys.clear();
	}
}
