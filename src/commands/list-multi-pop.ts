/** The commands that pop from the first of several keys that has something: LMPOP, and BLPOP, BRPOP, BLMPOP, which wait. */
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import { parseTimeout } from './blocking-timeout.js';
import {
	elementsPopped,
	parseEnd,
	parseLongFrom,
	popElement,
	popRangeAndReply,
	writeList,
} from './list-common.js';

/** What a blocking pop replies: the key and an element, or the key and an array of up to so many. */
const ONE_ELEMENT = -1;

/**
 * Pops from the first list among `args[first]` to `args[last]`. True if that, or a value of another type
 * met on the way, settled the reply; false if there is none of these keys.
 */
function popFromFirst(
	ctx: CommandContext,
	first: number,
	last: number,
	atHead: boolean,
	count: number,
): boolean {
	const { args, reply } = ctx;
	for (let i = first; i <= last; i++) {
		const key = args[i]!;
		const list = writeList(ctx, key);
		if (list === undefined) continue;
		if (list === null) return true;
		const name = atHead ? 'LPOP' : 'RPOP';
		reply.array(2);
		reply.bulk(key);
		if (count === ONE_ELEMENT) {
			reply.bulk(popElement(ctx, list, atHead));
			elementsPopped(ctx, key, list, atHead, 1);
			ctx.replaceEffect([name, key]);
		} else {
			const popCount = popRangeAndReply(ctx, list, atHead, count);
			elementsPopped(ctx, key, list, atHead, popCount);
			ctx.replaceEffect([name, key, String(popCount)]);
		}
		return true;
	}
	return false;
}

function popOrWait(
	ctx: CommandContext,
	first: number,
	last: number,
	atHead: boolean,
	count: number,
	timeoutText: string,
): void {
	const timeoutMs = parseTimeout(ctx, timeoutText);
	if (timeoutMs === undefined || popFromFirst(ctx, first, last, atHead, count)) return;
	if (ctx.denyBlocking || ctx.client.isReplay) ctx.reply.nilArray();
	else ctx.blockOnKeys(ctx.args.slice(first, last + 1), 'list', timeoutMs, true);
}

export function blpopCommand(ctx: CommandContext): void {
	const { args } = ctx;
	popOrWait(ctx, 1, args.length - 2, true, ONE_ELEMENT, args[args.length - 1]!);
}

export function brpopCommand(ctx: CommandContext): void {
	const { args } = ctx;
	popOrWait(ctx, 1, args.length - 2, false, ONE_ELEMENT, args[args.length - 1]!);
}

/** The arguments of LMPOP from the number of keys on. */
interface MultiPop {
	readonly lastKey: number;
	readonly atHead: boolean;
	readonly count: number;
}

/** Parses `numkeys key … LEFT|RIGHT [COUNT n]` from `args[at]`; undefined after an error reply. */
function parseMultiPop(ctx: CommandContext, at: number): MultiPop | undefined {
	const { args } = ctx;
	const keyCount = parseLongFrom(ctx, args[at]!, 1, 'ERR numkeys should be greater than 0');
	if (keyCount === undefined) return undefined;
	const endAt = at + keyCount + 1;
	if (endAt >= args.length) {
		ctx.replyError(ERR_SYNTAX);
		return undefined;
	}
	const atHead = parseEnd(ctx, args[endAt]!);
	if (atHead === undefined) return undefined;
	let count = -1;
	for (let i = endAt + 1; i < args.length; i++) {
		if (count !== -1 || i + 1 >= args.length || args[i]!.toUpperCase() !== 'COUNT') {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
		const given = parseLongFrom(ctx, args[++i]!, 1, 'ERR count should be greater than 0');
		if (given === undefined) return undefined;
		count = given;
	}
	return { lastKey: endAt - 1, atHead, count: count === -1 ? 1 : count };
}

export function lmpopCommand(ctx: CommandContext): void {
	const options = parseMultiPop(ctx, 1);
	if (options === undefined) return;
	if (!popFromFirst(ctx, 2, options.lastKey, options.atHead, options.count)) ctx.reply.nilArray();
}

export function blmpopCommand(ctx: CommandContext): void {
	const options = parseMultiPop(ctx, 2);
	if (options === undefined) return;
	popOrWait(ctx, 3, options.lastKey, options.atHead, options.count, ctx.args[1]!);
}
