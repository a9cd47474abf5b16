/**
 * A string value that is changed in place (APPEND, SETRANGE, SETBIT, BITFIELD) or is too large to be a JavaScript string:
 * bytes in a Buffer that grows by doubling.
 */

/** Growing adds at most this much beyond what is asked for, as Redis's strings do. */
const SPARE_BYTES_MAX = 1024 * 1024;

export class RawString {
	/** The bytes; only the first `length` belong to the value, the rest is spare and its content arbitrary. */
	buffer: Buffer;
	/** The number of bytes of the value. */
	length: number;

	/** Takes ownership of `buffer`. */
	constructor(buffer: Buffer, length: number = buffer.length) {
		this.buffer = buffer;
		this.length = length;
	}

	/** From a byte string, with no spare space. */
	static from(text: string): RawString {
		// A memory of its own: `Buffer.from` would keep a shared slab of 8 KiB alive.
		const buffer = Buffer.allocUnsafeSlow(text.length);
		buffer.latin1Write(text);
		return new RawString(buffer);
	}

	/** Adds bytes at the end. Amortised O(added bytes). */
	append(text: string): void {
		const at = this.length;
		this.resize(at + text.length);
		this.buffer.latin1Write(text, at);
	}

	appendBytes(bytes: Uint8Array): void {
		const at = this.length;
		this.resize(at + bytes.length);
		this.buffer.set(bytes, at);
	}

	/** Overwrites from `offset`; a gap behind the present end is filled with zero bytes. Nothing written, nothing grown. */
	writeAt(offset: number, text: string): void {
		if (text.length === 0) return;
		if (offset + text.length > this.length) this.resize(offset + text.length);
		this.buffer.latin1Write(text, offset);
	}

	/** Makes the value at least `length` bytes long; the added bytes are zero. */
	growTo(length: number): void {
		if (length > this.length) this.resize(length);
	}

	/** The byte at `index`, or 0 beyond the end (as bit operations read it). */
	byteAt(index: number): number {
		return index < this.length ? this.buffer[index]! : 0;
	}

	/** Sets one byte, growing with zero bytes as needed. */
	setByteAt(index: number, byte: number): void {
		if (index >= this.length) this.resize(index + 1);
		this.buffer[index] = byte;
	}

	/** The bytes [start, end), cut to what exists, as a latin1 string; throws beyond V8's string limit of 2^29 - 24 bytes. */
	slice(start: number = 0, end: number = this.length): string {
		const to = Math.min(end, this.length);
		return start < to ? this.buffer.latin1Slice(start, to) : '';
	}

	/** The value as a Buffer that shares memory with it: valid until the next change. */
	toBuffer(): Buffer {
		return this.buffer.subarray(0, this.length);
	}

	toString(): string {
		return this.slice();
	}

	/** A copy with no spare space. */
	clone(): RawString {
		const buffer = Buffer.allocUnsafeSlow(this.length);
		this.buffer.copy(buffer, 0, 0, this.length);
		return new RawString(buffer);
	}

	/** Sets the length; bytes that are added are zeroed. */
	private resize(length: number): void {
		if (length > this.buffer.length) {
			const grown = Buffer.allocUnsafeSlow(length + Math.min(length, SPARE_BYTES_MAX));
			this.buffer.copy(grown, 0, 0, this.length);
			this.buffer = grown;
		}
		if (length > this.length) this.buffer.fill(0, this.length, length);
		this.length = length;
	}
}
