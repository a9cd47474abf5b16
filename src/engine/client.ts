/**
 * A client as the engine sees it: who it is, its database, its transaction, what it waits for and its
 * replies. How bytes come and go is the transport's business.
 */
import type { Database } from '../keyspace/database.js';
import { ReplyBuffer } from '../protocol/reply-buffer.js';
import type { CommandSpec } from './command-spec.js';

/** What the engine may ask of a connection. */
export interface Transport {
	/** `ip:port`, or `path:0` for a Unix socket. */
	readonly remoteAddress: string;
	/** The server's end, as `remoteAddress`. */
	readonly localAddress: string;
	/** File descriptor, or -1 if there is none. */
	readonly fd: number;
	/** Bytes of requests that have not been executed to their end, and the room left in their buffer. */
	queryBufferBytes(): number;
	queryBufferFree(): number;
	/** Sum of the argument lengths of the request in progress; 0 if there is none. */
	argumentBytes(): number;
	/** Bytes of replies handed over but not taken by the network yet. */
	outputBytes(): number;
	/** Number of pieces those bytes are in. */
	outputPieces(): number;
	/** Continues with requests that were held back while the client was blocked. */
	resume(): void;
	/** Sends what is waiting, then closes. */
	closeAfterReply(): void;
	/** Closes at once; replies not sent are lost. */
	closeNow(): void;
	/**
	 * Sends bytes past the replies (a string: latin1); false if enough is waiting now: then what `onDrained` was given
	 * is called when the network has taken it.
	 */
	sendBytes(bytes: Buffer | string): boolean;
	onDrained(fn: () => void): void;
	/** Whether small segments leave without delay. */
	setNoDelay(on: boolean): void;
}

/** A command queued by MULTI. */
export interface QueuedCommand {
	readonly spec: CommandSpec;
	readonly args: string[];
}

export interface WatchedKey {
	readonly dbId: number;
	readonly key: string;
	/** Whether the key was logically expired, though not deleted, when the watch began. */
	readonly wasExpired: boolean;
}

/** Why a client's requests are not executed for now. */
export const BLOCKED_NOT = 0;
export const BLOCKED_ON_KEYS = 1;
export const BLOCKED_BY_PAUSE = 2;
/** Waiting for its CONFIG SET to take effect: a listener is being opened. */
export const BLOCKED_BY_CONFIG = 5;
/** Waiting for its MIGRATE to be answered by the other server. */
export const BLOCKED_BY_MIGRATE = 6;
/** Wants to change a key that is held. */
export const BLOCKED_BY_HELD_KEY = 7;
/** Waiting until replicas, or the disk, have what it wrote (WAIT, WAITAOF). */
export const BLOCKED_ON_OFFSET = 8;
/** Has asked for the end of the server, and is told if it does not come. */
export const BLOCKED_BY_SHUTDOWN = 9;

export const REPLY_ON = 0;
export const REPLY_OFF = 1;
/** The reply of the next command is skipped. */
export const REPLY_SKIP_NEXT = 2;
/** The reply of the present command is skipped. */
export const REPLY_SKIP = 3;

export class Client {
	readonly id: number;
	readonly transport: Transport;
	readonly reply = new ReplyBuffer();
	readonly createdMs: number;
	db: Database;
	/** When the last request came, or the client was created; wall clock, ms. */
	lastInteractionMs: number;
	name = '';
	libName = '';
	libVersion = '';
	user = 'default';
	authenticated: boolean;
	/** Executed last, for CLIENT LIST; empty before the first. */
	lastCommand = '';

	inMulti = false;
	/** The transaction will be refused: a command was rejected while queueing. */
	dirtyExec = false;
	/** The transaction will be refused: a watched key changed. */
	dirtyCas = false;
	queued: QueuedCommand[] = [];
	queuedBytes = 0;
	watched: WatchedKey[] = [];

	blocked = BLOCKED_NOT;
	replyMode = REPLY_ON;
	isMonitor = false;
	/** The other end of the connection is a replica of ours: it gets the stream, and no replies. */
	isReplica = false;
	/** Bytes of the stream that wait for a replica which does not read. */
	unreadBytes = 0;
	noEvict = false;
	noTouch = false;
	/** It has changed something since `wroteBefore` was set, which is an offset behind all that it changed before. */
	hasWritten = false;
	wroteBefore = 0;
	/** Reads through the log and not over a socket: start-up load and replication. */
	isReplay = false;
	closing = false;
	/** Linked into the list of clients with replies to send in this turn. */
	outputPending = false;

	channels: Set<string> | undefined = undefined;
	patterns: Set<string> | undefined = undefined;
	shardChannels: Set<string> | undefined = undefined;

	/** When the soft limit of the output buffer was first exceeded, in ms; -1 if it is not. */
	softLimitSinceMs = -1;
	/** Totals for CLIENT LIST. */
	bytesRead = 0;
	bytesWritten = 0;
	commandCount = 0;

	#pushes: ReplyBuffer | undefined = undefined;

	constructor(id: number, transport: Transport, db: Database, nowMs: number, authenticated: boolean) {
		this.id = id;
		this.transport = transport;
		this.db = db;
		this.createdMs = nowMs;
		this.lastInteractionMs = nowMs;
		this.authenticated = authenticated;
	}

	/**
	 * Where out-of-band messages go: among the replies, unless those are switched off. A push is sent even
	 * then, and must survive the dropping of the command's replies (`takePushes`).
	 */
	get pushReply(): ReplyBuffer {
		return this.replyMode === REPLY_ON ? this.reply : this.asidePushes;
	}

	/** Where messages wait that must not stand within the reply of the command under way. */
	get asidePushes(): ReplyBuffer {
		this.#pushes ??= new ReplyBuffer();
		this.#pushes.resp = this.reply.resp;
		return this.#pushes;
	}

	get hasAsidePushes(): boolean {
		return this.#pushes !== undefined;
	}

	/** Moves the messages put aside to the replies: behind the command's own, or when they are sent. */
	takePushes(): void {
		if (this.#pushes === undefined) return;
		for (const chunk of this.#pushes.take())
			this.reply.raw(typeof chunk === 'string' ? chunk : chunk.latin1Slice(0, chunk.length));
		this.#pushes = undefined;
	}

	/** Number of channels, patterns and shard channels subscribed to. */
	get subscriptionCount(): number {
		return (this.channels?.size ?? 0) + (this.patterns?.size ?? 0) + (this.shardChannels?.size ?? 0);
	}
}

/** The transport of a client that nobody listens to. */
export const NO_TRANSPORT: Transport = {
	remoteAddress: '',
	localAddress: '',
	fd: -1,
	queryBufferBytes: () => 0,
	queryBufferFree: () => 0,
	argumentBytes: () => 0,
	outputBytes: () => 0,
	outputPieces: () => 0,
	resume: () => undefined,
	closeAfterReply: () => undefined,
	closeNow: () => undefined,
	sendBytes: () => true,
	onDrained: () => undefined,
	setNoDelay: () => undefined,
};
