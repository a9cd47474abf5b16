/** Ranges of a sorted set by rank, score or member: ZRANGE and its kin, ZRANGESTORE, ZREMRANGEBY…, ZCOUNT, ZLEXCOUNT. */
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_GENERIC, NOTIFY_ZSET } from '../engine/settings.js';
import type { LexRange, ScoreRange } from '../types/zset-range.js';
import { ZSetValue } from '../types/zset-value.js';
import {
	ERR_NOT_LEX_RANGE,
	ERR_NOT_SCORE_RANGE,
	parseLexRange,
	parseLong,
	parseScoreRange,
	readZSet,
	replyRange,
	writeZSet,
} from './zset-common.js';

const ERR_LIMIT_BY_RANK =
	'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX';
const ERR_SCORES_BY_LEX = 'ERR syntax error, WITHSCORES not supported in combination with BYLEX';

type RangeKind = 'rank' | 'score' | 'lex';

/** A range as its bounds say it, before it is applied to a sorted set. */
interface RankBounds {
	readonly start: number;
	readonly end: number;
}

type Bounds =
	| { readonly kind: 'rank'; readonly range: RankBounds }
	| { readonly kind: 'score'; readonly range: ScoreRange }
	| { readonly kind: 'lex'; readonly range: LexRange };

/** The bounds in two words, the lower one first; undefined after an error reply. */
function parseBounds(
	ctx: CommandContext,
	kind: RangeKind,
	minText: string,
	maxText: string,
): Bounds | undefined {
	if (kind === 'rank') {
		const start = parseLong(ctx, minText);
		if (start === undefined) return undefined;
		const end = parseLong(ctx, maxText);
		return end === undefined ? undefined : { kind, range: { start, end } };
	}
	if (kind === 'score') {
		const range = parseScoreRange(minText, maxText);
		if (range !== undefined) return { kind, range };
		ctx.replyError(ERR_NOT_SCORE_RANGE);
		return undefined;
	}
	const range = parseLexRange(minText, maxText);
	if (range !== undefined) return { kind, range };
	ctx.replyError(ERR_NOT_LEX_RANGE);
	return undefined;
}

/** First rank of a range, from the lower end. */
function startRank(zset: ZSetValue, bounds: Bounds): number {
	if (bounds.kind === 'score') return zset.scoreRangeStart(bounds.range);
	if (bounds.kind === 'lex') return zset.lexRangeStart(bounds.range);
	const { start } = bounds.range;
	return Math.max(0, start < 0 ? zset.size + start : start);
}

/** The rank behind the last one of a range; the range is empty if that is not above `startRank`. */
function endRank(zset: ZSetValue, bounds: Bounds): number {
	if (bounds.kind === 'score') return zset.scoreRangeEnd(bounds.range);
	if (bounds.kind === 'lex') return zset.lexRangeEnd(bounds.range);
	const { end } = bounds.range;
	return Math.min(zset.size, (end < 0 ? zset.size + end : end) + 1);
}

/** What a range command asks for. */
interface RangeRequest {
	readonly bounds: Bounds;
	readonly reverse: boolean;
	readonly withScores: boolean;
	/** How many to skip; if negative, all are. */
	readonly offset: number;
	/** How many to take at most; if negative, no limit. */
	readonly limit: number;
}

/**
 * Parses `<min> <max> [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]` from `args[at]`; undefined
 * after an error reply. `kind` and `reverse` are fixed by the commands whose name says them; a fixed pair of
 * bounds in reverse is given as max, min.
 */
function parseRequest(
	ctx: CommandContext,
	at: number,
	isStore: boolean,
	fixedKind: RangeKind | undefined,
	fixedReverse: boolean | undefined,
): RangeRequest | undefined {
	const { args } = ctx;
	let kind = fixedKind;
	let reverse = fixedReverse;
	let withScores = false;
	let offset = 0;
	let limit = -1;
	for (let i = at + 2; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'WITHSCORES' && !isStore) withScores = true;
		else if (word === 'LIMIT' && i + 2 < args.length) {
			const offsetGiven = parseLong(ctx, args[i + 1]!);
			if (offsetGiven === undefined) return undefined;
			const limitGiven = parseLong(ctx, args[i + 2]!);
			if (limitGiven === undefined) return undefined;
			offset = offsetGiven;
			limit = limitGiven;
			i += 2;
		} else if (word === 'REV' && reverse === undefined) reverse = true;
		else if (word === 'BYLEX' && kind === undefined) kind = 'lex';
		else if (word === 'BYSCORE' && kind === undefined) kind = 'score';
		else {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
	}
	kind ??= 'rank';
	reverse ??= false;
	if (limit !== -1 && kind === 'rank') {
		ctx.replyError(ERR_LIMIT_BY_RANK);
		return undefined;
	}
	if (withScores && kind === 'lex') {
		ctx.replyError(ERR_SCORES_BY_LEX);
		return undefined;
	}
	const swapped = reverse && kind !== 'rank';
	const bounds = parseBounds(ctx, kind, args[swapped ? at + 1 : at]!, args[swapped ? at : at + 1]!);
	// LIMIT 0 -1 is let through with ranks, and any offset with it: it has no effect there.
	if (kind === 'rank') offset = 0;
	return bounds === undefined ? undefined : { bounds, reverse, withScores, offset, limit };
}

/** How many members a request yields. */
function requestCount(request: RangeRequest, rangeCount: number): number {
	const { offset, limit } = request;
	if (offset < 0 || rangeCount <= offset) return 0;
	const count = rangeCount - offset;
	return limit >= 0 && limit < count ? limit : count;
}

/** The rank that a request begins at where its range is [start, end). */
function firstRank(request: RangeRequest, zset: ZSetValue, start: number, end: number): number {
	if (!request.reverse) return start + request.offset;
	// Given by rank, a range in reverse counts from the highest element.
	return request.bounds.kind === 'rank' ? zset.size - 1 - start : end - 1 - request.offset;
}

function rangeReply(ctx: CommandContext, kind: RangeKind | undefined, reverse: boolean | undefined): void {
	const request = parseRequest(ctx, 2, false, kind, reverse);
	if (request === undefined) return;
	const zset = readZSet(ctx, ctx.args[1]!);
	if (zset === null) return;
	if (zset === undefined) return ctx.reply.array(0);
	const start = startRank(zset, request.bounds);
	const end = endRank(zset, request.bounds);
	const count = requestCount(request, end - start);
	replyRange(ctx, zset, firstRank(request, zset, start, end), count, request.reverse, request.withScores);
}

export function zrangeCommand(ctx: CommandContext): void {
	rangeReply(ctx, undefined, undefined);
}

export function zrevrangeCommand(ctx: CommandContext): void {
	rangeReply(ctx, 'rank', true);
}

export function zrangebyscoreCommand(ctx: CommandContext): void {
	rangeReply(ctx, 'score', false);
}

export function zrevrangebyscoreCommand(ctx: CommandContext): void {
	rangeReply(ctx, 'score', true);
}

export function zrangebylexCommand(ctx: CommandContext): void {
	rangeReply(ctx, 'lex', false);
}

export function zrevrangebylexCommand(ctx: CommandContext): void {
	rangeReply(ctx, 'lex', true);
}

export function zrangestoreCommand(ctx: CommandContext): void {
	const request = parseRequest(ctx, 3, true, undefined, undefined);
	if (request === undefined) return;
	const source = readZSet(ctx, ctx.args[2]!);
	if (source === null) return;
	const result = source === undefined ? undefined : rangeCopy(ctx, source, request);
	storeZSet(ctx, ctx.args[1]!, result, 'zrangestore');
}

/** A new sorted set of the members that the request yields; undefined if there are none. */
function rangeCopy(ctx: CommandContext, source: ZSetValue, request: RangeRequest): ZSetValue | undefined {
	const start = startRank(source, request.bounds);
	const end = endRank(source, request.bounds);
	const count = requestCount(request, end - start);
	if (count === 0) return undefined;
	// Redis knows the size in advance only where the range is one of ranks.
	const sizeHint = request.bounds.kind === 'rank' ? count : 0;
	const copy = ZSetValue.forAdding(sizeHint, 0, ctx.settings);
	const cursor = source.cursorAt(firstRank(request, source, start, end));
	for (let left = count; left > 0; left--) {
		copy.put(cursor.member, cursor.score, ctx.settings);
		if (request.reverse) cursor.backward();
		else cursor.forward();
	}
	return copy;
}

/**
 * What the …STORE commands end with: the result becomes the key's value, or, where it is empty, the key goes;
 * replies with the size. The encoding is left as it is.
 */
export function storeZSet(
	ctx: CommandContext,
	key: string,
	result: ZSetValue | undefined,
	event: string,
): void {
	if (result !== undefined && result.size > 0) {
		ctx.setKey(key, result);
		ctx.reply.integer(result.size);
		ctx.notify(NOTIFY_ZSET, event, key);
		ctx.dirty++;
		return;
	}
	ctx.reply.integer(0);
	if (ctx.deleteKey(key)) {
		ctx.notify(NOTIFY_GENERIC, 'del', key);
		ctx.dirty++;
	}
}

function ignoreElement(): void {}

function removeRange(ctx: CommandContext, kind: RangeKind, event: string): void {
	const { args } = ctx;
	const key = args[1]!;
	const bounds = parseBounds(ctx, kind, args[2]!, args[3]!);
	if (bounds === undefined) return;
	const zset = writeZSet(ctx, key);
	if (zset === null) return;
	if (zset === undefined) return ctx.reply.integer(0);
	const start = startRank(zset, bounds);
	const removed = zset.deleteRangeByRank(start, endRank(zset, bounds) - 1, ignoreElement);
	if (removed > 0) {
		ctx.dirty += removed;
		ctx.signalModified(key);
		ctx.notify(NOTIFY_ZSET, event, key);
		if (zset.size === 0) ctx.deleteEmptied(key);
	}
	ctx.reply.integer(removed);
}

export function zremrangebyrankCommand(ctx: CommandContext): void {
	removeRange(ctx, 'rank', 'zremrangebyrank');
}

export function zremrangebyscoreCommand(ctx: CommandContext): void {
	removeRange(ctx, 'score', 'zremrangebyscore');
}

export function zremrangebylexCommand(ctx: CommandContext): void {
	removeRange(ctx, 'lex', 'zremrangebylex');
}

function countRange(ctx: CommandContext, kind: RangeKind): void {
	const bounds = parseBounds(ctx, kind, ctx.args[2]!, ctx.args[3]!);
	if (bounds === undefined) return;
	const zset = readZSet(ctx, ctx.args[1]!);
	if (zset === null) return;
	ctx.reply.integer(zset === undefined ? 0 : Math.max(0, endRank(zset, bounds) - startRank(zset, bounds)));
}

export function zcountCommand(ctx: CommandContext): void {
	countRange(ctx, 'score');
}

export function zlexcountCommand(ctx: CommandContext): void {
	countRange(ctx, 'lex');
}
