/**
 * The end of the log in memory: what has been appended and must still be written, and what has been written and may
 * have to be written again because no fsync has confirmed it yet.
 *
 * The bytes stand in segments of a fixed size, one after the other, and never move: a segment can be handed to the
 * thread pool while more is appended behind, and nothing is copied when bytes pass from "to be written" to "kept until
 * the fsync". An entry may lie across segments.
 *
 * With a ring (`setRing`), as many of the last bytes as it has stay here for readers of the log, whether they have to be
 * written again or not.
 */
import { aofEntrySize, writeAofEntry, writeAofHeader } from '../formats/aof-entry.js';

export const SEGMENT_BYTES = 256 * 1024;
const FREE_SEGMENTS_MAX = 16;
const STAR = 42;
const DOLLAR = 36;
/** Below this, copying byte by byte is faster than a call into native code (both measured on Node 20). */
const COPY_LOOP_BYTES_MAX = 24;

export class LogBuffer {
	/** Log position behind the last byte appended. */
	endOffset: number;
	/** Log position of the first byte that may have to be written (again). */
	startOffset: number;
	/** Bytes behind which the ring forgets; 0 without one. */
	ringBytes = 0;
	/** The bytes that `seek` found: `chunkSize` bytes of `chunk` from `chunkAt` on. */
	chunk: Buffer;
	chunkAt = 0;
	chunkSize = 0;

	/** The segment being filled, and how far. */
	private active: Buffer;
	private at = 0;
	/** Log position of byte 0 of the active segment. */
	private activeOffset: number;
	/** Full segments, oldest first; the i-th starts `(full.length - i) * SEGMENT_BYTES` before the active one. */
	private full: Buffer[] = [];
	private free: Buffer[] = [];
	/** Log position of the first byte that the ring has; not used without one. */
	private ringOffset = 0;
	/** The thread pool may still be reading segments that begin before this log position. */
	private sharedBefore = 0;
	private readonly scratch: Buffer = Buffer.alloc(32);

	constructor(offset = 0) {
		this.active = Buffer.allocUnsafeSlow(SEGMENT_BYTES);
		this.chunk = this.active;
		this.endOffset = offset;
		this.startOffset = offset;
		this.activeOffset = offset;
	}

	/** Log position of the first byte held here: of those that may have to be written, or of the ring. */
	get heldOffset(): number {
		return this.ringBytes === 0 ? this.startOffset : Math.min(this.ringOffset, this.startOffset);
	}

	/** Bytes of memory that the segments take. */
	get memoryBytes(): number {
		return (1 + this.full.length + this.free.length) * SEGMENT_BYTES;
	}

	/** Appends bytes [start, end) of `source`. */
	appendRaw(source: Buffer, start: number, end: number): void {
		const size = end - start;
		let at = this.at;
		if (at + size > SEGMENT_BYTES) {
			this.appendAcross(source, start, end);
			return;
		}
		if (size > COPY_LOOP_BYTES_MAX) {
			source.copy(this.active, at, start, end);
			at += size;
		} else {
			const target = this.active;
			for (let i = start; i < end; i++) target[at++] = source[i]!;
		}
		this.at = at;
		this.endOffset += size;
	}

	/** Appends a command as an entry. */
	appendArgs(args: readonly string[]): void {
		const size = aofEntrySize(args);
		if (this.at + size > SEGMENT_BYTES) {
			this.appendArgsAcross(args);
			return;
		}
		this.at = writeAofEntry(this.active, this.at, args);
		this.endOffset += size;
	}

	/** Finds the bytes at a log position held here, up to `limit` at most: as many as stand together. */
	seek(offset: number, limit: number): void {
		let segmentOffset = this.activeOffset;
		let index = this.full.length;
		while (offset < segmentOffset) {
			segmentOffset -= SEGMENT_BYTES;
			index--;
		}
		this.chunk = index === this.full.length ? this.active : this.full[index]!;
		this.chunkAt = offset - segmentOffset;
		this.chunkSize = Math.min(limit - offset, SEGMENT_BYTES - this.chunkAt);
	}

	/** Gives up the bytes before a log position, but for what the ring keeps. */
	releaseBefore(offset: number): void {
		if (offset <= this.startOffset) return;
		this.startOffset = offset;
		if (this.ringBytes !== 0) this.trimRing();
		else this.dropBefore(offset);
	}

	/** Keeps the last `bytes` bytes from now on; 0 ends that. */
	setRing(bytes: number): void {
		if (this.ringBytes === 0) this.ringOffset = this.startOffset;
		this.ringBytes = bytes;
		if (bytes !== 0) this.trimRing();
		else this.dropBefore(this.startOffset);
	}

	private trimRing(): void {
		const from = Math.min(this.startOffset, this.endOffset - this.ringBytes);
		if (from <= this.ringOffset) return;
		this.ringOffset = from;
		// Segments go one by one: all at once only without a ring.
		if (this.activeOffset - this.full.length * SEGMENT_BYTES + SEGMENT_BYTES <= from) this.dropBefore(from);
	}

	private dropBefore(offset: number): void {
		if (offset === this.endOffset && this.activeOffset >= this.sharedBefore) {
			let segmentOffset = this.activeOffset;
			for (let i = this.full.length - 1; i >= 0; i--) {
				segmentOffset -= SEGMENT_BYTES;
				this.recycle(this.full[i]!, segmentOffset);
			}
			this.full.length = 0;
			this.at = 0;
			this.activeOffset = offset;
			return;
		}
		let dropCount = 0;
		let segmentOffset = this.activeOffset - this.full.length * SEGMENT_BYTES;
		while (dropCount < this.full.length && segmentOffset + SEGMENT_BYTES <= offset) {
			this.recycle(this.full[dropCount]!, segmentOffset);
			segmentOffset += SEGMENT_BYTES;
			dropCount++;
		}
		if (dropCount > 0) this.full.splice(0, dropCount);
	}

	/**
	 * Nothing that is held has to be written any more. The memory may still be read by a write that is under way, and is
	 * not used for anything else; the ring stays.
	 */
	settle(): void {
		if (this.ringBytes === 0) {
			this.restart(this.endOffset);
			return;
		}
		this.sharedBefore = this.endOffset;
		this.startOffset = this.endOffset;
		this.trimRing();
	}

	/** Empties the buffer, its ring too, and goes on at `offset`, with memory that nobody else may still be reading. */
	restart(offset: number): void {
		this.full.length = 0;
		this.ringOffset = offset;
		this.sharedBefore = 0;
		this.active = Buffer.allocUnsafeSlow(SEGMENT_BYTES);
		this.chunk = this.active;
		this.at = 0;
		this.activeOffset = offset;
		this.startOffset = offset;
		this.endOffset = offset;
	}

	/** Counts `size` bytes that nobody will read. The buffer must be empty, and without a ring. */
	skip(size: number): void {
		this.endOffset += size;
		this.startOffset = this.endOffset;
		this.activeOffset = this.endOffset - this.at;
	}

	private recycle(segment: Buffer, offset: number): void {
		if (offset >= this.sharedBefore && this.free.length < FREE_SEGMENTS_MAX) this.free.push(segment);
	}

	private nextSegment(): void {
		this.full.push(this.active);
		this.activeOffset += SEGMENT_BYTES;
		this.active = this.free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES);
		this.at = 0;
	}

	private appendAcross(source: Buffer, start: number, end: number): void {
		while (start < end) {
			if (this.at === SEGMENT_BYTES) this.nextSegment();
			const size = Math.min(end - start, SEGMENT_BYTES - this.at);
			source.copy(this.active, this.at, start, start + size);
			this.at += size;
			this.endOffset += size;
			start += size;
		}
	}

	private appendArgsAcross(args: readonly string[]): void {
		const { scratch } = this;
		this.appendAcross(scratch, 0, writeAofHeader(scratch, 0, STAR, args.length));
		for (const arg of args) {
			this.appendAcross(scratch, 0, writeAofHeader(scratch, 0, DOLLAR, arg.length));
			for (let i = 0; i < arg.length; ) {
				if (this.at === SEGMENT_BYTES) this.nextSegment();
				const size = Math.min(arg.length - i, SEGMENT_BYTES - this.at);
				this.active.latin1Write(size === arg.length ? arg : arg.substring(i, i + size), this.at, size);
				this.at += size;
				this.endOffset += size;
				i += size;
			}
			scratch[0] = 13;
			scratch[1] = 10;
			this.appendAcross(scratch, 0, 2);
		}
	}
}
