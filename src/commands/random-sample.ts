/** Draws at random from the numbered elements of a hash, set or sorted set (HRANDFIELD and its kin). */
import type { Random } from '../base/env.js';

/**
 * The most elements that a negative count, "with repetition", may ask for. Redis has no such limit: there
 * the reply grows until the memory ends, and that would end the process.
 */
export const REPEATED_COUNT_MAX = 1 << 24;

/** Up to this share of the elements, drawing again on a repetition is the cheaper way (Redis: the same). */
const REJECTION_SHARE = 3;

/**
 * `count` distinct numbers below `size`, each selection as likely as any other, in no particular order.
 * `count` must be less than `size`. O(count), or O(size) where count is more than a third of it.
 */
export function distinctPositions(random: Random, size: number, count: number): number[] {
	if (count * REJECTION_SHARE <= size) {
		const drawn = new Set<number>();
		while (drawn.size < count) drawn.add(random.below(size));
		return [...drawn];
	}
	const positions = Array.from({ length: size }, (_, position) => position);
	for (let i = 0; i < count; i++) {
		const other = i + random.below(size - i);
		const taken = positions[other]!;
		positions[other] = positions[i]!;
		positions[i] = taken;
	}
	positions.length = count;
	return positions;
}
