/**
 * EXPIRE, TTL, PERSIST and their kin.
 *
 * Times are absolute in the log: everything is logged as PEXPIREAT without conditions, or as the deletion
 * that a time in the past amounts to.
 */
import { INT64_DOUBLE_MAX, INT64_MAX, INT64_MIN, parseInt64 } from '../base/numbers.js';
import {
	CAT_KEYSPACE,
	type CommandSpec,
	command,
	FAST,
	KEY_ACCESS,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER } from '../engine/errors.js';
import { NOTIFY_GENERIC } from '../engine/settings.js';

/** Conditions of EXPIRE, as bits. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;

/** The conditions from `args[3]` on; -1 after an error reply. */
function parseConditions(ctx: CommandContext): number {
	const { args } = ctx;
	let conditions = 0;
	for (let i = 3; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'NX') conditions |= NX;
		else if (word === 'XX') conditions |= XX;
		else if (word === 'GT') conditions |= GT;
		else if (word === 'LT') conditions |= LT;
		else {
			ctx.replyError(`ERR Unsupported option ${args[i]!}`);
			return -1;
		}
	}
	if (conditions & NX && conditions & (XX | GT | LT)) {
		ctx.replyError('ERR NX and XX, GT or LT options at the same time are not compatible');
		return -1;
	}
	if (conditions & GT && conditions & LT) {
		ctx.replyError('ERR GT and LT options at the same time are not compatible');
		return -1;
	}
	return conditions;
}

/**
 * The absolute time in ms that the argument means; undefined after an error reply. Any 64-bit time is
 * valid, the past included; beyond 2^53 ms it is rounded to a double.
 */
function parseTime(ctx: CommandContext, unitMs: 1 | 1000, baseMs: number): number | undefined {
	const given = parseInt64(ctx.args[2]!);
	if (given === undefined) {
		ctx.replyError(ERR_NOT_INTEGER);
		return undefined;
	}
	if (typeof given === 'number') {
		const whenMs = given * unitMs + baseMs;
		if (Number.isSafeInteger(whenMs)) return whenMs;
	}
	const scaled = BigInt(given) * BigInt(unitMs);
	const whenMs = scaled + BigInt(baseMs);
	if (scaled < INT64_MIN || whenMs > INT64_MAX) {
		ctx.replyError(`ERR invalid expire time in '${ctx.spec.name}' command`);
		return undefined;
	}
	return Math.min(Number(whenMs), INT64_DOUBLE_MAX);
}

/** `expireAtMs` is the present time, or -1, which stands for ever. */
function conditionsHold(conditions: number, expireAtMs: number, whenMs: number): boolean {
	if (conditions & NX && expireAtMs !== -1) return false;
	if (conditions & XX && expireAtMs === -1) return false;
	if (conditions & GT && (expireAtMs === -1 || whenMs <= expireAtMs)) return false;
	return !(conditions & LT && expireAtMs !== -1 && whenMs >= expireAtMs);
}

function expireGeneric(ctx: CommandContext, unitMs: 1 | 1000, baseMs: number): void {
	const key = ctx.args[1]!;
	const conditions = ctx.args.length > 3 ? parseConditions(ctx) : 0;
	if (conditions < 0) return;
	const whenMs = parseTime(ctx, unitMs, baseMs);
	if (whenMs === undefined) return;
	if (ctx.lookupWrite(key) === undefined) return ctx.reply.integer(0);
	if (conditions !== 0 && !conditionsHold(conditions, ctx.db.expireAt(key), whenMs))
		return ctx.reply.integer(0);
	if (whenMs <= ctx.nowMs && !ctx.client.isReplay) {
		ctx.deleteKey(key);
		ctx.replaceEffect([ctx.settings.lazyfreeLazyExpire ? 'UNLINK' : 'DEL', key]);
		ctx.notify(NOTIFY_GENERIC, 'del', key);
	} else {
		ctx.db.setExpiry(key, whenMs);
		ctx.replaceEffect(['PEXPIREAT', key, BigInt(whenMs).toString()]);
		ctx.signalModified(key);
		ctx.notify(NOTIFY_GENERIC, 'expire', key);
	}
	ctx.dirty++;
	ctx.reply.integer(1);
}

function expireCommand(ctx: CommandContext): void {
	expireGeneric(ctx, 1000, ctx.nowMs);
}

function expireatCommand(ctx: CommandContext): void {
	expireGeneric(ctx, 1000, 0);
}

function pexpireCommand(ctx: CommandContext): void {
	expireGeneric(ctx, 1, ctx.nowMs);
}

function pexpireatCommand(ctx: CommandContext): void {
	expireGeneric(ctx, 1, 0);
}

/** The time of expiry, or until then, in ms; -1 without one; -2 for no such key. */
function timeOf(ctx: CommandContext, absolute: boolean): number {
	const key = ctx.args[1]!;
	if (ctx.lookupReadNoTouch(key) === undefined) return -2;
	const expireAtMs = ctx.db.expireAt(key);
	if (expireAtMs === -1) return -1;
	return Math.max(0, absolute ? expireAtMs : expireAtMs - ctx.nowMs);
}

function replyMilliseconds(ctx: CommandContext, timeMs: number): void {
	ctx.reply.integer(Number.isSafeInteger(timeMs) ? timeMs : BigInt(timeMs));
}

function replySeconds(ctx: CommandContext, timeMs: number): void {
	ctx.reply.integer(timeMs < 0 ? timeMs : Math.floor((timeMs + 500) / 1000));
}

function ttlCommand(ctx: CommandContext): void {
	replySeconds(ctx, timeOf(ctx, false));
}

function pttlCommand(ctx: CommandContext): void {
	replyMilliseconds(ctx, timeOf(ctx, false));
}

function expiretimeCommand(ctx: CommandContext): void {
	replySeconds(ctx, timeOf(ctx, true));
}

function pexpiretimeCommand(ctx: CommandContext): void {
	replyMilliseconds(ctx, timeOf(ctx, true));
}

function persistCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	if (ctx.lookupWrite(key) === undefined || !ctx.db.removeExpiry(key)) return ctx.reply.integer(0);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_GENERIC, 'persist', key);
	ctx.dirty++;
	ctx.reply.integer(1);
}

export function expireCommands(): CommandSpec[] {
	const update = oneKey(KEY_RW | KEY_UPDATE);
	const read = oneKey(KEY_RO | KEY_ACCESS);
	const random = { tips: ['nondeterministic_output'] };
	return [
		command('expire', expireCommand, -3, WRITE | FAST, update, CAT_KEYSPACE),
		command('pexpire', pexpireCommand, -3, WRITE | FAST, update, CAT_KEYSPACE),
		command('expireat', expireatCommand, -3, WRITE | FAST, update, CAT_KEYSPACE),
		command('pexpireat', pexpireatCommand, -3, WRITE | FAST, update, CAT_KEYSPACE),
		command('ttl', ttlCommand, 2, READONLY | FAST, read, CAT_KEYSPACE, random),
		command('pttl', pttlCommand, 2, READONLY | FAST, read, CAT_KEYSPACE, random),
		command('expiretime', expiretimeCommand, 2, READONLY | FAST, read, CAT_KEYSPACE),
		command('pexpiretime', pexpiretimeCommand, 2, READONLY | FAST, read, CAT_KEYSPACE),
		command('persist', persistCommand, 2, WRITE | FAST, update, CAT_KEYSPACE),
	];
}
