/**
 * Keys that must not change while something outside is done with their values: MIGRATE, between the moment it sends
 * them and the moment it deletes them. Redis stops as a whole for so long; here only those commands wait that write,
 * and that name such a key or may change any key. They continue, in the order in which they came, when it is released.
 *
 * The database is left out of the comparison: a write to a key of the same name elsewhere waits as well. That is rare,
 * and saves knowing what SELECT within a transaction or MOVE will do.
 *
 * Expiry and eviction go on: who holds a key has to find it gone.
 */
import type { Database } from '../keyspace/database.js';
import { BLOCKED_BY_HELD_KEY, BLOCKED_NOT, type Client } from './client.js';
import { findKeys, hasKeys } from './command-keys.js';
import { type CommandSpec, WRITE } from './command-spec.js';
import type { Engine } from './engine.js';

interface HeldCommand {
	readonly client: Client;
	readonly args: string[];
}

export class HeldKeys {
	readonly #engine: Engine;
	/** Whether any key is held: read before every command. */
	active = false;
	/** How often each key is held. */
	readonly #counts = new Map<string, number>();
	#waiting: HeldCommand[] = [];
	/** Keys whose waiters (BLMOVE) could not be served, because that would have written to a held key. */
	#unserved: { readonly db: Database; readonly key: string }[] = [];

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** Holds the keys until `release` is called with them. */
	hold(keys: readonly string[]): void {
		for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
		this.active = this.#counts.size > 0;
	}

	/** Lets those continue who waited, as far as nothing else holds them back. */
	release(keys: readonly string[]): void {
		for (const key of keys) {
			const count = this.#counts.get(key)! - 1;
			if (count === 0) this.#counts.delete(key);
			else this.#counts.set(key, count);
		}
		this.active = this.#counts.size > 0;
		const waiting = this.#waiting;
		const unserved = this.#unserved;
		this.#waiting = [];
		this.#unserved = [];
		for (const { db, key } of unserved) this.#engine.blocking.signalReady(db, key);
		for (const { client, args } of waiting) {
			if (client.closing) continue;
			client.blocked = BLOCKED_NOT;
			this.#engine.dispatcher.continueLater(client, args);
		}
		this.#engine.dispatcher.serveReadyKeys();
	}

	/** Whether the command has to wait. */
	concerns(client: Client, spec: CommandSpec, args: readonly string[]): boolean {
		if (spec.name === 'exec') return client.queued.some((q) => this.#isConcerned(q.spec, q.args));
		return this.#isConcerned(spec, args) && !client.inMulti;
	}

	#isConcerned(spec: CommandSpec, args: readonly string[]): boolean {
		if ((spec.flags & WRITE) === 0) return false;
		if (!hasKeys(spec)) return true;
		const positions = findKeys(spec, args);
		return positions?.some(({ index }) => this.#counts.has(args[index]!)) ?? false;
	}

	/** Makes the client wait. */
	postpone(client: Client, args: string[]): void {
		client.blocked = BLOCKED_BY_HELD_KEY;
		this.#waiting.push({ client, args });
	}

	/** The command waiting for `key` is not served now: it is signalled again after the release. */
	postponeServing(db: Database, key: string): void {
		this.#unserved.push({ db, key });
	}

	/** Forgets a client that is closed. */
	forget(client: Client): void {
		this.#waiting = this.#waiting.filter((held) => held.client !== client);
	}
}
