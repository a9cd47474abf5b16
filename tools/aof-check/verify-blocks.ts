/**
 * Compares a file with the catalog's CRC-32 of each of its blocks. That finds what the framing of commands can't
 * show: a flipped bit within a value, and bytes missing at the end.
 *
 * A CRC-32 is linear: actual XOR recorded depends on the difference of the bytes alone, and for one flipped bit it
 * is another for each bit of a block (the polynomial has the period 2^32 - 1). So a single flipped bit is not only
 * found but located, and can be put back. That some larger damage looks like one flipped bit of a block of 64 KB
 * has a chance of 1 in 8,000; so the bit is put back only if the CRC then agrees, and the scan of the commands
 * comes behind it.
 */
import { crcOfRange, type InputFile } from '../support/input-file.js';

/** What the catalog says of a part of a file. */
export interface RecordedBlock {
	/** Position in the file. */
	readonly position: number;
	readonly size: number;
	readonly crc: number;
}

/** One bit of a file, to be flipped back. */
export interface BitRepair {
	/** Position in the file of the byte. */
	readonly position: number;
	/** 0 is the least significant. */
	readonly bit: number;
}

/** A block that is not what was written. */
export interface BadBlock extends RecordedBlock {
	/** CRC-32 of what is there. */
	readonly actualCrc: number;
	/** Bytes of it that the file is too short for. */
	readonly missingSize: number;
	/** The one bit that explains the difference; null if none does. */
	readonly repair: BitRepair | null;
}

/** The blocks of the file that differ from their record, in the order of the records. */
export function verifyBlocks(
	file: InputFile,
	blocks: readonly RecordedBlock[],
	onProgress: (position: number) => void,
): BadBlock[] {
	const bad: BadBlock[] = [];
	const table = crcTable();
	for (const { position, size, crc } of blocks) {
		const end = position + size;
		onProgress(position);
		const missingSize = Math.min(size, Math.max(0, end - file.size));
		const actualCrc = crcOfRange(file, Math.min(position, file.size), end - missingSize);
		if (missingSize > 0) {
			bad.push({ position, size, crc, actualCrc, missingSize, repair: null });
		} else if (actualCrc !== crc) {
			const repair = findFlippedBit(table, position, size, (actualCrc ^ crc) >>> 0);
			bad.push({ position, size, crc, actualCrc, missingSize, repair });
		}
	}
	return bad;
}

const POLYNOMIAL = 0xedb88320;

/** CRC-32 of each byte alone, from a register of 0. */
function crcTable(): Uint32Array {
	const table = new Uint32Array(256);
	for (let byte = 0; byte < 256; byte++) {
		let crc = byte;
		for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
		table[byte] = crc;
	}
	return table;
}

/** The bit whose flip changes the CRC of `size` bytes by `difference`. */
function findFlippedBit(
	table: Uint32Array,
	position: number,
	size: number,
	difference: number,
): BitRepair | null {
	for (let bit = 0; bit < 8; bit++) {
		// What the flip does to the CRC when the byte is the last one, the last but one, …
		let crc = table[1 << bit]!;
		for (let index = size - 1; index >= 0; index--) {
			if (crc === difference) return { position: position + index, bit };
			crc = (table[crc & 255]! ^ (crc >>> 8)) >>> 0;
		}
	}
	return null;
}
