/**
 * The catalog's part of the serving path: a running CRC over what is written to the newest file, and where its blocks
 * end. A block ends with 64 KB, or when it is a second old; and at the end of a flush when it has half its size, or did
 * not begin where an entry does, so that most blocks can be read by themselves.
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../base/env.js';
import type { AofFileInfo } from '../formats/aof-manifest.js';
import { BLOCK_BYTES_MAX, type CatalogBlock, type CatalogFile } from './catalog-record.js';

const BLOCK_AGE_MS_MAX = 1000;
const WELCOME_BYTES = BLOCK_BYTES_MAX / 2;
/** A call of `crc32` takes as long as copying some 2 KB (measured on Node 20): so much is gathered first. */
const SMALL_BYTES_MAX = 2 * 1024;
const SMALL_BUFFER_BYTES = 8 * 1024;

/** A file of the log as the catalog follows it. */
export interface TrackedFile {
	/** Its line of the manifest; another one when it is moved. */
	info: AofFileInfo;
	/** Its record, once it has one. */
	record: CatalogFile | null;
}

/** A block without the number of its file, which may not be known yet. */
export interface FinishedBlock extends Omit<CatalogBlock, 'fileId'> {
	readonly file: TrackedFile;
}

export class BlockTracker {
	/** Finished, and not taken yet. */
	private finished: FinishedBlock[] = [];
	private readonly clock: Clock;
	private file: TrackedFile | null = null;
	/** The block under way: `size` 0 before its first byte. */
	private offset = 0;
	private position = 0;
	private size = 0;
	private crc = 0;
	private timeMs = 0;
	/** Bytes that `crc` does not contain yet: `smallSize` bytes of `small`. */
	private readonly small = Buffer.allocUnsafeSlow(SMALL_BUFFER_BYTES);
	private smallSize = 0;
	/** As in CatalogBlock. */
	private db = -1;
	/** The database selected behind what was written last, if an entry ends there; else -1. */
	private endDb = -1;

	constructor(clock: Clock) {
		this.clock = clock;
	}

	/** The file that is followed, and how far; null for none. */
	get current(): TrackedFile | null {
		return this.file;
	}

	/** Log position behind the last byte that was written. */
	get endOffset(): number {
		return this.offset + this.size;
	}

	/** Follows `file` from log position `offset` on, where an entry begins and `db` is selected. */
	begin(file: TrackedFile, offset: number, db: number): void {
		this.cut();
		this.file = file;
		this.offset = offset;
		this.position = offset - file.info.startOffset + file.info.prefixSize;
		this.db = db;
		this.endDb = db;
	}

	/** Bytes [from, to) of `chunk` are in the file. */
	wrote(chunk: Buffer, from: number, to: number): void {
		if (this.file === null) return;
		let at = from;
		this.endDb = -1;
		while (at < to) {
			const size = Math.min(to - at, BLOCK_BYTES_MAX - this.size);
			if (this.size === 0) this.timeMs = this.clock.nowMs();
			if (size <= SMALL_BYTES_MAX) {
				if (this.smallSize + size > SMALL_BUFFER_BYTES) this.countSmall();
				this.smallSize += chunk.copy(this.small, this.smallSize, at, at + size);
			} else {
				this.countSmall();
				this.crc = crc32(chunk.subarray(at, at + size), this.crc);
			}
			this.size += size;
			at += size;
			if (this.size === BLOCK_BYTES_MAX) this.cut();
		}
	}

	/** An entry ends with what was written last. */
	entriesEnd(db: number): void {
		this.endDb = db;
		if (this.size === 0) this.db = db;
		else if (this.db < 0 || this.size >= WELCOME_BYTES) this.cut();
	}

	/** Ends a block that is old enough. To be called several times a second. */
	tick(nowMs: number): void {
		if (this.size > 0 && nowMs - this.timeMs >= BLOCK_AGE_MS_MAX) this.cut();
	}

	/** Takes the bytes that were put aside into the CRC. */
	private countSmall(): void {
		if (this.smallSize === 0) return;
		this.crc = crc32(this.small.subarray(0, this.smallSize), this.crc);
		this.smallSize = 0;
	}

	/** Ends the block under way. */
	cut(): void {
		const { file, offset, position, size, timeMs, db } = this;
		if (file === null || size === 0) return;
		this.countSmall();
		this.finished.push({ file, offset, position, size, timeMs, timeEstimated: false, crc32: this.crc, db });
		this.offset += size;
		this.position += size;
		this.size = 0;
		this.crc = 0;
		this.db = this.endDb;
	}

	/** Follows no file any more. */
	stop(): void {
		this.cut();
		this.file = null;
	}

	/** The finished blocks, which are forgotten here. */
	take(): FinishedBlock[] {
		const { finished } = this;
		if (finished.length > 0) this.finished = [];
		return finished;
	}

	/** `file`, which is not followed any more, has been cut at `offset`: forgets the blocks that go beyond. */
	dropBehind(file: TrackedFile, offset: number): void {
		this.finished = this.finished.filter(
			(block) => block.file !== file || block.offset + block.size <= offset,
		);
	}
}
