/** HINCRBY and HINCRBYFLOAT. */
import { addLongDouble, isInfiniteText, parseLongDouble } from '../base/long-double.js';
import { addInt64, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_FLOAT, ERR_NOT_INTEGER, ERR_WRONGTYPE } from '../engine/errors.js';
import { NOTIFY_HASH } from '../engine/settings.js';
import { HashValue } from '../types/hash-value.js';
import { writeOrCreateHash } from './hash-common.js';

const ERR_NAN_OR_INFINITY = 'ERR value is NaN or Infinity';

export function hincrbyCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const increment = parseInt64(args[3]!);
	if (increment === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const hash = writeOrCreateHash(ctx, key);
	if (hash === null) return;
	const old = hash.get(args[2]!);
	const oldInteger = old === undefined ? 0 : parseInt64(old);
	if (oldInteger === undefined) return ctx.replyError('ERR hash value is not an integer');
	const sum = addInt64(oldInteger, increment);
	if (sum === undefined) return ctx.replyError('ERR increment or decrement would overflow');
	hash.set(args[2]!, String(sum), ctx.settings);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_HASH, 'hincrby', key);
	ctx.dirty++;
	ctx.reply.integer(sum);
}

/** Logged as HSET of the result: it does not depend on how the reader adds floats. */
export function hincrbyfloatCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const field = args[2]!;
	const increment = args[3]!;
	const value = ctx.lookupWrite(key);
	if (value !== undefined && !(value instanceof HashValue)) {
		// The increment is checked before the type: only here does that need a pass of its own.
		if (parseLongDouble(increment) === undefined) return ctx.replyError(ERR_NOT_FLOAT);
		return ctx.replyError(isInfiniteText(increment) ? ERR_NAN_OR_INFINITY : ERR_WRONGTYPE);
	}
	const sum = addLongDouble(increment, value?.get(field) ?? '0');
	if (sum.kind === 'first-not-float') return ctx.replyError(ERR_NOT_FLOAT);
	if (sum.kind !== 'sum') {
		if (isInfiniteText(increment)) return ctx.replyError(ERR_NAN_OR_INFINITY);
		return ctx.replyError(
			sum.kind === 'second-not-float'
				? 'ERR hash value is not a float'
				: 'ERR increment would produce NaN or Infinity',
		);
	}
	let hash = value;
	if (hash === undefined) {
		hash = new HashValue();
		ctx.addKey(key, hash);
	}
	hash.set(field, sum.text, ctx.settings);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_HASH, 'hincrbyfloat', key);
	ctx.dirty++;
	ctx.replaceEffect(['HSET', key, field, sum.text]);
	ctx.reply.bulk(sum.text);
}
