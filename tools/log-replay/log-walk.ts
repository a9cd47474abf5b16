/** The entries of a log, file after file, from a place on. */
import { AofEntryReader } from '../../src/formats/aof-entry.js';
import type { LogFs } from '../../src/log/log-fs.js';
import type { LogMap, LogPiece } from './log-map.js';
import { ReplayFault } from './replay-fault.js';

const READ_BYTES = 1024 * 1024;

/** Where an entry begins, outside of a transaction. */
export interface LogPlace {
	readonly offset: number;
	/** The database that is selected there. */
	readonly db: number;
}

export interface LogEntry {
	/** Log position of its first byte, and of the byte behind its last. */
	readonly offset: number;
	readonly end: number;
	/** The database that it applies to. */
	readonly db: number;
	/** Of the last `#TS:` annotation before it, milliseconds since 1970; 0 for none. */
	readonly annotatedMs: number;
	/** Log position at which its transaction begins; its own if it is in none. */
	readonly unitStart: number;
	readonly args: readonly string[];
}

export interface WalkHooks {
	readonly onProgress: (offset: number) => void;
	/** Bytes that are not kept: the log goes on at `to`. */
	readonly onGap: (from: number, to: number) => void;
	/** The log ends within an entry or a transaction: a server is writing it now, or was ended while it did. */
	readonly onTornEnd: (offset: number) => void;
}

/** @throws ReplayFault where a file is damaged, or the system error */
export function* entriesFrom(
	fs: LogFs,
	map: LogMap,
	place: LogPlace,
	hooks: WalkHooks,
): Generator<LogEntry, void> {
	let at = place.offset;
	for (const piece of map.pieces) {
		if (piece.end <= at || piece.end === piece.start) continue;
		if (piece.start > at) hooks.onGap(at, piece.start);
		const isPlace = at === place.offset && at > piece.start;
		const from = isPlace ? at - piece.start + piece.prefixSize : 0;
		yield* new PieceWalk(fs, map, piece, hooks).entries(from, isPlace ? place.db : 0);
		at = piece.end;
	}
}

class PieceWalk {
	private readonly fs: LogFs;
	private readonly map: LogMap;
	private readonly piece: LogPiece;
	private readonly hooks: WalkHooks;
	private annotatedMs = 0;

	constructor(fs: LogFs, map: LogMap, piece: LogPiece, hooks: WalkHooks) {
		this.fs = fs;
		this.map = map;
		this.piece = piece;
		this.hooks = hooks;
	}

	/** From a position in the file at which an entry begins, with database `db` selected. */
	*entries(from: number, startDb: number): Generator<LogEntry, void> {
		const { fs, piece, hooks } = this;
		const shift = piece.start - piece.prefixSize;
		const to = piece.end - shift;
		const reader = new AofEntryReader(from, READ_BYTES);
		reader.onAnnotation = (_position, line) => this.annotation(line);
		let db = startDb;
		let unitStart = -1;
		const fd = fs.openSync(piece.path, 'r');
		try {
			for (;;) {
				const found = reader.next();
				if (found === 'entry') {
					const { args } = reader;
					const name = args[0]!.toUpperCase();
					const offset = reader.entryStart + shift;
					if (name === 'SELECT') db = Number(args[1]);
					if (reader.entryEnd <= piece.prefixSize) continue;
					if (unitStart < 0 || (name === 'MULTI' && args.length === 1)) unitStart = offset;
					const end = reader.entryEnd + shift;
					yield { offset, end, db, annotatedMs: this.annotatedMs, unitStart, args };
					if (name !== 'MULTI' && !this.isInGroup(name, unitStart, offset)) unitStart = -1;
				} else if (found === 'more') {
					reader.reserve();
					const position = reader.fillPosition;
					const room = Math.min(reader.buffer.length - reader.fillAt, to - position);
					reader.filled(room <= 0 ? 0 : fs.readSync(fd, reader.buffer, reader.fillAt, room, position));
					hooks.onProgress(position + shift);
				} else if (found === 'end') {
					if (unitStart >= 0) this.torn(unitStart);
					return;
				} else if (found === 'truncated') {
					this.torn(unitStart >= 0 ? unitStart : reader.entryStart + shift);
					return;
				} else {
					const { badPosition } = reader;
					throw new ReplayFault(
						'log',
						`${piece.path} is damaged at position ${badPosition} (log position ${badPosition + shift}); ` +
							'tsredis-check-aof tells more',
					);
				}
			}
		} finally {
			fs.closeSync(fd);
		}
	}

	/** Whether the transaction that the entry is in goes on behind it. */
	private isInGroup(name: string, unitStart: number, offset: number): boolean {
		return unitStart !== offset && name !== 'EXEC';
	}

	private torn(offset: number): void {
		if (this.piece === this.map.pieces.at(-1)) {
			this.hooks.onTornEnd(offset);
			return;
		}
		throw new ReplayFault('log', `${this.piece.path} ends within an entry, at log position ${offset}`);
	}

	private annotation(line: string): void {
		const match = /^#TS:(\d{1,12})\r?\n$/.exec(line);
		if (match !== null) this.annotatedMs = Number(match[1]) * 1000;
	}
}
