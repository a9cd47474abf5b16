/**
 * Reading the elements of RDB data: lengths, strings, numbers; from a file piece by piece, or from a payload that is in
 * memory.
 *
 * A length, by its first byte (source: Redis 7.2.6, rdb.c):
 *
 *   00xxxxxx             6 bits
 *   01xxxxxx b           14 bits, the high ones first
 *   10000000 b×4         32 bits, high byte first
 *   10000001 b×8         64 bits, high byte first
 *   11xxxxxx             no length but an encoding: 0, 1, 2 an integer of 1, 2 or 4 bytes, low byte first, that stands for
 *                        its decimal text; 3 an LZF block: the length it has, the length it will have, its bytes
 *
 * A string is a length and its bytes, or such an encoding. Every method throws RdbFault where the data end early or make
 * no sense. Memory: what is asked for at once (one string) or kept on purpose (`startCapture`), and never more than the
 * data really have, whatever length they declare.
 */
import { parseDouble } from '../base/doubles.js';
import { canonicalInt64, type Int64 } from '../base/numbers.js';
import { Crc64 } from './crc64.js';
import { lzfDecompress } from './lzf.js';
import {
	RDB_DOUBLE_INFINITY,
	RDB_DOUBLE_NAN,
	RDB_DOUBLE_NEGATIVE_INFINITY,
	RDB_ENCODING_INT8,
	RDB_ENCODING_INT16,
	RDB_ENCODING_INT32,
	RDB_ENCODING_LZF,
	RDB_LENGTH_14BIT,
	RDB_LENGTH_32BIT,
	RDB_LENGTH_64BIT,
	RDB_LENGTH_ENCODED,
	RDB_MODULE_OPCODE_DOUBLE,
	RDB_MODULE_OPCODE_EOF,
	RDB_MODULE_OPCODE_FLOAT,
	RDB_MODULE_OPCODE_SINT,
	RDB_MODULE_OPCODE_STRING,
	RDB_MODULE_OPCODE_UINT,
} from './rdb-codes.js';
import { RdbFault } from './rdb-fault.js';

/** Where the bytes come from, synchronously. */
export interface ByteSource {
	/** Fills `target` from `at` on with up to `size` bytes; how many there were, 0 only at the end. */
	read(target: Buffer, at: number, size: number): number;
}

const SCRATCH_BYTES = 4096;
const BUFFER_BYTES = 128 * 1024;
/** A buffer that a large string has blown up beyond this is given back afterwards. */
const BUFFER_BYTES_KEPT = 4 * 1024 * 1024;
/** Beyond what Redis writes (a listpack ends at 1 GiB), and what a Buffer surely holds. */
const UNPACKED_BYTES_MAX = 2 ** 31;
/** The longest string of V8, in characters. */
const STRING_BYTES_MAX = 2 ** 29 - 24;
/** `parseDouble` refuses what C's scanf takes as these. */
const TRIMMED_DOUBLE = /^[ \t\n\v\f\r]+/;

export class RdbInput {
	/**
	 * The bytes of the string that `readBlob` read last: [blobStart, blobEnd) of `blobBytes`, valid until the next read.
	 */
	blobBytes: Buffer;
	blobStart = 0;
	blobEnd = 0;
	/** How many encodings have been looked into in full; counted by who does it. */
	checkedCount = 0;
	private readonly source: ByteSource | null;
	private buffer: Buffer;
	/** The next byte to read, and the end of what is there. */
	private at = 0;
	private end: number;
	/** Where byte 0 of the buffer lies in the data. */
	private base = 0;
	private readonly checksum: Crc64 | null;
	/** Up to where in the buffer the checksum has been taken. */
	private summedTo = 0;
	/** From where on in the buffer bytes are kept; -1 for nowhere. */
	private captureFrom = -1;
	private readonly small = Buffer.alloc(24);
	/** Where short strings are unpacked to. */
	private readonly scratch = Buffer.allocUnsafe(SCRATCH_BYTES);

	/** `withChecksum`: a running CRC-64 is kept, for `checksumMatches`. */
	constructor(source: ByteSource | Buffer, withChecksum = false) {
		const inMemory = Buffer.isBuffer(source);
		this.source = inMemory ? null : source;
		this.buffer = inMemory ? source : Buffer.allocUnsafe(BUFFER_BYTES);
		this.end = inMemory ? source.length : 0;
		this.checksum = withChecksum ? new Crc64() : null;
		this.blobBytes = this.buffer;
	}

	/** How many bytes have been read. */
	get position(): number {
		return this.base + this.at;
	}

	/** Throws a fault at the present position. */
	fail(kind: RdbFault['kind'], message: string): never {
		throw new RdbFault(kind, message, this.position);
	}

	/** Throws `damaged`. */
	damaged(message: string): never {
		this.fail('damaged', message);
	}

	/** Whether all bytes have been read. */
	atEnd(): boolean {
		return this.at === this.end && !this.fill(1);
	}

	// ---- keeping the bytes that go by -----------------------------------------------------------

	/** From here on the bytes are kept, until `endCapture`. */
	startCapture(): void {
		this.captureFrom = this.at;
	}

	/** The bytes since `startCapture`: a view that is valid until the next read. */
	captured(): Buffer {
		return this.buffer.subarray(this.captureFrom, this.at);
	}

	endCapture(): void {
		this.captureFrom = -1;
	}

	// ---- the checksum ---------------------------------------------------------------------------

	/**
	 * Reads the 8 bytes of the checksum at the end of a file. missing: they are 0, the file was written without one;
	 * wrong: they are not the sum of everything that has been read before them. `right` where no sum was kept.
	 */
	readChecksum(): 'right' | 'wrong' | 'missing' {
		this.sum();
		this.need(8);
		const { buffer, at } = this;
		this.at += 8;
		if (buffer.readInt32LE(at) === 0 && buffer.readInt32LE(at + 4) === 0) return 'missing';
		return this.checksum === null || this.checksum.matches(buffer, at) ? 'right' : 'wrong';
	}

	/** Takes into the checksum what has been read since the last time. */
	private sum(): void {
		if (this.checksum !== null) this.checksum.update(this.buffer, this.summedTo, this.at);
		this.summedTo = this.at;
	}

	// ---- elements -------------------------------------------------------------------------------

	readByte(): number {
		if (this.at === this.end) this.need(1);
		return this.buffer[this.at++]!;
	}

	/** A length; a bigint beyond the safe integers. */
	readLength(): Int64 {
		const first = this.readByte();
		if (first < 0x40) return first;
		if (first >> 6 === RDB_LENGTH_ENCODED) this.damaged('An encoding where a length should be');
		return this.restOfLength(first);
	}

	/** A length that counts or measures something: a safe integer. */
	readCount(): number {
		const length = this.readLength();
		if (typeof length !== 'number') this.damaged(`A length of ${length}`);
		return length;
	}

	private restOfLength(first: number): Int64 {
		if (first >> 6 === RDB_LENGTH_14BIT) return ((first & 0x3f) << 8) | this.readByte();
		if (first === RDB_LENGTH_32BIT) {
			this.need(4);
			this.at += 4;
			return this.buffer.readUInt32BE(this.at - 4);
		}
		if (first === RDB_LENGTH_64BIT) {
			this.need(8);
			this.at += 8;
			return canonicalInt64(this.buffer.readBigUInt64BE(this.at - 8));
		}
		this.damaged(`Unknown length encoding ${first >> 6} in rdbLoadLen()`);
	}

	/** A string, its bytes as latin1. Longer than V8's strings can be: a fault. */
	readString(): string {
		if (this.at === this.end) this.need(1);
		const first = this.buffer[this.at]!;
		if (first < 0x40) {
			this.at++;
			return this.latin1(first);
		}
		const kind = this.readBlob();
		if (kind === 'integer') return this.blobBytes.latin1Slice(this.blobStart, this.blobEnd);
		if (this.blobEnd - this.blobStart > STRING_BYTES_MAX) this.damaged('A string of more than 512 MB');
		return this.blobBytes.latin1Slice(this.blobStart, this.blobEnd);
	}

	private latin1(size: number): string {
		if (this.end - this.at < size) this.need(size);
		this.at += size;
		return size === 0 ? '' : this.buffer.latin1Slice(this.at - size, this.at);
	}

	/** A string, left in `blobBytes`; `integer` if it was written as one (the bytes are its decimal text all the same). */
	readBlob(): 'bytes' | 'integer' {
		const first = this.readByte();
		if (first >> 6 === RDB_LENGTH_ENCODED) {
			const encoding = first & 0x3f;
			if (encoding === RDB_ENCODING_LZF) {
				this.readLzf();
				return 'bytes';
			}
			const integer = this.encodedInteger(encoding);
			this.blobBytes = this.small;
			this.blobStart = 0;
			this.blobEnd = this.small.latin1Write(String(integer));
			return 'integer';
		}
		const size = first < 0x40 ? first : this.restOfLength(first);
		if (typeof size !== 'number') this.damaged(`A string of ${size} bytes`);
		this.need(size);
		this.blobBytes = this.buffer;
		this.blobStart = this.at;
		this.at += size;
		this.blobEnd = this.at;
		return 'bytes';
	}

	/**
	 * The integer that a string is written as, if it is (nothing but the integer is read then); undefined where the
	 * string is bytes, and nothing has been read.
	 */
	readIntegerIfEncoded(): number | undefined {
		if (this.at === this.end) this.need(1);
		const first = this.buffer[this.at]!;
		if (first >> 6 !== RDB_LENGTH_ENCODED || (first & 0x3f) === RDB_ENCODING_LZF) return undefined;
		this.at++;
		return this.encodedInteger(first & 0x3f);
	}

	private encodedInteger(encoding: number): number {
		switch (encoding) {
			case RDB_ENCODING_INT8:
				this.need(1);
				this.at += 1;
				return this.buffer.readInt8(this.at - 1);
			case RDB_ENCODING_INT16:
				this.need(2);
				this.at += 2;
				return this.buffer.readInt16LE(this.at - 2);
			case RDB_ENCODING_INT32:
				this.need(4);
				this.at += 4;
				return this.buffer.readInt32LE(this.at - 4);
			default:
				this.damaged(`Unknown RDB string encoding type ${encoding}`);
		}
	}

	private readLzf(): void {
		const packedSize = this.readCount();
		const size = this.readCount();
		this.need(packedSize);
		const start = this.at;
		this.at += packedSize;
		const unpacked =
			size > UNPACKED_BYTES_MAX ? undefined : lzfDecompress(this.buffer, start, this.at, size, this.scratch);
		if (unpacked === undefined) this.damaged('Invalid LZF compressed string');
		this.blobBytes = unpacked;
		this.blobStart = 0;
		this.blobEnd = size;
	}

	/** Passes over a string; how many bytes it has (an LZF block: will have). */
	skipString(): number {
		const first = this.readByte();
		if (first >> 6 !== RDB_LENGTH_ENCODED) {
			const size = first < 0x40 ? first : this.restOfLength(first);
			if (typeof size !== 'number') this.damaged(`A string of ${size} bytes`);
			this.skip(size);
			return size;
		}
		if ((first & 0x3f) !== RDB_ENCODING_LZF) return String(this.encodedInteger(first & 0x3f)).length;
		const packedSize = this.readCount();
		const size = this.readCount();
		this.skip(packedSize);
		return size;
	}

	/** Passes over `size` bytes. */
	skip(size: number): void {
		let left = size;
		while (left > this.end - this.at) {
			left -= this.end - this.at;
			this.at = this.end;
			if (!this.fill(1)) this.fail('short', 'Unexpected EOF reading RDB file');
		}
		this.at += left;
	}

	/** A double as 8 bytes of IEEE 754, low byte first. */
	readBinaryDouble(): number {
		this.need(8);
		this.at += 8;
		return this.buffer.readDoubleLE(this.at - 8);
	}

	/** A double as text with its length in a byte, or one of the lengths that stand for NaN and the infinities. */
	readTextDouble(): number {
		const size = this.readByte();
		if (size === RDB_DOUBLE_NEGATIVE_INFINITY) return Number.NEGATIVE_INFINITY;
		if (size === RDB_DOUBLE_INFINITY) return Number.POSITIVE_INFINITY;
		if (size === RDB_DOUBLE_NAN) return Number.NaN;
		const text = this.latin1(size).replace(TRIMMED_DOUBLE, '');
		const value = parseDouble(text);
		if (value === undefined) this.damaged(`A double of ${JSON.stringify(text)}`);
		return value;
	}

	/** 8 bytes as a signed integer, low byte first; a bigint beyond the safe integers. */
	readInt64(): Int64 {
		this.need(8);
		this.at += 8;
		const high = this.buffer.readInt32LE(this.at - 4);
		// 2^53 is 2^21 in the high half: below that nothing is lost.
		if (high < 0x200000 && high >= -0x200000) {
			const value = high * 0x100000000 + this.buffer.readUInt32LE(this.at - 8);
			if (Number.isSafeInteger(value)) return value;
		}
		return this.buffer.readBigInt64LE(this.at - 8);
	}

	/** 4 bytes as a signed integer, low byte first. */
	readInt32(): number {
		this.need(4);
		this.at += 4;
		return this.buffer.readInt32LE(this.at - 4);
	}

	/** 8 bytes as an unsigned integer, high byte first; a bigint beyond the safe integers. */
	readUint64BE(): Int64 {
		this.need(8);
		this.at += 8;
		const high = this.buffer.readUInt32BE(this.at - 8);
		if (high < 0x200000) return high * 0x100000000 + this.buffer.readUInt32BE(this.at - 4);
		return this.buffer.readBigUInt64BE(this.at - 8);
	}

	/** `size` bytes as they are. */
	readBytes(size: number): string {
		return this.latin1(size);
	}

	/** Passes over what a module has written, up to its end mark. */
	skipModuleValue(): void {
		for (;;) {
			const opcode = this.readLength();
			switch (opcode) {
				case RDB_MODULE_OPCODE_EOF:
					return;
				case RDB_MODULE_OPCODE_SINT:
				case RDB_MODULE_OPCODE_UINT:
					this.readLength();
					break;
				case RDB_MODULE_OPCODE_FLOAT:
					this.skip(4);
					break;
				case RDB_MODULE_OPCODE_DOUBLE:
					this.skip(8);
					break;
				case RDB_MODULE_OPCODE_STRING:
					this.skipString();
					break;
				default:
					this.damaged(`Unknown opcode ${opcode} in the value of a module`);
			}
		}
	}

	// ---- the buffer -----------------------------------------------------------------------------

	/** Sees to it that `size` bytes are there from `at` on. */
	private need(size: number): void {
		if (this.end - this.at >= size) return;
		if (!this.fill(size)) this.fail('short', 'Unexpected EOF reading RDB file');
	}

	/** The same; false at the end of the data. The buffer grows as bytes arrive, and not by what is declared. */
	private fill(size: number): boolean {
		if (this.source === null) return false;
		while (this.end - this.at < size) {
			if (this.end === this.buffer.length) this.makeRoom(size);
			const got = this.source.read(this.buffer, this.end, this.buffer.length - this.end);
			if (got === 0) return false;
			this.end += got;
		}
		return true;
	}

	/** Gives up what has been read and need not be kept; where that is little, moves to a buffer of twice the size. */
	private makeRoom(size: number): void {
		this.sum();
		const from = this.captureFrom < 0 ? this.at : this.captureFrom;
		const { buffer, end } = this;
		const kept = end - from;
		let target = buffer;
		if (kept * 2 > buffer.length) target = Buffer.allocUnsafe(buffer.length * 2);
		else if (buffer.length > BUFFER_BYTES_KEPT && size < BUFFER_BYTES && kept < BUFFER_BYTES) {
			target = Buffer.allocUnsafe(BUFFER_BYTES * 2);
		}
		buffer.copy(target, 0, from, end);
		this.buffer = target;
		this.base += from;
		this.at -= from;
		this.end -= from;
		this.summedTo -= from;
		if (this.captureFrom >= 0) this.captureFrom = 0;
	}
}
