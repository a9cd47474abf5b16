/**
 * Strict decimal integers, and 64-bit arithmetic on them.
 *
 * A 64-bit value is `Int64 = number | bigint`, in canonical form: a `number` if
 * and only if it is a safe integer (|n| <= 2^53-1), a `bigint` otherwise. So
 * `typeof` tells the range, two canonical values are equal if and only if
 * `===`, and the usual case costs no allocation. Mixed comparison (`<`, `>`)
 * between the two kinds is exact in JavaScript; `-0` never occurs.
 *
 * Grammar of every `parse…` here unless its docstring says otherwise: `0`, or an
 * optional `-` and a digit 1-9 and further digits; nothing before, after or
 * between. `+1`, `-0`, `01`, ` 1` and the empty string are refused, as
 * `string2ll` in Redis's util.c refuses them.
 */

/** A signed (or, where said so, unsigned) 64-bit integer in canonical form. */
export type Int64 = number | bigint;

export const INT64_MAX = 9223372036854775807n;
export const INT64_MIN = -9223372036854775808n;
/** The largest double that is a signed 64-bit integer: where times beyond 2^53 are kept as doubles, the last of them. */
export const INT64_DOUBLE_MAX = 2 ** 63 - 1024;
export const UINT64_MAX = 18446744073709551615n;

const CHAR_0 = 48;
const CHAR_9 = 57;
const CHAR_PLUS = 43;
const CHAR_MINUS = 45;
/** Every integer of this many digits is below 2^53, so that sums of digits stay exact. */
const SAFE_DIGITS_MAX = 15;
/** "-9223372036854775808" */
const INT64_CHARS_MAX = 20;

/** Is `b` within the range of a signed 64-bit integer? */
export function isInt64(b: bigint): boolean {
	return b >= INT64_MIN && b <= INT64_MAX;
}

/** The canonical form of `b`, which must be within 64 bits (not checked). */
export function canonicalInt64(b: bigint): Int64 {
	return b >= -9007199254740991n && b <= 9007199254740991n ? Number(b) : b;
}

/** The safe integer that `s` denotes; undefined if it denotes none (malformed, or beyond ±(2^53-1)). */
export function parseSafeInt(s: string): number | undefined {
	const length = s.length;
	let index = 0;
	let c = s.charCodeAt(0); // NaN if empty, which fails every comparison below
	const negative = c === CHAR_MINUS;
	if (negative) {
		index = 1;
		c = s.charCodeAt(1);
	}
	if (!(c > CHAR_0 && c <= CHAR_9)) return length === 1 && c === CHAR_0 ? 0 : undefined;
	if (length - index > SAFE_DIGITS_MAX + 1) return undefined;
	let value = c - CHAR_0;
	for (index++; index < length; index++) {
		c = s.charCodeAt(index);
		if (c < CHAR_0 || c > CHAR_9) return undefined;
		value = value * 10 + (c - CHAR_0);
	}
	// At most 16 digits: 9999999999999999 rounds to a value above 2^53, never below it.
	if (value > Number.MAX_SAFE_INTEGER) return undefined;
	return negative ? -value : value;
}

/** The signed 64-bit integer that `s` denotes, canonical; undefined if it denotes none. */
export function parseInt64(s: string): Int64 | undefined {
	if (s.length <= SAFE_DIGITS_MAX) return parseSafeInt(s);
	if (s.length > INT64_CHARS_MAX || !isStrictDecimal(s)) return undefined;
	const b = BigInt(s);
	return isInt64(b) ? canonicalInt64(b) : undefined;
}

/** As `parseInt64`, for unsigned 64-bit integers: 0 to 2^64-1. */
export function parseUint64(s: string): Int64 | undefined {
	if (s.length <= SAFE_DIGITS_MAX) {
		const n = parseSafeInt(s);
		return n !== undefined && n >= 0 ? n : undefined;
	}
	if (s.length > INT64_CHARS_MAX || s.charCodeAt(0) === CHAR_MINUS || !isStrictDecimal(s)) return undefined;
	const b = BigInt(s);
	return b <= UINT64_MAX ? canonicalInt64(b) : undefined;
}

/** A safe integer within [min, max]; undefined if `s` is malformed or outside. */
export function parseIntInRange(s: string, min: number, max: number): number | undefined {
	const n = parseSafeInt(s);
	return n !== undefined && n >= min && n <= max ? n : undefined;
}

/**
 * An unsigned 64-bit integer as C's `strtoul` reads it, less the leading white
 * space: an optional sign (a negative value wraps: `-1` is 2^64-1), then digits,
 * leading zeros allowed. The empty string is 0: so SCAN takes its cursor
 * (`parseScanCursorOrReply` in Redis's db.c). Undefined if malformed or beyond
 * 64 bits.
 */
export function parseScanCursor(s: string): Int64 | undefined {
	const length = s.length;
	if (length === 0) return 0;
	const first = s.charCodeAt(0);
	const signed = first === CHAR_MINUS || first === CHAR_PLUS;
	const start = signed ? 1 : 0;
	if (start === length) return undefined;
	for (let i = start; i < length; i++) {
		const c = s.charCodeAt(i);
		if (c < CHAR_0 || c > CHAR_9) return undefined;
	}
	if (!signed && length <= SAFE_DIGITS_MAX) return Number(s);
	let significant = start;
	while (significant < length - 1 && s.charCodeAt(significant) === CHAR_0) significant++;
	if (length - significant > INT64_CHARS_MAX) return undefined;
	const b = BigInt(s.slice(significant));
	if (b > UINT64_MAX) return undefined;
	return canonicalInt64(first === CHAR_MINUS ? BigInt.asUintN(64, -b) : b);
}

/** `a + b` for signed 64-bit integers; undefined on overflow. */
export function addInt64(a: Int64, b: Int64): Int64 | undefined {
	if (typeof a === 'number' && typeof b === 'number') {
		const sum = a + b; // exact while it is safe; only then is it returned
		if (Number.isSafeInteger(sum)) return sum;
	}
	const sum = BigInt(a) + BigInt(b);
	return isInt64(sum) ? canonicalInt64(sum) : undefined;
}

/** `-a`; undefined for -2^63, which has no negative within 64 bits. */
export function negateInt64(a: Int64): Int64 | undefined {
	if (typeof a === 'number') return a === 0 ? 0 : -a;
	const negated = -a;
	return isInt64(negated) ? canonicalInt64(negated) : undefined;
}

/**
 * Is `s` the decimal form of a signed 64-bit integer? This is what decides the
 * encodings `int` (strings), `intset` (sets) and integer entries of a listpack.
 */
export function isInt64String(s: string): boolean {
	return s.length <= INT64_CHARS_MAX && parseInt64(s) !== undefined;
}

/** How many decimal digits `n` (a safe integer) takes, its sign included. */
export function decimalLength(n: number): number {
	let length = 1;
	let rest = n;
	if (rest < 0) {
		length = 2;
		rest = -rest;
	}
	while (rest >= 10) {
		rest = Math.floor(rest / 10);
		length++;
	}
	return length;
}

function isStrictDecimal(s: string): boolean {
	let index = s.charCodeAt(0) === CHAR_MINUS ? 1 : 0;
	const first = s.charCodeAt(index);
	if (!(first > CHAR_0 && first <= CHAR_9)) return false;
	for (index++; index < s.length; index++) {
		const c = s.charCodeAt(index);
		if (c < CHAR_0 || c > CHAR_9) return false;
	}
	return true;
}
