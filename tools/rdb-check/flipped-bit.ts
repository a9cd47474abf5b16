/**
 * Finds the one flipped bit that explains a wrong checksum.
 *
 * A CRC is linear: the sum of the damaged file, XOR the sum that is stored, is the sum of the damage alone. If that is
 * one bit, it is the bit's own place in its byte, run through as many bytes as follow it. So it is run backwards, byte by
 * byte, until one bit of the lowest byte is left. That more damage looks like this by chance is as good as impossible:
 * 64 bits have to agree.
 */
import { CRC64_TABLE, Crc64 } from '../../src/formats/crc64.js';
import { ProgressBar } from '../support/progress-bar.js';
import type { FileBit, RdbBytes } from './rdb-bytes.js';

const SUM_SIZE = 8;
const PIECE_SIZE = 1024 * 1024;

/** The flipped bit, the checksum itself included; undefined if it was not one bit, or there is no checksum. */
export function findFlippedBit(bytes: RdbBytes): FileBit | undefined {
	const size = bytes.size - SUM_SIZE;
	if (size < 1) return undefined;
	const difference = sumDifference(bytes, size);
	if (difference === undefined) return undefined;
	const [low, high] = difference;
	const inSum = onlyBit(low, high);
	if (inSum >= 0) return { offset: size + (inSum >> 3), bit: inSum & 7 };
	return traceBack(low, high, size);
}

/** The halves of computed XOR stored; undefined if they agree, or the file says that it has no checksum. */
function sumDifference(bytes: RdbBytes, size: number): readonly [low: number, high: number] | undefined {
	const sum = new Crc64();
	const piece = Buffer.allocUnsafe(PIECE_SIZE);
	const bar = new ProgressBar();
	for (let at = 0; at < size; ) {
		const got = bytes.readAt(at, piece, 0, Math.min(PIECE_SIZE, size - at));
		if (got === 0) return undefined;
		sum.update(piece, 0, got);
		at += got;
		bar.update(at, size, 'summing up');
	}
	bar.clear();
	if (bytes.readAt(size, piece, 0, SUM_SIZE) < SUM_SIZE) return undefined;
	if (piece.readInt32LE(0) === 0 && piece.readInt32LE(4) === 0) return undefined;
	sum.writeTo(piece, SUM_SIZE);
	const low = piece.readInt32LE(0) ^ piece.readInt32LE(8);
	const high = piece.readInt32LE(4) ^ piece.readInt32LE(12);
	return low === 0 && high === 0 ? undefined : [low, high];
}

/** Which bit it is, if exactly one of the 64 is set; else -1. */
function onlyBit(low: number, high: number): number {
	const half = low === 0 ? high : high === 0 ? low : 0;
	if (half === 0 || (half & (half - 1)) !== 0) return -1;
	return (low === 0 ? 63 : 31) - Math.clz32(half);
}

function traceBack(lowAtEnd: number, highAtEnd: number, size: number): FileBit | undefined {
	// The high byte of a table entry tells which entry it is.
	const entryOfHighByte = new Uint8Array(256);
	for (let entry = 0; entry < 256; entry++) entryOfHighByte[CRC64_TABLE[entry * 2 + 1]! >>> 24] = entry;
	let low = lowAtEnd;
	let high = highAtEnd;
	for (let offset = size - 1; offset >= 0; offset--) {
		const entry = entryOfHighByte[high >>> 24]!;
		const lowBefore = low ^ CRC64_TABLE[entry * 2]!;
		const highBefore = high ^ CRC64_TABLE[entry * 2 + 1]!;
		high = (highBefore << 8) | (lowBefore >>> 24);
		low = (lowBefore << 8) | entry;
		if (high === 0 && low > 0 && low < 256 && (low & (low - 1)) === 0) {
			return { offset, bit: 31 - Math.clz32(low) };
		}
	}
	return undefined;
}
