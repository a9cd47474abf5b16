/**
 * Compares a file with the catalog's CRC-32 of each of its blocks. That finds what the framing of commands can't
 * show: a changed byte within a value, and bytes missing at the end. Where one changed byte explains a wrong CRC, it
 * is located and can be put back (src/log/block-damage.ts); the scan of the commands comes behind that.
 */
import type { BlockList } from '../../src/log/block-check.js';
import { type ChangedByte, locateChangedByte } from '../../src/log/block-damage.js';
import { crcOfRange, type InputFile } from '../support/input-file.js';

/** A block that is not what was written. */
export interface BadBlock {
	/** Position in the file. */
	readonly position: number;
	readonly size: number;
	/** CRC-32 that the catalog has, and that of what is there. */
	readonly crc: number;
	readonly actualCrc: number;
	/** Bytes of it that the file is too short for. */
	readonly missingSize: number;
	/** The one byte that explains the difference, by its position in the file; undefined if none does. */
	readonly changed: ChangedByte | undefined;
}

/** What came out of the comparison. */
export interface BlockVerdict {
	/** The blocks that differ, in the order of the file. */
	readonly bad: readonly BadBlock[];
	/** Nothing of the file is what the catalog has under its name: it was written anew, and is not judged by that. */
	readonly isOtherFile: boolean;
}

export const NO_BLOCKS: BlockList = { positions: [], sizes: [], crcs: [] };

export function verifyBlocks(
	file: InputFile,
	blocks: BlockList,
	onProgress: (position: number) => void,
): BlockVerdict {
	const bad: BadBlock[] = [];
	let soundCount = 0;
	for (const [i, position] of blocks.positions.entries()) {
		onProgress(position);
		const size = blocks.sizes[i]!;
		const crc = blocks.crcs[i]!;
		const missingSize = Math.min(size, Math.max(0, position + size - file.size));
		const actualCrc = missingSize > 0 ? 0 : crcOfRange(file, position, position + size);
		if (missingSize > 0) {
			bad.push({ position, size, crc, actualCrc, missingSize, changed: undefined });
		} else if (actualCrc === crc) {
			soundCount++;
		} else {
			const found = locateChangedByte(actualCrc, crc, size);
			const changed = found === undefined ? undefined : { ...found, index: position + found.index };
			bad.push({ position, size, crc, actualCrc, missingSize, changed });
		}
	}
	const wrong = bad.filter(({ missingSize }) => missingSize === 0);
	const isOtherFile =
		soundCount === 0 && wrong.length > 0 && wrong.every(({ changed }) => changed === undefined);
	return { bad: isOtherFile ? [] : bad, isOtherFile };
}
