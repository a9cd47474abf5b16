/** Integer arguments with a range, and the errors that Redis gives for them (object.c). */
import { type Int64, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER } from '../engine/errors.js';

export const LONG_MAX = 9223372036854775807n;
const INT_MAX = 2147483647;

/**
 * An integer within [min, max]; undefined after an error reply, which is `error` or, without it, Redis's
 * own words for "no integer" and for "out of range".
 */
export function parseInRange(
	ctx: CommandContext,
	text: string,
	min: Int64,
	max: Int64,
	error?: string,
): Int64 | undefined {
	const value = parseInt64(text);
	if (value === undefined) {
		ctx.replyError(error ?? ERR_NOT_INTEGER);
		return undefined;
	}
	if (value < min || value > max) {
		ctx.replyError(error ?? `ERR value is out of range, value must between ${min} and ${max}`);
		return undefined;
	}
	return value;
}

/** A 32-bit signed integer; undefined after an error reply. */
export function parseInt32(ctx: CommandContext, text: string, error?: string): number | undefined {
	const value = parseInRange(ctx, text, -INT_MAX - 1, INT_MAX, error);
	return value === undefined ? undefined : Number(value);
}
