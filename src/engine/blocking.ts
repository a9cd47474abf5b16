/**
 * Clients that wait for keys (BLPOP and its kin).
 *
 * A blocked command is a record: its client, its keys, its arguments. When a command has made a key
 * ready, and its execution unit has ended, the first command waiting for the key is executed again from
 * its arguments, as Redis 7.2 does (blocked.c); it then finds data, or waits on without losing its place.
 */
import type { TimerHandle, Timers } from '../base/env.js';
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

interface ReadyKey {
	readonly db: Database;
	readonly key: string;
}

export class BlockingTable {
	readonly #timers: Timers;
	readonly #onTimeout: (record: BlockedCommand) => void;
	/** By database id, then key: in the order of arrival. */
	readonly #waiting = new Map<number, Map<string, Set<BlockedCommand>>>();
	readonly #byClient = new Map<Client, BlockedCommand>();
	#ready: ReadyKey[] = [];

	constructor(timers: Timers, onTimeout: (record: BlockedCommand) => void) {
		this.#timers = timers;
		this.#onTimeout = onTimeout;
	}

	/** Clients waiting for keys. */
	get clientCount(): number {
		return this.#byClient.size;
	}

	get hasReadyKeys(): boolean {
		return this.#ready.length > 0;
	}

	/** Keys that somebody waits for. */
	get keyCount(): number {
		let count = 0;
		for (const byKey of this.#waiting.values()) count += byKey.size;
		return count;
	}

	/** Those whose waiters accept that the key is deleted. */
	get keyCountOnNoKey(): number {
		let count = 0;
		for (const byKey of this.#waiting.values())
			for (const records of byKey.values()) if ([...records].some((r) => r.unblockOnNoKey)) count++;
		return count;
	}

	/** Parks a command. `timeoutMs` 0 waits for ever. */
	block(record: BlockedCommand, timeoutMs: number): void {
		record.client.blocked = BLOCKED_ON_KEYS;
		this.#byClient.set(record.client, record);
		let byKey = this.#waiting.get(record.db.id);
		if (byKey === undefined) {
			byKey = new Map();
			this.#waiting.set(record.db.id, byKey);
		}
		for (const key of record.keys) {
			let records = byKey.get(key);
			if (records === undefined) {
				records = new Set();
				byKey.set(key, records);
			}
			records.add(record);
		}
		if (timeoutMs > 0) this.#arm(record, timeoutMs);
	}

	/** setTimeout ends at 2^31 - 1 ms, so a longer wait is made of several. */
	#arm(record: BlockedCommand, leftMs: number): void {
		const sliceMs = Math.min(leftMs, 0x7fffffff);
		record.timer = this.#timers.setTimeout(() => {
			if (leftMs > sliceMs) this.#arm(record, leftMs - sliceMs);
			else this.#onTimeout(record);
		}, sliceMs);
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
		if (record.timer !== undefined) this.#timers.clearTimeout(record.timer);
		const byKey = this.#waiting.get(record.db.id)!;
		for (const key of record.keys) {
			const records = byKey.get(key);
			records?.delete(record);
			if (records?.size === 0) byKey.delete(key);
		}
		return record;
	}

	/** The key may satisfy who waits for it: they are looked at when the execution unit has ended. */
	signalReady(db: Database, key: string): void {
		if (this.#byClient.size === 0) return;
		if (this.#waiting.get(db.id)?.has(key)) {
			if (!this.#ready.some((r) => r.db === db && r.key === key)) this.#ready.push({ db, key });
		}
	}

	/** Signals every key of the database that somebody waits for (SWAPDB). */
	signalAllWaiting(db: Database): void {
		const byKey = this.#waiting.get(db.id);
		if (byKey === undefined) return;
		for (const key of byKey.keys()) this.signalReady(db, key);
	}

	takeReady(): ReadyKey[] {
		const ready = this.#ready;
		this.#ready = [];
		return ready;
	}

	/** Those who wait for the key now, in the order of arrival. */
	waitingFor(db: Database, key: string): BlockedCommand[] {
		const records = this.#waiting.get(db.id)?.get(key);
		return records === undefined ? [] : [...records];
	}

	/** All blocked commands. */
	records(): IterableIterator<BlockedCommand> {
		return this.#byClient.values();
	}
}
