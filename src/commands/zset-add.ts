/** ZADD and ZINCRBY. */
import { parseDouble } from '../base/doubles.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_FLOAT, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_ZSET } from '../engine/settings.js';
import { PUT_ADDED, PUT_CHANGED, PUT_SAME, ZSetValue } from '../types/zset-value.js';
import { writeZSet } from './zset-common.js';

/** The options of ZADD, as bits. */
const NX = 1;
const XX = 2;
const GT = 4;
const LT = 8;
const INCR = 16;
const CH = 32;

const ERR_NX_XX = 'ERR XX and NX options at the same time are not compatible';
const ERR_GT_LT_NX = 'ERR GT, LT, and/or NX options at the same time are not compatible';
const ERR_INCR_PAIRS = 'ERR INCR option supports a single increment-element pair';
const ERR_NAN = 'ERR resulting score is not a number (NaN)';

const CHAR_A = 65;

/** The bit of an option; 0 if the word is none. */
function optionBit(word: string): number {
	// Nearly always a number.
	if (word.charCodeAt(0) < CHAR_A || word.length > 4) return 0;
	switch (word.toUpperCase()) {
		case 'NX':
			return NX;
		case 'XX':
			return XX;
		case 'GT':
			return GT;
		case 'LT':
			return LT;
		case 'CH':
			return CH;
		case 'INCR':
			return INCR;
		default:
			return 0;
	}
}

export function zaddCommand(ctx: CommandContext): void {
	addOrIncrement(ctx, 0);
}

/** As in Redis, the options of ZADD are taken here too. */
export function zincrbyCommand(ctx: CommandContext): void {
	addOrIncrement(ctx, INCR);
}

function addOrIncrement(ctx: CommandContext, given: number): void {
	const { args } = ctx;
	let options = given;
	let at = 2;
	for (; at < args.length; at++) {
		const bit = optionBit(args[at]!);
		if (bit === 0) break;
		options |= bit;
	}
	const wordCount = args.length - at;
	if (wordCount === 0 || wordCount % 2 !== 0) return ctx.replyError(ERR_SYNTAX);
	if (options !== 0) {
		const refusal = optionsRefusal(options, wordCount / 2);
		if (refusal !== undefined) return ctx.replyError(refusal);
	}
	const first = parseDouble(args[at]!);
	if (first === undefined) return ctx.replyError(ERR_NOT_FLOAT);
	if (options & INCR) increment(ctx, args[at + 1]!, first, options);
	else if (wordCount === 2) addOne(ctx, args[at + 1]!, first, options);
	else addSeveral(ctx, at, first, options);
}

/** Why these options do not go together, as an error reply. */
function optionsRefusal(options: number, pairCount: number): string | undefined {
	if (options & NX && options & XX) return ERR_NX_XX;
	if ((options & NX && options & (GT | LT)) || (options & GT && options & LT)) return ERR_GT_LT_NX;
	if (options & INCR && pairCount > 1) return ERR_INCR_PAIRS;
	return undefined;
}

/** The sorted set to add to, made if need be; undefined if XX forbids that; null after an error reply. */
function zsetToAdd(
	ctx: CommandContext,
	sizeHint: number,
	firstMember: string,
	options: number,
): ZSetValue | undefined | null {
	const key = ctx.args[1]!;
	const zset = writeZSet(ctx, key);
	if (zset === null || (zset === undefined && options & XX)) return zset;
	if (zset !== undefined) {
		zset.prepareToAdd(sizeHint, ctx.settings);
		return zset;
	}
	const added = ZSetValue.forAdding(sizeHint, firstMember.length, ctx.settings);
	ctx.addKey(key, added);
	return added;
}

/** Adds a member or changes its score, as far as NX, XX, GT and LT let it; a `PUT_…`. */
function putUnless(
	ctx: CommandContext,
	zset: ZSetValue,
	member: string,
	score: number,
	options: number,
): number {
	if ((options & (NX | XX | GT | LT)) !== 0) {
		const before = zset.score(member);
		if (before === undefined) {
			if (options & XX) return PUT_SAME;
		} else if (options & NX || (options & GT && score <= before) || (options & LT && score >= before)) {
			return PUT_SAME;
		}
	}
	return zset.put(member, score, ctx.settings);
}

function addOne(ctx: CommandContext, member: string, score: number, options: number): void {
	const zset = zsetToAdd(ctx, 1, member, options);
	if (zset === null) return;
	if (zset === undefined) return ctx.reply.integer(0);
	const outcome = putUnless(ctx, zset, member, score, options);
	if (outcome !== PUT_SAME) changed(ctx, 1, 'zadd');
	ctx.reply.integer(outcome === PUT_ADDED || (outcome === PUT_CHANGED && options & CH) ? 1 : 0);
}

function addSeveral(ctx: CommandContext, at: number, first: number, options: number): void {
	const { args } = ctx;
	const scores: number[] = [first];
	for (let i = at + 2; i < args.length; i += 2) {
		const score = parseDouble(args[i]!);
		if (score === undefined) return ctx.replyError(ERR_NOT_FLOAT);
		scores.push(score);
	}
	const zset = zsetToAdd(ctx, scores.length, args[at + 1]!, options);
	if (zset === null) return;
	if (zset === undefined) return ctx.reply.integer(0);
	let addedCount = 0;
	let changedCount = 0;
	for (let i = 0; i < scores.length; i++) {
		const outcome = putUnless(ctx, zset, args[at + 1 + i * 2]!, scores[i]!, options);
		if (outcome === PUT_ADDED) addedCount++;
		else if (outcome === PUT_CHANGED) changedCount++;
	}
	if (addedCount + changedCount > 0) changed(ctx, addedCount + changedCount, 'zadd');
	ctx.reply.integer(options & CH ? addedCount + changedCount : addedCount);
}

function increment(ctx: CommandContext, member: string, by: number, options: number): void {
	const zset = zsetToAdd(ctx, 1, member, options);
	if (zset === null) return;
	if (zset === undefined) return ctx.reply.nil();
	const before = zset.score(member);
	let score = by;
	if (before === undefined) {
		if (options & XX) return ctx.reply.nil();
	} else {
		if (options & NX) return ctx.reply.nil();
		score += before;
		if (Number.isNaN(score)) return ctx.replyError(ERR_NAN);
		if ((options & GT && score <= before) || (options & LT && score >= before)) return ctx.reply.nil();
	}
	if (zset.put(member, score, ctx.settings) !== PUT_SAME) changed(ctx, 1, 'zincr');
	ctx.reply.double(score);
}

function changed(ctx: CommandContext, count: number, event: string): void {
	const key = ctx.args[1]!;
	ctx.dirty += count;
	ctx.signalModified(key);
	ctx.notify(NOTIFY_ZSET, event, key);
}
