/**
 * The checksum of RDB files and DUMP payloads: CRC-64 of Jones, polynomial 0xad93d23594c935a9, input and output
 * reflected, initial value 0, no final XOR. The sum of "123456789" is e9c6d914c4b8d9ca. Stored as 8 bytes, low byte
 * first. Source of the parameters and of the check value: Redis 7.2.6, crc64.c.
 *
 * Sixteen bytes at a time ("slicing by 16"): slice k of the table holds the sum of a byte followed by k zero bytes.
 * JavaScript has no fast 64-bit integer, so the sum is two 32-bit halves, and the halves of an entry stand side by side.
 * The input is read as 32-bit words. Measured on random bytes, in one run: 410 MB/s with 8 slices and single bytes, 530
 * with 8 slices and words, 740 with 16 slices and words, 330 with 4 slices of 65,536 entries.
 */

/** The polynomial reflected, as its high and low half. */
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;

const SLICE_COUNT = 16;
/** Entries of one slice times two halves. */
const SLICE_INTS = 512;
/** Fewer bytes than this are not worth a view of them as words. */
const WORDS_SIZE_MIN = 192;

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Low half of entry `byte` of slice k at `k * 512 + byte * 2`, the high half behind it. Constant. */
export const CRC64_TABLE = makeTable();

function makeTable(): Int32Array {
	const table = new Int32Array(SLICE_COUNT * SLICE_INTS);
	for (let byte = 0; byte < 256; byte++) {
		let low = byte;
		let high = 0;
		for (let bit = 0; bit < 8; bit++) {
			const carry = -(low & 1);
			low = ((low >>> 1) | (high << 31)) ^ (carry & POLYNOMIAL_LOW);
			high = (high >>> 1) ^ (carry & POLYNOMIAL_HIGH);
		}
		table[byte * 2] = low;
		table[byte * 2 + 1] = high;
	}
	for (let at = SLICE_INTS; at < table.length; at += 2) {
		const low = table[at - SLICE_INTS]!;
		const high = table[at - SLICE_INTS + 1]!;
		const entry = (low & 255) << 1;
		table[at] = ((low >>> 8) | (high << 24)) ^ table[entry]!;
		table[at + 1] = (high >>> 8) ^ table[entry + 1]!;
	}
	return table;
}

/** A running checksum. */
export class Crc64 {
	private low = 0;
	private high = 0;

	/** Is the sum 0? At the end of an RDB file that stands for "no checksum". */
	get isZero(): boolean {
		return this.low === 0 && this.high === 0;
	}

	/** Back to the sum of no bytes. */
	reset(): void {
		this.low = 0;
		this.high = 0;
	}

	/** Takes in the bytes of [from, to), which must lie within `bytes`. */
	update(bytes: Buffer, from: number, to: number): void {
		if (to - from < WORDS_SIZE_MIN || !IS_LITTLE_ENDIAN) return this.updateByBytes(bytes, from, to);
		const wordsFrom = from + (-(bytes.byteOffset + from) & 3);
		const wordsTo = wordsFrom + ((to - wordsFrom) & ~15);
		this.updateByBytes(bytes, from, wordsFrom);
		this.updateByWords(
			new Int32Array(bytes.buffer, bytes.byteOffset + wordsFrom, (wordsTo - wordsFrom) >>> 2),
		);
		this.updateByBytes(bytes, wordsTo, to);
	}

	/** Writes the sum as 8 bytes, low byte first. */
	writeTo(target: Buffer, at: number): void {
		target.writeInt32LE(this.low, at);
		target.writeInt32LE(this.high, at + 4);
	}

	/** Do the 8 bytes at `at` hold this sum? */
	matches(source: Buffer, at: number): boolean {
		return source.readInt32LE(at) === this.low && source.readInt32LE(at + 4) === this.high;
	}

	private updateByBytes(bytes: Buffer, from: number, to: number): void {
		const table = CRC64_TABLE;
		let low = this.low;
		let high = this.high;
		for (let at = from; at < to; at++) {
			const entry = ((low ^ bytes[at]!) & 255) << 1;
			low = ((low >>> 8) | (high << 24)) ^ table[entry]!;
			high = (high >>> 8) ^ table[entry + 1]!;
		}
		this.low = low;
		this.high = high;
	}

	/** Takes in groups of four words. The first byte of a group is looked up in the last slice, and so on. */
	private updateByWords(words: Int32Array): void {
		const t = CRC64_TABLE;
		let low = this.low;
		let high = this.high;
		for (let at = 0; at < words.length; at += 4) {
			const w0 = low ^ words[at]!;
			const w1 = high ^ words[at + 1]!;
			const w2 = words[at + 2]!;
			const w3 = words[at + 3]!;
			const a = 7680 + ((w0 & 255) << 1);
			const b = 7168 + ((w0 >>> 7) & 510);
			const c = 6656 + ((w0 >>> 15) & 510);
			const d = 6144 + ((w0 >>> 23) & 510);
			const e = 5632 + ((w1 & 255) << 1);
			const f = 5120 + ((w1 >>> 7) & 510);
			const g = 4608 + ((w1 >>> 15) & 510);
			const h = 4096 + ((w1 >>> 23) & 510);
			const i = 3584 + ((w2 & 255) << 1);
			const j = 3072 + ((w2 >>> 7) & 510);
			const k = 2560 + ((w2 >>> 15) & 510);
			const l = 2048 + ((w2 >>> 23) & 510);
			const m = 1536 + ((w3 & 255) << 1);
			const n = 1024 + ((w3 >>> 7) & 510);
			const o = 512 + ((w3 >>> 15) & 510);
			const p = (w3 >>> 23) & 510;
			low = t[a]! ^ t[b]! ^ t[c]! ^ t[d]! ^ t[e]! ^ t[f]! ^ t[g]! ^ t[h]!;
			low ^= t[i]! ^ t[j]! ^ t[k]! ^ t[l]! ^ t[m]! ^ t[n]! ^ t[o]! ^ t[p]!;
			high = t[a + 1]! ^ t[b + 1]! ^ t[c + 1]! ^ t[d + 1]! ^ t[e + 1]! ^ t[f + 1]! ^ t[g + 1]! ^ t[h + 1]!;
			high ^= t[i + 1]! ^ t[j + 1]! ^ t[k + 1]! ^ t[l + 1]! ^ t[m + 1]! ^ t[n + 1]! ^ t[o + 1]! ^ t[p + 1]!;
		}
		this.low = low;
		this.high = high;
	}
}
