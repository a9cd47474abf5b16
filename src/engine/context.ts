/**
 * What a handler is given: the request, the client, the keyspace under the rules (expiry, statistics,
 * watchers, waiters, notifications), and the means to reply and to say what goes into the log.
 *
 * There is one context in a server; it is set for each command and saved around nested ones. A handler
 * must not keep it.
 *
 * Effects: a command of a row with WRITE that raised `dirty` is logged as it was sent. Where that would
 * not be deterministic or absolute, the handler calls `replaceEffect` (the command is logged like this
 * instead), `addEffect` (in addition, before the command itself) or `suppressEffect`.
 */
import type { Database } from '../keyspace/database.js';
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import type { StringValue, Value } from '../types/value.js';
import type { WaitType } from './blocking.js';
import type { Client } from './client.js';
import type { CommandSpec } from './command-spec.js';
import type { Engine } from './engine.js';
import { wrongArity } from './errors.js';
import type { Settings } from './settings.js';
import { NOTIFY_GENERIC, NOTIFY_KEY_MISS, NOTIFY_NEW } from './settings.js';

export class CommandContext {
	readonly engine: Engine;
	readonly settings: Settings;
	client: Client;
	reply: ReplyBuffer;
	db: Database;
	spec: CommandSpec;
	/** The request: `args[0]` is the command's name as it was sent. Not to be changed. */
	args: string[] = [];
	/** The time of the execution unit: all that it does happens at this moment (wall clock, ms). */
	nowMs = 0;
	/** The access clock to stamp keys with. */
	accessClock = 0;
	/** Changes made by the present command; more than 0 makes it an entry of the log. */
	dirty = 0;
	/** Set in an EXEC or a script: a command that would block replies at once as if its time were over. */
	denyBlocking = false;
	/** Executed again after having waited for a key. */
	isRetry = false;
	/** The command replied with an error (for the statistics). */
	failed = false;
	/** Set by `replaceEffect`. */
	effectArgs: readonly string[] | undefined = undefined;
	effectSuppressed = false;

	constructor(engine: Engine, client: Client, spec: CommandSpec) {
		this.engine = engine;
		this.settings = engine.settings;
		this.client = client;
		this.reply = client.reply;
		this.db = client.db;
		this.spec = spec;
	}

	// ---- replies --------------------------------------------------------------------------------

	/** An error reply, counted; `text` begins with its code ("ERR …"). */
	replyError(text: string): void {
		this.failed = true;
		this.engine.stats.countError(text);
		this.reply.error(text);
	}

	replyWrongArity(): void {
		this.replyError(wrongArity(this.spec.name));
	}

	/** A string value as a bulk string. */
	replyString(value: StringValue): void {
		if (typeof value === 'string') this.reply.bulk(value);
		else if (typeof value === 'number') this.reply.bulk('' + value);
		else this.reply.bulkBuffer(value.toBuffer());
	}

	/** An array of bulk strings. */
	replyBulks(values: readonly string[]): void {
		this.reply.array(values.length);
		for (const value of values) this.reply.bulk(value);
	}

	/** The reply of a HELP subcommand: a head line, the given lines, and HELP itself. */
	replyHelp(lines: readonly string[]): void {
		const name = this.args[0]!.toUpperCase();
		const all = [
			`${name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`,
			...lines,
			'HELP',
			'    Print this help.',
		];
		this.reply.array(all.length);
		for (const line of all) this.reply.simple(line);
	}

	// ---- the keyspace ---------------------------------------------------------------------------

	/** The value for reading: counts a hit or a miss, stamps the access clock. */
	lookupRead(key: string): Value | undefined {
		const db = this.db;
		if (db.expires.size > 0 && this.engine.expiry.expireIfNeeded(db, key)) return this.#miss(key);
		const value = this.client.noTouch ? db.get(key) : db.getAndTouch(key, this.accessClock);
		if (value === undefined) return this.#miss(key);
		this.engine.stats.keyspaceHits++;
		return value;
	}

	/** As `lookupRead`, and leaves the access clock alone (EXISTS, TYPE, TTL). */
	lookupReadNoTouch(key: string): Value | undefined {
		const value = this.peek(key);
		if (value === undefined) return this.#miss(key);
		this.engine.stats.keyspaceHits++;
		return value;
	}

	/** As `peek`, and counts a hit or a miss (OBJECT, SCAN … TYPE). */
	peekCounted(key: string): Value | undefined {
		const value = this.peek(key);
		if (value === undefined) this.engine.stats.keyspaceMisses++;
		else this.engine.stats.keyspaceHits++;
		return value;
	}

	#miss(key: string): undefined {
		this.engine.stats.keyspaceMisses++;
		if (this.settings.notifyKeyspaceEvents & NOTIFY_KEY_MISS) this.notify(NOTIFY_KEY_MISS, 'keymiss', key);
		return undefined;
	}

	/** The value for writing: stamps the access clock, counts nothing. */
	lookupWrite(key: string): Value | undefined {
		const db = this.db;
		if (db.expires.size > 0 && this.engine.expiry.expireIfNeeded(db, key)) return undefined;
		const value = db.getToChange(key, this.client.noTouch ? -1 : this.accessClock);
		if (this.settings.maxmemory !== 0 && value !== undefined) this.engine.memory.noteAccess(value);
		return value;
	}

	/** The value, with neither statistics nor access clock (OBJECT, TYPE and the like). */
	peek(key: string): Value | undefined {
		const db = this.db;
		if (db.expires.size > 0 && this.engine.expiry.expireIfNeeded(db, key)) return undefined;
		return db.get(key);
	}

	/**
	 * Sets the key, in any case as a whole new value: watchers are told, waiters for its type are
	 * signalled, and its expiry time goes unless `keepTtl`.
	 */
	setKey(key: string, value: Value, keepTtl = false): void {
		const db = this.db;
		const isNew = db.set(key, value, this.accessClock);
		if (!keepTtl) db.removeExpiry(key);
		if (isNew) this.#added(key, value);
		else if (typeof value === 'object') this.engine.blocking.signalReady(db, key);
		this.engine.signalModified(db, key);
	}

	/** Adds a key known to be absent. The caller signals the modification. */
	addKey(key: string, value: Value): void {
		this.db.set(key, value, this.accessClock);
		this.#added(key, value);
	}

	#added(key: string, value: Value): void {
		if (this.settings.maxmemory !== 0) this.engine.memory.noteAccess(value);
		if (typeof value === 'object') this.engine.blocking.signalReady(this.db, key);
		if (this.settings.notifyKeyspaceEvents & NOTIFY_NEW) this.notify(NOTIFY_NEW, 'new', key);
	}

	/** Replaces the value of an existing key in place; expiry time, watchers and waiters are left alone. */
	replaceValue(key: string, value: Value): void {
		if (this.settings.maxmemory !== 0) this.engine.memory.noteAccess(value);
		this.db.set(key, value, this.accessClock);
	}

	/** Deletes the key, expired or not; watchers are told. False if it was not there. */
	deleteKey(key: string): boolean {
		if (!this.db.delete(key)) return false;
		this.engine.signalModified(this.db, key);
		return true;
	}

	/** The last element of an aggregate is gone: deletes its key with the `del` event. */
	deleteEmptied(key: string): void {
		this.db.delete(key);
		this.notify(NOTIFY_GENERIC, 'del', key);
	}

	/** Tells watchers (and later trackers) that the key has changed. */
	signalModified(key: string): void {
		this.engine.signalModified(this.db, key);
	}

	/** Data was added to a key that clients may wait for. `setKey` and `addKey` do it themselves. */
	signalReady(key: string): void {
		this.engine.blocking.signalReady(this.db, key);
	}

	/** A keyspace event of the class, if it is switched on. */
	notify(eventClass: number, event: string, key: string): void {
		if (this.settings.notifyKeyspaceEvents !== 0) this.engine.notify(eventClass, event, this.db.id, key);
	}

	// ---- the log --------------------------------------------------------------------------------

	/** Logs these arguments in the place of the request (if `dirty` is raised). */
	replaceEffect(args: readonly string[]): void {
		this.effectArgs = args;
	}

	/** Logs one more entry in the present database. */
	addEffect(args: readonly string[]): void {
		this.engine.effects.add(this.db.id, args);
	}

	/** The request itself is not logged; what `addEffect` added is. */
	suppressEffect(): void {
		this.effectSuppressed = true;
	}

	// ---- waiting --------------------------------------------------------------------------------

	/**
	 * Parks the command until one of the keys is ready; it is then executed again from its arguments.
	 * Where blocking is not possible (`denyBlocking`) the handler must reply by itself instead.
	 * `timeoutMs` 0 waits for ever.
	 */
	blockOnKeys(
		keys: readonly string[],
		type: WaitType,
		timeoutMs: number,
		timeoutNilArray: boolean,
		unblockOnNoKey = false,
	): void {
		if (this.isRetry) {
			const record = this.engine.blocking.recordOf(this.client);
			if (record !== undefined) record.waitsOn = true; // else the client has been closed meanwhile
			return;
		}
		this.engine.blocking.block(
			{
				client: this.client,
				db: this.db,
				keys,
				type,
				spec: this.spec,
				args: this.args,
				timeoutNilArray,
				unblockOnNoKey,
				timer: undefined,
				waitsOn: false,
			},
			timeoutMs,
		);
	}
}
