/**
 * The end of a payload whose length nobody knows: it is followed by a mark of 40 random bytes that was announced before
 * it. What might be the beginning of the mark is held back until it turns out not to be.
 */

export const MARK_BYTES = 40;
const NOTHING = Buffer.alloc(0);

export class SnapshotMark {
	/** Bytes of the last `feed` that belong to the payload, in two parts: from before, and of the chunk. */
	before: Buffer = NOTHING;
	chunk: Buffer = NOTHING;
	/** Where in the chunk what follows the mark begins; -1 if the mark has not come. */
	restAt = -1;
	private readonly mark: Buffer;
	private held: Buffer = NOTHING;

	/** `mark`: MARK_BYTES latin1 characters. */
	constructor(mark: string) {
		this.mark = Buffer.from(mark, 'latin1');
	}

	/** Looks at the next chunk: sets `before`, `chunk` and `restAt`. */
	feed(bytes: Buffer): void {
		const { held, mark } = this;
		this.restAt = -1;
		if (held.length > 0) {
			const seam = Buffer.concat([held, bytes.subarray(0, MARK_BYTES - 1)]);
			const at = seam.indexOf(mark);
			if (at >= 0) return this.found(seam.subarray(0, at), NOTHING, at + MARK_BYTES - held.length);
		}
		const at = bytes.indexOf(mark);
		if (at >= 0) return this.found(held, bytes.subarray(0, at), at + MARK_BYTES);
		const keep = MARK_BYTES - 1;
		if (bytes.length >= keep) {
			this.before = held;
			this.chunk = bytes.subarray(0, bytes.length - keep);
			this.held = Buffer.from(bytes.subarray(bytes.length - keep));
			return;
		}
		const all = Buffer.concat([held, bytes]);
		const end = Math.max(0, all.length - keep);
		this.before = all.subarray(0, end);
		this.chunk = NOTHING;
		this.held = all.subarray(end);
	}

	private found(before: Buffer, chunk: Buffer, restAt: number): void {
		this.before = before;
		this.chunk = chunk;
		this.restAt = restAt;
		this.held = NOTHING;
	}
}
