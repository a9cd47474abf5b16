/**
 * The 80-bit arithmetic of INCRBYFLOAT and HINCRBYFLOAT, which Redis does in C's `long double`: read
 * with strtold, add in the x87 format (64-bit mantissa, round to nearest even), print with `%.17Lf` and
 * cut the zeros at the end. So 0.1 + 0.2 is 0.3 here, and 1e17 + 3.3 is 100000000000000003.296875. The
 * result is stored as text, so every digit of it is seen.
 *
 * Exact with BigInt. Two cases are done without, where the result is provably the same: integers of at
 * most 15 digits, and decimals below 16 of at most 13 places (see `addSmallDecimals`).
 */
import {
	BINARY_ZERO,
	BINARY64,
	BINARY80,
	type Binary,
	powerOfTen,
	readFloatText,
	roundBinary,
	roundFloatText,
} from './float-text.js';

/** A value of the 80-bit format. */
export interface LongDouble extends Binary {
	readonly negative: boolean;
	readonly infinite: boolean;
}

export type LongDoubleSum =
	| { readonly kind: 'sum'; readonly text: string }
	/** The first (or second) operand is not a float: malformed, NaN, out of range, 5120 bytes or longer. */
	| { readonly kind: 'first-not-float' | 'second-not-float' }
	/** An operand or the sum is infinite, or the sum is NaN. */
	| { readonly kind: 'nan-or-infinity' };

/** The longest text that Redis reads as a long double is one byte shorter (MAX_LONG_DOUBLE_CHARS). */
const TEXT_LENGTH_LIMIT = 5 * 1024;
const FRACTION_DIGITS = 17;

/** Reads `s` as strtold does, rounded to nearest; undefined if Redis refuses it as a float. */
export function parseLongDouble(s: string): LongDouble | undefined {
	if (s.length === 0 || s.length >= TEXT_LENGTH_LIMIT) return undefined;
	const text = readFloatText(s);
	if (text === undefined) return undefined;
	const { negative } = text;
	if (text.kind === 'infinity') return { ...BINARY_ZERO, negative, infinite: true };
	const magnitude = roundFloatText(text, BINARY80);
	if (magnitude === 'infinity') return undefined;
	if (magnitude.mantissa === 0n && text.digits !== '') return undefined;
	return { ...magnitude, negative, infinite: false };
}

/**
 * Adds two numbers given as text, and prints the sum as Redis stores it. If both are malformed the first
 * is reported: INCRBYFLOAT reads the value first, HINCRBYFLOAT the increment.
 */
export function addLongDouble(a: string, b: string): LongDoubleSum {
	const quick = addIntegers(a, b) ?? addSmallDecimals(a, b);
	if (quick !== undefined) return { kind: 'sum', text: quick };
	const x = parseLongDouble(a);
	if (x === undefined) return { kind: 'first-not-float' };
	const y = parseLongDouble(b);
	if (y === undefined) return { kind: 'second-not-float' };
	const sum = addRounded(x, y);
	return sum === undefined ? { kind: 'nan-or-infinity' } : { kind: 'sum', text: formatHuman(sum) };
}

/** Whether `s` is a float that is infinite: HINCRBYFLOAT refuses such an increment with a text of its own. */
export function isInfiniteText(s: string): boolean {
	const text = readFloatText(s);
	return text !== undefined && text.kind === 'infinity';
}

/** A double as `%.17Lf` prints it, less the zeros at the end: RESP coordinates and the like. */
export function formatHumanDouble(n: number): string {
	if (!Number.isFinite(n)) return n > 0 ? 'inf' : n < 0 ? '-inf' : 'nan';
	if (Number.isSafeInteger(n)) return n === 0 ? '0' : String(n);
	const bits = new DataView(new ArrayBuffer(8));
	bits.setFloat64(0, Math.abs(n));
	const raw = bits.getBigUint64(0);
	const biased = Number(raw >> 52n);
	const fraction = raw & ((1n << 52n) - 1n);
	const mantissa = biased === 0 ? fraction : fraction | (1n << 52n);
	const exponent = Math.max(biased, 1) - 1 + BINARY64.exponentMin;
	return formatHuman({ mantissa, exponent, negative: n < 0, infinite: false });
}

/** The rounded sum; undefined if it or an operand is not finite. */
function addRounded(x: LongDouble, y: LongDouble): LongDouble | undefined {
	if (x.infinite || y.infinite) return undefined;
	const exponent = Math.min(x.exponent, y.exponent);
	const total = signedAt(x, exponent) + signedAt(y, exponent);
	const negative = total < 0n;
	const magnitude = roundBinary(negative ? -total : total, exponent, false, BINARY80);
	return magnitude === 'infinity' ? undefined : { ...magnitude, negative, infinite: false };
}

/** The value as an integer in units of 2^exponent, which is at most its own exponent. */
function signedAt(x: LongDouble, exponent: number): bigint {
	if (x.mantissa === 0n) return 0n;
	const scaled = x.mantissa << BigInt(x.exponent - exponent);
	return x.negative ? -scaled : scaled;
}

/** `%.17Lf` (ties to even) without zeros at the end, nor a point with nothing after it, nor `-0`. */
function formatHuman(x: LongDouble): string {
	let scaled = x.mantissa * powerOfTen(FRACTION_DIGITS);
	if (x.exponent >= 0) {
		scaled <<= BigInt(x.exponent);
	} else {
		const drop = BigInt(-x.exponent);
		const quotient = scaled >> drop;
		const rest = scaled - (quotient << drop);
		const half = 1n << (drop - 1n);
		scaled = rest > half || (rest === half && (quotient & 1n) === 1n) ? quotient + 1n : quotient;
	}
	if (scaled === 0n) return '0';
	return (x.negative ? '-' : '') + placePoint(scaled.toString(), FRACTION_DIGITS);
}

/** `digits` with a point before the last `places`, and no zeros at the end of the fraction. */
function placePoint(digits: string, places: number): string {
	const padded = digits.padStart(places + 1, '0');
	const point = padded.length - places;
	let end = padded.length;
	while (end > point && padded.charCodeAt(end - 1) === 48) end--;
	const whole = padded.slice(0, point);
	return end === point ? whole : whole + '.' + padded.slice(point, end);
}

/** The sum of two integers of at most 15 digits, which 64 bits hold exactly; undefined if either is not one. */
function addIntegers(a: string, b: string): string | undefined {
	if (!INTEGER.test(a) || !INTEGER.test(b)) return undefined;
	const sum = Number(a) + Number(b);
	return sum === 0 ? '0' : String(sum);
}

const INTEGER = /^-?\d{1,15}$/;
const SMALL_DECIMAL = /^-?\d{1,2}(?:\.\d{1,13})?$/;

/**
 * The sum of two plain decimals below 16 in magnitude with at most 13 places, done in units of the last
 * place. Reading errs by at most 2^-61 each (half a unit of the 64th bit below 16) and rounding the sum
 * by 2^-60: 2^-59 in all, less than 2e-18. The exact sum has at most 13 places, so `%.17Lf`, which rounds
 * to the nearest 1e-17, prints it.
 */
function addSmallDecimals(a: string, b: string): string | undefined {
	if (!SMALL_DECIMAL.test(a) || !SMALL_DECIMAL.test(b)) return undefined;
	const x = Number(a);
	const y = Number(b);
	if (x >= 16 || x <= -16 || y >= 16 || y <= -16) return undefined;
	const places = Math.max(placesOf(a), placesOf(b));
	const scale = 10 ** places;
	// Below 16e13, and the products are within half a unit of the integers meant: rounding recovers them.
	const sum = Math.round(x * scale) + Math.round(y * scale);
	if (sum === 0) return '0';
	if (places === 0) return String(sum);
	return sum < 0 ? '-' + placePoint(String(-sum), places) : placePoint(String(sum), places);
}

function placesOf(s: string): number {
	const point = s.indexOf('.');
	return point < 0 ? 0 : s.length - point - 1;
}
