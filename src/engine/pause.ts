/**
 * CLIENT PAUSE: until a moment, writes or all commands wait. Clients that were held back are kept in the
 * order of arrival and continue when the pause ends. A failover holds writes back too,
 * and so does a shutdown: they know nothing of each other, and who wants to write waits for all.
 */
import type { TimerHandle } from '../base/env.js';
import type { Client } from './client.js';
import { BLOCKED_BY_PAUSE, BLOCKED_NOT } from './client.js';
import type { CommandSpec } from './command-spec.js';
import type { Engine } from './engine.js';

export interface PostponedCommand {
	readonly client: Client;
	readonly spec: CommandSpec;
	readonly args: string[];
}

/** What holds writes back besides CLIENT PAUSE. */
export type WriteHold = 'failover' | 'shutdown';

export class Pause {
	readonly #engine: Engine;
	#untilMs = 0;
	#all = false;
	readonly #holds = new Set<WriteHold>();
	#timer: TimerHandle | undefined;
	#postponed: PostponedCommand[] = [];

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** Whether commands that write wait. */
	get writesPaused(): boolean {
		return this.#untilMs > 0 || this.#holds.size > 0;
	}

	/** Whether every command waits. */
	get allPaused(): boolean {
		return this.#untilMs > 0 && this.#all;
	}

	get postponedCount(): number {
		return this.#postponed.length;
	}

	/** Milliseconds left, 0 without a pause. */
	leftMs(nowMs: number): number {
		return this.#untilMs > 0 ? Math.max(0, this.#untilMs - nowMs) : 0;
	}

	/** Writes wait until `release`. */
	hold(why: WriteHold): void {
		this.#holds.add(why);
	}

	release(why: WriteHold): void {
		if (this.#holds.delete(why) && !this.writesPaused) this.#continue();
	}

	/** Pauses until `untilMs` or what is in force, whichever is later; "all" stays until the end. */
	start(untilMs: number, all: boolean): void {
		this.#all = all || (this.#all && this.#untilMs > 0);
		this.#untilMs = Math.max(this.#untilMs, untilMs);
		this.#arm();
	}

	#arm(): void {
		const { timers, clock } = this.#engine.env;
		if (this.#timer !== undefined) timers.clearTimeout(this.#timer);
		const leftMs = Math.max(0, this.#untilMs - clock.nowMs());
		this.#timer = timers.setTimeout(
			() => (clock.nowMs() >= this.#untilMs ? this.end() : this.#arm()),
			Math.min(leftMs, 0x7fffffff),
		);
	}

	/** Holds the command back until the pause ends. */
	postpone(client: Client, spec: CommandSpec, args: string[]): void {
		client.blocked = BLOCKED_BY_PAUSE;
		this.#postponed.push({ client, spec, args });
	}

	/** Forgets a client that is closed or whose wait ends otherwise. */
	forget(client: Client): void {
		this.#postponed = this.#postponed.filter((p) => p.client !== client);
	}

	end(): void {
		if (this.#untilMs === 0) return;
		this.#untilMs = 0;
		this.#all = false;
		if (this.#timer !== undefined) this.#engine.env.timers.clearTimeout(this.#timer);
		this.#timer = undefined;
		// Those who want to write wait on if something else holds them back; the others are sent there again by the dispatcher.
		this.#continue();
	}

	#continue(): void {
		const postponed = this.#postponed;
		this.#postponed = [];
		for (const { client, args } of postponed) {
			if (client.closing) continue;
			client.blocked = BLOCKED_NOT;
			this.#engine.dispatcher.continueLater(client, args);
		}
	}

	/** For the end of the server: no timer stays. */
	stop(): void {
		if (this.#timer !== undefined) this.#engine.env.timers.clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#postponed = [];
	}
}
