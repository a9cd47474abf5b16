/** What the commands on sorted sets share: typed lookups, integers and bounds of ranges, replies. */
import { parseDouble } from '../base/doubles.js';
import { readFloatText } from '../base/float-text.js';
import { parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_WRONGTYPE } from '../engine/errors.js';
import type { LexBound, LexRange, ScoreRange } from '../types/zset-range.js';
import { ZSetValue } from '../types/zset-value.js';

export const ERR_NOT_SCORE_RANGE = 'ERR min or max is not a float';
export const ERR_NOT_LEX_RANGE = 'ERR min or max not valid string range item';

const CHAR_OPEN = 40;

/** A key's sorted set for reading; undefined if there is none; null after an error reply about its type. */
export function readZSet(ctx: CommandContext, key: string): ZSetValue | undefined | null {
	const value = ctx.lookupRead(key);
	if (value === undefined || value instanceof ZSetValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** As `readZSet`, for writing. */
export function writeZSet(ctx: CommandContext, key: string): ZSetValue | undefined | null {
	const value = ctx.lookupWrite(key);
	if (value === undefined || value instanceof ZSetValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/**
 * A 64-bit integer as a number, beyond 2^53 rounded: for ranks and counts, which are cut to a size anyway.
 * Undefined after the error reply `error`.
 */
export function parseLong(ctx: CommandContext, text: string, error = ERR_NOT_INTEGER): number | undefined {
	const n = parseInt64(text);
	if (n !== undefined) return Number(n);
	ctx.replyError(error);
	return undefined;
}

/**
 * A bound of a range of scores. Unlike other floats of Redis it is read by bare strtod: white space before it
 * is skipped, a zero byte ends it, nothing at all is 0, and what is too large is infinite.
 */
function parseBound(text: string, from: number): number | undefined {
	const end = text.indexOf('\0', from);
	const whole = end === -1 && from === 0 ? text : text.slice(from, end === -1 ? undefined : end);
	const plain = parseDouble(whole);
	if (plain !== undefined) return plain;
	if (whole === '') return 0;
	let start = 0;
	while (start < whole.length && isSpace(whole.charCodeAt(start))) start++;
	const trimmed = whole.slice(start);
	const float = readFloatText(trimmed);
	if (float === undefined) return undefined;
	if (start > 0) {
		const value = parseDouble(trimmed);
		if (value !== undefined) return value;
	}
	// Out of the range of a double, at one end or the other.
	const bits = float.exponent + float.digits.length * (float.kind === 'hex' ? 4 : 1);
	const magnitude = bits > 0 ? Number.POSITIVE_INFINITY : 0;
	return float.negative ? -magnitude : magnitude;
}

function isSpace(c: number): boolean {
	return c === 32 || (c >= 9 && c <= 13);
}

/** A range of scores, `(` before a bound excluding it; undefined if malformed. */
export function parseScoreRange(minText: string, maxText: string): ScoreRange | undefined {
	const minExclusive = minText.charCodeAt(0) === CHAR_OPEN;
	const maxExclusive = maxText.charCodeAt(0) === CHAR_OPEN;
	const min = parseBound(minText, minExclusive ? 1 : 0);
	const max = parseBound(maxText, maxExclusive ? 1 : 0);
	if (min === undefined || max === undefined) return undefined;
	return { min, max, minExclusive, maxExclusive };
}

const LOWEST: LexBound = { kind: 'lowest' };
const HIGHEST: LexBound = { kind: 'highest' };

/** `-`, `+`, `[member` or `(member`; undefined for anything else. */
function parseLexBound(text: string): LexBound | undefined {
	const first = text[0];
	if (first === '[' || first === '(')
		return { kind: 'member', member: text.slice(1), exclusive: first === '(' };
	// Redis looks for a zero byte here, be it the end or not.
	if (text.length > 1 && text[1] !== '\0') return undefined;
	return first === '-' ? LOWEST : first === '+' ? HIGHEST : undefined;
}

/** A range of members; undefined if malformed. */
export function parseLexRange(minText: string, maxText: string): LexRange | undefined {
	const min = parseLexBound(minText);
	const max = parseLexBound(maxText);
	return min === undefined || max === undefined ? undefined : { min, max };
}

/**
 * The header of a reply of `count` members: an array of them; with scores, of pairs in RESP3 and flat in
 * RESP2.
 */
export function replyMembersHeader(ctx: CommandContext, count: number, withScores: boolean): void {
	ctx.reply.array(withScores && ctx.reply.resp === 2 ? count * 2 : count);
}

/** One of the members that `replyMembersHeader` announced. */
export function replyMember(ctx: CommandContext, member: string, score: number, withScores: boolean): void {
	const { reply } = ctx;
	if (!withScores) {
		reply.bulk(member);
		return;
	}
	if (reply.resp === 3) reply.array(2);
	reply.bulk(member);
	reply.double(score);
}

/** `count` members from the rank `first` on, upward or (`reverse`) downward; they must exist. */
export function replyRange(
	ctx: CommandContext,
	zset: ZSetValue,
	first: number,
	count: number,
	reverse: boolean,
	withScores: boolean,
): void {
	replyMembersHeader(ctx, count, withScores);
	const cursor = zset.cursorAt(first);
	for (let left = count; left > 0; left--) {
		replyMember(ctx, cursor.member, cursor.score, withScores);
		if (reverse) cursor.backward();
		else cursor.forward();
	}
}
