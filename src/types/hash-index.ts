import { randomBytes } from 'node:crypto';

/**
 * An index from the hashes of keys to their positions in an array, for tables of any size.
 *
 * Why not a Map: at 2 million 16-byte keys this takes 14 bytes an entry where V8's Map takes 28 to 56, lookups cost the
 * same or less, there is no limit of 2^24 entries, the garbage collector has nothing to trace in it, and growth is in
 * slices (a Map of 3 million keys stalls the process for 200 ms when it doubles).
 *
 * Layout: one segment for up to 32,768 entries, beyond that 256 of them, chosen by the top byte of the hash. A segment is
 * an open-addressing table with linear probing: an Int32Array of pairs, [hash, position + 1], where 0 in the second means
 * that the slot is free; the home of an entry is the low bits of its hash. Removal shifts entries back, so there are no
 * tombstones. A segment doubles at three quarters full, and halves twice at an eighth.
 */

const SLOTS_MIN = 32;
const SINGLE_SEGMENT_ENTRIES_MAX = 32768;
const SEGMENT_COUNT_LARGE = 256;

/**
 * The key of the hash. Clients choose the keys of tables, so their hashes must not be predictable. It decides only where
 * a slot lies, which nothing observes: the order of a table is that of its positions.
 */
const SECRET = new Int32Array(new Uint8Array(randomBytes(8)).buffer);
const SECRET_0 = SECRET[0]!;
const SECRET_1 = SECRET[1]!;

/** HalfSipHash-1-3 of a byte string under the secret of this process: 32 bits, signed. About 25 ns for 16 bytes. */
export function hashKey(key: string): number {
	let v0 = SECRET_0;
	let v1 = SECRET_1;
	let v2 = SECRET_0 ^ 0x6c796765;
	let v3 = SECRET_1 ^ 0x74656462;
	const length = key.length;
	const wholeEnd = length & ~3;
	let word = length << 24;
	for (let i = 0; i <= wholeEnd; i += 4) {
		if (i < wholeEnd) {
			word =
				key.charCodeAt(i) |
				(key.charCodeAt(i + 1) << 8) |
				(key.charCodeAt(i + 2) << 16) |
				(key.charCodeAt(i + 3) << 24);
		} else {
			word = length << 24;
			if (length - i > 2) word |= key.charCodeAt(i + 2) << 16;
			if (length - i > 1) word |= key.charCodeAt(i + 1) << 8;
			if (length - i > 0) word |= key.charCodeAt(i);
		}
		v3 ^= word;
		v0 = (v0 + v1) | 0;
		v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
		v0 = (v0 << 16) | (v0 >>> 16);
		v2 = (v2 + v3) | 0;
		v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
		v0 = (v0 + v3) | 0;
		v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
		v2 = (v2 + v1) | 0;
		v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
		v2 = (v2 << 16) | (v2 >>> 16);
		v0 ^= word;
	}
	v2 ^= 0xff;
	for (let round = 0; round < 3; round++) {
		v0 = (v0 + v1) | 0;
		v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
		v0 = (v0 << 16) | (v0 >>> 16);
		v2 = (v2 + v3) | 0;
		v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
		v0 = (v0 + v3) | 0;
		v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
		v2 = (v2 + v1) | 0;
		v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
		v2 = (v2 << 16) | (v2 >>> 16);
	}
	return v1 ^ v3;
}

class Segment {
	slots: Int32Array;
	/** The number of slots less one; the number is a power of two. */
	mask: number;
	used: number;

	constructor(slotCount: number) {
		this.slots = new Int32Array(slotCount * 2);
		this.mask = slotCount - 1;
		this.used = 0;
	}

	insert(hash: number, position: number): void {
		if ((this.used + 1) * 4 > (this.mask + 1) * 3) this.resize((this.mask + 1) * 2);
		this.place(hash, position + 1);
		this.used++;
	}

	/** The slot that holds a position, which must be there. */
	slotOf(hash: number, position: number): number {
		const slots = this.slots;
		const mask = this.mask;
		let slot = hash & mask;
		while (slots[slot * 2 + 1] !== position + 1) slot = (slot + 1) & mask;
		return slot;
	}

	remove(hash: number, position: number): void {
		const slots = this.slots;
		const mask = this.mask;
		let hole = this.slotOf(hash, position);
		for (let slot = (hole + 1) & mask; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & mask) {
			const home = slots[slot * 2]! & mask;
			// The entry may move into the hole if its home is not behind the hole.
			if (((slot - home) & mask) >= ((slot - hole) & mask)) {
				slots[hole * 2] = slots[slot * 2]!;
				slots[hole * 2 + 1] = slots[slot * 2 + 1]!;
				hole = slot;
			}
		}
		slots[hole * 2 + 1] = 0;
		this.used--;
		if (this.used * 8 < mask && mask >= SLOTS_MIN) this.resize(Math.max(SLOTS_MIN, (mask + 1) >>> 2));
	}

	private place(hash: number, positionPlusOne: number): void {
		const slots = this.slots;
		const mask = this.mask;
		let slot = hash & mask;
		while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
		slots[slot * 2] = hash;
		slots[slot * 2 + 1] = positionPlusOne;
	}

	private resize(slotCount: number): void {
		const old = this.slots;
		this.slots = new Int32Array(slotCount * 2);
		this.mask = slotCount - 1;
		for (let i = 0; i < old.length; i += 2) {
			if (old[i + 1] !== 0) this.place(old[i]!, old[i + 1]!);
		}
	}
}

export class HashIndex {
	private segments: Segment[];
	/** The number of segments less one: 0 or 255. */
	private segmentMask: number;

	/** For `capacity` entries without growing. */
	constructor(capacity: number) {
		const large = capacity > SINGLE_SEGMENT_ENTRIES_MAX;
		this.segmentMask = large ? SEGMENT_COUNT_LARGE - 1 : 0;
		const perSegment = capacity / (this.segmentMask + 1);
		let slotCount = SLOTS_MIN;
		while (slotCount * 3 < perSegment * 4) slotCount *= 2;
		this.segments = [new Segment(slotCount)];
		for (let i = 1; i <= this.segmentMask; i++) this.segments.push(new Segment(slotCount));
	}

	/** The position of `key` in `keys`, or -1. `hash` is `hashKey(key)`. */
	find(keys: readonly string[], key: string, hash: number): number {
		const segment = this.segments[(hash >>> 24) & this.segmentMask]!;
		const slots = segment.slots;
		const mask = segment.mask;
		for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
			const position = slots[slot * 2 + 1]! - 1;
			if (position < 0) return -1;
			if (slots[slot * 2] === hash && keys[position] === key) return position;
		}
	}

	/** Adds a position, whose key must be absent. */
	insert(hash: number, position: number): void {
		const segment = this.segments[(hash >>> 24) & this.segmentMask]!;
		segment.insert(hash, position);
		if (this.segmentMask === 0 && segment.used > SINGLE_SEGMENT_ENTRIES_MAX) this.divide(segment);
	}

	/** Removes a position, which must be there. */
	remove(hash: number, position: number): void {
		this.segments[(hash >>> 24) & this.segmentMask]!.remove(hash, position);
	}

	/** Notes that the key at `from` has moved to `to`. */
	move(hash: number, from: number, to: number): void {
		const segment = this.segments[(hash >>> 24) & this.segmentMask]!;
		segment.slots[segment.slotOf(hash, from) * 2 + 1] = to + 1;
	}

	/** Removes a position, which must be there, and lowers every higher one by one. O(size), but hashes nothing. */
	removeAndShift(hash: number, position: number): void {
		this.remove(hash, position);
		for (const segment of this.segments) {
			const slots = segment.slots;
			for (let i = 1; i < slots.length; i += 2) if (slots[i]! > position) slots[i]!--;
		}
	}

	private divide(single: Segment): void {
		const divided = new HashIndex(single.used * 2);
		const slots = single.slots;
		for (let i = 0; i < slots.length; i += 2) {
			if (slots[i + 1] !== 0) divided.insert(slots[i]!, slots[i + 1]! - 1);
		}
		this.segments = divided.segments;
		this.segmentMask = divided.segmentMask;
	}
}
