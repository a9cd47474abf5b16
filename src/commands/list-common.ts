/** What the commands on lists share: typed lookups, the ends of a list, replies of ranges, what follows a removal. */
import { parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../engine/errors.js';
import { NOTIFY_LIST } from '../engine/settings.js';
import { ListValue } from '../types/list-value.js';

/** A key's list for reading; undefined if there is none; null after an error reply about its type. */
export function readList(ctx: CommandContext, key: string): ListValue | undefined | null {
	const value = ctx.lookupRead(key);
	if (value === undefined || value instanceof ListValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** As `readList`, for writing. */
export function writeList(ctx: CommandContext, key: string): ListValue | undefined | null {
	const value = ctx.lookupWrite(key);
	if (value === undefined || value instanceof ListValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/**
 * A 64-bit integer argument; undefined after an error reply. Beyond 2^53 it is rounded, which no list is
 * long enough to notice.
 */
export function parseLong(ctx: CommandContext, text: string): number | undefined {
	const value = parseInt64(text);
	if (value !== undefined) return Number(value);
	ctx.replyError(ERR_NOT_INTEGER);
	return undefined;
}

/** As `parseLong`, of at least `min`: `error` is the reply for everything else. */
export function parseLongFrom(
	ctx: CommandContext,
	text: string,
	min: number,
	error: string,
): number | undefined {
	const value = parseInt64(text);
	if (value !== undefined && value >= min) return Number(value);
	ctx.replyError(error);
	return undefined;
}

/** LEFT or RIGHT as an argument: whether it is the head; undefined after an error reply. */
export function parseEnd(ctx: CommandContext, text: string): boolean | undefined {
	if (text === 'LEFT') return true;
	if (text === 'RIGHT') return false;
	const word = text.toUpperCase();
	if (word === 'LEFT') return true;
	if (word === 'RIGHT') return false;
	ctx.replyError(ERR_SYNTAX);
	return undefined;
}

/** Removes and returns the element at one end of a list that is not empty. */
export function popElement(ctx: CommandContext, list: ListValue, atHead: boolean): string {
	return (atHead ? list.popHead(ctx.settings) : list.popTail(ctx.settings))!;
}

/** Removes up to `count` elements from one end and replies with them as an array, in the order of popping. */
export function popRangeAndReply(
	ctx: CommandContext,
	list: ListValue,
	atHead: boolean,
	count: number,
): number {
	const popCount = Math.min(count, list.length);
	const { reply } = ctx;
	reply.array(popCount);
	for (let i = 0; i < popCount; i++) reply.bulk(popElement(ctx, list, atHead));
	return popCount;
}

/**
 * What follows when `count` elements were taken from an end: the events, the deletion of an emptied key,
 * watchers, `dirty`.
 */
export function elementsPopped(
	ctx: CommandContext,
	key: string,
	list: ListValue,
	atHead: boolean,
	count: number,
): void {
	ctx.notify(NOTIFY_LIST, atHead ? 'lpop' : 'rpop', key);
	if (list.length === 0) ctx.deleteEmptied(key);
	ctx.signalModified(key);
	ctx.dirty += count;
}
