/**
 * Divides the stream of a master into units: a command, or a transaction from MULTI to EXEC. A unit is applied and
 * appended to our log when it is whole, so that neither ever holds half of one; what has not become whole when the link
 * ends comes again.
 */
import { COMMAND, type ParserLimits, PROTOCOL_ERROR, RequestParser } from '../protocol/request-parser.js';

export interface UnitReceiver {
	/** A command of a whole unit; MULTI and EXEC are not among them. */
	apply(args: string[]): void;
	/** The bytes [start, end) of `source` are whole units, which have been applied; to be copied before it returns. */
	append(source: Buffer, start: number, end: number): void;
}

export class StreamUnits {
	private readonly parser: RequestParser;
	private readonly receiver: UnitReceiver;
	/** The commands of a transaction whose EXEC has not come; null outside of one. */
	private transaction: string[][] | null = null;
	/** The bytes of it that were in earlier chunks. */
	private earlier: Buffer[] = [];
	private earlierBytes = 0;
	/** Whole units in the present source that have been applied and not appended. */
	private source: Buffer | null = null;
	private runStart = 0;
	private runEnd = 0;
	/** Where the unit under way begins in the present source. */
	private unitStart = 0;
	/** Behind the last command in the present source. */
	private parsedEnd = 0;

	constructor(limits: ParserLimits, receiver: UnitReceiver) {
		this.parser = new RequestParser(limits);
		this.parser.authenticated = true;
		this.receiver = receiver;
	}

	/** Bytes received and not applied: of a unit that is not whole. */
	get pendingBytes(): number {
		return this.parser.heldBytes + this.earlierBytes;
	}

	/** Takes the next bytes; null, or what is wrong with them: then nothing more may be fed. */
	feed(bytes: Buffer): string | null {
		const { parser } = this;
		parser.feed(bytes, 0, bytes.length);
		this.source = null;
		let isFirst = true;
		for (;;) {
			const status = parser.next();
			if (status === PROTOCOL_ERROR) return this.endWith(parser.error);
			if (status !== COMMAND) break;
			const { args, source, start, end } = parser;
			if (isFirst) {
				isFirst = false;
				this.source = source;
				this.runStart = start;
				this.runEnd = start;
				this.unitStart = start;
				this.parsedEnd = start;
			}
			const fault = parser.inline ? this.takeLine(args, end) : this.take(args, start, end);
			if (fault !== null) return this.endWith(fault);
		}
		this.flush();
		this.keepRest();
		return null;
	}

	/** An empty line keeps the connection alive, and is no part of the stream. */
	private takeLine(args: readonly string[], end: number): string | null {
		if (args.length > 0) return 'Master using the inline protocol. Desync?';
		this.flush();
		this.keepRest();
		this.runStart = end;
		this.runEnd = end;
		this.unitStart = end;
		this.parsedEnd = end;
		return null;
	}

	private take(args: string[], start: number, end: number): string | null {
		this.parsedEnd = end;
		const { transaction } = this;
		const name = args.length === 1 ? args[0]!.toLowerCase() : '';
		if (name === 'multi') {
			if (transaction !== null) return 'MULTI within a transaction';
			this.transaction = [];
			this.unitStart = start;
			return null;
		}
		if (name === 'exec') {
			if (transaction === null) return 'EXEC without a transaction';
			for (const command of transaction) this.receiver.apply(command);
			this.transaction = null;
			this.appendEarlier();
			this.runEnd = end;
			return null;
		}
		if (transaction !== null) {
			transaction.push(args);
			return null;
		}
		if (args.length > 0) this.receiver.apply(args);
		this.runEnd = end;
		return null;
	}

	private appendEarlier(): void {
		for (const part of this.earlier) this.receiver.append(part, 0, part.length);
		this.earlier = [];
		this.earlierBytes = 0;
	}

	private flush(): void {
		if (this.source === null || this.runEnd === this.runStart) return;
		this.receiver.append(this.source, this.runStart, this.runEnd);
		this.runStart = this.runEnd;
	}

	/** Behind a fault: what was whole before it counts. */
	private endWith(fault: string): string {
		this.flush();
		return fault;
	}

	/** Copies what has come of a transaction: its source goes when more is fed. */
	private keepRest(): void {
		if (this.transaction === null || this.source === null) return;
		const part = Buffer.from(this.source.subarray(this.unitStart, this.parsedEnd));
		if (part.length === 0) return;
		this.earlier.push(part);
		this.earlierBytes += part.length;
	}
}
