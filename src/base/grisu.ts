/**
 * The decimal digits of a double by Grisu2 (Florian Loitsch, "Printing Floating-Point Numbers Quickly
 * and Accurately with Integers", 2010), with the choices of the printer that Redis 7.2 has (fpconv):
 * cached powers 10^(-348 + 8i) of 64 bits, scaled exponents in [-60, -32], boundaries drawn in by one
 * unit on each side. The digits follow from those choices alone, so that they can be had exactly; they
 * are not always the shortest, which is why V8's own cannot stand in for them.
 *
 * All quantities are integers of at most 64 bits in units of 2^-shift; BigInt, since this is the path
 * for doubles of 16 and 17 digits only (`doubles.ts` prints the others without it).
 */

/** A decimal: `digits`, read as an integer, × 10^exponent. */
export interface DecimalDigits {
	readonly digits: string;
	readonly exponent: number;
}

const POWER_FIRST = -348;
const POWER_STEP = 8;
const POWER_COUNT = 87;
const SCALED_EXPONENT_MIN = -60;
const SCALED_EXPONENT_MAX = -32;
const HALF_UNIT = 1n << 63n;
const HIDDEN_BIT = 1n << 52n;

/** 10^k to 64 bits, rounded to nearest: significand × 2^exponent, the top bit of significand set. */
interface CachedPower {
	readonly significand: bigint;
	readonly exponent: number;
	/** The power of ten. */
	readonly k: number;
}

const CACHED_POWERS: readonly CachedPower[] = Array.from({ length: POWER_COUNT }, (_, i) =>
	cachedPower(POWER_FIRST + i * POWER_STEP),
);

function cachedPower(k: number): CachedPower {
	const scale = 1280n; // enough bits to divide 1 by 10^348 with more than 64 left
	const value = k >= 0 ? (10n ** BigInt(k)) << scale : (1n << scale) / 10n ** BigInt(-k);
	const drop = value.toString(2).length - 64;
	const significand = (value + (1n << BigInt(drop - 1))) >> BigInt(drop);
	return { significand, exponent: drop - Number(scale), k };
}

/** The power that brings a significand of exponent `exponent` into the scaled range. */
function choosePower(exponent: number): CachedPower {
	const estimate = Math.trunc(-(exponent + POWER_COUNT) * 0.30102999566398114); // log10(2)
	let index = Math.trunc((estimate - POWER_FIRST) / POWER_STEP);
	for (;;) {
		const power = CACHED_POWERS[index]!;
		const scaled = exponent + power.exponent + 64;
		if (scaled < SCALED_EXPONENT_MIN) index++;
		else if (scaled > SCALED_EXPONENT_MAX) index--;
		else return power;
	}
}

/** The upper 64 bits of a 128-bit product, rounded. */
function multiplyHigh(a: bigint, b: bigint): bigint {
	return (a * b + HALF_UNIT) >> 64n;
}

/** The digits that Redis prints for `magnitude`, which must be positive and finite. */
export function grisuDigits(magnitude: number): DecimalDigits {
	const bits = new DataView(new ArrayBuffer(8));
	bits.setFloat64(0, magnitude);
	const raw = bits.getBigUint64(0);
	const biased = Number(raw >> 52n);
	const fraction = raw & (HIDDEN_BIT - 1n);
	const significand = biased === 0 ? fraction : fraction | HIDDEN_BIT;
	const exponent = (biased === 0 ? 1 : biased) - 1075;

	// Twice the value plus one: the point half way to the next double, normalised to 64 bits.
	const upperHalf = 2n * significand + 1n;
	const upperShift = 64 - upperHalf.toString(2).length;
	const power = choosePower(exponent - 1 - upperShift);
	const lift = BigInt(upperShift);
	// Below a power of two the doubles lie twice as dense.
	const lowerPoint =
		significand === HIDDEN_BIT ? (4n * significand - 1n) << (lift - 1n) : (2n * significand - 1n) << lift;
	const upper = multiplyHigh(upperHalf << lift, power.significand) - 1n;
	const lower = multiplyHigh(lowerPoint, power.significand) + 1n;
	const value = multiplyHigh((2n * significand) << lift, power.significand);
	const shift = -(exponent - 1 - upperShift + power.exponent + 64);
	return generate(upper, upper - lower, upper - value, shift, -power.k);
}

/**
 * The shortest prefix of the digits of `upper` that lies within `width` below it, its last digit then
 * lowered towards the value, which lies `distance` below `upper`.
 */
function generate(
	upper: bigint,
	width: bigint,
	distance: bigint,
	shift: number,
	exponent: number,
): DecimalDigits {
	const fractionBits = BigInt(shift);
	const mask = (1n << fractionBits) - 1n;
	const whole = upper >> fractionBits;
	let rest = upper & mask;
	let digits = '';
	const wholeText = whole.toString();
	// The whole part: find how few of its digits do.
	let unit = 1n;
	let kept = wholeText.length;
	let keptRest = -1n;
	for (let dropped = 0; dropped < wholeText.length; dropped++) {
		const below = ((whole % unit) << fractionBits) + rest;
		if (below > width) break;
		kept = wholeText.length - dropped;
		keptRest = below;
		unit *= 10n;
	}
	if (keptRest >= 0n) {
		digits = wholeText.slice(0, kept);
		unit = (10n ** BigInt(wholeText.length - kept)) << fractionBits;
		return {
			digits: lowerLastDigit(digits, width, keptRest, unit, distance),
			exponent: exponent + wholeText.length - kept,
		};
	}
	if (whole > 0n) digits = wholeText;
	let scaledWidth = width;
	let scaledDistance = distance;
	let place = exponent;
	for (;;) {
		rest *= 10n;
		scaledWidth *= 10n;
		scaledDistance *= 10n;
		place--;
		const digit = rest >> fractionBits;
		if (digit > 0n || digits !== '') digits += digit.toString();
		rest &= mask;
		if (rest < scaledWidth) {
			const last = lowerLastDigit(digits, scaledWidth, rest, mask + 1n, scaledDistance);
			return { digits: last, exponent: place };
		}
	}
}

/** Steps the last digit down while that stays within `width` and comes nearer to `distance`. */
function lowerLastDigit(digits: string, width: bigint, rest: bigint, unit: bigint, distance: bigint): string {
	let steps = 0;
	let below = rest;
	while (
		below < distance &&
		width - below >= unit &&
		(below + unit < distance || distance - below > below + unit - distance)
	) {
		below += unit;
		steps++;
	}
	if (steps === 0) return digits;
	const end = digits.length - 1;
	return digits.slice(0, end) + String.fromCharCode(digits.charCodeAt(end) - steps);
}
