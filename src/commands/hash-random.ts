/** HRANDFIELD. */
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import type { HashValue } from '../types/hash-value.js';
import { readHash } from './hash-common.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { distinctPositions, replyRepeated } from './random-sample.js';

export function hrandfieldCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	if (args.length === 2) {
		const hash = readHash(ctx, args[1]!);
		if (hash === null) return;
		if (hash === undefined) reply.nil();
		else reply.bulk(hash.fieldAt(ctx.engine.env.random.below(hash.size)));
		return;
	}
	const given = parseInRange(ctx, args[2]!, -LONG_MAX, LONG_MAX);
	if (given === undefined) return;
	const withValues = args.length === 4;
	if (args.length > 4 || (withValues && args[3]!.toUpperCase() !== 'WITHVALUES'))
		return ctx.replyError(ERR_SYNTAX);
	const half = LONG_MAX / 2n;
	if (withValues && (given < -half || given > half)) return ctx.replyError('ERR value is out of range');
	const hash = readHash(ctx, args[1]!);
	if (hash === null) return;
	if (hash === undefined || given === 0) return reply.array(0);
	const count = Number(given);
	if (count < 0) {
		replyRepeated(
			ctx,
			hash.size,
			-count,
			(drawn) => replyLength(ctx, drawn, withValues),
			(position) => replyEntry(ctx, hash, position, withValues),
		);
		return;
	}
	replyDistinct(ctx, hash, count, withValues);
}

function replyDistinct(ctx: CommandContext, hash: HashValue, count: number, withValues: boolean): void {
	const replyCount = Math.min(count, hash.size);
	replyLength(ctx, replyCount, withValues);
	if (replyCount === hash.size) {
		for (let i = 0; i < replyCount; i++) replyEntry(ctx, hash, i, withValues);
		return;
	}
	for (const position of distinctPositions(ctx.engine.env.random, hash.size, replyCount))
		replyEntry(ctx, hash, position, withValues);
}

/** RESP2 has fields and values in one flat array, RESP3 a pair for each. */
function replyLength(ctx: CommandContext, count: number, withValues: boolean): void {
	ctx.reply.array(withValues && ctx.reply.resp === 2 ? count * 2 : count);
}

function replyEntry(ctx: CommandContext, hash: HashValue, position: number, withValues: boolean): void {
	const { reply } = ctx;
	if (withValues && reply.resp === 3) reply.array(2);
	reply.bulk(hash.fieldAt(position));
	if (withValues) reply.bulk(hash.valueAt(position));
}
