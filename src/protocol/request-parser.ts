/**
 * Requests of one connection: RESP arrays of bulk strings, and inline commands (Redis: networking.c,
 * processMultibulkBuffer and processInlineBuffer; the limits and error texts are theirs).
 *
 * `feed` is given what a read returned and then `next` is called until it stops returning COMMAND. The
 * bytes are parsed where they lie, in the shared read buffer; only an incomplete request is copied, to
 * a buffer that grows with what has been received and never with what was declared. A request's own
 * bytes stay contiguous at [start, end) of `source` until the next call of `feed`, so that the log can
 * copy them.
 *
 * Arguments under 13 bytes are cut from the decoded chunk, since V8 copies such substrings; a longer
 * substring would keep the whole chunk alive, so those are decoded on their own.
 */
import { parseInt64 } from '../base/numbers.js';
import { splitArgs } from '../base/quote.js';

export const NEED_MORE = 0;
export const COMMAND = 1;
export const PROTOCOL_ERROR = 2;

const INLINE_LENGTH_MAX = 64 * 1024;
/** INT_MAX, as in Redis 7: the old limit of 1,048,576 is gone there. */
const ARGUMENT_COUNT_MAX = 2 ** 31 - 1;
/** Limits of a client that has not authenticated: arguments, and bytes of one (Redis 6.2.6). */
const UNAUTHENTICATED_ARGUMENT_COUNT_MAX = 10;
const UNAUTHENTICATED_BULK_LENGTH_MAX = 16384;
const SUBSTRING_COPIED_LENGTH_MAX = 12;
/** How much is decoded ahead for short arguments: more would be wasted where arguments are large. */
const DECODE_LENGTH_MAX = 8 * 1024;
/** A buffer for incomplete requests that has grown beyond this is given back when it is empty. */
const HELD_CAPACITY_KEPT_MAX = 64 * 1024;
/** V8's longest string: an argument beyond it cannot be represented. */
const STRING_LENGTH_MAX = 2 ** 29 - 24;
const CR = 13;
const LF = 10;

const EMPTY = Buffer.alloc(0);

export interface ParserLimits {
	protoMaxBulkLen: number;
}

export class RequestParser {
	/** The request that `next` found. A fresh array each time: its receiver may keep it. */
	args: string[] = [];
	/** Where the request's own bytes are. */
	source: Buffer = EMPTY;
	start = 0;
	end = 0;
	/** True when the request came as a line of words: its bytes are not an entry of the log. */
	inline = false;
	/** The text after "Protocol error: " when `next` returned PROTOCOL_ERROR. */
	error = '';
	authenticated = false;

	readonly #limits: ParserLimits;
	#limit = 0;
	#position = 0;
	/** Arguments that the current request still lacks; -1 before its header has been read. */
	#missing = -1;
	/** Length of the argument being read; -1 before its header has been read. */
	#bulkLength = -1;
	/** An incomplete request: its bytes are `#heldLength` of `#held` from `#heldStart` on. */
	#held: Buffer = EMPTY;
	#heldStart = 0;
	#heldLength = 0;
	#text = '';
	#textStart = 0;

	constructor(limits: ParserLimits) {
		this.#limits = limits;
	}

	/** Bytes of an incomplete request held here. */
	get heldBytes(): number {
		return this.#heldLength;
	}

	/** Capacity of the buffer for an incomplete request. */
	get heldCapacity(): number {
		return this.#held.length;
	}

	/** Bytes of `source` from the start of the request that `next` found last. */
	get unparsedBytes(): number {
		return this.#limit - this.start;
	}

	/** Takes [from, to) of `chunk`, which stays untouched until `next` has returned NEED_MORE. */
	feed(chunk: Buffer, from: number, to: number): void {
		if (this.#heldLength === 0) {
			this.#begin(chunk, from, to);
			return;
		}
		const heldStart = this.#heldStart;
		const heldEnd = heldStart + this.#heldLength;
		const length = this.#heldLength + to - from;
		if (length > this.#held.length) {
			const grown = Buffer.allocUnsafeSlow(
				Math.max(length, Math.min(this.#held.length * 2, length + (1 << 20))),
			);
			this.#held.copy(grown, 0, heldStart, heldEnd);
			this.#held = grown;
		} else if (heldStart > 0) {
			this.#held.copyWithin(0, heldStart, heldEnd);
		}
		chunk.copy(this.#held, this.#heldLength, from, to);
		const resumeAt = this.#position - heldStart;
		this.#heldStart = 0;
		this.#heldLength = 0;
		this.#begin(this.#held, 0, length);
		this.#position = resumeAt;
	}

	#begin(source: Buffer, from: number, to: number): void {
		this.source = source;
		this.start = from;
		this.end = from;
		this.#position = from;
		this.#limit = to;
		this.#textStart = from;
		this.#text = '';
	}

	/** COMMAND, PROTOCOL_ERROR, or NEED_MORE, upon which the incomplete rest has been put aside. */
	next(): number {
		if (this.#missing < 0) {
			this.args = [];
			this.start = this.end;
			this.#position = this.end;
			const status = this.#readHeader();
			if (status !== COMMAND) return status === NEED_MORE ? this.#putAside() : status;
			if (this.#missing < 0) return COMMAND; // an inline request is complete
			if (this.#missing === 0) {
				this.end = this.#position;
				this.#missing = -1;
				return COMMAND;
			}
		}
		return this.#readArguments();
	}

	/** Puts what has not been parsed aside: the client's next requests have to wait. */
	hold(): void {
		if (this.#missing >= 0) return;
		this.start = this.end;
		this.#position = this.end;
		this.#putAside();
	}

	#readHeader(): number {
		const position = this.#position;
		if (position >= this.#limit) return NEED_MORE;
		if (this.source[position] !== 42 /* '*' */) return this.#readInline();
		const lineEnd = this.#findLineEnd(position);
		if (lineEnd < 0) {
			return this.#limit - position > INLINE_LENGTH_MAX
				? this.#fail('too big mbulk count string')
				: NEED_MORE;
		}
		const count = this.#parseLength(position + 1, lineEnd);
		if (count === undefined || count > ARGUMENT_COUNT_MAX) return this.#fail('invalid multibulk length');
		if (count > UNAUTHENTICATED_ARGUMENT_COUNT_MAX && !this.authenticated)
			return this.#fail('unauthenticated multibulk length');
		this.inline = false;
		this.#position = lineEnd + 2;
		this.#missing = Math.max(count, 0);
		this.#bulkLength = -1;
		return COMMAND;
	}

	#readArguments(): number {
		const { source, args } = this;
		const limit = this.#limit;
		let position = this.#position;
		while (this.#missing > 0) {
			let length = this.#bulkLength;
			if (length < 0) {
				if (position >= limit) break;
				// The common case, a length of one or two digits, without a call.
				const first = source[position + 1]! - 48;
				const second = source[position + 2]!;
				if (
					position + 4 < limit &&
					source[position] === 36 &&
					first >= 0 &&
					first <= 9 &&
					second === CR &&
					source[position + 3] === LF
				) {
					length = first;
					position += 4;
				} else if (
					position + 5 < limit &&
					source[position] === 36 &&
					first > 0 &&
					first <= 9 &&
					second >= 48 &&
					second <= 57 &&
					source[position + 3] === CR &&
					source[position + 4] === LF
				) {
					length = first * 10 + second - 48;
					position += 5;
				} else {
					this.#position = position;
					const status = this.#readBulkHeader();
					if (status === NEED_MORE) break;
					if (status === PROTOCOL_ERROR) return status;
					length = this.#bulkLength;
					position = this.#position;
				}
				this.#bulkLength = length;
			}
			const bulkEnd = position + length;
			if (bulkEnd + 2 > limit) break;
			if (length <= SUBSTRING_COPIED_LENGTH_MAX) {
				args.push(this.#shortText(position, bulkEnd));
			} else {
				args.push(source.latin1Slice(position, bulkEnd));
			}
			position = bulkEnd + 2;
			this.#bulkLength = -1;
			this.#missing--;
		}
		this.#position = position;
		if (this.#missing > 0) return this.#putAside();
		this.end = position;
		this.#missing = -1;
		return COMMAND;
	}

	/** [from, to) cut from the text of the chunk, which is decoded when first asked for. */
	#shortText(from: number, to: number): string {
		if (to > this.#textStart + this.#text.length) {
			this.#textStart = from;
			this.#text = this.source.latin1Slice(from, Math.min(this.#limit, from + DECODE_LENGTH_MAX));
		}
		return this.#text.substring(from - this.#textStart, to - this.#textStart);
	}

	#readBulkHeader(): number {
		const position = this.#position;
		const lineEnd = this.#findLineEnd(position);
		if (lineEnd < 0) {
			return this.#limit - position > INLINE_LENGTH_MAX ? this.#fail('too big bulk count string') : NEED_MORE;
		}
		const marker = this.source[position]!;
		if (marker !== 36) return this.#fail(`expected '$', got '${String.fromCharCode(marker)}'`);
		const length = this.#parseLength(position + 1, lineEnd);
		if (
			length === undefined ||
			length < 0 ||
			length > Math.min(this.#limits.protoMaxBulkLen, STRING_LENGTH_MAX)
		)
			return this.#fail('invalid bulk length');
		if (length > UNAUTHENTICATED_BULK_LENGTH_MAX && !this.authenticated)
			return this.#fail('unauthenticated bulk length');
		this.#bulkLength = length;
		this.#position = lineEnd + 2;
		return COMMAND;
	}

	/** Position of the next CR that is followed by at least one byte, or -1. */
	#findLineEnd(from: number): number {
		const { source } = this;
		const last = this.#limit - 1;
		for (let i = from; i < last; i++) if (source[i] === CR) return i;
		return -1;
	}

	/** A number as Redis's string2ll reads it: no sign but '-', no leading zeros. */
	#parseLength(from: number, to: number): number | undefined {
		const { source } = this;
		const negative = source[from] === 45;
		const digits = negative ? from + 1 : from;
		const count = to - digits;
		if (count > 15) {
			// Beyond every limit; but a negative number of arguments is no error, however large.
			const value = count <= 20 ? parseInt64(source.latin1Slice(from, to)) : undefined;
			return value === undefined ? undefined : Number(value);
		}
		if (count < 1) return undefined;
		if (source[digits] === 48) return count === 1 && !negative ? 0 : undefined;
		let n = 0;
		for (let i = digits; i < to; i++) {
			const digit = source[i]! - 48;
			if (digit < 0 || digit > 9) return undefined;
			n = n * 10 + digit;
		}
		return negative ? -n : n;
	}

	#readInline(): number {
		const from = this.#position;
		const newline = this.source.subarray(from, this.#limit).indexOf(LF);
		if (newline < 0) {
			return this.#limit - from > INLINE_LENGTH_MAX ? this.#fail('too big inline request') : NEED_MORE;
		}
		let to = from + newline;
		this.end = to + 1;
		if (to > from && this.source[to - 1] === CR) to--;
		const words = splitArgs(this.source.latin1Slice(from, to));
		if (words === null) return this.#fail('unbalanced quotes in request');
		this.args = words;
		this.inline = true;
		return COMMAND;
	}

	#fail(error: string): number {
		this.error = error;
		return PROTOCOL_ERROR;
	}

	/** Keeps the incomplete request for the next `feed`. The requests before it stay where they are until then. */
	#putAside(): number {
		const length = this.#limit - this.start;
		this.#heldLength = length;
		if (length > 0 && this.source === this.#held) {
			this.#heldStart = this.start;
			this.end = this.start;
			return NEED_MORE;
		}
		if (length > 0) {
			if (length > this.#held.length) this.#held = Buffer.allocUnsafeSlow(Math.max(length, 1024));
			this.source.copy(this.#held, 0, this.start, this.#limit);
		} else if (this.#held.length > HELD_CAPACITY_KEPT_MAX) {
			this.#held = EMPTY;
		}
		this.#position -= this.start;
		this.#heldStart = 0;
		this.start = 0;
		this.end = 0;
		this.#limit = length;
		this.source = this.#held;
		this.#text = '';
		this.#textStart = 0;
		return NEED_MORE;
	}
}
