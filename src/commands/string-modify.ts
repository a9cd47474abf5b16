/** The commands that change a string in place: counters, APPEND, SETRANGE. */

import { addLongDouble } from '../base/long-double.js';
import { addInt64, type Int64, negateInt64, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_FLOAT, ERR_NOT_INTEGER } from '../engine/errors.js';
import { NOTIFY_STRING } from '../engine/settings.js';
import { RawString } from '../types/raw-string.js';
import { stringLength, stringOf, stringValueOf } from '../types/value.js';
import { checkStringLength, mutableString, writeString } from './string-common.js';

function incrementBy(ctx: CommandContext, increment: Int64): void {
	const key = ctx.args[1]!;
	const value = writeString(ctx, key);
	if (value === null) return;
	if (typeof value === 'number' && typeof increment === 'number') {
		const sum = value + increment;
		if (Number.isSafeInteger(sum)) {
			ctx.replaceValue(key, sum);
			return finishIncrement(ctx, key, sum);
		}
	}
	const current = value === undefined ? 0 : typeof value === 'number' ? value : parseInt64(stringOf(value));
	if (current === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const sum = addInt64(current, increment);
	if (sum === undefined) return ctx.replyError('ERR increment or decrement would overflow');
	const stored = typeof sum === 'number' ? sum : sum.toString();
	if (value === undefined) ctx.addKey(key, stored);
	else ctx.replaceValue(key, stored);
	finishIncrement(ctx, key, sum);
}

function finishIncrement(ctx: CommandContext, key: string, sum: Int64): void {
	ctx.signalModified(key);
	ctx.notify(NOTIFY_STRING, 'incrby', key);
	ctx.dirty++;
	ctx.reply.integer(sum);
}

export function incrCommand(ctx: CommandContext): void {
	incrementBy(ctx, 1);
}

export function decrCommand(ctx: CommandContext): void {
	incrementBy(ctx, -1);
}

export function incrbyCommand(ctx: CommandContext): void {
	const increment = parseInt64(ctx.args[2]!);
	if (increment === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	incrementBy(ctx, increment);
}

export function decrbyCommand(ctx: CommandContext): void {
	const decrement = parseInt64(ctx.args[2]!);
	if (decrement === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const increment = negateInt64(decrement);
	if (increment === undefined) return ctx.replyError('ERR decrement would overflow');
	incrementBy(ctx, increment);
}

export function incrbyfloatCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const value = writeString(ctx, key);
	if (value === null) return;
	const sum = addLongDouble(value === undefined ? '0' : stringOf(value), ctx.args[2]!);
	if (sum.kind === 'nan-or-infinity') return ctx.replyError('ERR increment would produce NaN or Infinity');
	if (sum.kind !== 'sum') return ctx.replyError(ERR_NOT_FLOAT);
	const { text } = sum;
	if (value === undefined) ctx.addKey(key, text);
	else ctx.replaceValue(key, text);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_STRING, 'incrbyfloat', key);
	ctx.dirty++;
	// The sum as text: another machine's rounding of the addition must not matter.
	ctx.replaceEffect(['SET', key, text, 'KEEPTTL']);
	ctx.reply.bulk(text);
}

export function appendCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const text = ctx.args[2]!;
	const value = writeString(ctx, key);
	if (value === null) return;
	let length = text.length;
	if (value === undefined) {
		ctx.addKey(key, stringValueOf(text));
	} else {
		length += stringLength(value);
		if (!checkStringLength(ctx, length)) return;
		mutableString(ctx, key, value).append(text);
	}
	ctx.signalModified(key);
	ctx.notify(NOTIFY_STRING, 'append', key);
	ctx.dirty++;
	ctx.reply.integer(length);
}

export function setrangeCommand(ctx: CommandContext): void {
	const [, key, offsetText, text] = ctx.args as [string, string, string, string];
	const offset64 = parseInt64(offsetText);
	if (offset64 === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const offset = Number(offset64);
	if (offset < 0) return ctx.replyError('ERR offset is out of range');
	const value = writeString(ctx, key);
	if (value === null) return;
	const length = value === undefined ? 0 : stringLength(value);
	if (text.length === 0) return ctx.reply.integer(length);
	if (!checkStringLength(ctx, offset + text.length)) return;
	let raw: RawString;
	if (value === undefined) {
		raw = RawString.from('');
		ctx.addKey(key, raw);
	} else {
		raw = mutableString(ctx, key, value);
	}
	raw.writeAt(offset, text);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_STRING, 'setrange', key);
	ctx.dirty++;
	ctx.reply.integer(raw.length);
}
