/** The readers of a log: which parts of it can be read, and who waits for more. */

import type { LogBuffer } from './log-buffer.js';
import type { ChainFile } from './log-chain.js';
import { fileAt, logChain } from './log-chain.js';
import type { LogFolder } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import { isOfLineage } from './log-lineage.js';
import { LogReader, type ReadableLog } from './log-reader.js';
import type { LogWriter } from './log-writer.js';

export class LogReaders implements ReadableLog {
	branch = 0;

	private readonly writer: LogWriter;
	private readonly folderNow: () => LogFolder;
	private waiting = new Set<LogReader>();

	/** `folderNow` is where the files of the log are. */
	constructor(writer: LogWriter, folderNow: () => LogFolder) {
		this.writer = writer;
		this.folderNow = folderNow;
	}

	get fs(): LogFs {
		return this.folderNow().fs;
	}

	get buffer(): LogBuffer {
		return this.writer.buffer;
	}

	get readLimit(): number {
		return this.writer.releaseOffset;
	}

	chain(): ChainFile[] {
		const { file } = this.writer;
		if (file === null) return [];
		const folder = this.folderNow();
		const { lineage } = folder;
		return logChain(folder, file.info, (replid) => lineage !== null && isOfLineage(lineage, replid));
	}

	fileEnd(startOffset: number): number {
		const { file } = this.writer;
		if (file?.info.startOffset === startOffset) return Number.POSITIVE_INFINITY;
		const placed = this.folderNow().manifest.incrementals.filter((info) => info.startOffset >= 0);
		const index = placed.findLastIndex((info) => info.startOffset === startOffset);
		const next = placed[index + 1];
		if (index >= 0 && next !== undefined) return next.startOffset;
		return this.chain().find((other) => other.startOffset === startOffset)?.endOffset ?? -1;
	}

	/** Keeps at least the last `bytes` bytes in memory, from now on; 0 ends that. */
	setRing(bytes: number): void {
		this.buffer.setRing(bytes);
	}

	/** Of the ring: its size, 0 for none, and how many of the last bytes of the log it has. */
	get ring(): { readonly sizeBytes: number; readonly heldBytes: number } {
		const { ringBytes, endOffset, heldOffset } = this.buffer;
		return { sizeBytes: ringBytes, heldBytes: Math.min(ringBytes, endOffset - heldOffset) };
	}

	/** The log position of the first byte that can be read; those behind it can be, too. */
	oldestOffset(): number {
		return Math.min(this.buffer.heldOffset, this.chain()[0]?.startOffset ?? Number.POSITIVE_INFINITY);
	}

	/** A reader that begins at `offset`; null if what stands there is not kept, or not written yet. */
	open(offset: number): LogReader | null {
		if (offset < 0 || offset > this.buffer.endOffset) return null;
		const isThere = offset >= this.buffer.heldOffset || fileAt(this.chain(), offset) !== undefined;
		return isThere ? new LogReader(this, offset) : null;
	}

	wait(reader: LogReader): void {
		this.waiting.add(reader);
	}

	closed(reader: LogReader): void {
		this.waiting.delete(reader);
	}

	/** More may be read than before: tells those who wait for it. */
	wake(): void {
		if (this.waiting.size === 0) return;
		const { readLimit } = this;
		for (const reader of [...this.waiting]) {
			if (reader.offset >= readLimit) continue;
			this.waiting.delete(reader);
			reader.onReadable();
		}
	}

	/** Another past takes the place of the log's: all readers fail. */
	replaced(): void {
		this.branch++;
		const { waiting } = this;
		this.waiting = new Set();
		for (const reader of waiting) reader.onReadable();
	}
}
