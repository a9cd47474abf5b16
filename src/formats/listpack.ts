/**
 * The listpack: a list of strings and integers in one piece of memory, how Redis stores small values and how RDB files
 * carry them.
 *
 *     size       4 bytes, low byte first: all of it, this field and the end byte included
 *     count      2 bytes, low byte first; 65535 means "unknown, count them"
 *     entries
 *     0xff
 *
 * An entry is its encoding with its data, then the size of these two as a number that is read backwards: 7 bits a
 * byte, the lowest in the last byte, the high bit set in all bytes but the first.
 *
 *     0vvvvvvv                      integer 0 to 127
 *     10LLLLLL                      string of L bytes, which follow
 *     110vvvvv vvvvvvvv             integer of 13 bits, high bits first, two's complement
 *     1110LLLL LLLLLLLL             string of up to 4095 bytes, high bits of the length first
 *     0xf0, 4 bytes                 string, length low byte first
 *     0xf1 to 0xf4                  integer of 2, 3, 4 or 8 bytes, low byte first, two's complement
 *
 * A listpack is valid if and only if its first field is its size, the last byte is 0xff, every entry lies inside, is of
 * a known encoding and is followed by its own size in the canonical form, and the entries are as many as counted.
 *
 * Source: Redis 7.2.6, listpack.c (lpValidateIntegrity with `deep`).
 */
import { type Int64, parseInt64 } from '../base/numbers.js';

export const LISTPACK_HEADER_SIZE = 6;
export const LISTPACK_END = 0xff;
const COUNT_UNKNOWN = 65535;
/** The longest JavaScript string. A longer entry cannot be a value here, and is refused. */
export const STRING_SIZE_MAX = 2 ** 29 - 24;

const CHAR_0 = 48;
const CHAR_9 = 57;
const CHAR_MINUS = 45;

/** Strings shorter than this are copied by `substring`: it keeps nothing of a larger string alive. */
const SUBSTRING_COPY_SIZE = 13;
/** A listpack up to this size is turned into a string once, and short entries are cut from that. */
const WHOLE_TEXT_SIZE_MAX = 64 * 1024;

/**
 * The entries of the listpack in [from, to), which must be all of it: strings as they are, integers as decimal text.
 * Undefined if it is malformed in any way.
 */
export function decodeListpack(bytes: Buffer, from: number, to: number): string[] | undefined {
	const size = to - from;
	if (size < LISTPACK_HEADER_SIZE + 1 || from < 0 || to > bytes.length) return undefined;
	const end = to - 1;
	if (bytes.readUInt32LE(from) !== size || bytes[end] !== LISTPACK_END) return undefined;
	const text = size <= WHOLE_TEXT_SIZE_MAX ? bytes.latin1Slice(from, to) : '';
	const entries: string[] = [];
	let at = from + LISTPACK_HEADER_SIZE;
	while (at < end) {
		const first = bytes[at]!;
		let bodyEnd: number;
		if (first < 0x80) {
			bodyEnd = at + 1;
			entries.push(String(first));
		} else if (first < 0xc0 || (first >= 0xe0 && first <= 0xf0)) {
			const header = first < 0xc0 ? 1 : first < 0xf0 ? 2 : 5;
			const start = at + header;
			if (start > end) return undefined;
			const length =
				header === 1
					? first & 63
					: header === 2
						? ((first & 15) << 8) | bytes[at + 1]!
						: bytes.readUInt32LE(at + 1);
			bodyEnd = start + length;
			// The size behind it takes a byte at least, and the end byte stands behind that.
			if (bodyEnd >= end || length > STRING_SIZE_MAX) return undefined;
			entries.push(
				length < SUBSTRING_COPY_SIZE && text !== ''
					? text.substring(start - from, bodyEnd - from)
					: bytes.latin1Slice(start, bodyEnd),
			);
		} else {
			bodyEnd = at + integerBodySize(first);
			if (bodyEnd === at || bodyEnd >= end) return undefined;
			entries.push(integerText(bytes, at, first));
		}
		at = behindBackLength(bytes, at, bodyEnd, end);
		if (at < 0) return undefined;
	}
	const count = bytes[from + 4]! | (bytes[from + 5]! << 8);
	return count === COUNT_UNKNOWN || count === entries.length ? entries : undefined;
}

/** Bytes of an integer entry whose first byte is `first`, 0xc0 or above; 0 for an unknown encoding. */
function integerBodySize(first: number): number {
	if (first < 0xe0) return 2;
	if (first < 0xf1 || first > 0xf4) return 0;
	return first === 0xf4 ? 9 : first - 0xf1 + 3;
}

function integerText(bytes: Buffer, at: number, first: number): string {
	switch (first) {
		case 0xf1:
			return String(bytes.readInt16LE(at + 1));
		case 0xf2:
			return String(bytes.readIntLE(at + 1, 3));
		case 0xf3:
			return String(bytes.readInt32LE(at + 1));
		case 0xf4:
			return int64Text(bytes, at + 1);
		default:
			return String((((first & 31) << 27) >> 19) | bytes[at + 1]!);
	}
}

/** The decimal text of the 8 bytes at `at`, two's complement, low byte first. */
export function int64Text(bytes: Buffer, at: number): string {
	const high = bytes.readInt32LE(at + 4);
	// Within ±2^52 a double is exact, and much cheaper than a bigint.
	if (high >= -0x100000 && high < 0x100000) return String(high * 0x100000000 + bytes.readUInt32LE(at));
	return String(bytes.readBigInt64LE(at));
}

/** The position behind the backwards size of the entry [start, bodyEnd); -1 if it is not that, or reaches to `end`. */
function behindBackLength(bytes: Buffer, start: number, bodyEnd: number, end: number): number {
	const size = bodyEnd - start;
	if (size <= 127) return bodyEnd < end && bytes[bodyEnd] === size ? bodyEnd + 1 : -1;
	const length = backLengthSize(size);
	const next = bodyEnd + length;
	if (next > end || bytes[bodyEnd] !== Math.floor(size / 2 ** (7 * (length - 1)))) return -1;
	for (let index = 1; index < length; index++) {
		const part = Math.floor(size / 2 ** (7 * (length - 1 - index))) & 127;
		if (bytes[bodyEnd + index] !== (part | 128)) return -1;
	}
	return next;
}

/** How many bytes the backwards size takes. One less than a power of two takes a byte more than needed, as in Redis. */
function backLengthSize(size: number): number {
	if (size <= 127) return 1;
	if (size < 16383) return 2;
	if (size < 2097151) return 3;
	return size < 268435455 ? 4 : 5;
}

/** Builds a listpack. It must stay below 4 GiB, which is for the caller to see to by `size`. */
export class ListpackWriter {
	private bytes: Buffer;
	/** Bytes written, the header included, the end byte not. */
	private used = LISTPACK_HEADER_SIZE;
	private entryCount = 0;

	/** `capacity`: bytes to reserve at first. */
	constructor(capacity = 512) {
		this.bytes = Buffer.allocUnsafeSlow(Math.max(capacity, LISTPACK_HEADER_SIZE + 1));
	}

	/** Bytes of the listpack as it is now, header and end byte included. */
	get size(): number {
		return this.used + 1;
	}

	/** Entries so far. */
	get count(): number {
		return this.entryCount;
	}

	/** Starts a new listpack in the same memory: what `finish` has returned is void. */
	reset(): void {
		this.used = LISTPACK_HEADER_SIZE;
		this.entryCount = 0;
	}

	/** Adds a byte string; as an integer if it is the canonical text of one of 64 bits. */
	append(value: string): void {
		const length = value.length;
		if (length > 0 && length <= 20) {
			const first = value.charCodeAt(0);
			if ((first >= CHAR_0 && first <= CHAR_9) || first === CHAR_MINUS) {
				const integer = parseInt64(value);
				if (integer !== undefined) return this.appendInteger(integer);
			}
		}
		this.reserve(length + 11);
		const start = this.used;
		let at = this.writeStringHeader(length);
		const bytes = this.bytes;
		if (length <= 16) for (let i = 0; i < length; i++) bytes[at + i] = value.charCodeAt(i);
		else bytes.latin1Write(value, at, length);
		at += length;
		this.writeBackLength(start, at);
	}

	/** Adds an integer of 64 bits. */
	appendInteger(value: Int64): void {
		this.reserve(11);
		const bytes = this.bytes;
		const start = this.used;
		let at = start;
		if (value >= -2147483648 && value <= 2147483647) {
			const n = Number(value);
			if (n >= 0 && n <= 127) {
				bytes[at++] = n;
			} else if (n >= -4096 && n <= 4095) {
				bytes[at++] = 0xc0 | ((n >>> 8) & 31);
				bytes[at++] = n & 255;
			} else {
				const size = n >= -32768 && n <= 32767 ? 2 : n >= -8388608 && n <= 8388607 ? 3 : 4;
				bytes[at++] = 0xef + size;
				for (let shift = 0; shift < size * 8; shift += 8) bytes[at++] = (n >> shift) & 255;
			}
		} else {
			bytes[at] = 0xf4;
			bytes.writeBigInt64LE(BigInt(value), at + 1);
			at += 9;
		}
		this.writeBackLength(start, at);
	}

	/** The listpack: a view of this writer's memory, valid until the next call of another method. */
	finish(): Buffer {
		this.reserve(1);
		const bytes = this.bytes;
		bytes[this.used] = LISTPACK_END;
		bytes.writeUInt32LE(this.used + 1, 0);
		bytes.writeUInt16LE(Math.min(this.entryCount, COUNT_UNKNOWN), 4);
		return bytes.subarray(0, this.used + 1);
	}

	/** Writes the encoding of a string at the end; the position behind it. */
	private writeStringHeader(length: number): number {
		const bytes = this.bytes;
		const at = this.used;
		if (length < 64) {
			bytes[at] = 0x80 | length;
			return at + 1;
		}
		if (length < 4096) {
			bytes[at] = 0xe0 | (length >>> 8);
			bytes[at + 1] = length & 255;
			return at + 2;
		}
		bytes[at] = 0xf0;
		bytes.writeUInt32LE(length, at + 1);
		return at + 5;
	}

	/** Ends the entry [start, bodyEnd). */
	private writeBackLength(start: number, bodyEnd: number): void {
		const bytes = this.bytes;
		const size = bodyEnd - start;
		if (size <= 127) {
			bytes[bodyEnd] = size;
			this.used = bodyEnd + 1;
		} else {
			const length = backLengthSize(size);
			let rest = size;
			for (let index = length - 1; index > 0; index--) {
				bytes[bodyEnd + index] = (rest & 127) | 128;
				rest = Math.floor(rest / 128);
			}
			bytes[bodyEnd] = rest;
			this.used = bodyEnd + length;
		}
		this.entryCount++;
	}

	private reserve(size: number): void {
		const needed = this.used + size + 1;
		if (needed <= this.bytes.length) return;
		const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
		this.bytes.copy(grown, 0, 0, this.used);
		this.bytes = grown;
	}
}
