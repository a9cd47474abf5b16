/**
 * Compares the bytes of a file with the CRCs that the catalog has of it.
 *
 * The catalog may know another file than the one that stands there under the same name: one that was restored, or
 * written anew by hand. That is no damage. The difference: damage leaves most of a file as it was. So a file is damaged
 * if some of its blocks are right and others wrong, or if the change of a single byte explains a wrong one; and it is
 * another one if no block is right.
 */
import { crc32 } from 'node:zlib';
import { type ChangedByte, locateChangedByte } from './block-damage.js';

/** What is known about a file's blocks: parallel lists, by rising position, no two overlapping. */
export interface BlockList {
	readonly positions: readonly number[];
	readonly sizes: readonly number[];
	readonly crcs: readonly number[];
}

/** A block whose bytes are not those that were written. */
export interface WrongBlock {
	/** Position in the file, and size in bytes. */
	readonly position: number;
	readonly size: number;
	/** Position in the file of the one byte that is wrong, and which of its bits; undefined if it is more than one. */
	readonly changed: ChangedByte | undefined;
}

/** Takes the content of a file from its start on. */
export class BlockCheck {
	/** Blocks that are right. */
	soundCount = 0;
	/** The wrong ones. */
	readonly wrong: WrongBlock[] = [];

	private readonly blocks: BlockList;
	private index = 0;
	private crc = 0;
	private at = 0;

	constructor(blocks: BlockList) {
		this.blocks = blocks;
	}

	/** The next `size` bytes of the file: those at `from` in `bytes`. */
	feed(bytes: Buffer, from: number, size: number): void {
		const { positions, sizes } = this.blocks;
		const start = this.at;
		const end = start + size;
		while (this.index < positions.length && this.at < end) {
			const blockStart = positions[this.index]!;
			const blockEnd = blockStart + sizes[this.index]!;
			const pieceStart = Math.max(this.at, blockStart);
			const pieceEnd = Math.min(end, blockEnd);
			if (pieceEnd > pieceStart) {
				const piece = bytes.subarray(from + pieceStart - start, from + pieceEnd - start);
				this.crc = crc32(piece, this.crc);
			}
			this.at = Math.min(end, Math.max(pieceEnd, this.at));
			if (pieceEnd < blockEnd) break;
			this.endBlock(blockStart, sizes[this.index]!);
		}
		this.at = end;
	}

	/** Whether what has been fed can't be the file that the catalog knows. */
	get isOtherFile(): boolean {
		return (
			this.soundCount === 0 &&
			this.wrong.length > 0 &&
			this.wrong.every(({ changed }) => changed === undefined)
		);
	}

	/** The first damage in what has been fed; undefined when there is none, or it is another file. */
	get damage(): WrongBlock | undefined {
		return this.isOtherFile ? undefined : this.wrong[0];
	}

	private endBlock(position: number, size: number): void {
		const expected = this.blocks.crcs[this.index]!;
		if (this.crc === expected) {
			this.soundCount++;
		} else {
			const changed = locateChangedByte(this.crc, expected, size);
			this.wrong.push({
				position,
				size,
				changed: changed === undefined ? undefined : { ...changed, index: position + changed.index },
			});
		}
		this.index++;
		this.crc = 0;
	}
}
