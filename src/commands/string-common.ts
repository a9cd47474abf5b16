/** What the commands on strings share: typed lookups, the length limit, expiry arguments. */
import { INT64_DOUBLE_MAX, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_STRING_TOO_LONG, ERR_SYNTAX, ERR_WRONGTYPE } from '../engine/errors.js';
import { RawString } from '../types/raw-string.js';
import { isStringValue, type StringValue, stringOf } from '../types/value.js';

/** A key's string for reading; undefined if there is none; null after an error reply about its type. */
export function readString(ctx: CommandContext, key: string): StringValue | undefined | null {
	const value = ctx.lookupRead(key);
	if (value === undefined || isStringValue(value)) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** As `readString`, for writing. */
export function writeString(ctx: CommandContext, key: string): StringValue | undefined | null {
	const value = ctx.lookupWrite(key);
	if (value === undefined || isStringValue(value)) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** The string in the form that can be changed in place; it becomes the key's value. */
export function mutableString(ctx: CommandContext, key: string, value: StringValue): RawString {
	if (value instanceof RawString) return value;
	const raw = RawString.from(stringOf(value));
	ctx.replaceValue(key, raw);
	return raw;
}

/** Whether a string of that length is allowed; replies with the error if not. */
export function checkStringLength(ctx: CommandContext, length: number): boolean {
	if (length <= ctx.settings.protoMaxBulkLen) return true;
	ctx.replyError(ERR_STRING_TOO_LONG);
	return false;
}

/** How an expiry time is given. */
export type ExpiryUnit = 'EX' | 'PX' | 'EXAT' | 'PXAT';

/**
 * The absolute time in ms that an expiry argument means; undefined after an error reply. `text` must be
 * a positive integer whose time in ms fits 64 bits (getExpireMillisecondsOrReply in Redis).
 */
export function parseExpiry(ctx: CommandContext, unit: ExpiryUnit, text: string): number | undefined {
	const given = parseInt64(text);
	if (given === undefined) {
		ctx.replyError(ERR_NOT_INTEGER);
		return undefined;
	}
	const invalid = `ERR invalid expire time in '${ctx.spec.name}' command`;
	let atMs = BigInt(given);
	if (atMs <= 0n) {
		ctx.replyError(invalid);
		return undefined;
	}
	if (unit === 'EX' || unit === 'EXAT') atMs *= 1000n;
	if (unit === 'EX' || unit === 'PX') atMs += BigInt(ctx.nowMs);
	if (atMs > 0x7fffffffffffffffn) {
		ctx.replyError(invalid);
		return undefined;
	}
	// What is logged must be a time that is accepted again.
	return Math.min(Number(atMs), INT64_DOUBLE_MAX);
}

/** The options of SET and GETEX. */
export interface SetOptions {
	nx: boolean;
	xx: boolean;
	get: boolean;
	keepTtl: boolean;
	persist: boolean;
	/** The expiry option as given; null if there is none. */
	unit: ExpiryUnit | null;
	expiryText: string;
	/** Absolute, in ms; -1 if not given. `resolveExpiry` fills it in. */
	expireAtMs: number;
}

/**
 * Parses the options from `args[from]`; undefined after an error reply. `forGetex` takes PERSIST and the expiry
 * options only. The time is looked at by `resolveExpiry`: GETEX of a missing key does not mind a bad one.
 */
export function parseSetOptions(
	ctx: CommandContext,
	from: number,
	forGetex: boolean,
): SetOptions | undefined {
	const { args } = ctx;
	const options: SetOptions = {
		nx: false,
		xx: false,
		get: false,
		keepTtl: false,
		persist: false,
		unit: null,
		expiryText: '',
		expireAtMs: -1,
	};
	for (let i = from; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		const timeless = options.unit === null && !options.keepTtl && !options.persist;
		if (word === 'NX' && !options.xx && !forGetex) options.nx = true;
		else if (word === 'XX' && !options.nx && !forGetex) options.xx = true;
		else if (word === 'GET' && !forGetex) options.get = true;
		else if (word === 'KEEPTTL' && !forGetex && options.unit === null) options.keepTtl = true;
		else if (word === 'PERSIST' && forGetex && options.unit === null) options.persist = true;
		else if (
			(word === 'EX' || word === 'PX' || word === 'EXAT' || word === 'PXAT') &&
			timeless &&
			i + 1 < args.length
		) {
			options.unit = word;
			options.expiryText = args[++i]!;
		} else {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
	}
	return options;
}

/** Sets `expireAtMs` from the expiry option, if there is one; false after an error reply. */
export function resolveExpiry(ctx: CommandContext, options: SetOptions): boolean {
	if (options.unit === null) return true;
	const atMs = parseExpiry(ctx, options.unit, options.expiryText);
	if (atMs === undefined) return false;
	options.expireAtMs = atMs;
	return true;
}
