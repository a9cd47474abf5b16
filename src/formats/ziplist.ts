/**
 * The ziplist, which listpacks replaced: read in RDB files up to version 9, never written.
 *
 *     size    4 bytes, low byte first: all of it
 *     tail    4 bytes: where the last entry begins
 *     count   2 bytes; 65535 means "unknown, count them"
 *     entries
 *     0xff
 *
 * An entry begins with the size of the entry before it, 0 for the first: one byte up to 253, else 0xfe and 4 bytes.
 *
 *     00LLLLLL                        string of L bytes, which follow
 *     01LLLLLL LLLLLLLL               string, high bits of the length first
 *     10?????? and 4 bytes            string, length high byte first
 *     0xc0, 0xd0, 0xe0, 0xf0, 0xfe    integer of 2, 4, 8, 3 or 1 bytes, low byte first, two's complement
 *     1111vvvv                        integer v - 1, v in 1 to 13
 *
 * Source: Redis 7.2.6, ziplist.c (ziplistValidateIntegrity with `deep`).
 */
import { int64Text, STRING_SIZE_MAX } from './listpack.js';

const HEADER_SIZE = 10;
const END = 0xff;
const BIG_PREVIOUS = 0xfe;
const COUNT_UNKNOWN = 65535;

/**
 * The entries of the ziplist in [from, to), which must be all of it: strings as they are, integers as decimal text.
 * Undefined if it is malformed in any way.
 */
export function decodeZiplist(bytes: Buffer, from: number, to: number): string[] | undefined {
	const size = to - from;
	if (size < HEADER_SIZE + 1 || from < 0 || to > bytes.length) return undefined;
	const end = to - 1;
	const tail = bytes.readUInt32LE(from + 4);
	if (bytes.readUInt32LE(from) !== size || bytes[end] !== END || tail > size - 1) return undefined;
	const entries: string[] = [];
	let previousSize = 0;
	let last = -1;
	let at = from + HEADER_SIZE;
	while (at < end) {
		const start = at;
		last = start;
		const stated = bytes[at]!;
		if (stated === BIG_PREVIOUS) {
			if (at + 5 >= end || bytes.readUInt32LE(at + 1) !== previousSize) return undefined;
			at += 5;
		} else {
			if (stated !== previousSize) return undefined;
			at++;
		}
		if (at >= end) return undefined;
		const first = bytes[at]!;
		if (first < 0xc0) {
			const header = first < 0x40 ? 1 : first < 0x80 ? 2 : 5;
			if (at + header > end) return undefined;
			const length =
				header === 1
					? first
					: header === 2
						? ((first & 63) << 8) | bytes[at + 1]!
						: bytes.readUInt32BE(at + 1);
			at += header;
			if (at + length > end || length > STRING_SIZE_MAX) return undefined;
			entries.push(bytes.latin1Slice(at, at + length));
			at += length;
		} else {
			const length = integerSize(first);
			if (length < 0 || at + 1 + length > end) return undefined;
			entries.push(integerText(bytes, at + 1, first));
			at += 1 + length;
		}
		previousSize = at - start;
	}
	if (last >= 0 && last !== from + tail) return undefined;
	const count = bytes[from + 8]! | (bytes[from + 9]! << 8);
	return count === COUNT_UNKNOWN || count === entries.length ? entries : undefined;
}

/** Bytes behind the first of an integer entry; -1 for an unknown encoding. */
function integerSize(first: number): number {
	switch (first) {
		case 0xc0:
			return 2;
		case 0xd0:
			return 4;
		case 0xe0:
			return 8;
		case 0xf0:
			return 3;
		case 0xfe:
			return 1;
		default:
			return first > 0xf0 && first < 0xfe ? 0 : -1;
	}
}

function integerText(bytes: Buffer, at: number, first: number): string {
	switch (first) {
		case 0xc0:
			return String(bytes.readInt16LE(at));
		case 0xd0:
			return String(bytes.readInt32LE(at));
		case 0xe0:
			return int64Text(bytes, at);
		case 0xf0:
			return String(bytes.readIntLE(at, 3));
		case 0xfe:
			return String(bytes.readInt8(at));
		default:
			return String((first & 15) - 1);
	}
}
