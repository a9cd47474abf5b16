/** ZPOPMIN, ZPOPMAX and ZMPOP, and their blocking forms. */
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_POSITIVE, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_ZSET } from '../engine/settings.js';
import type { ZSetValue } from '../types/zset-value.js';
import { parseTimeout } from './blocking-timeout.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { writeZSet } from './zset-common.js';

type End = 'MIN' | 'MAX';

/** How popped elements are replied: flat (`member score …`) or as pairs. */
type Shape = 'flat' | 'pairs';

function ignoreElement(): void {}

/** Takes `count` elements, which must exist, from an end of the sorted set, and replies with each. */
function pop(ctx: CommandContext, key: string, zset: ZSetValue, end: End, count: number, shape: Shape): void {
	const { reply } = ctx;
	const isMax = end === 'MAX';
	const { size } = zset;
	const cursor = zset.cursorAt(isMax ? size - 1 : 0);
	const first = cursor.member;
	for (let left = count; left > 0; left--) {
		if (shape === 'pairs') reply.array(2);
		reply.bulk(cursor.member);
		reply.double(cursor.score);
		if (isMax) cursor.backward();
		else cursor.forward();
	}
	if (count === 1) zset.remove(first);
	else if (isMax) zset.deleteRangeByRank(size - count, size - 1, ignoreElement);
	else zset.deleteRangeByRank(0, count - 1, ignoreElement);
	ctx.dirty += count;
	ctx.notify(NOTIFY_ZSET, isMax ? 'zpopmax' : 'zpopmin', key);
	if (zset.size === 0) ctx.deleteEmptied(key);
	ctx.signalModified(key);
}

function popMinMax(ctx: CommandContext, end: End): void {
	const { args, reply } = ctx;
	if (args.length > 3) return ctx.replyError(ERR_SYNTAX);
	let count = 1;
	const counted = args.length === 3;
	if (counted) {
		const given = parseInRange(ctx, args[2]!, 0, LONG_MAX, ERR_NOT_POSITIVE);
		if (given === undefined) return;
		count = Number(given);
	}
	const zset = writeZSet(ctx, args[1]!);
	if (zset === null) return;
	if (zset === undefined || count === 0) return reply.array(0);
	if (count > zset.size) count = zset.size;
	const shape = counted && reply.resp === 3 ? 'pairs' : 'flat';
	reply.array(shape === 'pairs' ? count : count * 2);
	pop(ctx, args[1]!, zset, end, count, shape);
}

export function zpopminCommand(ctx: CommandContext): void {
	popMinMax(ctx, 'MIN');
}

export function zpopmaxCommand(ctx: CommandContext): void {
	popMinMax(ctx, 'MAX');
}

/** The index of the first of the keys `args[from]` to `args[to - 1]` that exists; 0 if none; -1 after an error reply. */
function findKey(ctx: CommandContext, from: number, to: number): number {
	for (let i = from; i < to; i++) {
		const zset = writeZSet(ctx, ctx.args[i]!);
		if (zset === null) return -1;
		if (zset !== undefined) return i;
	}
	return 0;
}

function popName(end: End): string {
	return end === 'MAX' ? 'ZPOPMAX' : 'ZPOPMIN';
}

function blockingPop(ctx: CommandContext, end: End): void {
	const { args, reply } = ctx;
	const last = args.length - 1;
	const timeoutMs = parseTimeout(ctx, args[last]!);
	if (timeoutMs === undefined) return;
	const index = findKey(ctx, 1, last);
	if (index < 0) return;
	if (index === 0) return waitForKeys(ctx, 1, last, timeoutMs);
	const key = args[index]!;
	reply.array(3);
	reply.bulk(key);
	pop(ctx, key, writeZSet(ctx, key)!, end, 1, 'flat');
	ctx.replaceEffect([popName(end), key]);
}

function waitForKeys(ctx: CommandContext, from: number, to: number, timeoutMs: number): void {
	if (ctx.denyBlocking || ctx.client.isReplay) ctx.reply.nilArray();
	else ctx.blockOnKeys(ctx.args.slice(from, to), 'zset', timeoutMs, true);
}

export function bzpopminCommand(ctx: CommandContext): void {
	blockingPop(ctx, 'MIN');
}

export function bzpopmaxCommand(ctx: CommandContext): void {
	blockingPop(ctx, 'MAX');
}

/** What stands behind the keys of ZMPOP and BZMPOP. */
interface MultiPop {
	readonly firstKey: number;
	readonly keysEnd: number;
	readonly end: End;
	readonly count: number;
}

/** `numkeys key … MIN|MAX [COUNT count]` from `args[at]`; undefined after an error reply. */
function parseMultiPop(ctx: CommandContext, at: number): MultiPop | undefined {
	const { args } = ctx;
	const keyCount = parseInRange(ctx, args[at]!, 1, LONG_MAX, 'ERR numkeys should be greater than 0');
	if (keyCount === undefined) return undefined;
	const keysEnd = at + 1 + Number(keyCount);
	const end = args[keysEnd]?.toUpperCase();
	if (end !== 'MIN' && end !== 'MAX') {
		ctx.replyError(ERR_SYNTAX);
		return undefined;
	}
	let count = -1;
	for (let i = keysEnd + 1; i < args.length; i += 2) {
		if (count !== -1 || args[i]!.toUpperCase() !== 'COUNT' || i + 1 >= args.length) {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
		const given = parseInRange(ctx, args[i + 1]!, 1, LONG_MAX, 'ERR count should be greater than 0');
		if (given === undefined) return undefined;
		count = Number(given);
	}
	return { firstKey: at + 1, keysEnd, end, count: count === -1 ? 1 : count };
}

/** Pops from the key at `args[index]`, which exists: the reply names it. */
function popNamed(ctx: CommandContext, request: MultiPop, index: number): void {
	const key = ctx.args[index]!;
	const zset = writeZSet(ctx, key)!;
	const count = Math.min(request.count, zset.size);
	ctx.reply.array(2);
	ctx.reply.bulk(key);
	ctx.reply.array(count);
	pop(ctx, key, zset, request.end, count, 'pairs');
	ctx.replaceEffect([popName(request.end), key, String(count)]);
}

export function zmpopCommand(ctx: CommandContext): void {
	const request = parseMultiPop(ctx, 1);
	if (request === undefined) return;
	const index = findKey(ctx, request.firstKey, request.keysEnd);
	if (index === 0) ctx.reply.nilArray();
	else if (index > 0) popNamed(ctx, request, index);
}

export function bzmpopCommand(ctx: CommandContext): void {
	const request = parseMultiPop(ctx, 2);
	if (request === undefined) return;
	const timeoutMs = parseTimeout(ctx, ctx.args[1]!);
	if (timeoutMs === undefined) return;
	const index = findKey(ctx, request.firstKey, request.keysEnd);
	if (index === 0) waitForKeys(ctx, request.firstKey, request.keysEnd, timeoutMs);
	else if (index > 0) popNamed(ctx, request, index);
}
