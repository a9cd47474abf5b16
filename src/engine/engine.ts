/**
 * The engine: databases, clients, transactions, blocked commands, expiry, effects. It knows no sockets
 * and no files: requests come in through `processRequest`, replies gather in each client's buffer, and
 * entries go to the log it is given.
 */
import type { Env } from '../base/env.js';
import type { Logger } from '../base/logger.js';
import { Database } from '../keyspace/database.js';
import type { AppendLog } from '../log/append-log.js';
import { BlockingTable } from './blocking.js';
import {
	BLOCKED_BY_HELD_KEY,
	BLOCKED_BY_PAUSE,
	BLOCKED_NOT,
	BLOCKED_ON_KEYS,
	BLOCKED_ON_OFFSET,
	Client,
	NO_TRANSPORT,
	type Transport,
} from './client.js';
import { CommandSpec, NO_KEYS } from './command-spec.js';
import { CommandContext } from './context.js';
import { Dispatcher } from './dispatch.js';
import { Effects } from './effects.js';
import { Eviction } from './eviction.js';
import { Expiry } from './expiry.js';
import { HeldKeys } from './held-keys.js';
import { Memory } from './memory.js';
import { OffsetWaits } from './offset-waits.js';
import { Pause } from './pause.js';
import type { Registry } from './registry.js';
import { ReplicaExpiry } from './replica-expiry.js';
import { NOTIFY_KEYEVENT, NOTIFY_KEYSPACE, type Settings } from './settings.js';
import { Stats } from './stats.js';
import { UnitClock } from './unit-clock.js';
import { WatchTable } from './watch.js';

/** Sends messages to subscribers; the pub/sub module is one. */
export interface Publisher {
	/** Delivers to channel and pattern subscribers; the number of receivers. */
	publish(channel: string, message: string): number;
	/** Ends all subscriptions of the client, in silence. */
	forget(client: Client): void;
}

/** Called with a client whose state changed in the way the name of the list says. */
type ClientHook = (client: Client) => void;

export interface EngineOptions {
	readonly settings: Settings;
	readonly env: Env;
	readonly logger: Logger;
	readonly registry: Registry;
	readonly publisher: Publisher;
	/** Called when clients have replies to be sent and no turn is under way yet. */
	readonly scheduleTurn: () => void;
}

export class Engine {
	readonly settings: Settings;
	readonly env: Env;
	readonly logger: Logger;
	readonly registry: Registry;
	readonly publisher: Publisher;
	readonly dbs: Database[];
	readonly clients = new Map<number, Client>();
	readonly stats = new Stats();
	readonly effects: Effects;
	readonly watches = new WatchTable();
	readonly blocking: BlockingTable;
	readonly waits: OffsetWaits;
	readonly expiry: Expiry;
	readonly replicaExpiry: ReplicaExpiry;
	readonly memory: Memory;
	readonly eviction: Eviction;
	readonly pause: Pause;
	readonly heldKeys: HeldKeys;
	readonly ctx: CommandContext;
	readonly dispatcher: Dispatcher;
	/** Applies the entries of a log (start-up). */
	readonly replayClient: Client;
	/** The time of commands. */
	readonly time: UnitClock;
	/** Changes since the last snapshot (INFO persistence, rdb_changes_since_last_save). */
	dirty = 0;
	/** The last background save failed (`stop-writes-on-bgsave-error`). */
	bgsaveFailed = false;
	/** The dataset is being loaded: commands without the LOADING flag are refused. */
	loading = false;
	/** Follows a master: it says when keys expire, and clients may be refused writes. */
	isReplica = false;
	/** The link to that master works. */
	isMasterLinkUp = false;
	/** A dataset is being received that is to replace the present one, which is served until then. */
	isAsyncLoading = false;
	/** Files and payloads are read without a look at their checksums (DEBUG SET-SKIP-CHECKSUM-VALIDATION). */
	skipChecksums = false;
	/** Clients with replies that wait for the end of the turn. */
	outputPending: Client[] = [];
	/** When the present turn of the event loop began, in microseconds of the monotonic clock; -1 between turns. */
	turnStartUs = -1;
	/** `stats.commandsProcessed` at that moment. */
	turnStartCommands = 0;
	/** Replicas are attached, and this server feeds them: what is no change of the dataset goes to them too (PUBLISH). */
	feedsReplicas = false;
	/** Fewer replicas keep up than `min-replicas-to-write` asks for. */
	lacksReplicas = false;
	/** Told of every command before it runs (MONITOR). */
	onCommand: ((client: Client, dbId: number, args: readonly string[]) => void) | undefined = undefined;
	/** Told when FLUSHALL has emptied the dataset; whether a snapshot of that has been written. */
	onFlushAll: (() => boolean) | undefined = undefined;
	/** Drops the link to our master, which is then made again; whether there was one, with that `ip:port` unless ''. */
	dropMaster: ((address: string) => boolean) | undefined = undefined;
	/** Told when a client is gone. */
	readonly onClientClosed: ClientHook[] = [];
	#nextClientId = 1;
	readonly #scheduleTurn: () => void;

	constructor(options: EngineOptions) {
		this.settings = options.settings;
		this.env = options.env;
		this.time = new UnitClock(options.env.clock);
		this.logger = options.logger;
		this.registry = options.registry;
		this.publisher = options.publisher;
		this.#scheduleTurn = options.scheduleTurn;
		this.dbs = Array.from({ length: options.settings.databases }, (_, id) => new Database(id));
		this.expiry = new Expiry(this);
		this.replicaExpiry = new ReplicaExpiry(this);
		this.memory = new Memory(this);
		this.memory.applyLimit();
		this.eviction = new Eviction(this);
		this.eviction.applyPolicy();
		this.pause = new Pause(this);
		this.heldKeys = new HeldKeys(this);
		this.blocking = new BlockingTable(options.env, (record) => this.unblockAsTimeout(record.client));
		this.waits = new OffsetWaits(this);
		this.replayClient = new Client(0, NO_TRANSPORT, this.dbs[0]!, options.env.clock.nowMs(), true);
		this.replayClient.isReplay = true;
		const idle = new CommandSpec('', () => undefined, 1, 0, NO_KEYS, 0, {});
		this.ctx = new CommandContext(this, this.replayClient, idle);
		this.effects = new Effects(this.ctx);
		this.dispatcher = new Dispatcher(this);
	}

	get log(): AppendLog | undefined {
		return this.effects.log;
	}

	// ---- clients --------------------------------------------------------------------------------

	addClient(transport: Transport): Client {
		const authenticated = this.settings.requirepass === '';
		const client = new Client(
			this.#nextClientId++,
			transport,
			this.dbs[0]!,
			this.env.clock.nowMs(),
			authenticated,
		);
		this.clients.set(client.id, client);
		return client;
	}

	/** The connection is gone: the client leaves every table. */
	removeClient(client: Client): void {
		if (!this.clients.delete(client.id)) return;
		client.closing = true;
		if (client.blocked === BLOCKED_ON_KEYS) this.blocking.unblock(client);
		else if (client.blocked === BLOCKED_BY_PAUSE) this.pause.forget(client);
		else if (client.blocked === BLOCKED_BY_HELD_KEY) this.heldKeys.forget(client);
		else if (client.blocked === BLOCKED_ON_OFFSET) this.waits.forget(client);
		client.blocked = BLOCKED_NOT;
		this.watches.unwatchAll(client);
		this.publisher.forget(client);
		this.effects.origins?.clientChanged(client.id);
		for (const hook of this.onClientClosed) hook(client);
	}

	/** The client's name or user has changed: the origins of the log are to say so. */
	clientRenamed(client: Client): void {
		this.effects.origins?.clientChanged(client.id);
	}

	/** Input has arrived: reads the clock, and begins a turn unless one is under way. */
	beginInput(): void {
		const us = this.time.read();
		if (this.turnStartUs >= 0) return;
		this.turnStartUs = us;
		this.turnStartCommands = this.stats.commandsProcessed;
	}

	/** The client has replies to be sent: it is served at the end of the turn. */
	markOutput(client: Client): void {
		if (client.outputPending || client.isReplay) return;
		client.outputPending = true;
		if (this.outputPending.push(client) === 1) this.#scheduleTurn();
	}

	/** What has been appended to the log outside of a request is to be written at the end of this turn. */
	requestTurn(): void {
		this.#scheduleTurn();
	}

	/**
	 * Something happened for a client outside its own requests: sends its replies, and goes on with its
	 * requests if it is not blocked, but not before the execution unit under way has ended.
	 */
	clientProgressed(client: Client): void {
		if (!client.reply.isEmpty()) this.markOutput(client);
		if (client.blocked === BLOCKED_NOT) this.dispatcher.continueLater(client, undefined);
	}

	// ---- commands -------------------------------------------------------------------------------

	/** One request of a client; [start, end) of `source` are its bytes if `end` is not 0. */
	processRequest(client: Client, args: string[], source: Buffer, start: number, end: number): void {
		this.dispatcher.processRequest(client, args, source, start, end);
	}

	/** As `processRequest`, for a request whose bytes are not at hand. */
	processCommand(client: Client, args: string[]): void {
		this.dispatcher.processCommand(client, args);
	}

	/** Starts an execution unit that is no command (a timer's work): its time is now. */
	beginUnit(): CommandContext {
		this.ctx.nowMs = this.env.clock.nowMs();
		return this.ctx;
	}

	/** Ends such a unit: appends its effects, serves those whom it unblocked. */
	endUnit(separateEffects: boolean): void {
		this.effects.commit(separateEffects);
		this.dispatcher.serveReadyKeys();
	}

	// ---- changes --------------------------------------------------------------------------------

	signalModified(db: Database, key: string): void {
		if (!this.watches.isEmpty) this.watches.touch(db, key);
	}

	/** Publishes the keyspace event on its channels, as far as `notify-keyspace-events` asks for it. */
	notify(eventClass: number, event: string, dbId: number, key: string): void {
		const flags = this.settings.notifyKeyspaceEvents;
		if (!(flags & eventClass)) return;
		if (flags & NOTIFY_KEYSPACE) this.publisher.publish(`__keyspace@${dbId}__:${key}`, event);
		if (flags & NOTIFY_KEYEVENT) this.publisher.publish(`__keyevent@${dbId}__:${event}`, key);
	}

	/** Empties one database, or all (`dbId` -1); the number of keys removed. */
	emptyDatabases(dbId: number): number {
		let removed = 0;
		for (const db of this.dbs) {
			if (dbId !== -1 && db.id !== dbId) continue;
			removed += db.size;
			this.watches.touchAll(db, undefined, this.ctx.nowMs);
			db.clear();
		}
		return removed;
	}

	// ---- waiting --------------------------------------------------------------------------------

	/** Whether the client waits for keys or replicas, so that its wait can be ended. */
	isWaiting(client: Client): boolean {
		return client.blocked === BLOCKED_ON_KEYS || client.blocked === BLOCKED_ON_OFFSET;
	}

	/** Ends the wait of a client with an error (CLIENT UNBLOCK, failover …). */
	unblockWithError(client: Client, text: string): void {
		if (client.blocked === BLOCKED_ON_OFFSET) return this.waits.endWithError(client, text);
		const record = this.blocking.unblock(client);
		if (record === undefined) return;
		this.stats.countError(text);
		this.dispatcher.endWait(record, (reply) => reply.error(text), true);
	}

	/** Ends the wait of a client as if its time were over; false if it was not waiting. */
	unblockAsTimeout(client: Client): boolean {
		if (client.blocked === BLOCKED_ON_OFFSET) return this.waits.endAsTimeout(client);
		const record = this.blocking.unblock(client);
		if (record === undefined) return false;
		const { timeoutNilArray } = record;
		this.dispatcher.endWait(record, (reply) => (timeoutNilArray ? reply.nilArray() : reply.nil()), false);
		return true;
	}

	/** Releases every timer. The engine is not usable afterwards. */
	stop(): void {
		this.pause.stop();
		this.eviction.stop();
		this.waits.stop();
		for (const record of [...this.blocking.records()]) this.blocking.unblock(record.client);
	}
}
