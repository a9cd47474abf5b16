/**
 * The text of floating point numbers as C's `strtod` and `strtold` take it, and exact rounding to a
 * binary format. What double and 80-bit parsing share.
 *
 * Grammar, the whole string: an optional sign, then one of
 *   decimal   digits with an optional point (at least one digit), optionally `e`, sign, digits
 *   hex       `0x`, hex digits with an optional point (at least one), optionally `p`, sign, digits
 *   infinity  `inf` or `infinity` in any case
 * No white space. NaN is not in it: Redis refuses it everywhere a float is read.
 */

/** A number read but not yet rounded: ±digits × base^exponent, or ±infinity. */
export interface FloatText {
	readonly kind: 'decimal' | 'hex' | 'infinity';
	readonly negative: boolean;
	/** Mantissa without the point, leading zeros removed: '' is zero. */
	readonly digits: string;
	/** Power of ten (decimal) or of two (hex) that `digits`, as an integer, is multiplied by. */
	readonly exponent: number;
}

/** Written exponents beyond this (either sign) are cut to it: no string is long enough to make up for it. */
const EXPONENT_MAX = 1e12;

/** Reads `s`; undefined if it is not of the grammar above. */
export function readFloatText(s: string): FloatText | undefined {
	let index = 0;
	const sign = s.charCodeAt(0);
	const negative = sign === 45;
	if (negative || sign === 43) index = 1;
	const first = s.charCodeAt(index);
	if (first === 105 || first === 73) {
		const word = s.slice(index).toLowerCase();
		if (word !== 'inf' && word !== 'infinity') return undefined;
		return { kind: 'infinity', negative, digits: '', exponent: 0 };
	}
	const hex = first === 48 && (s.charCodeAt(index + 1) | 0x20) === 120;
	if (hex) index += 2;
	const mantissaStart = index;
	let point = -1;
	for (; index < s.length; index++) {
		const c = s.charCodeAt(index);
		if (c === 46 && point < 0) point = index;
		else if (!(hex ? isHexDigit(c) : isDigit(c))) break;
	}
	const mantissaEnd = index;
	const fractionDigits = point < 0 ? 0 : mantissaEnd - point - 1;
	if (mantissaEnd - mantissaStart - (point < 0 ? 0 : 1) === 0) return undefined;
	let exponent = -fractionDigits * (hex ? 4 : 1);
	if (index < s.length) {
		if ((s.charCodeAt(index) | 0x20) !== (hex ? 112 : 101)) return undefined;
		const written = readExponent(s, index + 1);
		if (written === undefined) return undefined;
		exponent += written;
	}
	let digits =
		point < 0
			? s.slice(mantissaStart, mantissaEnd)
			: s.slice(mantissaStart, point) + s.slice(point + 1, mantissaEnd);
	let zeros = 0;
	while (zeros < digits.length && digits.charCodeAt(zeros) === 48) zeros++;
	if (zeros > 0) digits = digits.slice(zeros);
	return { kind: hex ? 'hex' : 'decimal', negative, digits, exponent };
}

function readExponent(s: string, start: number): number | undefined {
	let index = start;
	const sign = s.charCodeAt(index);
	if (sign === 45 || sign === 43) index++;
	if (index === s.length) return undefined;
	let value = 0;
	for (; index < s.length; index++) {
		const c = s.charCodeAt(index);
		if (!isDigit(c)) return undefined;
		if (value < EXPONENT_MAX) value = value * 10 + (c - 48);
	}
	if (value > EXPONENT_MAX) value = EXPONENT_MAX;
	return sign === 45 ? -value : value;
}

function isDigit(c: number): boolean {
	return c >= 48 && c <= 57;
}

function isHexDigit(c: number): boolean {
	return isDigit(c) || ((c | 0x20) >= 97 && (c | 0x20) <= 102);
}

/** A binary floating point format: a value is mantissa × 2^exponent. */
export interface BinaryFormat {
	/** Bits of the mantissa, the leading one included. */
	readonly precision: number;
	/** Exponent of the last bit of the smallest denormal. */
	readonly exponentMin: number;
	/** Every finite value is below 2^limitExponent. */
	readonly limitExponent: number;
}

export const BINARY64: BinaryFormat = { precision: 53, exponentMin: -1074, limitExponent: 1024 };
/** The 80-bit format of the x87, C's `long double` on x86. */
export const BINARY80: BinaryFormat = { precision: 64, exponentMin: -16445, limitExponent: 16384 };

/** A finite magnitude; mantissa 0n is zero. */
export interface Binary {
	readonly mantissa: bigint;
	readonly exponent: number;
}

export const BINARY_ZERO: Binary = { mantissa: 0n, exponent: 0 };

/** The magnitude of `text` (not an infinity), rounded to nearest, ties to even; 'infinity' on overflow. */
export function roundFloatText(text: FloatText, format: BinaryFormat): Binary | 'infinity' {
	const { digits, exponent } = text;
	if (digits === '') return BINARY_ZERO;
	if (text.kind === 'hex') {
		const magnitude = digits.length * 4 + exponent;
		if (magnitude - 4 > format.limitExponent) return 'infinity';
		if (magnitude < format.exponentMin - 1) return BINARY_ZERO;
		return roundBinary(BigInt(`0x${digits}`), exponent, false, format);
	}
	// The value is in [10^(n-1), 10^n); cut off what is far outside before building huge integers.
	const n = digits.length + exponent;
	if ((n - 1) * 3.3219 > format.limitExponent + 1) return 'infinity';
	if (n * 3.3219 < format.exponentMin - 1) return BINARY_ZERO;
	const integer = BigInt(digits);
	if (exponent >= 0) return roundBinary(integer * powerOfTen(exponent), 0, false, format);
	const divisor = powerOfTen(-exponent);
	const shift = Math.max(0, bitLength(divisor) - bitLength(integer) + format.precision + 2);
	const scaled = integer << BigInt(shift);
	const quotient = scaled / divisor;
	return roundBinary(quotient, -shift, quotient * divisor !== scaled, format);
}

/**
 * Rounds integer × 2^exponent, plus something below one unit of `integer` if `sticky`, to nearest, ties
 * to even. With `sticky`, `integer` must have at least two bits more than the precision.
 */
export function roundBinary(
	integer: bigint,
	exponent: number,
	sticky: boolean,
	format: BinaryFormat,
): Binary | 'infinity' {
	if (integer === 0n) return BINARY_ZERO;
	const drop = Math.max(bitLength(integer) - format.precision, format.exponentMin - exponent);
	let mantissa = integer;
	let lsb = exponent;
	if (drop > 0) {
		const dropped = BigInt(drop);
		mantissa = integer >> dropped;
		const rest = integer - (mantissa << dropped);
		const half = 1n << (dropped - 1n);
		if (rest > half || (rest === half && (sticky || (mantissa & 1n) === 1n))) mantissa += 1n;
		lsb += drop;
	}
	if (mantissa === 0n) return BINARY_ZERO;
	return bitLength(mantissa) + lsb > format.limitExponent ? 'infinity' : { mantissa, exponent: lsb };
}

/** Bits of the positive integer `b`. */
export function bitLength(b: bigint): number {
	const approximate = Number(b);
	if (approximate !== Infinity) {
		// The logarithm is at most one off, where rounding to a double or in it crosses a power of two.
		const bits = Math.floor(Math.log2(approximate));
		const top = b >> BigInt(bits);
		return top === 1n ? bits + 1 : top === 0n ? bits : bits + 2;
	}
	const hex = b.toString(16);
	return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex[0]!, 16)));
}

const POWERS_OF_TEN: readonly bigint[] = Array.from({ length: 40 }, (_, i) => 10n ** BigInt(i));

/** 10^exponent. */
export function powerOfTen(exponent: number): bigint {
	return POWERS_OF_TEN[exponent] ?? 10n ** BigInt(exponent);
}
