/**
 * The intset: integers in rising order, all of the same width.
 *
 *     width    4 bytes, low byte first: 2, 4 or 8
 *     count    4 bytes
 *     members  two's complement, low byte first
 *
 * Source: Redis 7.2.6, intset.c (intsetValidateIntegrity with `deep`).
 */
import { canonicalInt64, type Int64 } from '../base/numbers.js';

const HEADER_SIZE = 8;

/**
 * The members of the intset in [from, to), which must be all of it. Undefined if it is malformed, empty, or its members
 * do not rise.
 */
export function decodeIntset(bytes: Buffer, from: number, to: number): Int64[] | undefined {
	const size = to - from;
	if (size < HEADER_SIZE || from < 0 || to > bytes.length) return undefined;
	const width = bytes.readUInt32LE(from);
	const count = bytes.readUInt32LE(from + 4);
	if ((width !== 2 && width !== 4 && width !== 8) || count === 0 || HEADER_SIZE + count * width !== size) {
		return undefined;
	}
	const first = from + HEADER_SIZE;
	return width === 8 ? decodeWide(bytes, first, to) : decodeNarrow(bytes, first, to, width);
}

function decodeNarrow(bytes: Buffer, from: number, to: number, width: 2 | 4): Int64[] | undefined {
	const members: Int64[] = [];
	let previous = -Infinity;
	for (let at = from; at < to; at += width) {
		const member = width === 2 ? bytes.readInt16LE(at) : bytes.readInt32LE(at);
		if (member <= previous) return undefined;
		previous = member;
		members.push(member);
	}
	return members;
}

/** 64-bit members are compared by their halves. */
function decodeWide(bytes: Buffer, from: number, to: number): Int64[] | undefined {
	const members: Int64[] = [];
	let previousHigh = -Infinity;
	let previousLow = 0;
	for (let at = from; at < to; at += 8) {
		const high = bytes.readInt32LE(at + 4);
		const low = bytes.readUInt32LE(at);
		if (high < previousHigh || (high === previousHigh && low <= previousLow)) return undefined;
		previousHigh = high;
		previousLow = low;
		members.push(int64At(bytes, at));
	}
	return members;
}

function int64At(bytes: Buffer, at: number): Int64 {
	const high = bytes.readInt32LE(at + 4);
	// Within ±2^52 a double is exact, and much cheaper than a bigint.
	if (high >= -0x100000 && high < 0x100000) return high * 0x100000000 + bytes.readUInt32LE(at);
	return canonicalInt64(bytes.readBigInt64LE(at));
}

/** The intset of `members`, which must rise and not be empty, in the narrowest width that holds them all. */
export function encodeIntset(members: readonly Int64[]): Buffer {
	const lowest = members[0]!;
	const highest = members[members.length - 1]!;
	const width =
		lowest >= -32768 && highest <= 32767 ? 2 : lowest >= -2147483648 && highest <= 2147483647 ? 4 : 8;
	const bytes = Buffer.allocUnsafe(HEADER_SIZE + members.length * width);
	bytes.writeUInt32LE(width, 0);
	bytes.writeUInt32LE(members.length, 4);
	let at = HEADER_SIZE;
	for (const member of members) {
		if (width === 8) bytes.writeBigInt64LE(BigInt(member), at);
		else if (width === 4) bytes.writeInt32LE(Number(member), at);
		else bytes.writeInt16LE(Number(member), at);
		at += width;
	}
	return bytes;
}
