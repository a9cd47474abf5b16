/**
 * Finds where the entries of a log begin, without reading what is in them: a tenth of the work of parsing. Places within a
 * MULTI … EXEC group do not count, since nobody may begin to read there.
 *
 * The bytes come in pieces, cut anywhere. Bytes that are not entries end the search; what is wrong with them is the
 * loader's business.
 */

/** At the start of an entry; in its number of arguments; at the start of an argument; in its size; in its bytes. */
const AT_ENTRY = 0;
const IN_COUNT = 1;
const AT_ARGUMENT = 2;
const IN_SIZE = 3;
const IN_BYTES = 4;
const IN_REMARK = 5;
const LOST = 6;

/** MULTI, EXEC, SELECT and a database's number are no longer. */
const WORD_BYTES_MAX = 8;
const NUMBER_MAX = 1 << 30;

const CR = 13;
const LF = 10;
const HASH = 35;
const DOLLAR = 36;
const STAR = 42;

export class EntryScan {
	/** Position behind the bytes seen so far. */
	position: number;
	/** The last place where an entry begins outside of a group; -1 for none. */
	boundary: number;
	/** The database selected there. */
	boundaryDb: number;

	private state = AT_ENTRY;
	private db: number;
	private inGroup = false;
	/** The number being read, or what is left of the bytes of an argument, its CRLF included. */
	private number = 0;
	private argumentCount = 0;
	private argumentIndex = 0;
	/** The first two arguments, as far as they are short. */
	private words: [string, string] = ['', ''];
	private isWord = false;

	/** An entry begins at `position`, outside of a group, and `db` is selected. */
	constructor(position: number, db: number) {
		this.position = position;
		this.boundary = position;
		this.boundaryDb = db;
		this.db = db;
	}

	/** Takes bytes [from, to), which follow those before. */
	feed(bytes: Buffer, from: number, to: number): void {
		const base = this.position - from;
		let at = from;
		while (at < to) {
			if (this.state === IN_BYTES) {
				at = this.skipBytes(bytes, at, to, base);
				continue;
			}
			const byte = bytes[at++]!;
			switch (this.state) {
				case AT_ENTRY:
					this.state = byte === STAR ? IN_COUNT : byte === HASH ? IN_REMARK : LOST;
					this.number = 0;
					break;
				case AT_ARGUMENT:
					this.state = byte === DOLLAR ? IN_SIZE : LOST;
					this.number = 0;
					break;
				case IN_COUNT:
				case IN_SIZE:
					if (byte >= 48 && byte <= 57 && this.number < NUMBER_MAX) {
						this.number = this.number * 10 + byte - 48;
					} else if (byte === LF) this.endHeader();
					else if (byte !== CR) this.state = LOST;
					break;
				case IN_REMARK:
					if (byte === LF) this.endEntry(base + at);
					break;
				default:
					// Lost: nothing that follows can be made sense of.
					at = to;
			}
		}
		this.position = base + to;
	}

	private endHeader(): void {
		if (this.state === IN_COUNT) {
			this.argumentCount = this.number;
			this.argumentIndex = 0;
			this.state = this.number > 0 ? AT_ARGUMENT : LOST;
			return;
		}
		this.isWord = this.argumentIndex < 2 && this.argumentCount <= 2 && this.number <= WORD_BYTES_MAX;
		if (this.isWord) this.words[this.argumentIndex] = '';
		this.number += 2;
		this.state = IN_BYTES;
	}

	private skipBytes(bytes: Buffer, from: number, to: number, base: number): number {
		const size = Math.min(this.number, to - from);
		if (this.isWord) this.words[this.argumentIndex] += bytes.latin1Slice(from, from + size);
		this.number -= size;
		if (this.number > 0) return from + size;
		this.argumentIndex++;
		if (this.argumentIndex < this.argumentCount) this.state = AT_ARGUMENT;
		else {
			if (this.argumentCount <= 2 && this.isWord) this.takeWords();
			this.endEntry(base + from + size);
		}
		return from + size;
	}

	private takeWords(): void {
		const [first, second] = this.words;
		const name = first.toUpperCase();
		if (this.argumentCount === 2) {
			if (name === 'SELECT\r\n') this.db = Number(second);
		} else if (name === 'MULTI\r\n') this.inGroup = true;
		else if (name === 'EXEC\r\n') this.inGroup = false;
	}

	private endEntry(position: number): void {
		this.state = AT_ENTRY;
		if (this.inGroup) return;
		this.boundary = position;
		this.boundaryDb = this.db;
	}
}
