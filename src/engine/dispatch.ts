/**
 * The way of a request: look up its row, check what Redis checks in its order (server.c,
 * processCommand), then queue it, hold it back or run it; afterwards statistics, effects, and the
 * clients that it unblocked.
 */
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import type { BlockedCommand } from './blocking.js';
import { BLOCKED_NOT, type Client, REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT } from './client.js';
import type { CommandSpec } from './command-spec.js';
import {
	BRIEF,
	DENYOOM,
	FAST,
	LOADING,
	MAY_REPLICATE,
	NO_ASYNC_LOADING,
	NO_AUTH,
	NO_MULTI,
	PROTECTED,
	READONLY,
	STALE,
	TOUCHES_ARBITRARY_KEYS,
	WRITE,
} from './command-spec.js';
import type { Engine } from './engine.js';
import {
	ERR_BGSAVE,
	ERR_LOADING,
	ERR_MASTERDOWN,
	ERR_NO_REPLICAS,
	ERR_NOAUTH,
	ERR_OOM,
	ERR_READONLY,
	unknownSubcommand,
	wrongArity,
} from './errors.js';
import { EVICTION_FAILED } from './eviction.js';
import { LatencyHistogram } from './latency-histogram.js';

/** Commands that a transaction executes at once instead of queueing them. */
const NOT_QUEUED: ReadonlySet<string> = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset']);
/** What is never refused in a transaction for lack of memory: it ends the transaction. */
const QUEUELESS: ReadonlySet<string> = new Set(['exec', 'discard', 'quit', 'reset']);
/** What a RESP2 client may send while it is subscribed. */
const ALLOWED_IN_PUBSUB: ReadonlySet<string> = new Set([
	'ping',
	'subscribe',
	'ssubscribe',
	'unsubscribe',
	'sunsubscribe',
	'psubscribe',
	'punsubscribe',
	'quit',
	'reset',
]);
/** A client that may go on, and the command that was held back, if one was. */
interface Continuation {
	readonly client: Client;
	readonly args: string[] | undefined;
}

/** Whether the command has the flag, or ends a transaction with one that has. */
function hasFlag(client: Client, spec: CommandSpec, flag: number): boolean {
	return (
		(spec.flags & flag) !== 0 ||
		(spec.name === 'exec' && client.queued.some((q) => (q.spec.flags & flag) !== 0))
	);
}

const NO_SOURCE = Buffer.alloc(0);
/** The arguments shown in an error about an unknown command, in bytes. */
const UNKNOWN_ARGS_LENGTH_MAX = 128;
/** Requests of a run: about as many microseconds for which the clock of commands stands. */
const RUN_LENGTH_MAX = 64;
/** FAST commands take constant time for each argument, and a run consists of those with so many at most. */
const RUN_ARGS_MAX = 4;
/** What a HTTP request has, and no command is called. */
const HTTP_WORDS: ReadonlySet<string> = new Set(['post', 'host:']);

/** As an error message of Redis shows it, where a string ends at its first NUL. */
function untilNul(text: string): string {
	const end = text.indexOf('\x00');
	return end < 0 ? text : text.slice(0, end);
}

export class Dispatcher {
	readonly #engine: Engine;
	/** Depth of nested executions: a command that EXEC runs is at 2. */
	#depth = 0;
	#source: Buffer = NO_SOURCE;
	#start = 0;
	#end = 0;
	/** The last row found: most requests call what the one before them called. */
	#lastName = '';
	#lastSpec: CommandSpec | undefined = undefined;
	/**
	 * A run: the last requests, all of one command of constant time and from one read of a connection. They share one reading of
	 * the clock, which takes as long as a tenth of such a command.
	 */
	#runSpec: CommandSpec | undefined = undefined;
	#runLength = 0;
	#servingReady = false;
	/** Clients that are free to go on, in the order in which they became so. */
	#continuing: Continuation[] = [];
	#continuingNow = false;

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	processCommand(client: Client, args: string[]): void {
		this.processRequest(client, args, NO_SOURCE, 0, 0);
	}

	processRequest(client: Client, args: string[], source: Buffer, start: number, end: number): void {
		if (args.length === 0) return;
		if (client.replyMode === REPLY_ON) {
			this.#source = source;
			this.#start = start;
			this.#end = end;
			this.#process(client, args);
			return;
		}
		const { reply } = client;
		reply.closeRope();
		const chunkCount = reply.chunks.length;
		const { chunkBytes } = reply;
		if (client.replyMode === REPLY_SKIP_NEXT) client.replyMode = REPLY_SKIP;
		this.#source = source;
		this.#start = start;
		this.#end = end;
		this.#process(client, args);
		dropUnwanted(client, chunkCount, chunkBytes);
	}

	#reject(client: Client, spec: CommandSpec | undefined, text: string): void {
		if (spec !== undefined) spec.rejectedCalls++;
		if (spec?.name === 'exec') {
			// Said even where there is no transaction; where there is one, it ends here.
			if (client.inMulti) this.discardTransaction(client);
			const reason = text.startsWith('ERR ') ? text.slice(4) : text;
			this.#engine.stats.countError('EXECABORT');
			client.reply.error(`EXECABORT Transaction discarded because of: ${reason}`);
			return;
		}
		if (client.inMulti) client.dirtyExec = true;
		this.#engine.stats.countError(text);
		client.reply.error(text);
	}

	/** A browser was made to talk to us: nothing it says is to be done, and nothing is answered. */
	#abortHttp(client: Client): void {
		this.#engine.logger.log(
			'warning',
			'Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. ' +
				'This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your ' +
				`Redis instance. Connection from client id=${client.id} aborted.`,
		);
		client.transport.closeNow();
	}

	/** The row for the arguments: the subcommand's where there is one. Undefined after an error reply. */
	#lookup(client: Client, args: readonly string[]): CommandSpec | undefined {
		const name = args[0]!;
		if (name === this.#lastName && this.#lastSpec !== undefined) return this.#lastSpec;
		const spec = this.#engine.registry.lookup(name);
		if (spec === undefined) {
			if (HTTP_WORDS.has(name.toLowerCase())) {
				this.#abortHttp(client);
				return undefined;
			}
			let shown = '';
			for (let i = 1; i < args.length && shown.length < UNKNOWN_ARGS_LENGTH_MAX; i++)
				shown += `'${untilNul(args[i]!).slice(0, UNKNOWN_ARGS_LENGTH_MAX - shown.length)}' `;
			this.#reject(
				client,
				undefined,
				`ERR unknown command '${untilNul(name).slice(0, 128)}', with args beginning with: ${shown}`,
			);
			return undefined;
		}
		if (spec.subcommands !== undefined && args.length > 1) {
			const sub = spec.subcommands.get(args[1]!.toLowerCase());
			if (sub === undefined) {
				this.#reject(client, undefined, unknownSubcommand(args[1]!, spec.name));
				return undefined;
			}
			return sub;
		}
		if (spec.subcommands === undefined) {
			this.#lastName = name;
			this.#lastSpec = spec;
		}
		return spec;
	}

	#process(client: Client, args: string[]): void {
		const engine = this.#engine;
		const spec = this.#lookup(client, args);
		if (spec === undefined) return;
		client.lastCommand = spec.name;
		if (!spec.arityOk(args.length)) {
			this.#reject(client, spec, wrongArity(spec.name));
			return;
		}
		const refusal = this.#refusal(client, spec);
		if (refusal !== undefined) {
			this.#reject(client, spec, refusal);
			return;
		}
		const { pause } = engine;
		if (
			pause.writesPaused &&
			!client.isReplay &&
			!client.isReplica &&
			(pause.allPaused ||
				spec.flags & (WRITE | MAY_REPLICATE) ||
				(spec.name === 'exec' && client.queued.some((q) => q.spec.flags & (WRITE | MAY_REPLICATE))))
		) {
			pause.postpone(client, spec, args);
			return;
		}
		if (engine.heldKeys.active && !client.isReplay && engine.heldKeys.concerns(client, spec, args)) {
			engine.heldKeys.postpone(client, args);
			return;
		}
		if (client.inMulti && !NOT_QUEUED.has(spec.name)) {
			if (!client.dirtyExec && !client.dirtyCas) {
				client.queued.push({ spec, args });
				for (const arg of args) client.queuedBytes += arg.length + 24;
			}
			client.reply.simple('QUEUED');
			return;
		}
		this.call(client, spec, args, false);
		if (engine.blocking.hasReadyKeys) this.serveReadyKeys();
		if (this.#continuing.length > 0) this.#continueClients();
	}

	/** Why the command may not run now, as an error reply; undefined if it may. */
	#refusal(client: Client, spec: CommandSpec): string | undefined {
		const engine = this.#engine;
		const { flags } = spec;
		if (flags & PROTECTED && !protectedAllowed(engine.settings.enableDebugCommand, client)) {
			return (
				'ERR DEBUG command not allowed. If the enable-debug-command option is set to "local", ' +
				'you can run it from a local connection, otherwise you need to set this option ' +
				'in the configuration file, and then restart the server.'
			);
		}
		if (!client.authenticated && !(flags & NO_AUTH)) return ERR_NOAUTH;
		if (client.inMulti && flags & NO_MULTI) return 'ERR Command not allowed inside a transaction';
		if (
			engine.settings.maxmemory !== 0 &&
			!client.isReplay &&
			!(engine.isReplica && engine.settings.replicaIgnoreMaxmemory) &&
			this.#outOfMemory(client, spec)
		)
			return ERR_OOM;
		const { log } = engine;
		if (engine.bgsaveFailed || (log !== undefined && log.writeError !== null)) {
			const misconf = this.#misconf();
			if (misconf !== undefined && (spec.name === 'ping' || hasFlag(client, spec, WRITE))) return misconf;
		}
		if (engine.lacksReplicas && !client.isReplay && hasFlag(client, spec, WRITE)) return ERR_NO_REPLICAS;
		if (engine.isReplica && engine.settings.replicaReadOnly && hasFlag(client, spec, WRITE))
			return ERR_READONLY;
		if (
			client.reply.resp === 2 &&
			(client.channels !== undefined ||
				client.patterns !== undefined ||
				client.shardChannels !== undefined) &&
			client.subscriptionCount > 0 &&
			!ALLOWED_IN_PUBSUB.has(spec.name)
		)
			return (
				`ERR Can't execute '${spec.name}': only (P|S)SUBSCRIBE / ` +
				'(P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context'
			);
		if (
			engine.isReplica &&
			!engine.isMasterLinkUp &&
			!engine.settings.replicaServeStaleData &&
			(!(flags & STALE) || (spec.name === 'exec' && client.queued.some((q) => !(q.spec.flags & STALE))))
		)
			return ERR_MASTERDOWN;
		if (engine.isAsyncLoading && hasFlag(client, spec, NO_ASYNC_LOADING)) return ERR_LOADING;
		if (engine.loading && !client.isReplay) {
			const allowed =
				flags & LOADING && !(spec.name === 'exec' && client.queued.some((q) => !(q.spec.flags & LOADING)));
			if (!allowed) return ERR_LOADING;
		}
		// It is not held back by pauses, and must not make use of that.
		if (client.isReplica && flags & (WRITE | READONLY | MAY_REPLICATE))
			return "ERR Replica can't interact with the keyspace";
		return undefined;
	}

	/** Why writes are refused, as an error reply; undefined if they are not. */
	#misconf(): string | undefined {
		const { bgsaveFailed, settings, log } = this.#engine;
		if (bgsaveFailed && settings.stopWritesOnBgsaveError && settings.save.length > 0) return ERR_BGSAVE;
		const writeError = log?.writeError ?? null;
		return writeError === null ? undefined : `MISCONF Errors writing to the AOF file: ${writeError}`;
	}

	/**
	 * Evicts as far as memory is over the limit; whether the command is to be refused where that does not
	 * help. A transaction's queue grows without a limit, so nothing is added to it then.
	 */
	#outOfMemory(client: Client, spec: CommandSpec): boolean {
		if (this.#engine.eviction.perform() !== EVICTION_FAILED) return false;
		if (client.inMulti && !QUEUELESS.has(spec.name)) return true;
		return deniesOom(spec) || (spec.name === 'exec' && client.queued.some((q) => deniesOom(q.spec)));
	}

	/**
	 * Runs a command: handler, statistics, effects. Used for requests, for the commands of an EXEC, and
	 * for waiting commands that are tried again (`isRetry`).
	 */
	call(client: Client, spec: CommandSpec, args: string[], isRetry: boolean): void {
		if (this.#depth === 0) {
			const { ctx, time, turnStartUs, eviction } = this.#engine;
			if (turnStartUs < 0) time.read(); // no input led here, but a timer
			ctx.nowMs = time.wallMs;
			ctx.accessClock = eviction.stamp(ctx.nowMs);
			this.#execute(client, spec, args, isRetry);
			return;
		}
		const { ctx } = this.#engine;
		const { client: outerClient, spec: outerSpec, args: outerArgs, db: outerDb, dirty: outerDirty } = ctx;
		const { reply: outerReply, failed: outerFailed } = ctx;
		this.#execute(client, spec, args, isRetry);
		ctx.client = outerClient;
		ctx.reply = outerReply;
		ctx.spec = outerSpec;
		ctx.args = outerArgs;
		ctx.db = outerDb;
		ctx.dirty = outerDirty;
		ctx.failed = outerFailed;
	}

	#execute(client: Client, spec: CommandSpec, args: string[], isRetry: boolean): void {
		const engine = this.#engine;
		const { ctx, effects, time } = engine;
		const end = this.#end;
		this.#end = 0;
		const outer = this.#depth++ === 0;
		ctx.client = client;
		ctx.reply = client.reply;
		ctx.db = client.db;
		ctx.spec = spec;
		ctx.args = args;
		ctx.dirty = 0;
		ctx.isRetry = isRetry;
		ctx.failed = false;
		ctx.effectArgs = undefined;
		ctx.effectSuppressed = false;
		if (engine.onCommand !== undefined && !isRetry && !client.isReplay)
			engine.onCommand(client, ctx.db.id, args);
		if (this.#runSpec !== undefined && this.#runSpec !== spec) this.endRun();
		const startUs = time.us;
		const dbId = client.db.id;

		try {
			spec.handler(ctx);
		} catch (error) {
			this.#reportBug(spec, error);
			ctx.replyError('ERR internal error, see the log of the server');
		}

		this.#depth--;
		if (engine.settings.maxmemory !== 0) engine.memory.settle(dbId, args);
		if (
			!client.isReplay &&
			(isRetry ? engine.blocking.recordOf(client)?.waitsOn !== true : client.blocked === BLOCKED_NOT)
		) {
			this.#count(spec, ctx.failed);
			if (end > 0 && outer && spec.flags & (FAST | BRIEF) && args.length <= RUN_ARGS_MAX) this.#inRun(spec);
			else this.#account(spec, time.read() - startUs, 1);
		}
		if (ctx.dirty > 0) {
			engine.dirty += ctx.dirty;
			if (engine.isReplica && !client.isReplay) engine.replicaExpiry.written(dbId, spec, args);
			client.hasWritten = true;
			if (!ctx.effectSuppressed) {
				if (ctx.effectArgs !== undefined) effects.add(dbId, ctx.effectArgs);
				else if (outer && end > 0 && effects.isEmpty) effects.appendRaw(dbId, this.#source, this.#start, end);
				else effects.add(dbId, args);
			}
		}
		if (outer) {
			if (!effects.isEmpty) effects.commit((spec.flags & TOUCHES_ARBITRARY_KEYS) !== 0);
			if (client.hasAsidePushes && client.replyMode === REPLY_ON) client.takePushes();
		}
	}

	#count(spec: CommandSpec, failed: boolean): void {
		this.#engine.stats.commandsProcessed++;
		spec.calls++;
		if (failed) spec.failedCalls++;
	}

	#inRun(spec: CommandSpec): void {
		this.#runSpec = spec;
		if (++this.#runLength >= RUN_LENGTH_MAX) this.endRun();
	}

	/** Accounts for the run that has just ended. To be called before time passes that is not the commands'. */
	endRun(): void {
		const spec = this.#runSpec;
		if (spec === undefined) return;
		const { time } = this.#engine;
		const startUs = time.us;
		this.#account(spec, time.read() - startUs, this.#runLength);
		this.#runSpec = undefined;
		this.#runLength = 0;
	}

	/** `durationUs`: of `calls` calls together. */
	#account(spec: CommandSpec, durationUs: number, calls: number): void {
		const engine = this.#engine;
		if (this.#depth === 0) engine.stats.eventLoopCommandUs += durationUs;
		spec.totalUs += durationUs;
		if (engine.settings.latencyTracking) {
			spec.latency ??= new LatencyHistogram();
			spec.latency.record(durationUs / calls, calls);
		}
	}

	#reportBug(spec: CommandSpec, error: unknown): void {
		const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
		this.#engine.logger.log('warning', `=== BUG: the handler of ${spec.name} threw: ${detail}`);
	}

	/** Whether a command of that client is under way. */
	isExecuting(client: Client): boolean {
		return this.#depth > 0 && this.#engine.ctx.client === client;
	}

	/** Leaves MULTI: the queue, the watches and the marks go. */
	discardTransaction(client: Client): void {
		client.inMulti = false;
		client.dirtyExec = false;
		client.dirtyCas = false;
		client.queued = [];
		client.queuedBytes = 0;
		this.#engine.watches.unwatchAll(client);
	}

	/** Tries the commands again that wait for keys which have become ready, until none is left. */
	serveReadyKeys(): void {
		const { blocking, ctx, heldKeys } = this.#engine;
		// A command being served makes keys ready too: they come after those that were ready before.
		if (this.#servingReady) return;
		this.#servingReady = true;
		while (blocking.hasReadyKeys) {
			for (const waited of blocking.takeReady()) {
				waited.ready = false;
				const { db, key } = waited;
				for (const record of [...waited.waiters]) {
					const expireAtMs = db.expireAt(key);
					const value = expireAtMs >= 0 && ctx.nowMs > expireAtMs ? undefined : db.get(key);
					const fits = typeof value === 'object' && 'type' in value && value.type === record.type;
					if (!fits && !record.unblockOnNoKey) continue;
					if (heldKeys.active && heldKeys.concerns(record.client, record.spec, record.args)) {
						heldKeys.postponeServing(db, key);
						continue;
					}
					if (blocking.recordOf(record.client) === record) this.#retry(record);
				}
			}
		}
		this.#servingReady = false;
		if (this.#depth === 0 && this.#continuing.length > 0) this.#continueClients();
	}

	/**
	 * Executes a waiting command again. It keeps its place and its deadline if it has to wait on: only
	 * when it did not block again does its record go.
	 */
	#retry(record: BlockedCommand): void {
		const { client } = record;
		const { reply } = client;
		reply.closeRope();
		const chunkCount = reply.chunks.length;
		const { chunkBytes } = reply;
		record.waitsOn = false;
		this.call(client, record.spec, record.args, true);
		if (record.waitsOn) return;
		this.#engine.blocking.unblock(client);
		dropUnwanted(client, chunkCount, chunkBytes);
		this.#engine.clientProgressed(client);
	}

	/** Replies to a command whose wait has ended without being executed again. */
	endWait(
		record: { readonly client: Client; readonly spec: CommandSpec },
		write: (reply: ReplyBuffer) => void,
		failed: boolean,
	): void {
		const { client } = record;
		const { reply } = client;
		reply.closeRope();
		const chunkCount = reply.chunks.length;
		const { chunkBytes } = reply;
		write(reply);
		dropUnwanted(client, chunkCount, chunkBytes);
		this.#count(record.spec, failed);
		this.#account(record.spec, 0, 1);
		this.#engine.clientProgressed(client);
	}

	/**
	 * The client's requests that were held back are executed, after `args` if it is given: as soon as the
	 * execution unit under way has ended and those who wait for keys have been served, so that neither a
	 * transaction nor the order of the waiters is broken into.
	 */
	continueLater(client: Client, args: string[] | undefined): void {
		this.#continuing.push({ client, args });
		if (this.#depth === 0 && !this.#servingReady) this.#continueClients();
	}

	/** Not recursive: a chain of clients that free one another must not grow the stack. */
	#continueClients(): void {
		if (this.#continuingNow) return;
		this.#continuingNow = true;
		for (let i = 0; i < this.#continuing.length; i++) {
			const { client, args } = this.#continuing[i]!;
			if (client.closing || client.blocked !== BLOCKED_NOT) continue;
			if (args !== undefined) this.processCommand(client, args);
			if (!client.reply.isEmpty()) this.#engine.markOutput(client);
			if (client.blocked === BLOCKED_NOT) client.transport.resume();
		}
		this.#continuing = [];
		this.#continuingNow = false;
	}
}

/**
 * Drops what was added to the client's replies since the state noted, as CLIENT REPLY asks for. SKIP
 * ends with a command, and one that waits has not ended.
 */
function dropUnwanted(client: Client, chunkCount: number, chunkBytes: number): void {
	const mode = client.replyMode;
	if (mode === REPLY_ON) return;
	if (mode === REPLY_SKIP && client.blocked === BLOCKED_NOT) client.replyMode = REPLY_ON;
	client.reply.truncate(chunkCount, chunkBytes, '');
}

function protectedAllowed(setting: 'no' | 'yes' | 'local', client: Client): boolean {
	if (setting === 'yes') return true;
	if (setting === 'no') return client.isReplay;
	const address = client.transport.remoteAddress;
	return (
		address.startsWith('127.') || address.startsWith('[::1]') || address.startsWith('/') || client.isReplay
	);
}

/** Whether the command may be refused for lack of memory. */
function deniesOom(spec: CommandSpec): boolean {
	return (spec.flags & DENYOOM) !== 0;
}
