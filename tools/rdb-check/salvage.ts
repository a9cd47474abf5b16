/**
 * Writes what can be read of a damaged RDB file to a new one.
 *
 * An RDB file has no marks to start again at. Behind a fault the next item is looked for in two ways:
 *
 * 1. Where the fault lies within a value whose lengths still hold, the value is passed over by those.
 * 2. Else at every byte behind the start of the bad item, until a row of items begins there that can't be chance: it
 *    leads to the end of the file, or has `CHAIN_ENTRIES` entries, each looked into to the last byte. It begins with an
 *    entry of some length, or with the two items that begin a database: better to lose a small key than to make one up.
 *
 * Entries are copied as they are; only the types that version 11 added are written anew. A hint about the number of
 * keys (RESIZEDB) is dropped where something was lost. The new file gets a sum of its own.
 */
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { Settings } from '../../src/engine/settings.js';
import {
	RDB_OPCODE_FUNCTION_PRE_GA,
	RDB_OPCODE_FUNCTION2,
	RDB_TYPE_MODULE_2,
	RDB_TYPE_SET_LISTPACK,
	RDB_TYPE_STREAM_LISTPACKS_3,
} from '../../src/formats/rdb-codes.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import { RdbFileReader, type RdbItem } from '../../src/snapshot/rdb-file-reader.js';
import { RdbFileWriter } from '../../src/snapshot/rdb-file-writer.js';
import { isRdbValueType } from '../../src/snapshot/rdb-value-reader.js';
import type { Value } from '../../src/types/value.js';
import { ProgressBar } from '../support/progress-bar.js';
import type { RdbBytes } from './rdb-bytes.js';

/** Bytes of the file that are not in the new one. */
export interface LostRange {
	readonly from: number;
	readonly to: number;
	/** The key of the item that begins there, if that could be read. */
	readonly key: string | undefined;
	readonly message: string;
}

export interface SalvageResult {
	readonly keysKept: number;
	readonly lost: readonly LostRange[];
}

const HEADER_SIZE = 9;
const CHAIN_ENTRIES = 6;
/** At the cut end of a file, where nothing more can follow, fewer have to do. */
const CHAIN_ENTRIES_AT_CUT = 4;
/** The first entry of a row has to be so long: the end of a damaged value can look like a shorter one. */
const FIRST_ENTRY_SIZE = 8;
/** How far a row of items is followed. */
const WINDOW_SIZE = 8 * 1024 * 1024;
/** How many bytes are searched with one window. */
const SEARCH_SIZE = 4 * 1024 * 1024;

/**
 * Reads `bytes` from its header on and writes `path`, which must not exist yet. Throws the system's error if it can't be
 * written, and RdbFault if not even the header can be read.
 */
export function salvageRdb(bytes: RdbBytes, path: string): SalvageResult {
	const fd = openSync(path, 'wx');
	try {
		const result = new Salvage(bytes, fd).run();
		fsyncSync(fd);
		return result;
	} catch (error) {
		unlinkSync(path);
		throw error;
	} finally {
		closeSync(fd);
	}
}

class Salvage {
	private readonly bytes: RdbBytes;
	private readonly writer: RdbFileWriter;
	private readonly settings = new Settings();
	private readonly lost: LostRange[] = [];
	private keysKept = 0;
	private version = 0;
	private db = 0;
	/** The database that the new file has selected; -1 before the first. */
	private writtenDb = -1;
	/** Where the first entry ends of the row that was found last. */
	private firstEntryEnd = 0;
	private readonly bar: ProgressBar;

	constructor(bytes: RdbBytes, fd: number) {
		this.bytes = bytes;
		this.bar = new ProgressBar();
		this.writer = new RdbFileWriter((chunk) => writeWhole(fd, chunk), {
			rdbcompression: true,
			rdbchecksum: true,
		});
	}

	run(): SalvageResult {
		this.writer.header([]);
		let from = 0;
		for (;;) {
			const reader = this.readerAt(from);
			const start = from;
			try {
				this.copyItems(reader);
				break;
			} catch (error) {
				if (!(error instanceof RdbFault) || reader.version === 0) throw error;
				this.version = reader.version;
				this.db = reader.db;
				const badStart = start + reader.itemStart;
				const key = reader.stage === 'read-object-value' ? reader.key : undefined;
				from = this.findNext(badStart, key !== undefined);
				this.lost.push({ from: badStart, to: from, key, message: error.message });
			}
			if (from >= this.bytes.size) break;
		}
		this.writer.end();
		this.bar.clear();
		return { keysKept: this.keysKept, lost: this.lost };
	}

	/** A reader of the items from `from` on: the header only where that is 0. */
	private readerAt(from: number): RdbFileReader {
		const reader = new RdbFileReader(this.bytes.sourceFrom(from), { withChecksum: false, keepRaw: true });
		reader.version = this.version;
		reader.db = this.db;
		return reader;
	}

	/** Copies items to the end of the file. @throws RdbFault */
	private copyItems(reader: RdbFileReader): void {
		const { writer } = this;
		for (;;) {
			switch (reader.next()) {
				case 'entry':
					this.copyEntry(reader);
					break;
				case 'aux':
					writer.aux(reader.auxName, reader.auxValue);
					break;
				case 'select-db':
					this.selectDb(reader.db);
					break;
				case 'resize-db':
					if (this.lost.length === 0) writer.resizeDb(reader.dbSize, reader.expiresSize);
					break;
				case 'function':
					writer.functionLibrary(reader.functionCode);
					break;
				case 'module-aux':
					writer.rawEntry(reader.rawEntry());
					break;
				case 'end':
					return;
			}
			this.bar.update(reader.position, this.bytes.size, 'salvaging');
		}
	}

	private selectDb(id: number): void {
		this.writer.selectDb(id);
		this.writtenDb = id;
	}

	private copyEntry(reader: RdbFileReader): void {
		const { writer, settings } = this;
		const { key, valueType, expireAtMs, idleSeconds, frequency } = reader;
		let value: Value | undefined;
		if (valueType === RDB_TYPE_MODULE_2) reader.skipValue();
		else value = reader.readValue(settings);
		if (this.writtenDb !== reader.db) this.selectDb(reader.db);
		if (valueType !== RDB_TYPE_SET_LISTPACK && valueType !== RDB_TYPE_STREAM_LISTPACKS_3) {
			writer.rawEntry(reader.rawEntry());
		} else if (value !== undefined) {
			writer.entry(key, value, expireAtMs, { idleSeconds, frequency });
		}
		this.keysKept++;
	}

	/** Where reading can go on behind the bad item at `badStart`; the size of the file if nowhere. */
	private findNext(badStart: number, canSkip: boolean): number {
		if (canSkip) {
			const behind = this.behindValue(badStart);
			if (behind > 0 && this.isPlausible(behind, this.window(behind), 0, 0)) return behind;
		}
		const found = this.search(Math.max(badStart + 1, HEADER_SIZE), this.bytes.size);
		return found < 0 ? this.bytes.size : this.innermost(found);
	}

	/** The first place in [from, to) where a row of items begins; -1 if there is none. */
	private search(from: number, to: number): number {
		for (let base = from; base < to; base += SEARCH_SIZE) {
			const window = this.window(base);
			const end = Math.min(SEARCH_SIZE, window.length, to - base);
			for (let at = 0; at < end; at++) {
				this.bar.update(base + at, this.bytes.size, 'salvaging');
				if (!mayBeginItem(window[at]!)) continue;
				if (this.isPlausible(base + at, window, at, FIRST_ENTRY_SIZE)) return base + at;
			}
		}
		return -1;
	}

	/**
	 * A damaged length can make an entry that reaches over many good ones and ends where one of them begins. So what the
	 * first entry of the row covers is searched too, and a row in there is taken instead.
	 */
	private innermost(found: number): number {
		let start = found;
		for (;;) {
			const inner = this.search(start + 1, this.firstEntryEnd);
			if (inner < 0) return start;
			start = inner;
		}
	}

	/** The end of the item at `start` as its lengths say; -1 if those make no sense either. */
	private behindValue(start: number): number {
		const reader = this.readerAt(start);
		try {
			reader.next();
			reader.skipValue();
			return start + reader.position;
		} catch (error) {
			if (error instanceof RdbFault) return -1;
			throw error;
		}
	}

	/** Whether items begin at `position`, which is at `at` of `window`; the first entry not shorter than `minimum`. */
	private isPlausible(position: number, window: Buffer, at: number, minimum: number): boolean {
		const size = window.length - at;
		const reachesEnd = position + size >= this.bytes.size;
		const reader = new RdbFileReader(window.subarray(at), { withChecksum: false, keepRaw: false });
		reader.version = this.version;
		reader.db = this.db;
		let entries = 0;
		let previous: RdbItem | undefined;
		this.firstEntryEnd = position;
		try {
			for (;;) {
				const item = reader.next();
				if (item === 'end') return reachesEnd && reader.position === size;
				if (previous === 'select-db' && entries === 0 && item !== 'resize-db') return false;
				if (previous === undefined && item !== 'select-db' && item !== 'entry') return false;
				previous = item;
				if (item !== 'entry') continue;
				// Zero bytes look like entries with an empty key.
				if (reader.key === '') return false;
				if (reader.valueType === RDB_TYPE_MODULE_2) reader.skipValue();
				else if (reader.readValue(this.settings) === undefined) return false;
				if (entries === 0) {
					if (reader.position - reader.itemStart < minimum) return false;
					this.firstEntryEnd = position + reader.position;
				}
				if (++entries === CHAIN_ENTRIES) return true;
			}
		} catch (error) {
			if (!(error instanceof RdbFault)) throw error;
			return error.kind === 'short' && entries >= (minimum === 0 ? 1 : CHAIN_ENTRIES_AT_CUT);
		}
	}

	private window(from: number): Buffer {
		const window = Buffer.allocUnsafe(Math.min(WINDOW_SIZE, this.bytes.size - from));
		let filled = 0;
		while (filled < window.length) {
			const got = this.bytes.readAt(from + filled, window, filled, window.length - filled);
			if (got === 0) break;
			filled += got;
		}
		return window.subarray(0, filled);
	}
}

function mayBeginItem(code: number): boolean {
	return isRdbValueType(code) || (code >= RDB_OPCODE_FUNCTION2 && code !== RDB_OPCODE_FUNCTION_PRE_GA);
}

function writeWhole(fd: number, chunk: Buffer): void {
	for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
}
