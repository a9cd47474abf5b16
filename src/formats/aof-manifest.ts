/**
 * The manifest of a multi-part append-only file: which files make up the log, in which order.
 *
 * One line of text for each file, fields separated by blanks, in pairs of key and value:
 *
 *     file appendonly.aof.2.base.rdb seq 2 type b
 *     file appendonly.aof.1.incr.aof seq 1 type h
 *     file appendonly.aof.2.incr.aof seq 2 type i
 *
 * `type` is b (base, at most one), h (history: already contained in the base, to be removed) or i (incremental, in
 * strictly rising `seq`). A name that has blanks, quotes or unprintable bytes is written in double quotes with
 * Redis's escapes. A line starting with `#` is a comment. Keys are compared without regard to case, and unknown ones
 * are allowed (Redis 7.0 and 7.2 skip them): we keep them.
 *
 * Log positions stand in a comment at the end, so that the lines are exactly Redis's:
 *
 *     #offsets @<replid> <seq>:<offset> <seq>:<offset>+<prefix> … end
 *
 * One item for each line above, in their order, with its `seq` (a comment that does not fit the lines is ignored):
 * the log position of the first byte of the file behind its prefix, for a base the position whose dataset it holds, `-`
 * where it is not known (the file begins where the one before ends). `+N`: the first N bytes of the file (a SELECT, so that the file can be loaded by itself) are not
 * part of the log. `@X`: the replication ID under which the offsets of the items behind it count. Behind the items of the
 * lines may stand those of the whole log (`LogLineage`): `id:<replid>`, `id2:<replid>:<offset>`, any number of
 * `was:<replid>:<offset>`, `copy`, `clean:<offset>`.
 *
 * The comment ends with the file, without a newline. Redis reads lines in pieces of 1024 bytes and decides on each
 * piece by its first byte whether it is a comment; so in a longer one every 1024th byte is a `#` of that kind. Verified
 * with redis-server and redis-check-aof 7.2.6 and 7.0.15. Redis writes the manifest without the comment.
 *
 * Until these had their place in the comment they were pairs of an `i` line, which are still read: `startoffset`,
 * `prefix`, `replid`.
 *
 * Source of the format and of the messages: Redis 7.2.6, aof.c.
 */
import { quoteRepr, splitArgs } from '../base/quote.js';

/** b: base; h: history; i: incremental. */
export type AofFileType = 'b' | 'h' | 'i';

/** One line of the manifest. */
export interface AofFileInfo {
	/** Name within the folder of the log, a byte string. */
	readonly name: string;
	/** Sequence number, at least 1 in files that we write. */
	readonly seq: number;
	readonly type: AofFileType;
	/**
	 * Log position of the first byte behind the prefix, of a base that of the dataset in it; -1 when the manifest does
	 * not say.
	 */
	readonly startOffset: number;
	/** Bytes at the start of the file that are not part of the log. */
	readonly prefixSize: number;
	/** 40 hexadecimal digits, or '' when the manifest does not say. */
	readonly replid: string;
	/** Pairs we do not know, kept as they were. */
	readonly extra: readonly (readonly [key: string, value: string])[];
}

export interface EarlierId {
	readonly replid: string;
	readonly offset: number;
}

/**
 * Under which replication IDs the offsets of a log count. An ID and an offset together say which bytes are before it: the
 * same on every server.
 */
export interface LogLineage {
	/** The present ID, 40 hexadecimal digits. */
	readonly replid: string;
	/** The ID before, '' for none. It stands for the same bytes as `replid` up to `secondOffset`, and no further. */
	readonly replid2: string;
	/** A log position in bytes; -1 without `replid2`. */
	readonly secondOffset: number;
	/** The IDs before those, the newest first, each with the log position up to which it stands for the same bytes. */
	readonly earlier: readonly EarlierId[];
	/** Whether it is (or was, when that was written) the log of a replica: a copy of its master's. */
	readonly isCopy: boolean;
	/** Where the log ended when it was closed in order; -1 while it is written, so also behind a crash. */
	readonly cleanOffset: number;
}

export interface AofManifest {
	/** Undefined when the manifest does not say. */
	readonly lineage?: LogLineage;
	readonly base: AofFileInfo | null;
	readonly history: readonly AofFileInfo[];
	readonly incrementals: readonly AofFileInfo[];
}

export const EMPTY_MANIFEST: AofManifest = { base: null, history: [], incrementals: [] };

export interface ManifestError {
	/** Number of the line that could not be read, from 1; 0 for an empty manifest. */
	readonly lineNumber: number;
	/** The line, trimmed; null where Redis shows none. */
	readonly line: string | null;
	/** Redis's wording. */
	readonly message: string;
}

/** The longest line Redis reads, its newline included. */
const LINE_BYTES_MAX = 1024;

const OFFSETS_MARK = '#offsets';

const INVALID_FORMAT = 'Invalid AOF manifest file format';

/** A line of the manifest with no extra pairs. */
export function aofFile(
	name: string,
	seq: number,
	type: AofFileType,
	startOffset = -1,
	prefixSize = 0,
	replid = '',
): AofFileInfo {
	return { name, seq, type, startOffset, prefixSize, replid, extra: [] };
}

export function baseFileName(appendFileName: string, seq: number, format: 'aof' | 'rdb'): string {
	return `${appendFileName}.${seq}.base.${format}`;
}

export function incrementalFileName(appendFileName: string, seq: number): string {
	return `${appendFileName}.${seq}.incr.aof`;
}

export function manifestFileName(appendFileName: string): string {
	return `${appendFileName}.manifest`;
}

/** Whether a file is, or was, a base in AOF format, by its name. */
export function isAofFormatBase(file: AofFileInfo): boolean {
	return file.name.endsWith('.base.aof');
}

/** Sequence number of the newest base in use, 0 when there is none. */
export function lastBaseSeq(manifest: AofManifest): number {
	return manifest.base?.seq ?? 0;
}

/** The highest sequence number of an incremental file in use, 0 when there is none. */
export function lastIncrementalSeq(manifest: AofManifest): number {
	return manifest.incrementals.at(-1)?.seq ?? 0;
}

/** The files that make up the dataset, in the order they are loaded. */
export function filesToLoad(manifest: AofManifest): AofFileInfo[] {
	return manifest.base === null ? [...manifest.incrementals] : [manifest.base, ...manifest.incrementals];
}

/** The text of a manifest, lines in Redis's order: base, history, incrementals. */
export function formatAofManifest(manifest: AofManifest): string {
	const files = allFiles(manifest);
	let text = '';
	for (const file of files) text += formatLine(file);
	return text + formatOffsets(files, manifest.lineage);
}

function allFiles(manifest: AofManifest): AofFileInfo[] {
	const { base, history, incrementals } = manifest;
	return [...(base === null ? [] : [base]), ...history, ...incrementals];
}

function formatLine(file: AofFileInfo): string {
	let line = `file ${quoteIfNeeded(file.name)} seq ${file.seq} type ${file.type}`;
	for (const [key, value] of file.extra) line += ` ${quoteIfNeeded(key)} ${quoteIfNeeded(value)}`;
	return line + '\n';
}

/** The comment with the offsets; nothing where none is known. */
function formatOffsets(files: readonly AofFileInfo[], lineage: LogLineage | undefined): string {
	if (lineage === undefined && files.every((file) => file.startOffset < 0 && file.replid === '')) return '';
	let items = OFFSETS_MARK;
	let replid = '';
	for (const file of files) {
		if (file.replid !== '' && file.replid !== replid) {
			replid = file.replid;
			items += ` @${replid}`;
		}
		items += ` ${file.seq}:${file.startOffset < 0 ? '-' : file.startOffset}`;
		if (file.prefixSize > 0) items += `+${file.prefixSize}`;
	}
	if (lineage !== undefined) {
		const { replid2, secondOffset, earlier, cleanOffset } = lineage;
		items += ` id:${lineage.replid}`;
		if (replid2 !== '') items += ` id2:${replid2}:${secondOffset}`;
		for (const { replid, offset } of earlier) items += ` was:${replid}:${offset}`;
		if (lineage.isCopy) items += ' copy';
		if (cleanOffset >= 0) items += ` clean:${cleanOffset}`;
	}
	items += ' end';
	let text = items.slice(0, LINE_BYTES_MAX);
	for (let at = LINE_BYTES_MAX; at < items.length; at += LINE_BYTES_MAX - 1)
		text += '#' + items.slice(at, at + LINE_BYTES_MAX - 1);
	return text;
}

/** What the comment says. */
interface Offsets {
	readonly files: readonly AofFileInfo[];
	readonly lineage: LogLineage | undefined;
}

/** The files with what the comment says of them; as they are if it does not fit them. */
function withOffsets(files: readonly AofFileInfo[], comment: string): Offsets {
	const unknown: Offsets = { files, lineage: undefined };
	const result: AofFileInfo[] = [];
	let replid = '';
	const items = comment.slice(OFFSETS_MARK.length).trim().split(' ');
	if (items.pop() !== 'end') return unknown;
	const firstOfLog = items.findIndex((item) => item.startsWith('id:'));
	const ofLog = firstOfLog < 0 ? [] : items.splice(firstOfLog);
	for (const item of items) {
		if (item.startsWith('@')) {
			replid = item.slice(1);
			continue;
		}
		const match = /^(\d+):(-|\d{1,16})(?:\+(\d{1,9}))?$/.exec(item);
		const file = files[result.length];
		if (match === null || file === undefined || file.seq !== Number(match[1])) return unknown;
		const startOffset = match[2] === '-' ? -1 : Number(match[2]);
		if (!Number.isSafeInteger(startOffset)) return unknown;
		const prefixSize = Number(match[3] ?? 0);
		result.push({ ...file, startOffset, prefixSize, replid });
	}
	return result.length === files.length ? { files: result, lineage: readLineage(ofLog) } : unknown;
}

function readLineage(items: readonly string[]): LogLineage | undefined {
	let lineage: LogLineage = {
		replid: '',
		replid2: '',
		secondOffset: -1,
		earlier: [],
		isCopy: false,
		cleanOffset: -1,
	};
	for (const item of items) {
		if (item === 'copy') {
			lineage = { ...lineage, isCopy: true };
			continue;
		}
		const match = /^(id2?|was|clean):([0-9a-f]{1,40})(?::(\d{1,16}))?$/.exec(item);
		if (match === null) return undefined;
		const value = match[2]!;
		const offset = Number(match[3] ?? -1);
		if (match[1] === 'id') lineage = { ...lineage, replid: value };
		else if (match[1] === 'id2') lineage = { ...lineage, replid2: value, secondOffset: offset };
		else if (match[1] === 'was')
			lineage = { ...lineage, earlier: [...lineage.earlier, { replid: value, offset }] };
		else lineage = { ...lineage, cleanOffset: Number(value) };
	}
	const { replid, secondOffset, cleanOffset } = lineage;
	return replid !== '' && Number.isSafeInteger(secondOffset) && Number.isSafeInteger(cleanOffset)
		? lineage
		: undefined;
}

function quoteIfNeeded(text: string): string {
	return text === '' || /[^\x21-\x7e]|["'\\]/.test(text) ? quoteRepr(text) : text;
}

/** Reads the text of a manifest. */
export function parseAofManifest(text: string): AofManifest | ManifestError {
	if (text === '') return { lineNumber: 0, line: null, message: 'Found an empty AOF manifest' };
	const files: AofFileInfo[] = [];
	let hasBase = false;
	let comment = '';
	/** Whether the piece before was a part of `comment`, and the line goes on. */
	let inComment = false;
	let seqMax = 0;
	let lineNumber = 0;
	let at = 0;
	while (at < text.length) {
		lineNumber++;
		const newline = text.indexOf('\n', at);
		const complete = newline >= 0 && newline - at < LINE_BYTES_MAX;
		const end = complete ? newline + 1 : Math.min(text.length, at + LINE_BYTES_MAX);
		const raw = text.slice(at, end);
		at = end;
		if (raw.startsWith('#')) {
			if (inComment) comment += raw.slice(1);
			else if (raw.startsWith(OFFSETS_MARK)) comment = raw;
			inComment = !complete && (inComment || raw.startsWith(OFFSETS_MARK));
			continue;
		}
		inComment = false;
		if (!complete) {
			return { lineNumber, line: null, message: 'The AOF manifest file contains too long line' };
		}
		const line = raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
		const file = parseLine(line);
		if (typeof file === 'string') return { lineNumber, line, message: file };
		if (file.type === 'b') {
			if (hasBase) return { lineNumber, line, message: 'Found duplicate base file information' };
			hasBase = true;
		} else if (file.type === 'i') {
			if (file.seq <= seqMax) {
				return { lineNumber, line, message: 'Found a non-monotonic sequence number' };
			}
			seqMax = file.seq;
		}
		files.push(file);
	}
	const { files: known, lineage } =
		comment === '' ? { files, lineage: undefined } : withOffsets(files, comment);
	return {
		...(lineage === undefined ? {} : { lineage }),
		base: known.find((file) => file.type === 'b') ?? null,
		history: known.filter((file) => file.type === 'h'),
		incrementals: known.filter((file) => file.type === 'i'),
	};
}

/**
 * The manifest with the offsets of all incremental files: one that is not known begins where the file before ends, or
 * where the base does. `sizeOf` gives the size of a file in bytes by its name.
 */
export function resolveOffsets(manifest: AofManifest, sizeOf: (name: string) => number): AofManifest {
	let offset = Math.max(0, manifest.base?.startOffset ?? 0);
	let replid = manifest.base?.replid ?? '';
	const incrementals = manifest.incrementals.map((file, i) => {
		if (file.replid !== '') replid = file.replid;
		const startOffset = file.startOffset < 0 ? offset : file.startOffset;
		// The size of the last one is nobody's start.
		if (i + 1 < manifest.incrementals.length) offset = startOffset + sizeOf(file.name) - file.prefixSize;
		return { ...file, startOffset, replid };
	});
	return { ...manifest, incrementals };
}

export function isManifestError(result: AofManifest | ManifestError): result is ManifestError {
	return 'message' in result;
}

/** The lines that Redis logs (as warnings) for a manifest it can't read. */
export function manifestErrorLines(error: ManifestError): string[] {
	const lines = ['\n*** FATAL AOF MANIFEST FILE ERROR ***\n'];
	if (error.line !== null) {
		lines.push(`Reading the manifest file, at line ${error.lineNumber}\n`, `>>> '${error.line}'\n`);
	}
	lines.push(error.message + '\n');
	return lines;
}

/** One line, or Redis's message for what is wrong with it. */
function parseLine(line: string): AofFileInfo | string {
	const words = line === '' ? null : splitArgs(line);
	if (words === null || words.length < 6 || words.length % 2 !== 0) return INVALID_FORMAT;
	let name: string | null = null;
	let seq = 0;
	let type = '';
	let startOffset = -1;
	let prefixSize = 0;
	let replid = '';
	const extra: [string, string][] = [];
	for (let i = 0; i < words.length; i += 2) {
		const key = words[i]!;
		const value = words[i + 1]!;
		switch (key.toLowerCase()) {
			case 'file':
				if (!isBaseName(value)) return "File can't be a path, just a filename";
				name = value;
				break;
			case 'seq':
				seq = leadingInteger(value);
				break;
			case 'type':
				type = value.charAt(0);
				break;
			case 'startoffset':
				if (!isOffset(value)) return INVALID_FORMAT;
				startOffset = Number(value);
				break;
			case 'prefix':
				if (!isOffset(value)) return INVALID_FORMAT;
				prefixSize = Number(value);
				break;
			case 'replid':
				replid = value;
				break;
			default:
				extra.push([key, value]);
		}
	}
	if (name === null || seq === 0 || type === '') return INVALID_FORMAT;
	if (type !== 'b' && type !== 'h' && type !== 'i') return 'Unknown AOF file type';
	return { name, seq, type, startOffset, prefixSize, replid, extra };
}

/** A name that stays within the folder. Redis checks for the separators only; the others can't be files. */
function isBaseName(name: string): boolean {
	return !/[/\\]/.test(name) && name !== '' && name !== '.' && name !== '..' && !name.includes('\0');
}

/** As C's atoll: the integer that the text starts with, 0 when it starts with none. */
function leadingInteger(text: string): number {
	const value = Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
	return Number.isSafeInteger(value) ? value : 0;
}

function isOffset(text: string): boolean {
	return /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text));
}
