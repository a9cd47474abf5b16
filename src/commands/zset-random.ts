/** Members of a sorted set in an order of no meaning: ZRANDMEMBER and ZSCAN. */
import { formatDouble, formatDouble17g } from '../base/doubles.js';
import { INT64_MAX, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import type { ZSetValue } from '../types/zset-value.js';
import { parseCursor, parseScanOptions, replyEmptyScan, replyScan, scanMatches } from './scan-common.js';
import { readZSet, replyMember, replyMembersHeader, replyRange } from './zset-common.js';

/** Above this share of the set, distinct members are drawn by shuffling and not by trial. */
const SHUFFLE_SHARE = 1 / 3;

/** ZRANDMEMBER key [count [WITHSCORES]]. A negative count asks for that many draws, which may repeat. */
export function zrandmemberCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	if (args.length === 2) {
		const zset = readZSet(ctx, args[1]!);
		if (zset === null) return;
		if (zset === undefined) return reply.nil();
		return reply.bulk(zset.memberAt(ctx.engine.env.random.below(zset.size)));
	}
	const given = parseInt64(args[2]!);
	if (given === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	if (given < -INT64_MAX)
		return ctx.replyError(`ERR value is out of range, value must between ${-INT64_MAX} and ${INT64_MAX}`);
	const withScores = args.length === 4 && args[3]!.toUpperCase() === 'WITHSCORES';
	if (args.length > 3 && !withScores) return ctx.replyError(ERR_SYNTAX);
	if (withScores && (given < -INT64_MAX / 2n || given > INT64_MAX / 2n))
		return ctx.replyError('ERR value is out of range');
	const zset = readZSet(ctx, args[1]!);
	if (zset === null) return;
	const count = Number(given);
	if (zset === undefined || count === 0) reply.array(0);
	else if (count < 0) replyDraws(ctx, zset, -count, withScores);
	else if (count >= zset.size) replyRange(ctx, zset, zset.size - 1, zset.size, true, withScores);
	else replyDistinct(ctx, zset, count, withScores);
}

function replyDraws(ctx: CommandContext, zset: ZSetValue, count: number, withScores: boolean): void {
	const { random } = ctx.engine.env;
	replyMembersHeader(ctx, count, withScores);
	for (let left = count; left > 0; left--) replyAt(ctx, zset, random.below(zset.size), withScores);
}

function replyAt(ctx: CommandContext, zset: ZSetValue, position: number, withScores: boolean): void {
	replyMember(ctx, zset.memberAt(position), withScores ? zset.scoreAt(position) : 0, withScores);
}

/** Fewer members than there are, no two alike. */
function replyDistinct(ctx: CommandContext, zset: ZSetValue, count: number, withScores: boolean): void {
	const { random } = ctx.engine.env;
	const { size } = zset;
	replyMembersHeader(ctx, count, withScores);
	if (count <= size * SHUFFLE_SHARE) {
		const drawn = new Set<number>();
		while (drawn.size < count) {
			const position = random.below(size);
			if (drawn.has(position)) continue;
			drawn.add(position);
			replyAt(ctx, zset, position, withScores);
		}
		return;
	}
	const positions = new Uint32Array(size);
	for (let i = 0; i < size; i++) positions[i] = i;
	for (let i = 0; i < count; i++) {
		const other = i + random.below(size - i);
		const position = positions[other]!;
		positions[other] = positions[i]!;
		replyAt(ctx, zset, position, withScores);
	}
}

/** Redis prints the scores of a skiplist with 17 digits here, and nowhere else. */
export function zscanCommand(ctx: CommandContext): void {
	const cursor = parseCursor(ctx, ctx.args[2]!);
	if (cursor === undefined) return;
	const zset = readZSet(ctx, ctx.args[1]!);
	if (zset === null) return;
	if (zset === undefined) return replyEmptyScan(ctx);
	const options = parseScanOptions(ctx, 3, false);
	if (options === undefined) return;
	const format = zset.encoding === 'listpack' ? formatDouble : formatDouble17g;
	const elements: string[] = [];
	const next = zset.scan(cursor, options.count, (member, score) => {
		if (scanMatches(options, member)) elements.push(member, format(score));
	});
	replyScan(ctx, next, elements);
}
