/**
 * Finds what is good in a damaged append-only file, before and behind the damage.
 *
 * Where no whole command stands, the next place is looked for at which two of them follow each other (or one, and the
 * end of the file), with names that a server knows. What lies between is lost. So is a transaction that is not whole,
 * from its MULTI to its EXEC; and commands behind the damage up to an EXEC whose MULTI is lost. The lost bytes may have
 * selected a database: a SELECT that can still be read in them is put in, and so is what the catalog knows; otherwise
 * the database is taken to be the same behind as before.
 *
 * A long value that itself holds commands as text can be taken for them when the damage hit its header. What was found
 * behind damage is therefore listed, to be looked at.
 */
import { AofEntryReader, aofEntryBytes } from '../../src/formats/aof-entry.js';
import { type InputFile, readRange } from '../support/input-file.js';

const READ_BYTES = 256 * 1024;
const SEARCH_BYTES = 256 * 1024;
/** A piece of the file that may hold the end of `\r\n*` or of a SELECT of another piece. */
const OVERLAP_BYTES = 64;

/** A part of a file: bytes [from, to). */
export interface FileRange {
	readonly from: number;
	readonly to: number;
}

export interface KeptRange extends FileRange {
	readonly commandCount: number;
	/** Bytes to write before it: a SELECT; empty for none. */
	readonly prefix: Buffer;
}

export interface LostRange extends FileRange {
	/** Why. */
	readonly reason: string;
	/** What is said about the database behind it. */
	readonly database: string;
}

export interface SalvagedEntries {
	readonly kept: readonly KeptRange[];
	readonly lost: readonly LostRange[];
}

export interface SalvageSource {
	readonly file: InputFile;
	/** Where the commands begin. */
	readonly from: number;
	/** Whether a server knows a command of that name. */
	readonly isCommand: (name: string) => boolean;
	/** The database selected at some positions where a command begins, from the catalog. */
	readonly dbAt: ReadonlyMap<number, number>;
	readonly onProgress: (position: number) => void;
}

export function salvageEntries(source: SalvageSource): SalvagedEntries {
	return new EntrySalvage(source).run();
}

class EntrySalvage {
	private readonly source: SalvageSource;
	private readonly kept: KeptRange[] = [];
	private readonly lost: LostRange[] = [];
	/** The range being kept; from -1: none. */
	private from = -1;
	private to = 0;
	private count = 0;
	private prefix: Buffer = Buffer.alloc(0);
	/** The transaction being read; -1: none. */
	private groupFrom = -1;
	private groupCount = 0;
	/** A command of the transaction is none that a server knows. */
	private groupIsBad = false;
	/** Since the last damage no MULTI has been seen: an EXEC would end a transaction whose start is lost. */
	private unsure = false;
	private db = 0;
	/** Something was lost, and the catalog has not said since which database is selected. */
	private isBehindLoss = false;

	constructor(source: SalvageSource) {
		this.source = source;
	}

	run(): SalvagedEntries {
		const { file } = this.source;
		let position = this.source.from;
		while (position < file.size) {
			const damage = this.readFrom(position);
			if (damage === null) break;
			const next = this.findNext(damage.from + 1);
			const lostFrom = this.groupFrom >= 0 ? this.groupFrom : damage.from;
			const reason = this.groupFrom >= 0 ? `${damage.reason}, within a transaction` : damage.reason;
			this.groupFrom = -1;
			this.lose(lostFrom, next, reason);
			this.unsure = next < file.size;
			position = next;
		}
		this.keep();
		return { kept: this.kept, lost: this.lost };
	}

	/** Keeps whole commands from a position on; where there is none, and why; null at the end of the file. */
	private readFrom(start: number): { readonly from: number; readonly reason: string } | null {
		const { file, onProgress, isCommand } = this.source;
		const reader = new AofEntryReader(start, READ_BYTES);
		let at = start;
		for (;;) {
			const found = reader.next();
			if (found === 'more') {
				reader.reserve();
				const room = reader.buffer.length - reader.fillAt;
				reader.filled(file.read(reader.buffer, reader.fillAt, room, reader.fillPosition));
				onProgress(reader.fillPosition);
			} else if (found === 'entry') {
				const { args, entryStart, entryEnd } = reader;
				if (!isCommand(args[0]!)) this.badCommand(at, entryEnd, args[0]!);
				else this.command(args, at, entryStart, entryEnd);
				at = entryEnd;
			} else if (found === 'end') {
				if (this.groupFrom < 0) {
					if (reader.entryEnd > at) this.extend(at, reader.entryEnd, 0);
					return null;
				}
				return { from: file.size, reason: 'The file ends' };
			} else {
				const reason = found === 'bad' ? `Damage at ${reader.badPosition}` : `The file ends within a command`;
				return { from: Math.max(at, reader.entryEnd), reason };
			}
		}
	}

	private command(args: readonly string[], from: number, entryStart: number, to: number): void {
		const name = args[0]!.toLowerCase();
		if (this.isBehindLoss) this.correctDb(entryStart);
		if (name === 'select') this.db = Number(args[1]);
		if (this.groupFrom >= 0) {
			this.groupCount++;
			if (name !== 'exec') return;
			const { groupFrom } = this;
			this.groupFrom = -1;
			if (this.groupIsBad) this.lose(groupFrom, to, 'A transaction with an unknown command');
			else this.extend(groupFrom, to, this.groupCount);
		} else if (name === 'multi') {
			this.unsure = false;
			this.groupFrom = from;
			this.groupCount = 1;
			this.groupIsBad = false;
		} else if (name === 'exec') {
			// Its MULTI is lost, and so is what came between.
			const lostFrom = this.unsure && this.from >= 0 ? this.from : from;
			this.from = -1;
			this.count = 0;
			this.unsure = false;
			this.lose(lostFrom, to, 'A transaction whose MULTI is lost');
		} else {
			this.extend(from, to, 1);
		}
	}

	private badCommand(from: number, to: number, name: string): void {
		if (this.groupFrom >= 0) this.groupIsBad = true;
		else this.lose(from, to, `Unknown command '${name.slice(0, 32)}'`);
	}

	private extend(from: number, to: number, commandCount: number): void {
		if (this.from < 0) {
			this.from = from;
			this.count = 0;
		}
		this.to = to;
		this.count += commandCount;
	}

	/** Ends the range being kept. */
	private keep(): void {
		if (this.from >= 0 && this.to > this.from) {
			this.kept.push({
				from: this.from,
				to: this.to,
				commandCount: this.count,
				prefix: this.prefix,
			});
		}
		this.from = -1;
		this.prefix = Buffer.alloc(0);
	}

	private lose(from: number, to: number, reason: string): void {
		this.keep();
		const selected = this.lastSelect(from, to);
		let database = '';
		if (selected >= 0 && selected !== this.db) {
			this.db = selected;
			this.prefix = selectBytes(selected);
			database = `SELECT ${selected}, read in it, is put in`;
		} else if (to < this.source.file.size && to - from >= selectBytes(0).length) {
			database = `database ${this.db} is taken to be selected behind it`;
		}
		this.isBehindLoss = true;
		const last = this.lost.at(-1);
		if (last?.to === from) {
			this.lost[this.lost.length - 1] = { ...last, to, database: database || last.database };
		} else if (to > from) {
			this.lost.push({ from, to, reason, database });
		}
	}

	/** The catalog knows the database at some places: it counts. */
	private correctDb(position: number): void {
		const db = this.source.dbAt.get(position);
		if (db === undefined) return;
		this.isBehindLoss = false;
		if (db === this.db || this.groupFrom >= 0) return;
		this.keep();
		this.db = db;
		this.prefix = selectBytes(db);
	}

	/** The first place at or behind `from` at which reading may go on; the end of the file if there is none. */
	private findNext(from: number): number {
		const { file } = this.source;
		for (let at = Math.max(0, from - 2); at < file.size; at += SEARCH_BYTES - OVERLAP_BYTES) {
			const piece = readRange(file, at, at + SEARCH_BYTES);
			for (let found = piece.indexOf('\r\n*'); found >= 0; found = piece.indexOf('\r\n*', found + 1)) {
				if (at + found + 2 >= from && this.startsCommands(at + found + 2)) return at + found + 2;
			}
			this.source.onProgress(at);
		}
		return file.size;
	}

	/** Whether two commands, or one and the end of the file, stand at a position. */
	private startsCommands(position: number): boolean {
		const { file, isCommand } = this.source;
		const reader = new AofEntryReader(position, 4096);
		for (let count = 0; ; ) {
			const found = reader.next();
			if (found === 'more') {
				reader.reserve();
				const room = reader.buffer.length - reader.fillAt;
				reader.filled(file.read(reader.buffer, reader.fillAt, room, reader.fillPosition));
			} else if (found === 'entry') {
				if (!isCommand(reader.args[0]!)) return false;
				if (++count === 2) return true;
			} else {
				return found === 'end' && count === 1;
			}
		}
	}

	/** The database of the last SELECT that can be read in the bytes; -1 for none. */
	private lastSelect(from: number, to: number): number {
		let selected = -1;
		for (let at = from; at < to; at += SEARCH_BYTES - OVERLAP_BYTES) {
			const text = readRange(this.source.file, at, Math.min(to, at + SEARCH_BYTES)).latin1Slice();
			for (const match of text.matchAll(/\r\nSELECT\r\n\$\d\r\n(\d{1,5})\r\n/gi)) selected = Number(match[1]);
		}
		return selected;
	}
}

function selectBytes(db: number): Buffer {
	return aofEntryBytes(['SELECT', String(db)]);
}
