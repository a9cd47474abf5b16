/**
 * The checksum of RDB files and DUMP payloads: CRC-64 of Jones, polynomial 0xad93d23594c935a9, input and output
 * reflected, initial value 0, no final XOR. The sum of "123456789" is e9c6d914c4b8d9ca. Stored as 8 bytes, low byte
 * first. Source of the parameters and of the check value: Redis 7.2.6, crc64.c.
 *
 * Short pieces are taken byte by byte, here; long ones eight bytes at a time by `crc64-kernel.ts`. JavaScript has no fast
 * 64-bit integer, so the sum is two 32-bit halves.
 */

import { Crc64Kernel } from './crc64-kernel.js';

/** The polynomial reflected, as its high and low half. */
const POLYNOMIAL_HIGH = 0x95ac9329 | 0;
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0;

/** Fewer bytes than this are not worth a call of the kernel. */
const KERNEL_SIZE_MIN = 256;

/** The sum of each single byte: its low half at `byte * 2`, the high half behind it. Constant. */
export const CRC64_TABLE = makeTable();

function makeTable(): Int32Array {
	const table = new Int32Array(512);
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
	return table;
}

/** The one kernel of the process; it keeps nothing from one call to another. */
const KERNEL = new Crc64Kernel(CRC64_TABLE);

/** A running checksum. */
export class Crc64 {
	private low = 0;
	private high = 0;
	/** The two halves on their way to the kernel and back. */
	private readonly state = new Int32Array(2);

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
		let at = from;
		if (to - from >= KERNEL_SIZE_MIN) {
			const { state } = this;
			at = from + ((to - from) & ~7);
			state[0] = this.low;
			state[1] = this.high;
			KERNEL.update(state, bytes, from, at);
			this.low = state[0];
			this.high = state[1];
		}
		this.updateByBytes(bytes, at, to);
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
}
