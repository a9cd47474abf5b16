import { randomBytes } from 'node:crypto';

/**
 * An index from the hashes of keys to their positions in an array, for tables of any size.
 *
 * Why not a Map: at 2 million 16-byte keys this takes 7 to 14 bytes an entry where V8's Map takes 28 to 56, lookups cost
 * the same or less, there is no limit of 2^24 entries, the garbage collector has nothing to trace in it, and growth is
 * in slices (a Map of 3 million keys stalls the process for 200 ms when it doubles).
 *
 * Both layouts are open addressing with linear probing, in a power of two of slots. Removal shifts entries back, so
 * there are no tombstones. A table doubles at three quarters full, and shrinks to a quarter at an eighth.
 *
 * Compact, up to 32,768 entries: one Int32 a slot, `(hash & ~positionMask) | (position + 1)`, 0 if the slot is free; the
 * home of an entry is the highest bits of its hash. `positionMask` has at least as many bits as there are slots, and
 * never fewer than it once had, as the bits of the hash under it are lost. At 2,048 slots 10 bits of the hash beyond the
 * home are left to tell entries apart without a look at the key, at 65,536 none; positions are dense, so that
 * position + 1 fits in.
 *
 * Divided, beyond that: 256 segments, chosen by the top byte of the hash, of pairs of Int32, [hash, position + 1], where
 * 0 in the second means that the slot is free; the home of an entry is the low bits of its hash.
 */

const SLOTS_MIN = 32;
const COMPACT_ENTRIES_MAX = 32768;
const SEGMENT_COUNT = 256;

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

/** The least power of two of slots that `capacity` entries leave a quarter of free. */
function slotCountFor(capacity: number): number {
	let slotCount = SLOTS_MIN;
	while (slotCount * 3 < capacity * 4) slotCount *= 2;
	return slotCount;
}

export class HashIndex {
	/** The compact table; empty once the index is divided. */
	private slots: Int32Array;
	/** The number of slots less one. */
	private mask: number;
	/** 32 less the bits of `mask`. */
	private shift: number;
	private positionMask: number;
	private used = 0;
	/** Undefined while the table is compact. */
	private segments: Segment[] | undefined = undefined;

	/** The key at a position is the element `position << keyShift` of the array of keys. */
	private readonly keyShift: number;

	/** For `capacity` entries without growing. `keyShift` 1: every second element of the caller's array is a key. */
	constructor(capacity: number, keyShift: 0 | 1 = 0) {
		this.keyShift = keyShift;
		const slotCount = capacity > COMPACT_ENTRIES_MAX ? SLOTS_MIN : slotCountFor(capacity);
		this.slots = new Int32Array(slotCount);
		this.mask = slotCount - 1;
		this.shift = Math.clz32(this.mask);
		this.positionMask = this.mask;
		if (capacity > COMPACT_ENTRIES_MAX) this.beginSegments(capacity);
	}

	/** The position of `key` in `keys`, or -1. `hash` is `hashKey(key)`. */
	find(keys: readonly unknown[], key: string, hash: number): number {
		if (this.segments !== undefined) return this.findInSegment(this.segments, keys, key, hash);
		const { slots, mask, positionMask, keyShift } = this;
		for (let slot = hash >>> this.shift; ; slot = (slot + 1) & mask) {
			const entry = slots[slot]!;
			if (entry === 0) return -1;
			if (((entry ^ hash) & ~positionMask) === 0) {
				const position = (entry & positionMask) - 1;
				if (keys[position << keyShift] === key) return position;
			}
		}
	}

	/** Adds a position, the next one after all in use, whose key must be absent. `keys` has those in use. */
	insert(keys: readonly unknown[], hash: number, position: number): void {
		if (this.segments === undefined && this.used >= COMPACT_ENTRIES_MAX) this.divide(keys);
		if (this.segments !== undefined) {
			this.segments[hash >>> 24]!.insert(hash, position);
			return;
		}
		if ((this.used + 1) * 4 > (this.mask + 1) * 3) this.resize((this.mask + 1) * 2);
		this.place((hash & ~this.positionMask) | (position + 1));
		this.used++;
	}

	/** Removes a position, which must be there. */
	remove(hash: number, position: number): void {
		if (this.segments !== undefined) {
			this.segments[hash >>> 24]!.remove(hash, position);
			return;
		}
		const { slots, mask, shift } = this;
		let hole = this.slotOf(hash, position);
		for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
			const home = slots[slot]! >>> shift;
			// The entry may move into the hole if its home is not behind the hole.
			if (((slot - home) & mask) >= ((slot - hole) & mask)) {
				slots[hole] = slots[slot]!;
				hole = slot;
			}
		}
		slots[hole] = 0;
		this.used--;
		if (this.used * 8 < mask && mask >= SLOTS_MIN) this.resize(Math.max(SLOTS_MIN, (mask + 1) >>> 2));
	}

	/** Notes that the key at `from` has moved to `to`. */
	move(hash: number, from: number, to: number): void {
		if (this.segments !== undefined) {
			const segment = this.segments[hash >>> 24]!;
			segment.slots[segment.slotOf(hash, from) * 2 + 1] = to + 1;
			return;
		}
		const slot = this.slotOf(hash, from);
		this.slots[slot] = (this.slots[slot]! & ~this.positionMask) | (to + 1);
	}

	/** Removes a position, which must be there, and lowers every higher one by one. O(size), but hashes nothing. */
	removeAndShift(hash: number, position: number): void {
		this.remove(hash, position);
		const { slots, positionMask } = this;
		for (let i = 0; i < slots.length; i++) if ((slots[i]! & positionMask) > position + 1) slots[i]!--;
		for (const { slots } of this.segments ?? []) {
			for (let i = 1; i < slots.length; i += 2) if (slots[i]! > position) slots[i]!--;
		}
	}

	private findInSegment(
		segments: readonly Segment[],
		keys: readonly unknown[],
		key: string,
		hash: number,
	): number {
		const { keyShift } = this;
		const { slots, mask } = segments[hash >>> 24]!;
		for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
			const position = slots[slot * 2 + 1]! - 1;
			if (position < 0) return -1;
			if (slots[slot * 2] === hash && keys[position << keyShift] === key) return position;
		}
	}

	/** The slot of the compact table that holds a position, which must be there. */
	private slotOf(hash: number, position: number): number {
		const { slots, mask, positionMask } = this;
		let slot = hash >>> this.shift;
		while ((slots[slot]! & positionMask) !== position + 1) slot = (slot + 1) & mask;
		return slot;
	}

	private place(entry: number): void {
		const { slots, mask } = this;
		let slot = entry >>> this.shift;
		while (slots[slot] !== 0) slot = (slot + 1) & mask;
		slots[slot] = entry;
	}

	private resize(slotCount: number): void {
		const old = this.slots;
		const oldPositionMask = this.positionMask;
		this.slots = new Int32Array(slotCount);
		this.mask = slotCount - 1;
		this.shift = Math.clz32(this.mask);
		this.positionMask |= this.mask;
		for (const entry of old) {
			if (entry !== 0) this.place((entry & ~this.positionMask) | (entry & oldPositionMask));
		}
	}

	private beginSegments(capacity: number): Segment[] {
		const slotCount = slotCountFor(capacity / SEGMENT_COUNT);
		this.segments = Array.from({ length: SEGMENT_COUNT }, () => new Segment(slotCount));
		return this.segments;
	}

	/** The compact entries have lost bits of their hashes, so every key is hashed again: 1 ms, once. */
	private divide(keys: readonly unknown[]): void {
		const segments = this.beginSegments(this.used * 2);
		for (const entry of this.slots) {
			if (entry === 0) continue;
			const position = (entry & this.positionMask) - 1;
			const hash = hashKey(keys[position << this.keyShift] as string);
			segments[hash >>> 24]!.insert(hash, position);
		}
		this.slots = new Int32Array(0);
	}
}
