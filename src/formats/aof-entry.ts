/**
 * Entries of an append-only file: commands in RESP, `*<argc>\r\n` and then `$<size>\r\n<bytes>\r\n` for each argument,
 * one after the other with nothing between them. A line that starts with `#` (such as `#TS:1700000000\r\n`, written
 * by `aof-timestamp-enabled`) is an annotation and may stand between two entries.
 *
 * A file is valid if and only if it is a sequence of whole entries and annotations. What a crash leaves behind is a
 * valid file cut off at any byte; everything else is damage. RESP has no checksum, so that a changed byte within a
 * value can't be seen here.
 *
 * Source of the format: Redis 7.2.6, aof.c (catAppendOnlyGenericCommand, loadSingleAppendOnlyFile). Redis does not
 * look at the two bytes behind an argument; we do.
 */

const CR = 13;
const LF = 10;
const HASH = 35;
const DOLLAR = 36;
const STAR = 42;
const ZERO = 48;

/** Redis's AOF_ANNOTATION_LINE_MAX_LEN. */
const ANNOTATION_BYTES_MAX = 1024;
/** Node.js's limit for the length of a string. */
const ARG_BYTES_MAX = 2 ** 29 - 24;
const ARG_COUNT_MAX = 2 ** 31 - 1;
/** V8 copies a substring up to this length; a longer one would keep the text of the whole chunk in memory. */
const SUBSTRING_BYTES_MAX = 12;
const CHUNK_BYTES_MIN = 64 * 1024;
const TEXT_BYTES_MAX = 256 * 1024;

/** Size in bytes of a command as an entry. */
export function aofEntrySize(args: readonly string[]): number {
	let size = 3 + digitCount(args.length);
	for (const arg of args) size += 5 + digitCount(arg.length) + arg.length;
	return size;
}

function digitCount(n: number): number {
	if (n < 10) return 1;
	if (n < 100) return 2;
	if (n < 1000) return 3;
	return String(n).length;
}

/** Writes `mark`, the decimal digits of `n` and CR LF; returns the position behind them. */
export function writeAofHeader(target: Buffer, at: number, mark: number, n: number): number {
	target[at++] = mark;
	if (n < 10) {
		target[at++] = ZERO + n;
	} else if (n < 100) {
		target[at++] = ZERO + ((n / 10) | 0);
		target[at++] = ZERO + (n % 10);
	} else {
		at += target.latin1Write(String(n), at);
	}
	target[at++] = CR;
	target[at++] = LF;
	return at;
}

/** Writes a command as an entry; the caller has made room for `aofEntrySize`. Returns the position behind it. */
export function writeAofEntry(target: Buffer, at: number, args: readonly string[]): number {
	at = writeAofHeader(target, at, STAR, args.length);
	for (let i = 0; i < args.length; i++) {
		const arg = args[i]!;
		const size = arg.length;
		at = writeAofHeader(target, at, DOLLAR, size);
		if (size <= SUBSTRING_BYTES_MAX) {
			for (let j = 0; j < size; j++) target[at++] = arg.charCodeAt(j);
		} else {
			at += target.latin1Write(arg, at, size);
		}
		target[at++] = CR;
		target[at++] = LF;
	}
	return at;
}

/** A command as the bytes of an entry. */
export function aofEntryBytes(args: readonly string[]): Buffer {
	const bytes = Buffer.allocUnsafe(aofEntrySize(args));
	writeAofEntry(bytes, 0, args);
	return bytes;
}

/**
 * What `AofEntryReader.next` found.
 *
 * - entry: `args`, from `entryStart` to `entryEnd`.
 * - more: read on from the file, into the room that `reserve` makes, and tell with `filled`.
 * - end: the file ended behind a whole entry.
 * - truncated: the file ended within the entry that starts at `entryStart`.
 * - bad: at `badPosition` is something that no sequence of entries has there.
 */
export type AofReadResult = 'entry' | 'more' | 'end' | 'truncated' | 'bad';

/**
 * Reads entries from chunks of a file. All positions are in bytes from the start of the file.
 *
 *     for (;;) {
 *         const result = reader.next();
 *         if (result !== 'more') { … } else { reader.reserve(); reader.filled(read(fd, reader.buffer, reader.fillAt, …)); }
 *     }
 */
export class AofEntryReader {
	/** The file is read into this, at `fillAt`; `reserve` may replace it. */
	buffer: Buffer;
	/** Bytes of `buffer` that have been filled. */
	fillAt = 0;
	/** The arguments of the last entry; the caller may keep the array. */
	args: string[] = [];
	/** Where the last entry (or the one that is truncated) starts. */
	entryStart: number;
	/** Where the last entry ends; everything before is valid. */
	entryEnd: number;
	/** Where the format is broken. */
	badPosition = -1;
	/** Told of each annotation that is passed over: where its line starts, and the line with its newline. */
	onAnnotation: ((position: number, line: string) => void) | null = null;

	/** Position in the file of byte 0 of `buffer`. */
	private bufferPosition: number;
	/** Position in the buffer of the next entry. */
	private at = 0;
	/** How many bytes from `at` must be there before it is worth trying again. */
	private neededSize = 1;
	private ended = false;
	/** `buffer` from `textFrom` to `textTo`, decoded once for the short arguments in it. */
	private text = '';
	private textFrom = 0;
	private textTo = 0;
	/** Start and end in the buffer of each argument of the entry being read. */
	private bounds: Int32Array = new Int32Array(32);

	/** `position` is where in the file reading starts: 0, or where an entry does. */
	constructor(position = 0, chunkBytes = 1024 * 1024) {
		this.buffer = Buffer.allocUnsafe(Math.max(chunkBytes, 16));
		this.bufferPosition = position;
		this.entryStart = position;
		this.entryEnd = position;
	}

	/** Position in the file of the next byte to read into the buffer. */
	get fillPosition(): number {
		return this.bufferPosition + this.fillAt;
	}

	/** Makes room behind `fillAt`. Called when `next` asked for more. */
	reserve(): void {
		const rest = this.fillAt - this.at;
		let target = this.buffer;
		// Grown by doubling as bytes arrive, never to a size that a header only claims.
		if (rest * 2 > target.length) target = Buffer.allocUnsafe(Math.max(target.length * 2, CHUNK_BYTES_MIN));
		if (this.at > 0 || target !== this.buffer) this.buffer.copy(target, 0, this.at, this.fillAt);
		this.buffer = target;
		this.bufferPosition += this.at;
		this.fillAt = rest;
		this.at = 0;
	}

	/** `size` bytes have been read at `fillAt`; 0 means that the file has ended. */
	filled(size: number): void {
		if (size === 0) this.ended = true;
		this.fillAt += size;
		this.textTo = 0;
	}

	next(): AofReadResult {
		for (;;) {
			const have = this.fillAt - this.at;
			if (have < this.neededSize && !this.ended) return 'more';
			if (have === 0) return 'end';
			const mark = this.buffer[this.at]!;
			if (mark === STAR) break;
			if (mark !== HASH) return this.bad(this.at);
			const size = this.annotationSize();
			if (size < 0) return this.bad(this.at);
			if (size === 0) return this.incomplete(1);
			if (this.onAnnotation !== null) {
				const line = this.buffer.latin1Slice(this.at, this.at + size);
				this.onAnnotation(this.bufferPosition + this.at, line);
			}
			this.at += size;
			this.entryEnd = this.bufferPosition + this.at;
			this.neededSize = 1;
		}
		return this.readEntry();
	}

	/** Size of the line at `at`, 0 when it isn't complete, -1 when it is too long. */
	private annotationSize(): number {
		const limit = Math.min(this.fillAt, this.at + ANNOTATION_BYTES_MAX);
		for (let i = this.at; i < limit; i++) if (this.buffer[i] === LF) return i + 1 - this.at;
		return limit === this.fillAt ? 0 : -1;
	}

	private readEntry(): AofReadResult {
		this.entryStart = this.bufferPosition + this.at;
		const { buffer, fillAt } = this;
		let at = this.headerEnd(this.at, ARG_COUNT_MAX);
		if (at <= 0) return this.badHeader(at);
		const argc = this.headerValue;
		if (argc === 0) return this.bad(this.at);
		let bounds = this.bounds;
		for (let i = 0; i < argc; i++) {
			if (at >= fillAt) return this.incomplete(at + 1 - this.at);
			if (buffer[at] !== DOLLAR) return this.bad(at);
			const from = this.headerEnd(at, ARG_BYTES_MAX);
			if (from <= 0) return this.badHeader(from);
			const to = from + this.headerValue;
			if (to + 2 > fillAt) {
				// A torn CR LF may be cut between the two, but not be something else.
				if (to < fillAt && buffer[to] !== CR) return this.bad(to);
				if (this.ended && this.lengthIsDamaged(at, from, argc - i - 1)) return this.bad(at);
				return this.incomplete(to + 2 - this.at);
			}
			if (buffer[to] !== CR) return this.bad(to);
			if (buffer[to + 1] !== LF) return this.bad(to + 1);
			if (i * 2 + 2 > bounds.length) bounds = this.growBounds();
			bounds[i * 2] = from;
			bounds[i * 2 + 1] = to;
			at = to + 2;
		}
		this.extract(argc);
		this.at = at;
		this.neededSize = 1;
		this.entryEnd = this.bufferPosition + at;
		return 'entry';
	}

	private extract(argc: number): void {
		const { buffer, bounds } = this;
		if (this.at >= this.textTo) {
			this.textFrom = this.at;
			this.textTo = Math.min(this.fillAt, this.at + TEXT_BYTES_MAX);
			this.text = buffer.latin1Slice(this.textFrom, this.textTo);
		}
		const { text, textFrom, textTo } = this;
		const args: string[] = [];
		for (let i = 0; i < argc; i++) {
			const from = bounds[i * 2]!;
			const to = bounds[i * 2 + 1]!;
			args.push(
				to - from <= SUBSTRING_BYTES_MAX && to <= textTo
					? text.substring(from - textFrom, to - textFrom)
					: buffer.latin1Slice(from, to),
			);
		}
		this.args = args;
	}

	private growBounds(): Int32Array {
		const larger = new Int32Array(this.bounds.length * 2);
		larger.set(this.bounds);
		this.bounds = larger;
		return larger;
	}

	/** The number in the header that `headerEnd` has read. */
	private headerValue = 0;

	/**
	 * Reads the digits and CR LF behind the mark at `at`. Returns the position behind them, 0 when the bytes end before,
	 * or the negated position of the byte that is wrong.
	 */
	private headerEnd(at: number, max: number): number {
		const { buffer, fillAt } = this;
		let value = 0;
		let i = at + 1;
		for (; i < fillAt; i++) {
			const digit = buffer[i]! - ZERO;
			if (digit < 0 || digit > 9) break;
			value = value * 10 + digit;
			if (value > max) return -i;
		}
		if (i >= fillAt) return 0;
		if (buffer[i] !== CR || i === at + 1) return -i;
		if (i + 1 >= fillAt) return 0;
		if (buffer[i + 1] !== LF) return -(i + 1);
		this.headerValue = value;
		return i + 2;
	}

	private badHeader(result: number): AofReadResult {
		return result === 0 ? this.incomplete(this.fillAt - this.at + 1) : this.bad(-result);
	}

	private incomplete(neededSize: number): AofReadResult {
		if (this.ended) {
			this.entryStart = this.bufferPosition + this.at;
			return 'truncated';
		}
		this.neededSize = neededSize;
		return 'more';
	}

	private bad(at: number): AofReadResult {
		this.badPosition = this.bufferPosition + at;
		return 'bad';
	}

	/**
	 * Whether an argument that reaches beyond the end of the file does so because a digit of its size was changed, and
	 * not because the file was cut off. Taking the second for the first only refuses to start; taking the first for
	 * the second would throw away all that follows. So: if the size with one digit put otherwise makes this entry end
	 * well and a whole entry follow, the size is damaged. Looks at what the buffer holds.
	 */
	private lengthIsDamaged(headerAt: number, from: number, argsLeft: number): boolean {
		const digits = this.buffer.latin1Slice(headerAt + 1, from - 2);
		for (let i = 0; i < digits.length; i++) {
			for (let digit = 0; digit < 10; digit++) {
				const size = Number(digits.slice(0, i) + digit + digits.slice(i + 1));
				if (this.entryFollows(from + size, argsLeft)) return true;
			}
		}
		return false;
	}

	/** Whether CR LF, `argsLeft` whole arguments and one whole entry stand at `at`. */
	private entryFollows(at: number, argsLeft: number): boolean {
		at = this.crlfEnd(at);
		for (let i = 0; i < argsLeft && at > 0; i++) at = this.argEnd(at);
		if (at <= 0 || this.buffer[at] !== STAR || at >= this.fillAt) return false;
		at = this.headerEnd(at, ARG_COUNT_MAX);
		if (at <= 0) return false;
		const argc = this.headerValue;
		for (let i = 0; i < argc && at > 0; i++) at = this.argEnd(at);
		return at > 0 && argc > 0;
	}

	/** Position behind the whole argument at `at`, or 0. */
	private argEnd(at: number): number {
		if (at >= this.fillAt || this.buffer[at] !== DOLLAR) return 0;
		const from = this.headerEnd(at, ARG_BYTES_MAX);
		return from <= 0 ? 0 : this.crlfEnd(from + this.headerValue);
	}

	private crlfEnd(at: number): number {
		return at + 2 <= this.fillAt && this.buffer[at] === CR && this.buffer[at + 1] === LF ? at + 2 : 0;
	}
}
