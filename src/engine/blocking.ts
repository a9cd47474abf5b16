/**
 * Clients that wait for keys (BLPOP and its kin).
 *
 * A blocked command is a record: its client, its keys, its arguments. When a command has made a key
 * ready, and its execution unit has ended, the first command waiting for the key is executed again from
 * its arguments, as Redis 7.2 does (blocked.c); it then finds data, or waits on without losing its place.
 *
 * Order: keys are served in the order in which they became ready, the waiters of a key in the order in
 * which they came. What a served command makes ready in its turn (BLMOVE) is served after all of that.
 */
import type { Env, TimerHandle } from '../base/env.js';
import type { Database } from '../keyspace/database.js';
import type { Client } from './client.js';
import { BLOCKED_NOT, BLOCKED_ON_KEYS } from './client.js';
import type { CommandSpec } from './command-spec.js';

/** What a client waits for at its keys. */
export type WaitType = 'list' | 'zset' | 'stream';

export interface BlockedCommand {
	readonly client: Client;
	readonly db: Database;
	readonly keys: readonly string[];
	readonly type: WaitType;
	readonly spec: CommandSpec;
	readonly args: string[];
	/** The reply when the time is over: a nil array, or a nil. */
	readonly timeoutNilArray: boolean;
	/** Executed again even when the key has been deleted or has another type (XREADGROUP). */
	readonly unblockOnNoKey: boolean;
	timer: TimerHandle | undefined;
	/** Set by a retry that found nothing: the command keeps its place and its deadline. */
	waitsOn: boolean;
}

/** The longest delay that setTimeout takes, in ms. */
const TIMER_MS_MAX = 0x7fffffff;

/** A key that somebody waits for. */
export interface WaitedKey {
	readonly db: Database;
	readonly key: string;
	/** In the order of arrival. */
	readonly waiters: Set<BlockedCommand>;
	/** Whether it is among those to be served. */
	ready: boolean;
}

export class BlockingTable {
	readonly #env: Env;
	readonly #onTimeout: (record: BlockedCommand) => void;
	/** By database id, then key. */
	readonly #waited = new Map<number, Map<string, WaitedKey>>();
	readonly #byClient = new Map<Client, BlockedCommand>();
	#ready: WaitedKey[] = [];

	constructor(env: Env, onTimeout: (record: BlockedCommand) => void) {
		this.#env = env;
		this.#onTimeout = onTimeout;
	}

	/** Clients waiting for keys. */
	get clientCount(): number {
		return this.#byClient.size;
	}

	/** Those of them whose wait ends by itself. */
	get timedClientCount(): number {
		let count = 0;
		for (const record of this.#byClient.values()) if (record.timer !== undefined) count++;
		return count;
	}

	get hasReadyKeys(): boolean {
		return this.#ready.length > 0;
	}

	/** Keys that somebody waits for. */
	get keyCount(): number {
		let count = 0;
		for (const byKey of this.#waited.values()) count += byKey.size;
		return count;
	}

	/** Those whose waiters accept that the key is deleted. */
	get keyCountOnNoKey(): number {
		let count = 0;
		for (const byKey of this.#waited.values())
			for (const { waiters } of byKey.values()) if ([...waiters].some((r) => r.unblockOnNoKey)) count++;
		return count;
	}

	/** Parks a command. `timeoutMs` 0 waits for ever. */
	block(record: BlockedCommand, timeoutMs: number): void {
		const { client, db } = record;
		client.blocked = BLOCKED_ON_KEYS;
		this.#byClient.set(client, record);
		let byKey = this.#waited.get(db.id);
		if (byKey === undefined) {
			byKey = new Map();
			this.#waited.set(db.id, byKey);
		}
		for (const key of record.keys) {
			let waited = byKey.get(key);
			if (waited === undefined) {
				waited = { db, key, waiters: new Set(), ready: false };
				byKey.set(key, waited);
			}
			waited.waiters.add(record);
		}
		if (timeoutMs > 0) this.#arm(record, this.#env.clock.monotonicUs() + timeoutMs * 1000, timeoutMs);
	}

	/**
	 * A timer may fire early: libuv counts from the start of the turn, and a long wait is made of several.
	 */
	#arm(record: BlockedCommand, deadlineUs: number, leftMs: number): void {
		record.timer = this.#env.timers.setTimeout(
			() => {
				const stillMs = Math.ceil((deadlineUs - this.#env.clock.monotonicUs()) / 1000);
				if (stillMs > 0) this.#arm(record, deadlineUs, stillMs);
				else this.#onTimeout(record);
			},
			Math.min(leftMs, TIMER_MS_MAX),
		);
	}

	/** What the client waits for; undefined if it does not wait for keys. */
	recordOf(client: Client): BlockedCommand | undefined {
		return this.#byClient.get(client);
	}

	/** Ends the client's wait. What is to happen next is the caller's business. */
	unblock(client: Client): BlockedCommand | undefined {
		const record = this.#byClient.get(client);
		if (record === undefined) return undefined;
		this.#byClient.delete(client);
		client.blocked = BLOCKED_NOT;
		if (record.timer !== undefined) this.#env.timers.clearTimeout(record.timer);
		const byKey = this.#waited.get(record.db.id)!;
		for (const key of record.keys) {
			const waited = byKey.get(key);
			if (waited === undefined) continue; // named twice
			waited.waiters.delete(record);
			if (waited.waiters.size === 0) byKey.delete(key);
		}
		return record;
	}

	/** The key may satisfy who waits for it: they are looked at when the execution unit has ended. */
	signalReady(db: Database, key: string): void {
		if (this.#byClient.size === 0) return;
		const waited = this.#waited.get(db.id)?.get(key);
		if (waited === undefined || waited.ready) return;
		waited.ready = true;
		this.#ready.push(waited);
	}

	/** Signals every key of the database that somebody waits for (SWAPDB). */
	signalAllWaiting(db: Database): void {
		const byKey = this.#waited.get(db.id);
		if (byKey === undefined) return;
		for (const key of byKey.keys()) this.signalReady(db, key);
	}

	/** The keys to be served, in the order in which they became ready; each may become ready again. */
	takeReady(): readonly WaitedKey[] {
		const ready = this.#ready;
		this.#ready = [];
		return ready;
	}

	/** All blocked commands. */
	records(): IterableIterator<BlockedCommand> {
		return this.#byClient.values();
	}
}
