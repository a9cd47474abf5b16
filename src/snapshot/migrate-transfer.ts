/**
 * One MIGRATE under way: keys are sent as RESTORE, one after another as the network takes them, and those that the other
 * server has acknowledged are deleted here at the end, as one DEL in the log.
 *
 * The keys are held while it lasts: nobody changes them, and a value is put into its payload only when it is its turn.
 * So memory does not grow with the number of keys. AUTH and SELECT are answered before the first key is sent: Redis sends
 * all at once, and so writes to the wrong database where SELECT is refused.
 *
 * The end, whatever it is:
 *
 *   all acknowledged        OK
 *   refused over there      its error; keys that it took nevertheless are deleted here
 *   time over, link broken  IOERR; the same. Nothing read yet and the link broken: tried once more, as a link that was
 *                           kept may have been closed by the other side long ago
 *
 * Source of the rules and of the messages: Redis 7.2.6, cluster.c (migrateCommand).
 */
import type { TimerHandle } from '../base/env.js';
import type { Int64 } from '../base/numbers.js';
import type { Client } from '../engine/client.js';
import type { Engine } from '../engine/engine.js';
import { NOTIFY_GENERIC } from '../engine/settings.js';
import type { Database } from '../keyspace/database.js';
import { dumpPayload } from './dump-payload.js';
import type { LinkUser, MigrateLink, MigrateLinks } from './migrate-link.js';

export interface MigrateRequest {
	readonly client: Client;
	readonly db: Database;
	readonly host: string;
	readonly port: number;
	/** The database over there. */
	readonly targetDb: Int64;
	readonly timeoutMs: number;
	/** The arguments of AUTH; empty without. */
	readonly credentials: readonly string[];
	readonly copy: boolean;
	readonly replace: boolean;
	/** Keys that are there, each once. */
	readonly keys: readonly string[];
}

const TIMER_MS_MAX = 0x7fffffff;
const ERR_CONNECTING = 'IOERR error or timeout connecting to the client';
const ERR_WRITING = 'IOERR error or timeout writing to target instance';
const ERR_READING = 'IOERR error or timeout reading to target instance';

export class MigrateTransfer implements LinkUser {
	private readonly engine: Engine;
	private readonly links: MigrateLinks;
	private readonly request: MigrateRequest;
	/** Told once: undefined for OK, or an error reply. */
	private readonly onEnd: (error: string | undefined) => void;
	private link: MigrateLink;
	private timer: TimerHandle | undefined = undefined;
	private progressUs = 0;
	/** Replies to AUTH and SELECT that are still to come. */
	private greetingsLeft = 0;
	private nextKey = 0;
	/** Sent, in order; those before `replyCount` have been answered. */
	private readonly sent: string[] = [];
	private replyCount = 0;
	private readonly moved: string[] = [];
	private canWrite = true;
	private refusal: string | undefined = undefined;
	private hasRetried = false;
	private hasEnded = false;

	constructor(
		engine: Engine,
		links: MigrateLinks,
		request: MigrateRequest,
		onEnd: (error: string | undefined) => void,
	) {
		this.engine = engine;
		this.links = links;
		this.request = request;
		this.onEnd = onEnd;
		this.link = links.take(request.host, request.port, this);
	}

	/** Holds the keys and begins. */
	start(): void {
		this.engine.heldKeys.hold(this.request.keys);
		this.noteProgress();
		this.arm(this.request.timeoutMs);
		if (this.link.isReady) this.greet();
	}

	/** Breaks it off: the server ends. */
	stop(): void {
		this.link.close();
		this.end(ERR_READING, false);
	}

	linkReady(): void {
		this.noteProgress();
		this.greet();
	}

	linkReply(line: string): void {
		this.noteProgress();
		const isError = line.startsWith('-');
		if (isError) this.refusal ??= `ERR Target instance replied with error: ${line.slice(1)}`;
		if (this.greetingsLeft > 0) {
			this.greetingsLeft--;
			if (isError) return this.end(this.refusal, false);
			if (this.greetingsLeft > 0) return;
			this.link.selectedDb = this.request.targetDb;
			return this.sendKeys();
		}
		if (this.replyCount === this.sent.length) return this.end(ERR_READING, false); // nobody has asked
		if (!isError) this.moved.push(this.sent[this.replyCount]!);
		this.replyCount++;
		this.endIfDone();
	}

	linkDrained(): void {
		this.noteProgress();
		this.canWrite = true;
		if (this.greetingsLeft === 0) this.sendKeys();
	}

	linkClosed(): void {
		if (!this.link.isReady) return this.end(ERR_CONNECTING, false);
		if (this.hasRetried || this.replyCount > 0) return this.end(this.brokenText(), false);
		this.hasRetried = true;
		this.nextKey = 0;
		this.sent.length = 0;
		this.canWrite = true;
		this.greetingsLeft = 0;
		this.noteProgress();
		this.link = this.links.take(this.request.host, this.request.port, this);
		if (this.link.isReady) this.greet();
	}

	/** Sends what has to be answered before the keys. */
	private greet(): void {
		const { credentials, targetDb } = this.request;
		let text = '';
		if (credentials.length > 0) {
			text += commandText(['AUTH', ...credentials]);
			this.greetingsLeft++;
		}
		if (this.link.selectedDb !== targetDb) {
			text += commandText(['SELECT', String(targetDb)]);
			this.greetingsLeft++;
		}
		if (text === '') this.sendKeys();
		else this.canWrite = this.link.write(text);
	}

	/** Sends keys as long as the network takes them. One that has gone meanwhile, expired say, is left out. */
	private sendKeys(): void {
		const { keys, db, replace } = this.request;
		while (this.canWrite && this.nextKey < keys.length) {
			const key = keys[this.nextKey++]!;
			const value = db.get(key);
			const expireAtMs = db.expireAt(key);
			const leftMs = expireAtMs < 0 ? 0 : expireAtMs - this.engine.env.clock.nowMs();
			if (value === undefined || leftMs < 0) continue;
			const ttl = expireAtMs < 0 ? 0 : Math.max(1, leftMs);
			const payload = dumpPayload(value, this.engine.settings.rdbcompression);
			this.sent.push(key);
			const head = `*${replace ? 5 : 4}\r\n$7\r\nRESTORE\r\n${bulk(key)}${bulk(String(ttl))}$${payload.length}\r\n`;
			this.link.write(head);
			this.link.write(payload);
			this.canWrite = this.link.write(replace ? '\r\n$7\r\nREPLACE\r\n' : '\r\n');
		}
		this.endIfDone();
	}

	private endIfDone(): void {
		if (this.nextKey < this.request.keys.length || this.replyCount < this.sent.length) return;
		this.end(this.refusal, true);
	}

	/** `isReusable`: every reply has been read. */
	private end(error: string | undefined, isReusable: boolean): void {
		if (this.hasEnded) return;
		this.hasEnded = true;
		const { engine, request, link } = this;
		if (this.timer !== undefined) engine.env.timers.clearTimeout(this.timer);
		if (isReusable) this.links.giveBack(link);
		else link.close();
		if (!request.copy && this.moved.length > 0) this.deleteMoved();
		engine.heldKeys.release(request.keys);
		this.onEnd(error);
	}

	private deleteMoved(): void {
		const { engine, moved } = this;
		const { db } = this.request;
		engine.beginUnit();
		const deleted = moved.filter((key) => db.delete(key));
		for (const key of deleted) {
			engine.signalModified(db, key);
			engine.notify(NOTIFY_GENERIC, 'del', db.id, key);
		}
		engine.dirty += deleted.length;
		if (deleted.length > 0) engine.effects.add(db.id, ['DEL', ...deleted]);
		engine.endUnit(false);
	}

	private noteProgress(): void {
		this.progressUs = this.engine.env.clock.monotonicUs();
	}

	/** The time is over when nothing has happened for so long. */
	private arm(delayMs: number): void {
		const { clock, timers } = this.engine.env;
		this.timer = timers.setTimeout(
			() => {
				const passedMs = (clock.monotonicUs() - this.progressUs) / 1000;
				const leftMs = Math.ceil(this.request.timeoutMs - passedMs);
				if (leftMs > 0) this.arm(leftMs);
				else this.end(this.link.isReady ? this.brokenText() : ERR_CONNECTING, false);
			},
			Math.min(delayMs, TIMER_MS_MAX),
		);
	}

	/** The error for a link that has been made and is of no use any more. */
	private brokenText(): string {
		return this.refusal ?? (this.canWrite ? ERR_READING : ERR_WRITING);
	}
}

function commandText(args: readonly string[]): string {
	return `*${args.length}\r\n${args.map(bulk).join('')}`;
}

function bulk(text: string): string {
	return `$${text.length}\r\n${text}\r\n`;
}
