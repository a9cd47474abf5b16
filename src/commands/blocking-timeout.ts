/**
 * The timeout of a blocking command: seconds as a float, in the 80-bit arithmetic of Redis
 * (getTimeoutFromObjectOrReply in its timeout.c).
 */
import { BINARY80, roundBinary } from '../base/float-text.js';
import { type LongDouble, parseLongDouble } from '../base/long-double.js';
import { INT64_MAX, parseSafeInt } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';

const ERR_TIMEOUT_NOT_FLOAT = 'ERR timeout is not a float or out of range';
const ERR_TIMEOUT_NEGATIVE = 'ERR timeout is negative';
const ERR_TIMEOUT_OUT_OF_RANGE = 'ERR timeout is out of range';
/** Whole seconds up to here are in range at any present date, and exact in ms. */
const PLAIN_SECONDS_MAX = 1e9;

/**
 * The milliseconds that `text`, in seconds, means, rounded up; 0 is "for ever". Undefined after an error
 * reply.
 */
export function parseTimeout(ctx: CommandContext, text: string): number | undefined {
	const whole = parseSafeInt(text);
	if (whole !== undefined && whole >= 0 && whole <= PLAIN_SECONDS_MAX) return whole * 1000;
	const seconds = parseLongDouble(text);
	if (seconds === undefined) return refuse(ctx, ERR_TIMEOUT_NOT_FLOAT);
	if (seconds.infinite)
		return refuse(ctx, seconds.negative ? ERR_TIMEOUT_NEGATIVE : ERR_TIMEOUT_OUT_OF_RANGE);
	const timeoutMs = millisecondsRoundedUp(seconds);
	if (timeoutMs < 0n) return refuse(ctx, ERR_TIMEOUT_NEGATIVE);
	if (timeoutMs > INT64_MAX - BigInt(ctx.nowMs)) return refuse(ctx, ERR_TIMEOUT_OUT_OF_RANGE);
	return Number(timeoutMs);
}

function refuse(ctx: CommandContext, text: string): undefined {
	ctx.replyError(text);
	return undefined;
}

/** ⌈seconds × 1000⌉, the product rounded to the 80-bit format first: so 0.1 s are 100 ms and not 101. */
function millisecondsRoundedUp(seconds: LongDouble): bigint {
	const product = roundBinary(seconds.mantissa * 1000n, seconds.exponent, false, BINARY80);
	if (product === 'infinity') return seconds.negative ? -INT64_MAX : INT64_MAX;
	const { mantissa, exponent } = product;
	if (mantissa === 0n) return 0n;
	let whole: bigint;
	if (exponent >= 0) {
		// Beyond 2^63 by far is as good as beyond: nothing is shifted by thousands of bits.
		if (exponent > 64) return seconds.negative ? -INT64_MAX : INT64_MAX;
		whole = mantissa << BigInt(exponent);
		return seconds.negative ? -whole : whole;
	}
	const drop = BigInt(-exponent);
	whole = mantissa >> drop;
	if (seconds.negative) return -whole;
	return whole << drop === mantissa ? whole : whole + 1n;
}
