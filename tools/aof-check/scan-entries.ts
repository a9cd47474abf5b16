/**
 * Reads one append-only file from front to back and says up to where it is good: whole commands and annotations,
 * and every MULTI with its EXEC. The commands are found by `AofEntryReader`, as a server finds them when it loads;
 * where it stops, `diagnoseElement` finds the words.
 *
 * Lines are counted as redis-check-aof does: from 1, one for a count, two for an argument, none for an annotation,
 * and on from one file to the next.
 */
import { AofEntryReader } from '../../src/formats/aof-entry.js';
import type { InputFile } from '../support/input-file.js';
import { diagnoseElement, errorLine } from './element-diagnosis.js';

export interface ScanOptions {
	/** Where the commands begin: 0, or behind a preamble in RDB format. */
	readonly from: number;
	/** The count of lines so far. */
	readonly line: number;
	/** Shown in messages about transactions. */
	readonly path: string;
	/** Unix seconds: the scan ends at the first `#TS:` annotation beyond it. 0 for no limit. */
	readonly toTimestamp: number;
	/** Bytes from here on are known to be wrong, -1 for none: the scan ends before the command that has them. */
	readonly suspectFrom: number;
	/** What to say of them. */
	readonly suspectMessage: string;
	readonly onProgress: (position: number) => void;
}

/** A command and where it stands. */
export interface PlacedCommand {
	readonly position: number;
	readonly args: readonly string[];
}

export interface ScanResult {
	/** Everything before is good. The size of the file if all of it is. */
	readonly okUpTo: number;
	readonly line: number;
	/** What is wrong, with its position; '' for nothing, or nothing that redis-check-aof has words for. */
	readonly error: string;
	/** What stands behind the last good command is no command and no annotation. */
	readonly isForeign: boolean;
	/** The first byte that can't be right, -1 for none; the size of the file if it just ends early. */
	readonly firstBadPosition: number;
	/** The last command before that, null for none. */
	readonly commandBefore: PlacedCommand | null;
	/** Where an annotation beyond `toTimestamp` stands; -1 for none. */
	readonly timestampPosition: number;
	/** A `#TS:` line that holds no number. */
	readonly hasBadTimestamp: boolean;
}

const READ_BYTES = 1024 * 1024;

export function scanEntries(file: InputFile, options: ScanOptions): ScanResult {
	return new EntryScan(file, options).run();
}

class EntryScan {
	private readonly file: InputFile;
	private readonly options: ScanOptions;
	private readonly reader: AofEntryReader;
	private line: number;
	private okUpTo: number;
	private inGroup = false;
	private error = '';
	private isForeign = false;
	private firstBadPosition = -1;
	private commandBefore: PlacedCommand | null = null;
	private timestampPosition = -1;
	private hasBadTimestamp = false;
	/** Where the last read of redis-check-aof began. */
	private lastPosition: number;

	constructor(file: InputFile, options: ScanOptions) {
		this.file = file;
		this.options = options;
		this.line = options.line;
		this.okUpTo = options.from;
		this.lastPosition = options.from;
		this.reader = new AofEntryReader(options.from, READ_BYTES);
		this.reader.onAnnotation = (position, line) => this.annotation(position, line);
	}

	run(): ScanResult {
		const { reader, file, options } = this;
		let endBefore = options.from;
		for (;;) {
			const found = reader.next();
			if (this.timestampPosition >= 0 || this.hasBadTimestamp) break;
			if (found === 'more') {
				reader.reserve();
				const room = Math.min(reader.buffer.length - reader.fillAt, READ_BYTES);
				reader.filled(file.read(reader.buffer, reader.fillAt, room, reader.fillPosition));
				options.onProgress(reader.fillPosition);
				continue;
			}
			if (!this.inGroup) this.okUpTo = found === 'entry' ? reader.entryStart : reader.entryEnd;
			if (options.suspectFrom >= 0 && reader.entryEnd > options.suspectFrom) {
				this.suspect(endBefore);
				break;
			}
			if (found !== 'entry') {
				this.finish(found);
				break;
			}
			if (!this.entry()) break;
			endBefore = reader.entryEnd;
			if (!this.inGroup) this.okUpTo = endBefore;
		}
		const { okUpTo, line, error, isForeign, firstBadPosition, commandBefore } = this;
		const { timestampPosition, hasBadTimestamp } = this;
		return {
			okUpTo,
			line,
			error,
			isForeign,
			firstBadPosition,
			commandBefore,
			timestampPosition,
			hasBadTimestamp,
		};
	}

	/** Counts a command, and follows transactions; false if it may not stand there. */
	private entry(): boolean {
		const { reader } = this;
		const { args } = reader;
		const last = args.at(-1)!;
		const name = args[0]!;
		const isMulti = isName(name, 'multi');
		if (isMulti ? this.inGroup : isName(name, 'exec') && !this.inGroup) {
			const position = reader.entryStart + headerSize(args.length) + headerSize(name.length);
			this.error = errorLine(
				position,
				`Unexpected ${isMulti ? 'MULTI' : 'EXEC'} in AOF ${this.options.path}`,
			);
			this.firstBadPosition = reader.entryStart;
			this.line += 3;
			return false;
		}
		if (isMulti) this.inGroup = true;
		else if (this.inGroup && isName(name, 'exec')) this.inGroup = false;
		this.line += 1 + 2 * args.length;
		this.lastPosition = reader.entryEnd - 2 - last.length;
		this.commandBefore = { position: reader.entryStart, args };
		return true;
	}

	private annotation(position: number, line: string): void {
		this.lastPosition = position;
		const { toTimestamp } = this.options;
		if (toTimestamp === 0 || this.timestampPosition >= 0 || !line.startsWith('#TS:')) return;
		const match = /^\s*[+-]?\d+/.exec(line.slice(4));
		if (match === null || line[4 + match[0].length] !== '\r') this.hasBadTimestamp = true;
		else if (Number(match[0]) > toTimestamp) this.timestampPosition = position;
	}

	/** The reader has come to the end, or can't go on. */
	private finish(found: 'end' | 'truncated' | 'bad'): void {
		const { reader, file } = this;
		let { lastPosition } = this;
		if (found !== 'end') {
			const diagnosis = diagnoseElement(file, reader.entryEnd);
			this.error = diagnosis.error;
			this.isForeign = diagnosis.isForeign;
			this.line += diagnosis.lineCount;
			this.firstBadPosition = found === 'bad' ? reader.badPosition : file.size;
			lastPosition = diagnosis.position;
		}
		if (this.inGroup && this.error === '' && !this.isForeign) {
			this.error = errorLine(lastPosition, 'Reached EOF before reading EXEC for MULTI');
			if (this.firstBadPosition < 0) this.firstBadPosition = file.size;
		}
	}

	/** The command behind `endBefore` has bytes that are known to be wrong. */
	private suspect(endBefore: number): void {
		const { suspectFrom, suspectMessage } = this.options;
		if (!this.inGroup) this.okUpTo = endBefore;
		this.firstBadPosition = suspectFrom;
		this.error = errorLine(suspectFrom, suspectMessage);
	}
}

function isName(arg: string, name: string): boolean {
	return arg.length === name.length && arg.toLowerCase() === name;
}

/** Size of `*3\r\n`, or of `$3\r\n`. */
function headerSize(value: number): number {
	return 3 + String(value).length;
}
