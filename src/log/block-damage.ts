/**
 * What a wrong CRC-32 says about the damage. For two contents of one size, the exclusive or of their CRCs depends only
 * on where they differ; when that is one byte, there is one place and one difference (within a block of 64 KB) that
 * give this value, and both can be computed: by running the CRC backwards from the end of the block.
 */

const POLYNOMIAL = 0xedb88320;

export interface ChangedByte {
	/** Index of the byte in the block. */
	readonly index: number;
	/** Its bits that differ: exclusive or of the right byte and the one found. */
	readonly mask: number;
}

/**
 * The single byte whose change explains that `size` bytes have the CRC-32 `found` where they had `expected`; undefined
 * when no single one does. More damage is taken for one byte with a probability of at most size/16,000,000.
 */
export function locateChangedByte(found: number, expected: number, size: number): ChangedByte | undefined {
	const table = crcTable();
	const indexByTop = new Uint8Array(256);
	for (let i = 0; i < 256; i++) indexByTop[table[i]! >>> 24] = i;
	let rest = (found ^ expected) >>> 0;
	if (rest === 0) return undefined;
	for (let index = size - 1; index >= 0; index--) {
		const mask = indexByTop[rest >>> 24]!;
		const difference = (rest ^ table[mask]!) >>> 0;
		if (difference === 0) return { index, mask };
		rest = ((difference << 8) | mask) >>> 0;
	}
	return undefined;
}

function crcTable(): Uint32Array {
	const table = new Uint32Array(256);
	for (let i = 0; i < 256; i++) {
		let rest = i;
		for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ POLYNOMIAL : rest >>> 1;
		table[i] = rest >>> 0;
	}
	return table;
}
