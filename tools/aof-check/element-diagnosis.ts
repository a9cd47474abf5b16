/**
 * What redis-check-aof says about an element of an append-only file that is not whole: the same words, and the
 * same count of lines. It reads headers as C does (fgets into 128 bytes, strtol, text up to the first NUL), which
 * shows in its messages: `$ 7`, `$\r\n` and `*-3` are numbers to it. Where it finds nothing wrong and a server
 * would, the words are ours.
 *
 * Source: Redis 7.2.6, redis-check-aof.c (readLong, readBytes, readString, processRESP, processAnnotations).
 */
import { type InputFile, readRange } from '../support/input-file.js';

const HASH = 35;
const STAR = 42;
/** fgets(buf, 128) reads this many, or up to a newline. */
const HEADER_BYTES_MAX = 127;
const LONG_MAX = 2n ** 63n - 1n;

/** What stands at a position where no whole element does. */
export interface Diagnosis {
	/** The line that says what is wrong; '' where redis-check-aof prints none. */
	readonly error: string;
	/** It is neither an annotation nor a command: a line of its own says so. */
	readonly isForeign: boolean;
	/** Newlines passed within the element. */
	readonly lineCount: number;
	/** Where it stopped reading: the position in its message. */
	readonly position: number;
}

/** Looks at the element at `at`, which `AofEntryReader` has not found to be whole. `at` is within the file. */
export function diagnoseElement(file: InputFile, at: number): Diagnosis {
	const mark = readRange(file, at, at + 1)[0];
	if (mark === HASH) {
		const error = errorLine(at, 'Expected the end of an annotation, got none');
		return { error, isForeign: false, lineCount: 0, position: at };
	}
	if (mark !== STAR) return { error: '', isForeign: true, lineCount: 0, position: at };
	return new ElementReader(file, at).diagnose();
}

/** `0x`, the position in 16 columns, and the message, as redis-check-aof prints them. */
export function errorLine(position: number, message: string): string {
	return `0x${position.toString(16).padStart(16)}: ${cText(message)}`;
}

/** Text up to its first NUL. */
function cText(text: string): string {
	const nul = text.indexOf('\0');
	return nul < 0 ? text : text.slice(0, nul);
}

class ElementReader {
	private readonly file: InputFile;
	private readonly start: number;
	private at: number;
	/** Where the last read began. */
	private position: number;
	private error = '';
	private lineCount = 0;
	private value = 0n;

	constructor(file: InputFile, at: number) {
		this.file = file;
		this.start = at;
		this.at = at;
		this.position = at;
	}

	diagnose(): Diagnosis {
		if (this.readCommand()) {
			this.position = this.start;
			this.fail('Expected a command that a server would load, got none');
		}
		const { error, lineCount, position } = this;
		return { error, isForeign: false, lineCount, position };
	}

	private readCommand(): boolean {
		if (!this.readNumber('*')) return false;
		const argc = this.value;
		for (let i = 0n; i < argc; i++) {
			if (!this.readString()) return false;
		}
		return true;
	}

	private readString(): boolean {
		if (!this.readNumber('$')) return false;
		const size = this.value;
		if (size < 0n || size > LONG_MAX - 2n) {
			return this.fail(`Expected to read string of ${size} bytes, which is not in the suitable range`);
		}
		this.position = this.at;
		const have = this.file.size - this.at;
		if (size + 2n > BigInt(have)) {
			this.at = this.file.size;
			return this.fail(`Expected to read ${size + 2n} bytes, got ${have} bytes`);
		}
		this.at += Number(size) + 2;
		return this.endOfLine(readRange(this.file, this.at - 2, this.at), 0);
	}

	private readNumber(prefix: string): boolean {
		this.position = this.at;
		const bytes = readRange(this.file, this.at, this.at + HEADER_BYTES_MAX);
		if (bytes.length === 0) return false; // the end of the file: no message
		const newline = bytes.indexOf(10);
		const header = newline < 0 ? bytes : bytes.subarray(0, newline + 1);
		this.at += header.length;
		const mark = header.latin1Slice(0, 1);
		if (mark !== prefix) return this.fail(`Expected prefix '${prefix}', got: '${mark}'`);
		const text = cText(header.latin1Slice(1));
		const match = /^[ \t-\r]*([+-]?\d+)/.exec(text);
		this.value = match === null ? 0n : clampLong(BigInt(match[1]!));
		return this.endOfLine(header, 1 + (match === null ? 0 : match[0].length));
	}

	private endOfLine(bytes: Buffer, at: number): boolean {
		// Behind its NUL C prints whatever the buffer held before; that is 00 here.
		const first = bytes[at] ?? 0;
		const second = bytes[at + 1] ?? 0;
		if (first === 13 && second === 10) {
			this.lineCount++;
			return true;
		}
		return this.fail(`Expected \\r\\n, got: ${charHex(first)}${charHex(second)}`);
	}

	private fail(message: string): false {
		this.error = errorLine(this.position, message);
		return false;
	}
}

function clampLong(value: bigint): bigint {
	if (value > LONG_MAX) return LONG_MAX;
	return value < -LONG_MAX - 1n ? -LONG_MAX - 1n : value;
}

/** printf's %02x of a signed char. */
function charHex(byte: number): string {
	return (byte < 128 ? byte : 0xffffff00 + byte).toString(16).padStart(2, '0');
}
