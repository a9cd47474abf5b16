/** REPLCONF, PSYNC, SYNC, WAIT, WAITAOF, ROLE and FAILOVER (redis.io: the groups "server" and "generic"). */
import { INT64_MAX, parseInt64 } from '../base/numbers.js';
import {
	ADMIN,
	ALLOW_BUSY,
	CAT_ADMIN,
	CAT_CONNECTION,
	CAT_DANGEROUS,
	type CommandSpec,
	command,
	FAST,
	LOADING,
	NO_ASYNC_LOADING,
	NO_KEYS,
	NO_MULTI,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_NOT_POSITIVE } from '../engine/errors.js';
import type { OffsetWait } from '../engine/offset-waits.js';
import { parseFailover } from './failover.js';
import type { Replicas } from './replicas.js';

/** What ROLE tells of a replica: its master, how far the link is, and the offset. */
export type ReplicaRole = (ctx: CommandContext) => void;

function replconfCommand(ctx: CommandContext, replicas: Replicas): void {
	const { client, args } = ctx;
	// As an entry of a log it has been answered, or nobody waits for the answer.
	if (client.isReplay) return;
	replicas.driverOf(client).step({ kind: 'replconf', args });
}

function syncCommand(ctx: CommandContext, replicas: Replicas): void {
	const { client, args, engine } = ctx;
	if (client.isReplay || client.isReplica) return;
	engine.effects.seal();
	replicas.driverOf(client).step({ kind: 'sync', args });
}

/** Parses a timeout in milliseconds; undefined after an error reply. */
function parseMs(ctx: CommandContext, text: string): number | undefined {
	const value = parseInt64(text);
	if (value === undefined) ctx.replyError('ERR timeout is not an integer or out of range');
	else if (value < 0) ctx.replyError('ERR timeout is negative');
	else if (value > 0 && BigInt(value) > INT64_MAX - BigInt(ctx.nowMs))
		ctx.replyError('ERR timeout is out of range');
	else return Number(value);
	return undefined;
}

/** An integer; undefined after an error reply. */
function parseCount(ctx: CommandContext, text: string): number | undefined {
	const value = parseInt64(text);
	if (value !== undefined) return Number(value);
	ctx.replyError(ERR_NOT_INTEGER);
	return undefined;
}

/** A log position behind all that the client has changed. */
function wroteBefore(ctx: CommandContext, replicas: Replicas): number {
	const { client, engine } = ctx;
	if (client.hasWritten) {
		engine.effects.seal();
		client.wroteBefore = replicas.log.endOffset;
		// What a transaction has changed is appended at its end.
		client.hasWritten = !engine.effects.isEmpty;
	}
	return client.wroteBefore;
}

function waitFor(ctx: CommandContext, replicas: Replicas, wait: OffsetWait, timeoutMs: number): void {
	const { waits } = ctx.engine;
	if (ctx.denyBlocking || waits.isMet(wait)) return waits.reply(wait, ctx.reply);
	waits.block(wait, timeoutMs);
	replicas.requestAcks();
}

function waitCommand(ctx: CommandContext, replicas: Replicas): void {
	const { client, spec, args } = ctx;
	if (replicas.state.isReplica)
		return ctx.replyError(
			'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is ' +
				'configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
		);
	const count = parseCount(ctx, args[1]!);
	if (count === undefined) return;
	const timeoutMs = parseMs(ctx, args[2]!);
	if (timeoutMs === undefined) return;
	const offset = wroteBefore(ctx, replicas);
	const wait = { client, spec, offset, replicaCount: count, onDisk: false, local: false };
	waitFor(ctx, replicas, wait, timeoutMs);
}

function waitaofCommand(ctx: CommandContext, replicas: Replicas): void {
	const { client, spec, args } = ctx;
	const localCount = parseCount(ctx, args[1]!);
	if (localCount === undefined) return;
	if (localCount !== 0 && localCount !== 1)
		return ctx.replyError('ERR value is out of range, value must between 0 and 1');
	const count = parseCount(ctx, args[2]!);
	if (count === undefined) return;
	if (count < 0) return ctx.replyError(ERR_NOT_POSITIVE);
	const timeoutMs = parseMs(ctx, args[3]!);
	if (timeoutMs === undefined) return;
	if (replicas.state.isReplica)
		return ctx.replyError(
			'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just ' +
				'local and are not propagated.',
		);
	const local = localCount === 1;
	const refusal = replicas.diskRefusal();
	if (local && refusal !== undefined) return ctx.replyError(refusal);
	const offset = wroteBefore(ctx, replicas);
	const wait = { client, spec, offset, replicaCount: count, onDisk: true, local };
	waitFor(ctx, replicas, wait, timeoutMs);
}

function roleCommand(ctx: CommandContext, replicas: Replicas, replicaRole: ReplicaRole): void {
	const { reply } = ctx;
	if (replicas.state.isReplica) return replicaRole(ctx);
	const online = [...replicas.attached].filter(({ feed, ip }) => feed.phase === 'online' && ip !== '');
	reply.array(3);
	reply.bulk('master');
	reply.integer(replicas.log.endOffset);
	reply.array(online.length);
	for (const { ip, feed } of online)
		ctx.replyBulks([ip, String(feed.listeningPort), String(feed.ackedOffset)]);
}

function failoverCommand(ctx: CommandContext, replicas: Replicas): void {
	const { args } = ctx;
	const { failover } = replicas;
	let error: string | undefined;
	if (args.length === 2 && args[1]!.toLowerCase() === 'abort') {
		error = failover.abort();
	} else {
		const request = parseFailover(ctx, parseCount);
		if (request === undefined) return;
		error = failover.begin(request, ctx.nowMs);
	}
	if (error === undefined) ctx.reply.ok();
	else ctx.replyError(error);
}

/** The rows; `replicaRole` is ROLE of a replica. */
export function replicationCommands(replicas: Replicas, replicaRole: ReplicaRole): CommandSpec[] {
	const sync = ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI;
	return [
		command(
			'replconf',
			(ctx) => replconfCommand(ctx, replicas),
			-1,
			ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
			NO_KEYS,
			0,
		),
		command('psync', (ctx) => syncCommand(ctx, replicas), -3, sync, NO_KEYS, 0),
		command('sync', (ctx) => syncCommand(ctx, replicas), 1, sync, NO_KEYS, 0),
		command('wait', (ctx) => waitCommand(ctx, replicas), 3, 0, NO_KEYS, CAT_CONNECTION, {
			tips: ['request_policy:all_shards', 'response_policy:agg_min'],
		}),
		command('waitaof', (ctx) => waitaofCommand(ctx, replicas), 4, NOSCRIPT, NO_KEYS, CAT_CONNECTION, {
			tips: ['request_policy:all_shards', 'response_policy:agg_min'],
		}),
		command(
			'role',
			(ctx) => roleCommand(ctx, replicas, replicaRole),
			1,
			NOSCRIPT | LOADING | STALE | FAST,
			NO_KEYS,
			CAT_ADMIN | CAT_DANGEROUS,
		),
		command('failover', (ctx) => failoverCommand(ctx, replicas), -1, ADMIN | NOSCRIPT | STALE, NO_KEYS, 0),
	];
}
