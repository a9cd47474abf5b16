/** Members of a sorted set in an order of no meaning: ZRANDMEMBER and ZSCAN. */
import { formatDouble, formatDouble17g } from '../base/doubles.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import type { ZSetValue } from '../types/zset-value.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { distinctPositions, replyRepeated } from './random-sample.js';
import { parseCursor, parseScanOptions, replyEmptyScan, replyScan, scanMatches } from './scan-common.js';
import { readZSet, replyMember, replyMembersHeader, replyRange } from './zset-common.js';

const ERR_TOO_MANY = 'ERR value is out of range';

/** ZRANDMEMBER key [count [WITHSCORES]]. A negative count asks for that many draws, which may repeat. */
export function zrandmemberCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	if (args.length === 2) {
		const zset = readZSet(ctx, args[1]!);
		if (zset === null) return;
		if (zset === undefined) return reply.nil();
		return reply.bulk(zset.memberAt(ctx.engine.env.random.below(zset.size)));
	}
	const given = parseInRange(ctx, args[2]!, -LONG_MAX, LONG_MAX);
	if (given === undefined) return;
	const withScores = args.length === 4 && args[3]!.toUpperCase() === 'WITHSCORES';
	if (args.length > 3 && !withScores) return ctx.replyError(ERR_SYNTAX);
	const half = LONG_MAX / 2n;
	if (withScores && (given < -half || given > half)) return ctx.replyError(ERR_TOO_MANY);
	const zset = readZSet(ctx, args[1]!);
	if (zset === null) return;
	const count = Number(given);
	if (zset === undefined || count === 0) reply.array(0);
	else if (count < 0) replyDraws(ctx, zset, -count, withScores);
	else if (count >= zset.size) replyRange(ctx, zset, zset.size - 1, zset.size, true, withScores);
	else replyDistinct(ctx, zset, count, withScores);
}

function replyDraws(ctx: CommandContext, zset: ZSetValue, count: number, withScores: boolean): void {
	replyRepeated(
		ctx,
		zset.size,
		count,
		(drawn) => replyMembersHeader(ctx, drawn, withScores),
		(position) => replyAt(ctx, zset, position, withScores),
	);
}

function replyAt(ctx: CommandContext, zset: ZSetValue, position: number, withScores: boolean): void {
	replyMember(ctx, zset.memberAt(position), withScores ? zset.scoreAt(position) : 0, withScores);
}

/** Fewer members than there are, no two alike. */
function replyDistinct(ctx: CommandContext, zset: ZSetValue, count: number, withScores: boolean): void {
	replyMembersHeader(ctx, count, withScores);
	for (const position of distinctPositions(ctx.engine.env.random, zset.size, count))
		replyAt(ctx, zset, position, withScores);
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
