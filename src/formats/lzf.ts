/**
 * LZF, the compression of strings in RDB files (`rdbcompression`).
 *
 * A compressed string is a row of instructions, the first byte of each tells its kind:
 *
 *     000LLLLL  then L+1 bytes                 those bytes
 *     LLLooooo  oooooooo                       L in 1 to 6: copy L+2 bytes from o+1 bytes back (o: 13 bits)
 *     111ooooo  LLLLLLLL oooooooo              copy L+9 bytes from o+1 bytes back
 *
 * A copy may reach into what it is writing: so runs are expressed. Source of the format: the LibLZF that Redis 7.2.6
 * contains (lzf.h, lzf_d.c).
 */

const LITERALS_MAX = 32;
const DISTANCE_MAX = 8192;
const MATCH_MIN = 3;
const MATCH_MAX = 264;
const HASH_BITS_MAX = 14;
const HASH_BITS_MIN = 6;
/** 2^32 divided by the golden ratio: its products spread over the high bits. */
const HASH_FACTOR = 0x9e3779b1;
/** After 128 bytes without a match every second position is tried, after 256 every third, and so on. */
const SKIP_SHIFT = 7;

/** What one byte of input can become at most: 3 bytes make 264. */
const EXPANSION_MAX = 88;

/** Scratch space of `lzfCompress`, which clears what it uses: nothing passes from one call to another. */
const HASH_TABLE = new Int32Array(1 << HASH_BITS_MAX);

/**
 * Compresses the bytes [from, to) of `source` into `target`. Returns the bytes written, 0 if they do not fit: Redis
 * gives a target 4 bytes shorter than the source, and stores the string as it is when that is not enough.
 */
export function lzfCompress(source: Buffer, from: number, to: number, target: Buffer): number {
	let hashBits = HASH_BITS_MIN;
	while (hashBits < HASH_BITS_MAX && 1 << hashBits < to - from) hashBits++;
	const hashShift = 32 - hashBits;
	const table = HASH_TABLE;
	table.fill(0, 0, 1 << hashBits);
	const targetSize = target.length;
	let written = 0;
	/** Where the bytes begin that no instruction covers yet. */
	let literalsFrom = from;
	let at = from;
	// The table holds positions plus 1, counted from `from`; 0 is an empty slot.
	const bias = 1 - from;
	while (at + MATCH_MIN <= to) {
		const three = (source[at]! << 16) | (source[at + 1]! << 8) | source[at + 2]!;
		const slot = Math.imul(three, HASH_FACTOR) >>> hashShift;
		const candidate = table[slot]! - bias;
		table[slot] = at + bias;
		if (
			candidate < from ||
			at - candidate > DISTANCE_MAX ||
			source[candidate] !== three >>> 16 ||
			source[candidate + 1] !== ((three >>> 8) & 255) ||
			source[candidate + 2] !== (three & 255)
		) {
			// Through bytes that do not compress, faster and faster.
			at += 1 + ((at - literalsFrom) >>> SKIP_SHIFT);
			continue;
		}
		const sizeMax = Math.min(to - at, MATCH_MAX);
		let size = MATCH_MIN;
		while (size < sizeMax && source[candidate + size] === source[at + size]) size++;
		written = writeLiterals(source, literalsFrom, at, target, written);
		if (written < 0 || written + 3 > targetSize) return 0;
		const distance = at - candidate - 1;
		if (size < 9) {
			target[written++] = ((size - 2) << 5) | (distance >>> 8);
		} else {
			target[written++] = 0xe0 | (distance >>> 8);
			target[written++] = size - 9;
		}
		target[written++] = distance & 255;
		at += size;
		literalsFrom = at;
		// The last two positions of a match are entered as well: cheap, and what follows often begins there.
		for (let inside = at - 2; inside < at && inside + MATCH_MIN <= to; inside++) {
			const bytes = (source[inside]! << 16) | (source[inside + 1]! << 8) | source[inside + 2]!;
			table[Math.imul(bytes, HASH_FACTOR) >>> hashShift] = inside + bias;
		}
	}
	written = writeLiterals(source, literalsFrom, to, target, written);
	return Math.max(written, 0);
}

/** Writes [from, to) as literals at `at` of `target`; the position behind them, -1 if they do not fit. */
function writeLiterals(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
	let position = at;
	for (let next = from; next < to; ) {
		const size = Math.min(to - next, LITERALS_MAX);
		if (position + 1 + size > target.length) return -1;
		target[position++] = size - 1;
		for (const end = next + size; next < end; next++) target[position++] = source[next]!;
	}
	return position;
}

/**
 * The `size` bytes that [from, to) of `source` decompress to; undefined if that is damaged or makes another number of
 * bytes. Reserves no memory for a `size` that so few bytes cannot make. They are written to the start of `scratch`, which
 * is returned, if they fit in there; else to a new Buffer.
 */
export function lzfDecompress(
	source: Buffer,
	from: number,
	to: number,
	size: number,
	scratch?: Buffer,
): Buffer | undefined {
	if (size > (to - from) * EXPANSION_MAX) return undefined;
	const target = scratch !== undefined && scratch.length >= size ? scratch : Buffer.allocUnsafe(size);
	let written = 0;
	let at = from;
	while (at < to) {
		const control = source[at++]!;
		if (control < LITERALS_MAX) {
			const end = at + control + 1;
			if (end > to || written + control + 1 > size) return undefined;
			while (at < end) target[written++] = source[at++]!;
			continue;
		}
		let count = control >>> 5;
		if (count === 7) {
			if (at >= to) return undefined;
			count += source[at++]!;
		}
		if (at >= to) return undefined;
		let reference = written - ((control & 31) << 8) - source[at++]! - 1;
		const end = written + count + 2;
		if (reference < 0 || end > size) return undefined;
		while (written < end) target[written++] = target[reference++]!;
	}
	return written === size ? target : undefined;
}
