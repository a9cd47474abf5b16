/**
 * Clients that wait until what they wrote is where they want it: on so many replicas (WAIT), or on disk here and on so
 * many replicas (WAITAOF). All of it is a comparison of offsets; who has got how far, replication tells.
 *
 * Source of the rules: Redis 7.2.6, replication.c (processClientsWaitingReplicas), blocked.c.
 */
import type { TimerHandle } from '../base/env.js';
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import { BLOCKED_NOT, BLOCKED_ON_OFFSET, type Client } from './client.js';
import type { CommandSpec } from './command-spec.js';
import type { Engine } from './engine.js';

/** The longest delay that a timer takes, in ms. */
const TIMER_MS_MAX = 0x7fffffff;

/** Who has how much of the log. */
export interface OffsetProgress {
	/** How many replicas have processed the log up to `offset`; with `onDisk`, have it on disk up to there. */
	replicasAt(offset: number, onDisk: boolean): number;
	/** Whether it is on disk here up to there. */
	isOnDisk(offset: number): boolean;
	/** Why nobody can wait for the disk here; undefined if one can. */
	diskRefusal(): string | undefined;
}

export interface OffsetWait {
	readonly client: Client;
	readonly spec: CommandSpec;
	/** Log position. */
	readonly offset: number;
	readonly replicaCount: number;
	/** WAITAOF: the replicas' disks count. */
	readonly onDisk: boolean;
	/** WAITAOF: the disk here counts. */
	readonly local: boolean;
}

interface Waiting extends OffsetWait {
	timer: TimerHandle | undefined;
}

const NOBODY: OffsetProgress = {
	replicasAt: () => 0,
	isOnDisk: () => false,
	diskRefusal: () => undefined,
};

export class OffsetWaits {
	progress: OffsetProgress = NOBODY;
	readonly #engine: Engine;
	readonly #waiting = new Map<Client, Waiting>();

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** Whether somebody waits. */
	get isActive(): boolean {
		return this.#waiting.size > 0;
	}

	/** Those of them whose wait ends by itself. */
	get timedClientCount(): number {
		let count = 0;
		for (const { timer } of this.#waiting.values()) if (timer !== undefined) count++;
		return count;
	}

	/** Whether there is nothing to wait for. */
	isMet(wait: OffsetWait): boolean {
		const { progress } = this;
		if (wait.local && !progress.isOnDisk(wait.offset)) return false;
		return progress.replicasAt(wait.offset, wait.onDisk) >= wait.replicaCount;
	}

	/** The reply: how far it is now. */
	reply(wait: OffsetWait, reply: ReplyBuffer): void {
		const { progress } = this;
		if (wait.onDisk) {
			reply.array(2);
			reply.integer(progress.isOnDisk(wait.offset) ? 1 : 0);
		}
		reply.integer(progress.replicasAt(wait.offset, wait.onDisk));
	}

	/** Parks the client; `timeoutMs` 0 is for ever. */
	block(wait: OffsetWait, timeoutMs: number): void {
		const { client } = wait;
		client.blocked = BLOCKED_ON_OFFSET;
		const waiting: Waiting = { ...wait, timer: undefined };
		this.#waiting.set(client, waiting);
		if (timeoutMs > 0) this.#arm(waiting, this.#engine.env.clock.monotonicUs() + timeoutMs * 1000, timeoutMs);
	}

	/** A timer may fire early, and a long wait is made of several. */
	#arm(waiting: Waiting, deadlineUs: number, leftMs: number): void {
		const { clock, timers } = this.#engine.env;
		waiting.timer = timers.setTimeout(
			() => {
				const stillMs = Math.ceil((deadlineUs - clock.monotonicUs()) / 1000);
				if (stillMs > 0) this.#arm(waiting, deadlineUs, stillMs);
				else this.endAsTimeout(waiting.client);
			},
			Math.min(leftMs, TIMER_MS_MAX),
		);
	}

	/** Somebody has got further: those are answered who need not wait any more. Not within an execution unit. */
	progressed(): void {
		if (this.#waiting.size === 0) return;
		const refusal = this.progress.diskRefusal();
		for (const waiting of [...this.#waiting.values()]) {
			if (waiting.local && refusal !== undefined) this.endWithError(waiting.client, refusal);
			else if (this.isMet(waiting)) this.endAsTimeout(waiting.client);
		}
	}

	/** Answers with how far it is; false if the client was not waiting. */
	endAsTimeout(client: Client): boolean {
		const waiting = this.forget(client);
		if (waiting === undefined) return false;
		this.#engine.dispatcher.endWait(waiting, (reply) => this.reply(waiting, reply), false);
		return true;
	}

	endWithError(client: Client, text: string): void {
		const waiting = this.forget(client);
		if (waiting === undefined) return;
		this.#engine.stats.countError(text);
		this.#engine.dispatcher.endWait(waiting, (reply) => reply.error(text), true);
	}

	/** Those who wait. */
	clients(): Client[] {
		return [...this.#waiting.keys()];
	}

	/** Ends the client's wait. What is to happen next is the caller's business. */
	forget(client: Client): Waiting | undefined {
		const waiting = this.#waiting.get(client);
		if (waiting === undefined) return undefined;
		this.#waiting.delete(client);
		if (waiting.timer !== undefined) this.#engine.env.timers.clearTimeout(waiting.timer);
		client.blocked = BLOCKED_NOT;
		return waiting;
	}

	/** For the end of the server: no timer stays. */
	stop(): void {
		for (const client of [...this.#waiting.keys()]) this.forget(client);
	}
}
