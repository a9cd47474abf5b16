/**
 * SPOP and SRANDMEMBER.
 *
 * SPOP is logged as the SREM of what it took, or as the deletion of the key where it was asked for as
 * many members as there are.
 */
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_POSITIVE, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_SET } from '../engine/settings.js';
import { SetValue } from '../types/set-value.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { distinctPositions, replyRepeated } from './random-sample.js';
import { readSet, replyMembers, writeSet } from './set-common.js';

/** Members in one SREM of the log. */
const EFFECT_MEMBERS_MAX = 1024;
/** Where SPOP leaves less than a fifth of what it takes, Redis builds the set anew from what is left. */
const REBUILD_SHARE = 5;

export function spopCommand(ctx: CommandContext): void {
	const { args } = ctx;
	if (args.length === 3) return popCount(ctx);
	if (args.length > 3) return ctx.replyError(ERR_SYNTAX);
	const key = args[1]!;
	const set = writeSet(ctx, key);
	if (set === null) return;
	if (set === undefined) return ctx.reply.nil();
	const member = set.popRandom(ctx.engine.env.random);
	ctx.notify(NOTIFY_SET, 'spop', key);
	ctx.replaceEffect(['SREM', key, member]);
	ctx.reply.bulk(member);
	if (set.size === 0) ctx.deleteEmptied(key);
	ctx.signalModified(key);
	ctx.dirty++;
}

function popCount(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const given = parseInRange(ctx, ctx.args[2]!, 0, LONG_MAX, ERR_NOT_POSITIVE);
	if (given === undefined) return;
	const set = writeSet(ctx, key);
	if (set === null) return;
	if (set === undefined || given === 0) return ctx.reply.set(0);
	ctx.notify(NOTIFY_SET, 'spop', key);
	if (given >= set.size) {
		ctx.dirty += set.size;
		replyMembers(ctx, set);
		ctx.deleteEmptied(key);
		ctx.replaceEffect([ctx.settings.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL', key]);
	} else {
		popSome(ctx, key, set, Number(given));
	}
	ctx.signalModified(key);
}

/** Takes `count` members of more than that many. */
function popSome(ctx: CommandContext, key: string, set: SetValue, count: number): void {
	const { random } = ctx.engine.env;
	ctx.dirty += count;
	ctx.reply.set(count);
	let effect = ['SREM', key];
	for (let i = 0; i < count; i++) {
		const member = set.popRandom(random);
		ctx.reply.bulk(member);
		effect.push(member);
		if (effect.length === EFFECT_MEMBERS_MAX + 2) {
			ctx.addEffect(effect);
			effect = ['SREM', key];
		}
	}
	if (effect.length > 2) ctx.addEffect(effect);
	ctx.suppressEffect();
	if (set.size * REBUILD_SHARE <= count && set.encoding === 'hashtable') {
		const left = new SetValue('listpack');
		for (let i = 0; i < set.size; i++) left.add(set.memberAt(i), ctx.settings);
		ctx.replaceValue(key, left);
	}
}

export function srandmemberCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	if (args.length === 3) return randomMembers(ctx);
	if (args.length > 3) return ctx.replyError(ERR_SYNTAX);
	const set = readSet(ctx, args[1]!);
	if (set === null) return;
	if (set === undefined) reply.nil();
	else reply.bulk(set.randomMember(ctx.engine.env.random));
}

/** The variant with a count: distinct members, or with repetition if the count is negative. */
function randomMembers(ctx: CommandContext): void {
	const { reply } = ctx;
	const { random } = ctx.engine.env;
	const given = parseInRange(ctx, ctx.args[2]!, -LONG_MAX, LONG_MAX);
	if (given === undefined) return;
	const set = readSet(ctx, ctx.args[1]!);
	if (set === null) return;
	if (set === undefined || given === 0) return reply.array(0);
	const { size } = set;
	if (given < 0) {
		replyRepeated(
			ctx,
			size,
			-Number(given),
			(drawn) => reply.array(drawn),
			(position) => reply.bulk(set.memberAt(position)),
		);
		return;
	}
	const count = Math.min(Number(given), size);
	reply.array(count);
	if (count === size) for (let i = 0; i < size; i++) reply.bulk(set.memberAt(i));
	else for (const position of distinctPositions(random, size, count)) reply.bulk(set.memberAt(position));
}
