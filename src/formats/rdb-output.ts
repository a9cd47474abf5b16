/**
 * Writing the elements of RDB data; what they look like is said in `rdb-input.ts`. Full buffers go to a sink, which owns
 * them from then on; the checksum is taken of them on the way.
 */
import type { Int64 } from '../base/numbers.js';
import { parseSafeInt } from '../base/numbers.js';
import { Crc64 } from './crc64.js';
import { ListpackWriter } from './listpack.js';
import { lzfCompress } from './lzf.js';
import {
	RDB_ENCODING_INT8,
	RDB_ENCODING_INT16,
	RDB_ENCODING_INT32,
	RDB_ENCODING_LZF,
	RDB_LENGTH_14BIT,
	RDB_LENGTH_32BIT,
	RDB_LENGTH_64BIT,
	RDB_LENGTH_ENCODED,
} from './rdb-codes.js';

/** Takes a piece of the output, which is its own from then on; unless it says that it is done with it. */
export type ChunkSink = (chunk: Buffer) => unknown;

/** What a sink returns that is done with the chunk: its memory is used again. */
export const CHUNK_IS_FREE = Symbol('the chunk may be used again');

const CHUNK_BYTES = 256 * 1024;
/** Shorter strings can't be compressed (rdb.c). */
const COMPRESSED_BYTES_MIN = 21;
/** A compressed string has to be this much shorter. */
const COMPRESSION_GAIN_MIN = 4;
/** Decimal texts of at most this length may be written as an integer. */
const INTEGER_CHARS_MAX = 11;
/** Strings up to this length are compressed in a buffer that is kept. */
const SCRATCH_BYTES = 16 * 1024;
const ENCODED = RDB_LENGTH_ENCODED << 6;

export class RdbOutput {
	/** For building the listpack that is to be written next. */
	readonly listpack = new ListpackWriter();
	private buffer: Buffer;
	private at = 0;
	/** Bytes handed to the sink. */
	private flushedBytes = 0;
	private readonly sink: ChunkSink;
	private readonly checksum: Crc64 | null;
	private readonly compress: boolean;
	private readonly chunkBytes: number;
	private scratchSource: Buffer | null = null;
	private scratchTarget: Buffer | null = null;

	/**
	 * `compress`: long strings are compressed by LZF where that makes them shorter; `withChecksum`: for
	 * `writeChecksum`. A chunk is of `chunkBytes`, or larger where a string is.
	 */
	constructor(sink: ChunkSink, compress: boolean, withChecksum: boolean, chunkBytes = CHUNK_BYTES) {
		this.sink = sink;
		this.compress = compress;
		this.checksum = withChecksum ? new Crc64() : null;
		this.chunkBytes = chunkBytes;
		this.buffer = Buffer.allocUnsafeSlow(chunkBytes);
	}

	/** How many bytes have been written. */
	get position(): number {
		return this.flushedBytes + this.at;
	}

	/** Hands what is left to the sink. */
	flush(): void {
		if (this.at === 0) return;
		if (!this.handOver()) this.buffer = Buffer.allocUnsafeSlow(this.chunkBytes);
	}

	/** Whether the buffer is free again. */
	private handOver(): boolean {
		const chunk = this.at === this.buffer.length ? this.buffer : this.buffer.subarray(0, this.at);
		this.checksum?.update(chunk, 0, chunk.length);
		this.flushedBytes += chunk.length;
		this.at = 0;
		return this.sink(chunk) === CHUNK_IS_FREE;
	}

	/** Room for `size` bytes in one piece. */
	private reserve(size: number): void {
		if (this.buffer.length - this.at >= size) return;
		const isFree = this.at > 0 && this.handOver();
		if (isFree && this.buffer.length >= size) return;
		this.buffer = Buffer.allocUnsafeSlow(Math.max(this.chunkBytes, size));
	}

	// ---- elements -------------------------------------------------------------------------------

	writeByte(byte: number): void {
		this.reserve(1);
		this.buffer[this.at++] = byte;
	}

	writeLength(length: Int64): void {
		this.reserve(9);
		const { buffer } = this;
		if (typeof length === 'bigint' || length > 0xffffffff) {
			buffer[this.at] = RDB_LENGTH_64BIT;
			buffer.writeBigUInt64BE(BigInt(length), this.at + 1);
			this.at += 9;
		} else if (length < 1 << 6) {
			buffer[this.at++] = length;
		} else if (length < 1 << 14) {
			buffer[this.at++] = (RDB_LENGTH_14BIT << 6) | (length >> 8);
			buffer[this.at++] = length & 0xff;
		} else {
			buffer[this.at] = RDB_LENGTH_32BIT;
			buffer.writeUInt32BE(length, this.at + 1);
			this.at += 5;
		}
	}

	/** A string, as an integer or compressed where Redis does that. */
	writeString(text: string): void {
		const size = text.length;
		if (size <= INTEGER_CHARS_MAX) {
			const integer = parseSafeInt(text);
			if (integer !== undefined && this.writeEncodedInteger(integer)) return;
		}
		if (this.compress && size >= COMPRESSED_BYTES_MIN) {
			let source = this.scratchSource;
			if (size > SCRATCH_BYTES) source = Buffer.allocUnsafeSlow(size);
			else if (source === null) {
				source = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
				this.scratchSource = source;
			}
			source.latin1Write(text, 0, size);
			if (!this.writeCompressed(source, 0, size)) this.writePlainBytes(source, 0, size);
			return;
		}
		this.writeLength(size);
		this.reserve(size);
		this.buffer.latin1Write(text, this.at, size);
		this.at += size;
	}

	/** A string that is a safe integer. */
	writeInteger(integer: number): void {
		if (this.writeEncodedInteger(integer)) return;
		const text = String(integer);
		this.writeLength(text.length);
		this.reserve(text.length);
		this.at += this.buffer.latin1Write(text, this.at);
	}

	/** A string of bytes; written as an integer or compressed just as `writeString` does. */
	writeBytes(bytes: Buffer): void {
		const size = bytes.length;
		if (size <= INTEGER_CHARS_MAX) this.writeString(bytes.latin1Slice(0, size));
		else if (!(this.compress && size >= COMPRESSED_BYTES_MIN && this.writeCompressed(bytes, 0, size))) {
			this.writePlainBytes(bytes, 0, size);
		}
	}

	private writeEncodedInteger(integer: number): boolean {
		if (integer > 0x7fffffff || integer < -0x80000000) return false;
		this.reserve(5);
		const { buffer } = this;
		if (integer >= -128 && integer <= 127) {
			buffer[this.at++] = ENCODED | RDB_ENCODING_INT8;
			buffer[this.at++] = integer & 0xff;
		} else if (integer >= -32768 && integer <= 32767) {
			buffer[this.at++] = ENCODED | RDB_ENCODING_INT16;
			buffer[this.at++] = integer & 0xff;
			buffer[this.at++] = (integer >> 8) & 0xff;
		} else {
			buffer[this.at] = ENCODED | RDB_ENCODING_INT32;
			buffer.writeInt32LE(integer, this.at + 1);
			this.at += 5;
		}
		return true;
	}

	/** Writes bytes as an LZF block; false, and nothing is written, where that gains too little. */
	private writeCompressed(source: Buffer, from: number, to: number): boolean {
		const size = to - from;
		const room = size - COMPRESSION_GAIN_MIN;
		let target = this.scratchTarget;
		if (room > SCRATCH_BYTES) target = Buffer.allocUnsafeSlow(room);
		else if (target === null) {
			target = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
			this.scratchTarget = target;
		}
		const packedSize = lzfCompress(source, from, to, target.subarray(0, room));
		if (packedSize === 0) return false;
		this.writeByte(ENCODED | RDB_ENCODING_LZF);
		this.writeLength(packedSize);
		this.writeLength(size);
		this.writeRaw(target, 0, packedSize);
		return true;
	}

	private writePlainBytes(source: Buffer, from: number, to: number): void {
		this.writeLength(to - from);
		this.writeRaw(source, from, to);
	}

	/** Bytes as they are. */
	writeRaw(source: Buffer, from: number, to: number): void {
		this.reserve(to - from);
		this.at += source.copy(this.buffer, this.at, from, to);
	}

	/** Characters as the bytes that they are. */
	writeRawText(text: string): void {
		this.reserve(text.length);
		this.at += this.buffer.latin1Write(text, this.at);
	}

	/** A double as 8 bytes of IEEE 754, low byte first. */
	writeBinaryDouble(value: number): void {
		this.reserve(8);
		this.buffer.writeDoubleLE(value, this.at);
		this.at += 8;
	}

	/** A signed integer as 8 bytes, low byte first. */
	writeInt64(value: Int64): void {
		this.reserve(8);
		this.buffer.writeBigInt64LE(BigInt(value), this.at);
		this.at += 8;
	}

	/** An unsigned integer as 8 bytes, high byte first. */
	writeUint64BE(value: Int64): void {
		this.reserve(8);
		this.buffer.writeBigUInt64BE(BigInt(value), this.at);
		this.at += 8;
	}

	/** The checksum of everything so far, or 8 zero bytes where none is kept. It ends the output. */
	writeChecksum(): void {
		this.flush();
		const sum = Buffer.alloc(8);
		this.checksum?.writeTo(sum, 0);
		this.writeRaw(sum, 0, 8);
	}
}
