/** Which clients watch which keys (WATCH). A change marks them, and their EXEC is refused. */
import type { Database } from '../keyspace/database.js';
import type { Client } from './client.js';

function isExpiredAt(db: Database, key: string, nowMs: number): boolean {
	const expireAtMs = db.expireAt(key);
	return expireAtMs >= 0 && nowMs > expireAtMs;
}

export class WatchTable {
	/** By database, then key. */
	readonly #watchers = new Map<number, Map<string, Set<Client>>>();
	/** Clients with at least one watched key. */
	#clientCount = 0;

	get clientCount(): number {
		return this.#clientCount;
	}

	get isEmpty(): boolean {
		return this.#clientCount === 0;
	}

	/** Number of keys watched in all databases. */
	get keyCount(): number {
		let count = 0;
		for (const byKey of this.#watchers.values()) count += byKey.size;
		return count;
	}

	watch(client: Client, db: Database, key: string, nowMs: number): void {
		if (client.watched.some((w) => w.dbId === db.id && w.key === key)) return;
		let byKey = this.#watchers.get(db.id);
		if (byKey === undefined) {
			byKey = new Map();
			this.#watchers.set(db.id, byKey);
		}
		let clients = byKey.get(key);
		if (clients === undefined) {
			clients = new Set();
			byKey.set(key, clients);
		}
		clients.add(client);
		if (client.watched.length === 0) this.#clientCount++;
		client.watched.push({ dbId: db.id, key, wasExpired: isExpiredAt(db, key, nowMs) });
	}

	unwatchAll(client: Client): void {
		if (client.watched.length === 0) return;
		for (const { dbId, key } of client.watched) {
			const byKey = this.#watchers.get(dbId);
			const clients = byKey?.get(key);
			clients?.delete(client);
			if (clients?.size === 0) byKey!.delete(key);
		}
		client.watched = [];
		this.#clientCount--;
	}

	/** The key changed. A key that was expired when watched, and is now deleted, has not changed. */
	touch(db: Database, key: string): void {
		const clients = this.#watchers.get(db.id)?.get(key);
		if (clients === undefined) return;
		for (const client of clients) {
			const watched = client.watched.find((w) => w.dbId === db.id && w.key === key)!;
			if (watched.wasExpired) {
				if (!db.has(key)) {
					// Its deletion is what the watcher saw already: from now on it watches a missing key.
					client.watched[client.watched.indexOf(watched)] = { dbId: db.id, key, wasExpired: false };
					continue;
				}
			}
			client.dirtyCas = true;
		}
	}

	/**
	 * The database is emptied, or its content is replaced by that of `replacement` (FLUSHDB, SWAPDB):
	 * marks the watchers of keys that exist on either side. A key that is expired on both sides, or
	 * absent on one and expired on the other, has not changed.
	 */
	touchAll(db: Database, replacement: Database | undefined, nowMs: number): void {
		const byKey = this.#watchers.get(db.id);
		if (byKey === undefined) return;
		for (const [key, clients] of byKey) {
			const existed = db.has(key);
			const exists = replacement?.has(key) ?? false;
			if (!existed && !exists) continue;
			const isExpired = exists && isExpiredAt(replacement!, key, nowMs);
			for (const client of clients) {
				const at = client.watched.findIndex((w) => w.dbId === db.id && w.key === key);
				const { wasExpired } = client.watched[at]!;
				if (wasExpired && !exists) client.watched[at] = { dbId: db.id, key, wasExpired: false };
				else if (wasExpired && isExpired) continue;
				else if (!existed && isExpired) client.watched[at] = { dbId: db.id, key, wasExpired: true };
				else client.dirtyCas = true;
			}
		}
	}

	/** Whether a watched key has expired since, without having been deleted yet. */
	hasExpiredKey(client: Client, dbs: readonly Database[], nowMs: number): boolean {
		return client.watched.some(({ dbId, key, wasExpired }) => {
			return !wasExpired && isExpiredAt(dbs[dbId]!, key, nowMs);
		});
	}
}
