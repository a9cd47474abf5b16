/**
 * Reading the log while it is written: from memory as long as the reader keeps up, else from the files, whatever their
 * number, and those of the history too.
 *
 * A reader gets the bytes up to `releaseOffset`: what is in the file, under `appendfsync always` what has been fsynced.
 * So nobody else ever holds, or shows, a write that this server could lose by the means its policy guards against.
 *
 * It is asked (`read`), and never pushes: who reads decides how much it takes, so one that is slow costs nothing but
 * a chunk of CHUNK_BYTES, and that only while it reads files. The file it reads stays open, and so readable, also when
 * the history is cut. What it can't go on from is the removal of the next one: then it fails, and says so.
 */
import { errorCode, errorText } from '../base/error-text.js';
import type { LogBuffer } from './log-buffer.js';
import { type ChainFile, fileAt } from './log-chain.js';
import type { LogFs } from './log-fs.js';

const CHUNK_BYTES = 256 * 1024;

/** What a reader reads: a log. Offsets are log positions in bytes. */
export interface ReadableLog {
	readonly fs: LogFs;
	readonly buffer: LogBuffer;
	/** Readers may have what is before it. */
	readonly readLimit: number;
	/** Increments when another past takes the place of the log's: nothing read before leads on to it. */
	readonly branch: number;
	/** The files of the log, from the oldest to the newest. */
	chain(): ChainFile[];
	/** Where the file that begins at `startOffset` ends: infinite before another has taken over, -1 if not known any more. */
	fileEnd(startOffset: number): number;
	/** There is nothing to read: `reader` is to be woken when there is. */
	wait(reader: LogReader): void;
	closed(reader: LogReader): void;
}

/** An open file. */
interface OpenFile {
	readonly fd: number;
	readonly startOffset: number;
	readonly prefixSize: number;
	/** Where it ends, as far as that was known when it was opened. */
	readonly endOffset: number;
}

export class LogReader {
	/** Called once after `read` returned null, when it is worth trying again: at the end of a turn, or failed. */
	onReadable: () => void = () => {};
	/** Log position of the byte that is read next. */
	offset: number;
	/** Why nothing more can be read; null when all is well. */
	failure: string | null = null;

	private readonly log: ReadableLog;
	private readonly branch: number;
	private file: OpenFile | null = null;
	/** Bytes read ahead from files: [chunkAt, chunkEnd) of `chunk` is what stands at `offset`. */
	private chunk: Buffer | null = null;
	private chunkAt = 0;
	private chunkEnd = 0;
	private reading = false;
	private isClosed = false;

	/** Use `AppendLog.readFrom`. */
	constructor(log: ReadableLog, offset: number) {
		this.log = log;
		this.branch = log.branch;
		this.offset = offset;
	}

	/** Whether everything has been read that may be. */
	get isCaughtUp(): boolean {
		return this.offset >= this.log.readLimit;
	}

	/**
	 * The next bytes, at most `sizeMax`, or null if there are none now: see `onReadable` and `failure`. They belong to the
	 * caller. They may begin and end anywhere, also within an entry.
	 */
	read(sizeMax: number): Buffer | null {
		if (this.isClosed || this.reading || this.failure !== null) return null;
		const { log } = this;
		if (log.branch !== this.branch) return this.fail('the log has been replaced by that of a master');
		if (this.chunkAt < this.chunkEnd) return this.takeChunk(sizeMax);
		const limit = log.readLimit;
		if (this.offset >= limit) {
			this.closeFile();
			log.wait(this);
			return null;
		}
		if (this.offset >= log.buffer.heldOffset) {
			this.closeFile();
			return this.readMemory(Math.min(limit, this.offset + sizeMax));
		}
		this.readFile(limit);
		return null;
	}

	/** Gives everything up; `onReadable` is not called any more. */
	close(): void {
		if (this.isClosed) return;
		this.isClosed = true;
		this.log.closed(this);
		if (!this.reading) this.closeFile();
	}

	private readMemory(to: number): Buffer {
		const { buffer } = this.log;
		// A copy: the memory is used again when the ring has moved on, and the caller's socket may be slow.
		const bytes = Buffer.allocUnsafe(to - this.offset);
		for (let at = 0; at < bytes.length; at += buffer.chunkSize) {
			buffer.seek(this.offset + at, to);
			buffer.chunk.copy(bytes, at, buffer.chunkAt, buffer.chunkAt + buffer.chunkSize);
		}
		this.offset = to;
		return bytes;
	}

	private takeChunk(sizeMax: number): Buffer {
		const chunk = this.chunk!;
		const size = Math.min(sizeMax, this.chunkEnd - this.chunkAt);
		const bytes = chunk.subarray(this.chunkAt, this.chunkAt + size);
		this.chunkAt += size;
		this.offset += size;
		if (this.chunkAt === this.chunkEnd) this.chunk = null;
		return bytes;
	}

	/** Reads a chunk of the file that holds `offset`, on the thread pool. */
	private readFile(limit: number): void {
		const { log } = this;
		let { file } = this;
		if (file !== null && this.offset >= this.endOf(file)) {
			this.closeFile();
			file = null;
		}
		file ??= this.openFile();
		if (file === null) return;
		const size = Math.min(CHUNK_BYTES, limit - this.offset, this.endOf(file) - this.offset);
		const chunk = Buffer.allocUnsafeSlow(size);
		const position = this.offset - file.startOffset + file.prefixSize;
		this.reading = true;
		log.fs.read(file.fd, chunk, 0, size, position, (error, count) => {
			this.reading = false;
			if (this.isClosed) {
				this.closeFile();
				return;
			}
			if (error !== null) this.fail(`a file of the log can't be read: ${errorText(error)}`);
			else if (count === 0) {
				// Cut meanwhile, behind a failure of the disk: then the next file has these bytes.
				if (this.offset < this.endOf(file)) this.fail('a file of the log ends early');
			} else {
				this.chunk = chunk;
				this.chunkAt = 0;
				this.chunkEnd = count;
			}
			this.onReadable();
		});
	}

	private endOf(file: OpenFile): number {
		if (Number.isFinite(file.endOffset)) return file.endOffset;
		const endOffset = this.log.fileEnd(file.startOffset);
		if (endOffset >= 0) return endOffset;
		return file.startOffset + this.log.fs.fileSizeSync(file.fd) - file.prefixSize;
	}

	private openFile(): OpenFile | null {
		const { log } = this;
		const found = fileAt(log.chain(), this.offset);
		if (found === undefined) return this.fail(`the log before offset ${this.offset + 1} has been removed`);
		const { path, startOffset, endOffset, prefixSize } = found;
		try {
			this.file = { fd: log.fs.openSync(path, 'r'), startOffset, endOffset, prefixSize };
			return this.file;
		} catch (error) {
			if (errorCode(error) === '') throw error;
			return this.fail(`a file of the log can't be opened: ${errorText(error)}`);
		}
	}

	private closeFile(): void {
		if (this.file === null) return;
		this.log.fs.closeSync(this.file.fd);
		this.file = null;
	}

	private fail(reason: string): null {
		this.failure = reason;
		this.chunk = null;
		this.chunkAt = 0;
		this.chunkEnd = 0;
		if (!this.reading) this.closeFile();
		return null;
	}
}
