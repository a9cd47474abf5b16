/**
 * FAILOVER: the master stops taking writes, waits until a replica has everything, follows it, and asks it to take over.
 *
 *     no-failover -> waiting-for-sync -> failover-in-progress -> no-failover
 *
 * Source of the rules and the texts: Redis 7.2.6, replication.c (failoverCommand, updateFailoverStatus, abortFailover).
 */
import type { CommandContext } from '../engine/context.js';
import type { ReplicaFeedDriver } from './replica-feed-driver.js';
import type { Replicas } from './replicas.js';
import type { MasterAddress } from './replication-state.js';

/** As INFO shows it. */
export type FailoverPhase = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress';

export interface FailoverRequest {
	/** Null: any replica. */
	readonly target: MasterAddress | null;
	/** When the time is over, whoever is the target takes over, whether it has everything or not. */
	readonly force: boolean;
	/** 0 waits for ever. */
	readonly timeoutMs: number;
}

export class Failover {
	phase: FailoverPhase = 'no-failover';
	readonly #replicas: Replicas;
	#target: MasterAddress | null = null;
	#force = false;
	/** When to stop waiting, in ms; 0 never. */
	#endMs = 0;

	constructor(replicas: Replicas) {
		this.#replicas = replicas;
	}

	get isActive(): boolean {
		return this.phase !== 'no-failover';
	}

	/** Begins one; an error, or undefined. */
	begin(request: FailoverRequest, nowMs: number): string | undefined {
		const replicas = this.#replicas;
		const { target, force, timeoutMs } = request;
		if (this.isActive) return 'ERR FAILOVER already in progress.';
		if (replicas.state.isReplica) return 'ERR FAILOVER is not valid when server is a replica.';
		if (replicas.count === 0) return 'ERR FAILOVER requires connected replicas.';
		if (force && (timeoutMs === 0 || target === null))
			return 'ERR FAILOVER with force option requires both a timeout and target HOST and IP.';
		if (target !== null) {
			const driver = replicas.at(target.host, target.port);
			if (driver === undefined) return 'ERR FAILOVER target HOST and PORT is not a replica.';
			if (driver.feed.phase !== 'online') return 'ERR FAILOVER target replica is not online.';
			this.#log(`FAILOVER requested to ${target.host}:${target.port}.`);
		} else {
			this.#log('FAILOVER requested to any replica.');
		}
		this.#target = target;
		this.#force = force;
		this.#endMs = timeoutMs === 0 ? 0 : nowMs + timeoutMs;
		this.phase = 'waiting-for-sync';
		replicas.engine.pause.hold('failover');
		replicas.requestAcks();
		return undefined;
	}

	/** FAILOVER ABORT; an error, or undefined. */
	abort(): string | undefined {
		if (!this.isActive) return 'ERR No failover in progress.';
		this.#abort('Failover manually aborted');
		return undefined;
	}

	/** What has become of the handing over: null if the other side takes over, or why not. */
	ended(refusal: string | null): void {
		if (this.phase !== 'failover-in-progress') return;
		if (refusal !== null) this.#abort(refusal);
		else this.#clear();
	}

	#abort(reason: string): void {
		const replicas = this.#replicas;
		const target = this.#target;
		this.#log(
			target === null
				? `FAILOVER to any replica aborted: ${reason}`
				: `FAILOVER to ${target.host}:${target.port} aborted: ${reason}`,
		);
		const wasFollowing = this.phase === 'failover-in-progress';
		this.phase = 'no-failover';
		if (wasFollowing) replicas.upstream.promote();
		this.#clear();
	}

	#clear(): void {
		this.phase = 'no-failover';
		this.#target = null;
		this.#force = false;
		this.#endMs = 0;
		this.#replicas.engine.pause.release('failover');
	}

	/** Several times a second. */
	tick(nowMs: number): void {
		if (this.phase !== 'waiting-for-sync') return;
		if (this.#endMs !== 0 && nowMs >= this.#endMs) {
			const target = this.#target;
			if (!this.#force || target === null) return this.#abort('Replica never caught up before timeout');
			this.#log(`FAILOVER to ${target.host}:${target.port} time out exceeded, failing over.`);
			return this.#handOver(target);
		}
		this.progressed();
	}

	/** A replica may have caught up. */
	progressed(): void {
		if (this.phase !== 'waiting-for-sync') return;
		const driver = this.#caughtUp();
		if (driver === undefined) return;
		const target = this.#target ?? { host: driver.ip, port: driver.feed.listeningPort };
		this.#target = target;
		this.#log(`Failover target ${target.host}:${target.port} is synced, failing over.`);
		// Not within the command of the replica that says so: it will be disconnected.
		this.phase = 'failover-in-progress';
		this.#replicas.engine.env.timers.setImmediate(() => {
			if (this.phase === 'failover-in-progress' && this.#target === target) this.#handOver(target);
		});
	}

	#caughtUp(): ReplicaFeedDriver | undefined {
		const replicas = this.#replicas;
		const target = this.#target;
		const { engine, log } = replicas;
		engine.effects.seal();
		const hasAll = (driver: ReplicaFeedDriver | undefined): boolean =>
			driver !== undefined && driver.ip !== '' && driver.feed.ackedOffset === log.endOffset;
		if (target === null) return [...replicas.attached].find(hasAll);
		const driver = replicas.at(target.host, target.port);
		return hasAll(driver) ? driver : undefined;
	}

	#handOver(target: MasterAddress): void {
		this.phase = 'failover-in-progress';
		this.#replicas.upstream.follow(target, true);
	}

	#log(message: string): void {
		this.#replicas.engine.logger.log('notice', message);
	}
}

/** The request that the arguments make; undefined after an error reply. */
export function parseFailover(
	ctx: CommandContext,
	toInteger: (ctx: CommandContext, text: string) => number | undefined,
): FailoverRequest | undefined {
	const { args } = ctx;
	let target: MasterAddress | null = null;
	let force = false;
	let timeoutMs = 0;
	for (let i = 1; i < args.length; i++) {
		const word = args[i]!.toLowerCase();
		if (word === 'timeout' && i + 1 < args.length && timeoutMs === 0) {
			const value = toInteger(ctx, args[++i]!);
			if (value === undefined) return undefined;
			if (value <= 0) {
				ctx.replyError('ERR FAILOVER timeout must be greater than 0');
				return undefined;
			}
			timeoutMs = value;
		} else if (word === 'to' && i + 2 < args.length && target === null) {
			const port = toInteger(ctx, args[i + 2]!);
			if (port === undefined) return undefined;
			target = { host: args[i + 1]!, port };
			i += 2;
		} else if (word === 'force' && !force) {
			force = true;
		} else {
			ctx.replyError('ERR syntax error');
			return undefined;
		}
	}
	return { target, force, timeoutMs };
}
