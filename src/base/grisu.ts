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
const LIMB = 2 ** 30;
const LIMB_BITS = 30n;
const LIMB_MASK = (1n << LIMB_BITS) - 1n;
const FRACTION_BITS = 60;
const FRACTION_UNIT = 1n << 60n;

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
	const upperShift = 64 - (biased === 0 ? upperHalf.toString(2).length : 54);
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
	const whole = Number(upper >> fractionBits); // below 2^32, as the scaled exponent is at most -32
	const fraction = upper & mask;
	if (fraction <= width) return generateWhole(whole, fraction, width, distance, fractionBits, exponent);
	// Fraction and width, in units of 2^-60, as two limbs of 30 bits: small numbers spare most of the BigInt.
	const lift = BigInt(FRACTION_BITS - shift);
	let restHigh = Number((fraction << lift) >> LIMB_BITS);
	let restLow = Number((fraction << lift) & LIMB_MASK);
	let widthHigh = Number((width << lift) >> LIMB_BITS);
	let widthLow = Number((width << lift) & LIMB_MASK);
	let digits = String(whole);
	let places = 0;
	do {
		places++;
		restLow *= 10;
		const carry = Math.floor(restLow / LIMB);
		restLow -= carry * LIMB;
		restHigh = restHigh * 10 + carry;
		const digit = Math.floor(restHigh / LIMB);
		restHigh -= digit * LIMB;
		digits += digit;
		widthLow *= 10;
		const widthCarry = Math.floor(widthLow / LIMB);
		widthLow -= widthCarry * LIMB;
		widthHigh = widthHigh * 10 + widthCarry;
	} while (restHigh > widthHigh || (restHigh === widthHigh && restLow >= widthLow));
	const scale = 10n ** BigInt(places);
	const rest = (BigInt(restHigh) << LIMB_BITS) | BigInt(restLow);
	return {
		digits: lowerLastDigit(digits, (width << lift) * scale, rest, FRACTION_UNIT, (distance << lift) * scale),
		exponent: exponent - places,
	};
}

/** As `generate`, from the digits of the whole part, which all together lie within `width`. */
function generateWhole(
	whole: number,
	fraction: bigint,
	width: bigint,
	distance: bigint,
	fractionBits: bigint,
	exponent: number,
): DecimalDigits {
	const digits = String(whole);
	for (let kept = 1; ; kept++) {
		const dropped = digits.length - kept;
		const unit = 10 ** dropped;
		const below = (BigInt(whole % unit) << fractionBits) + fraction;
		if (below <= width) {
			const last = lowerLastDigit(
				digits.slice(0, kept),
				width,
				below,
				BigInt(unit) << fractionBits,
				distance,
			);
			return { digits: last, exponent: exponent + dropped };
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
