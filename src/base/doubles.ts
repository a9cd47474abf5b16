/**
 * Doubles as text: read as Redis reads them (`string2d` in util.c, over C's strtod) and printed as it
 * prints them (`d2string`, over the Grisu2 printer fpconv), for scores and every RESP3 double.
 *
 * Printing: `nan`, `inf`, `-inf`, `-0`; an integer of magnitude up to 2^62 in full; anything else by
 * Grisu2, whose digits are the shortest that read back as the same double in all but about one case in
 * a thousand, where they are one longer or not the nearest: then V8's digits differ, and those of
 * Grisu2 are what clients of Redis see. See `grisu.ts`.
 */
import { BINARY64, readFloatText, roundFloatText } from './float-text.js';
import { grisuDigits } from './grisu.js';

const INTEGER_MAX = 2 ** 62;

/**
 * The double that `s` denotes: the whole of `s`, in the grammar of `float-text.ts`. Undefined if
 * malformed, NaN, too large (infinity only if written so) or non-zero and too small for a denormal.
 */
export function parseDouble(s: string): number | undefined {
	const length = s.length;
	const first = s.charCodeAt(0);
	// Usual case: an optional sign, digits, at most one point.
	let index = first === 45 || first === 43 ? 1 : 0;
	let digitCount = 0;
	let pointCount = 0;
	for (; index < length; index++) {
		const c = s.charCodeAt(index);
		if (c >= 48 && c <= 57) digitCount++;
		else if (c === 46 && pointCount === 0) pointCount = 1;
		else break;
	}
	if (index === length && digitCount > 0 && length < 300) return Number(s);
	return parseDoubleFully(s);
}

function parseDoubleFully(s: string): number | undefined {
	const text = readFloatText(s);
	if (text === undefined) return undefined;
	let magnitude: number;
	if (text.kind === 'infinity') return text.negative ? -Infinity : Infinity;
	if (text.kind === 'decimal') {
		magnitude = Math.abs(Number(s)); // V8 rounds correctly and takes this grammar
	} else {
		const binary = roundFloatText(text, BINARY64);
		if (binary === 'infinity') return undefined;
		// Two steps, as 2^-1074 × mantissa can be exact where 2^exponent alone underflows or overflows.
		const half = Math.trunc(binary.exponent / 2);
		magnitude = Number(binary.mantissa) * 2 ** half * 2 ** (binary.exponent - half);
	}
	if (magnitude === Infinity || (magnitude === 0 && text.digits !== '')) return undefined;
	return text.negative ? -magnitude : magnitude;
}

/** `n` as Redis prints a double in replies and scores. */
export function formatDouble(n: number): string {
	if (Number.isInteger(n)) {
		if (Number.isSafeInteger(n)) return n === 0 && 1 / n < 0 ? '-0' : String(n);
		if (n <= INTEGER_MAX && n >= -INTEGER_MAX) return BigInt(n).toString();
	} else if (!Number.isFinite(n)) {
		return n > 0 ? 'inf' : n < 0 ? '-inf' : 'nan';
	}
	return printNonZero(n);
}

/**
 * `n` as Redis's fpconv prints it, without the short cut for integers that `formatDouble` has: 1e8 is
 * `1e+8`, 123456789 is `123456789`. DEBUG DIGEST of Redis 7.2 takes scores so.
 */
export function formatFpconv(n: number): string {
	if (!Number.isFinite(n)) return n > 0 ? 'inf' : n < 0 ? '-inf' : 'nan';
	if (n === 0) return 1 / n < 0 ? '-0' : '0';
	// Below 10^8 an integer has at most 7 zeros at its end, so that all of its digits are shown.
	if (Number.isInteger(n) && n < 1e8 && n > -1e8) return String(n);
	return printNonZero(n);
}

function printNonZero(n: number): string {
	const magnitude = Math.abs(n);
	if (magnitude >= 1e-3 && magnitude < 1e4) {
		const text = String(magnitude);
		if (isUndisputed(magnitude, text)) return n < 0 ? '-' + text : text;
	}
	const { digits, exponent } = grisuDigits(magnitude);
	const text = layOut(digits, exponent);
	return n < 0 ? '-' + text : text;
}

const SPLITTER = 134217729; // 2^27 + 1
/** x + x × this is the double after x (Rump, Zimmermann, Boldo, Melquiond 2009). */
const SUCCESSOR = 2 ** -53 * (1 + 2 ** -52);

/**
 * Whether Grisu2 gives the digits of `text` too, which are V8's for a non-integer `magnitude` in
 * [1e-3, 1e4): there both lay them out alike. It does if they are at most 15, since then no other
 * decimal as short lies between the neighbouring midpoints, and if that decimal is not so near a
 * midpoint that Grisu2's boundaries, drawn in by a thousandth, leave it out. The distance is computed
 * without error by Dekker's product.
 */
function isUndisputed(magnitude: number, text: string): boolean {
	const places = text.length - 1 - text.indexOf('.');
	const scale = POWERS_OF_TEN[places];
	if (scale === undefined) return false;
	const product = magnitude * scale;
	if (product >= 1e15) return false;
	const a = magnitude * SPLITTER;
	const aHigh = a - (a - magnitude);
	const aLow = magnitude - aHigh;
	const b = scale * SPLITTER;
	const bHigh = b - (b - scale);
	const bLow = scale - bHigh;
	const error = aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
	const distance = Math.round(product) - product - error;
	// The next double less this one: a unit in the last place. Below a power of two doubles lie twice as
	// dense, but the powers of two in the range are decimals of at most 15 digits themselves.
	const unit = magnitude + magnitude * SUCCESSOR - magnitude;
	return Math.abs(distance) < unit * scale * 0.45;
}

/** The powers of ten that a double holds exactly, as far as 15 digits from 1e-3 on reach. */
const POWERS_OF_TEN = Array.from({ length: 19 }, (_, i) => Number(`1e${i}`));

/**
 * digits × 10^exponent in fpconv's layout: in full with up to 7 zeros appended, as a plain decimal if
 * the last digit is within 6 places of the point or the first is within 3 of it, else with an exponent.
 */
function layOut(digits: string, exponent: number): string {
	const count = digits.length;
	const scientific = exponent + count - 1;
	if (exponent >= 0 && Math.abs(scientific) < count + 7) return digits + '0'.repeat(exponent);
	if (exponent < 0 && (exponent > -7 || Math.abs(scientific) < 4)) {
		const point = count + exponent;
		if (point <= 0) return '0.' + '0'.repeat(-point) + digits;
		return digits.slice(0, point) + '.' + digits.slice(point);
	}
	const mantissa = count > 1 ? digits.slice(0, 1) + '.' + digits.slice(1) : digits;
	return mantissa + (scientific < 0 ? 'e-' : 'e+') + Math.abs(scientific);
}

/**
 * `n` as C's `%.17g` prints it (round to nearest, ties to even): the scores in Redis's AOF rewrite and
 * old RDB files, and in the DEBUG DIGEST of Redis 7.0. Infinities and NaN as `inf`, `-inf`, `nan`.
 */
export function formatDouble17g(n: number): string {
	if (!Number.isFinite(n)) return n > 0 ? 'inf' : n < 0 ? '-inf' : 'nan';
	if (n === 0) return 1 / n < 0 ? '-0' : '0';
	if (Number.isSafeInteger(n)) return String(n);
	const magnitude = Math.abs(n);
	const scientific = magnitude.toExponential(16);
	const e = scientific.indexOf('e');
	let digits = scientific.slice(0, 1) + scientific.slice(2, e);
	const exponent = Number(scientific.slice(e + 1));
	digits = tieToEven(magnitude, digits);
	digits = digits.replace(/0+$/, '');
	const sign = n < 0 ? '-' : '';
	if (exponent < -4 || exponent >= 17) {
		const mantissa = digits.length > 1 ? digits.slice(0, 1) + '.' + digits.slice(1) : digits;
		const shown = Math.abs(exponent);
		return sign + mantissa + (exponent < 0 ? 'e-' : 'e+') + (shown < 10 ? '0' : '') + shown;
	}
	if (exponent < 0) return sign + '0.' + '0'.repeat(-exponent - 1) + digits;
	if (digits.length <= exponent + 1) return sign + digits + '0'.repeat(exponent + 1 - digits.length);
	return sign + digits.slice(0, exponent + 1) + '.' + digits.slice(exponent + 1);
}

/** `toExponential` rounds a tie up; C rounds it to even. A tie needs an exact 18th digit 5. */
function tieToEven(magnitude: number, digits: string): string {
	const last = digits.charCodeAt(16) - 48;
	if ((last & 1) === 0) return digits;
	const exact = magnitude.toExponential(100);
	if (!/^5?0*$/.test(exact.slice(18, exact.indexOf('e'))) || exact[18] !== '5') return digits;
	// Rounded up to an odd digit, so that the one below is even, and no borrow is needed.
	return digits.slice(0, 16) + String.fromCharCode(48 + last - 1);
}
