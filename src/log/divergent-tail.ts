/**
 * The end of a log that a server is about to lose: it was a master, has become a replica, and its new master never had
 * what came last. Before the full resync replaces it, it is written to `divergent-<replid>-<offset>.aof` in the server's
 * working folder: an AOF file by itself, which the tools can check and replay, and a person can look through.
 *
 * It begins with the SELECT of the database that the first entry applies to, if that is not 0. It is durable, or there
 * is none.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { AofEntryReader, aofEntryBytes } from '../formats/aof-entry.js';
import { removeIfThere, runSteps, syncFileSteps, syncFolderSteps, writeAll } from './durable-steps.js';
import { type ChainFile, fileAt } from './log-chain.js';
import type { LogFs } from './log-fs.js';
import type { LogReader } from './log-reader.js';
import type { ReplicatedLog } from './replicated-log.js';

const CHUNK_BYTES = 256 * 1024;

export interface TailOptions {
	readonly log: ReplicatedLog;
	readonly fs: LogFs;
	readonly logger: Logger;
	/** The folder that the file is written to. */
	readonly folder: string;
	/** The history that the tail belongs to. */
	readonly replid: string;
	/** The last log position that the new master has, where an entry begins. */
	readonly fromOffset: number;
}

export type TailResult =
	/** The tail [fromOffset, end) of the log stands in a file of that name. */
	| { readonly kind: 'saved'; readonly name: string; readonly fromOffset: number }
	/** There is no tail, or none of it is kept. */
	| { readonly kind: 'none' }
	/** Logged already. */
	| { readonly kind: 'failed'; readonly message: string };

/**
 * Writes what is in the log behind `fromOffset`, or as much of its end as is kept. Nothing may be appended meanwhile. Says
 * in the server's log what has been done. Never rejects.
 */
export async function saveDivergentTail(options: TailOptions): Promise<TailResult> {
	const { log, logger, fs, folder, replid } = options;
	if (!log.flushNow() || options.fromOffset >= log.endOffset) return { kind: 'none' };
	const oldest = log.readers.oldestOffset();
	const fromOffset = Math.max(options.fromOffset, oldest);
	const size = log.endOffset - fromOffset;
	if (size === 0) {
		logger.log(
			'warning',
			`The log behind offset ${options.fromOffset}, which the new master does not have, is not kept`,
		);
		return { kind: 'none' };
	}
	const name = `divergent-${replid}-${fromOffset}.aof`;
	try {
		await writeTail(options, fromOffset, `temp-${name}`);
		fs.renameSync(`${folder}/temp-${name}`, `${folder}/${name}`);
		await runSteps(fs, syncFolderSteps(folder));
	} catch (error) {
		removeIfThere(fs, `${folder}/temp-${name}`);
		const message = `Can't save the end of the log, which the new master does not have: ${errorText(error)}`;
		logger.log('warning', message);
		return { kind: 'failed', message };
	}
	const missing =
		fromOffset > options.fromOffset ? `, the ${fromOffset - options.fromOffset} before are not kept` : '';
	logger.log(
		'warning',
		`The new master does not have the end of this server's log, which is given up: ${size} bytes behind offset ` +
			`${fromOffset} are saved in ${name}${missing}`,
	);
	return { kind: 'saved', name, fromOffset };
}

async function writeTail(options: TailOptions, fromOffset: number, tempName: string): Promise<void> {
	const { log, fs, folder } = options;
	const db = await databaseAt(log, fs, fromOffset);
	const reader = openReader(log, fromOffset);
	const fd = fs.openSync(`${folder}/${tempName}`, 'w');
	try {
		let position = 0;
		const write = async (bytes: Buffer): Promise<void> => {
			await writeAll(fs, fd, bytes, position);
			position += bytes.length;
		};
		if (db > 0) await write(aofEntryBytes(['SELECT', String(db)]));
		const end = log.endOffset;
		while (reader.offset < end) await write(await nextBytes(reader, end));
		await runSteps(fs, syncFileSteps(fd));
	} finally {
		reader.close();
		fs.closeSync(fd);
	}
}

/** The database that is selected at `offset`, as the file tells that holds it; 0 where there is none. */
async function databaseAt(log: ReplicatedLog, fs: LogFs, offset: number): Promise<number> {
	const file = fileAt(log.readers.chain(), offset);
	if (file === undefined) return 0;
	let db = prefixDb(fs, file);
	const reader = openReader(log, file.startOffset);
	const entries = new AofEntryReader(file.startOffset);
	try {
		while (entries.entryEnd < offset) {
			const found = entries.next();
			if (found === 'entry') {
				if (isSelect(entries.args)) db = Number(entries.args[1]);
			} else if (found === 'more') {
				entries.reserve();
				const room = entries.buffer.length - entries.fillAt;
				const bytes = await nextBytes(reader, Math.min(offset, reader.offset + room));
				bytes.copy(entries.buffer, entries.fillAt);
				entries.filled(bytes.length);
			} else throw new Error(`the log can't be read at offset ${entries.entryEnd}`);
		}
	} finally {
		reader.close();
	}
	if (entries.entryEnd !== offset) throw new Error(`no entry begins at offset ${offset}`);
	return db;
}

/** The database that the prefix of a file selects. */
function prefixDb(fs: LogFs, { path, prefixSize }: ChainFile): number {
	if (prefixSize === 0) return 0;
	const fd = fs.openSync(path, 'r');
	try {
		const entries = new AofEntryReader(0, prefixSize);
		entries.filled(fs.readSync(fd, entries.buffer, 0, prefixSize, 0));
		return entries.next() === 'entry' && isSelect(entries.args) ? Number(entries.args[1]) : 0;
	} finally {
		fs.closeSync(fd);
	}
}

function isSelect(args: readonly string[]): boolean {
	return args.length === 2 && args[0]!.toUpperCase() === 'SELECT';
}

function openReader(log: ReplicatedLog, offset: number): LogReader {
	const reader = log.readers.open(offset);
	if (reader === null) throw new Error(`the log before offset ${offset + 1} has been removed`);
	return reader;
}

/** At least a byte of what stands before `end`. */
async function nextBytes(reader: LogReader, end: number): Promise<Buffer> {
	for (;;) {
		const bytes = reader.read(Math.min(CHUNK_BYTES, end - reader.offset));
		if (bytes !== null) return bytes;
		if (reader.failure !== null) throw new Error(reader.failure);
		await new Promise<void>((resolve) => {
			reader.onReadable = resolve;
		});
	}
}
