/**
 * The check itself: reads the file through, as a server would load it, and reports in the words of redis-check-rdb 7.2.6
 * (redis-check-rdb.c). Differences: an error within a value names no line of rdb.c; a key that has no elements is no
 * error, as servers leave it out; what a terminal would not print is quoted.
 */

import { Settings } from '../../src/engine/settings.js';
import { RDB_TYPE_MODULE_2, RDB_TYPE_NAMES } from '../../src/formats/rdb-codes.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import { RdbFileReader } from '../../src/snapshot/rdb-file-reader.js';
import { isRdbValueType } from '../../src/snapshot/rdb-value-reader.js';
import { ProgressBar } from '../support/progress-bar.js';
import { entryOf, KeySums, keyLine } from './key-report.js';
import type { Printer } from './printer.js';
import type { RdbBytes } from './rdb-bytes.js';

const CHECKSUM_SIZE = 8;

export interface CheckWishes {
	readonly keys: boolean;
	readonly stats: boolean;
	/** Commands may follow: what is behind the RDB data is no news. */
	readonly isPreamble?: boolean;
}

/** What a check has found. */
export interface CheckOutcome {
	readonly ok: boolean;
	/** Where the item that could not be read begins; -1 if all could (the sum may be wrong all the same). */
	readonly badItemStart: number;
	/** The bytes behind the end of the RDB data: commands, if the file is an AOF of old. */
	readonly bytesBehind: number;
}

/** Checks the file and prints the report; `nowMs` decides which keys have expired. */
export function checkRdb(
	bytes: RdbBytes,
	printer: Printer,
	wishes: CheckWishes,
	nowMs: number,
): CheckOutcome {
	return new Check(bytes, printer, wishes, nowMs).run();
}

class Check {
	private readonly bytes: RdbBytes;
	private readonly printer: Printer;
	private readonly wishes: CheckWishes;
	private readonly nowMs: number;
	private readonly reader: RdbFileReader;
	private readonly sums = new KeySums();
	private readonly settings = new Settings();
	private keys = 0;
	private expires = 0;
	private alreadyExpired = 0;

	constructor(bytes: RdbBytes, printer: Printer, wishes: CheckWishes, nowMs: number) {
		this.bytes = bytes;
		this.printer = printer;
		this.wishes = wishes;
		this.nowMs = nowMs;
		this.reader = new RdbFileReader(bytes.sourceFrom(0), { withChecksum: true, keepRaw: false });
	}

	run(): CheckOutcome {
		const { reader, printer } = this;
		const bar = new ProgressBar();
		printer.beforeLine = () => bar.clear();
		try {
			while (!this.readItem()) bar.update(reader.position, this.bytes.size, 'checking');
		} catch (error) {
			bar.clear();
			if (!(error instanceof RdbFault)) throw error;
			this.printFault(error);
			return { ok: false, badItemStart: reader.itemStart, bytesBehind: 0 };
		}
		bar.clear();
		return this.finish();
	}

	/** Reads an item; true at the end. @throws RdbFault */
	private readItem(): boolean {
		const { reader, printer } = this;
		switch (reader.next()) {
			case 'entry':
				this.readEntry();
				return false;
			case 'aux':
				printer.info(reader.position, `AUX FIELD ${shown(reader.auxName)} = '${shown(reader.auxValue)}'`);
				return false;
			case 'select-db':
				printer.info(reader.position, `Selecting DB ID ${reader.db}`);
				return false;
			case 'module-aux':
				printer.info(reader.position, `MODULE AUX for: ${reader.moduleName}`);
				return false;
			case 'function':
				this.sums.addFunction();
				return false;
			case 'resize-db':
				return false;
			case 'end':
				return true;
		}
	}

	private readEntry(): void {
		const { reader, wishes } = this;
		this.keys++;
		const isModule = reader.valueType === RDB_TYPE_MODULE_2;
		const value = isModule ? undefined : reader.readValue(this.settings);
		if (isModule) reader.skipValue();
		const { expireAtMs } = reader;
		if (expireAtMs !== -1) {
			this.expires++;
			if (expireAtMs < this.nowMs) this.alreadyExpired++;
		}
		if (!wishes.keys && !wishes.stats) return;
		const entry = entryOf(reader, value);
		if (wishes.keys) this.printer.line(keyLine(entry));
		if (wishes.stats) this.sums.add(entry);
	}

	private finish(): CheckOutcome {
		const { reader, printer } = this;
		const bytesBehind = this.bytes.size - reader.position;
		if (reader.checksum === 'wrong') {
			this.printError(reader.position, 'RDB CRC error');
			return { ok: false, badItemStart: -1, bytesBehind };
		}
		if (reader.checksum === 'unchecked' && bytesBehind === CHECKSUM_SIZE) {
			// A flipped bit makes version 9 or 11 a 1, which has no checksum: Redis takes such a file for sound.
			this.printError(reader.position, `A checksum follows, which version ${reader.version} does not have`);
			return { ok: false, badItemStart: -1, bytesBehind };
		}
		if (reader.checksum === 'missing') {
			printer.info(reader.position, 'RDB file was saved with checksum disabled: no check performed.');
		} else if (reader.checksum === 'right') {
			printer.info(reader.position, 'Checksum OK');
		}
		printer.info(reader.position, '\\o/ RDB looks OK! \\o/');
		this.printCounts();
		if (bytesBehind > 0 && this.wishes.isPreamble !== true) {
			printer.line(`[info] ${bytesBehind} bytes follow the end of the RDB data, and were not looked at`);
		}
		if (this.wishes.stats) for (const line of this.sums.lines()) printer.line(line);
		return { ok: true, badItemStart: -1, bytesBehind };
	}

	private printFault(fault: RdbFault): void {
		const { reader } = this;
		const { stage } = reader;
		let message = fault.message;
		if (stage === 'read-functions') message = 'Failed loading library, Failed loading library payload';
		else if (stage === 'read-type' && fault.kind === 'unsupported') {
			message = isRdbValueType(reader.valueType)
				? `Pre-release function format not supported ${reader.version}`
				: `Invalid object type: ${reader.valueType}`;
		} else if (fault.kind === 'damaged' || (fault.kind === 'unsupported' && stage !== 'start')) {
			message = `Internal error in RDB reading offset ${fault.position} -> ${message}`;
		}
		this.printError(fault.position, message);
	}

	private printError(position: number, message: string): void {
		const { printer, reader } = this;
		const { stage, valueType } = reader;
		printer.line('--- RDB ERROR DETECTED ---');
		printer.info(position, message);
		printer.line(`[additional info] While doing: ${stage}`);
		if (stage === 'read-object-value') printer.line(`[additional info] Reading key '${shown(reader.key)}'`);
		if (stage === 'read-object-value' || stage === 'read-key') {
			printer.line(`[additional info] Reading type ${valueType} (${RDB_TYPE_NAMES[valueType]!})`);
		}
		this.printCounts();
		if (this.wishes.stats) for (const line of this.sums.lines()) printer.line(line);
	}

	private printCounts(): void {
		this.printer.line(`[info] ${this.keys} keys read`);
		this.printer.line(`[info] ${this.expires} expires`);
		this.printer.line(`[info] ${this.alreadyExpired} already expired`);
	}
}

/** Bytes that would move the cursor or worse are shown as escapes; everything else as it is. */
export function shown(text: string): string {
	return text.replace(/[\x00-\x1f\x7f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
