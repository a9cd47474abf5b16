/** Draws at random from the numbered elements of a hash, set or sorted set (HRANDFIELD and its kin). */
import type { Random } from '../base/env.js';
import type { CommandContext } from '../engine/context.js';

/**
 * The most elements, and about the most bytes of reply, that a negative count ("with repetition") may ask
 * for. Redis has no such limits: there the reply grows until the memory ends, and the process with it.
 */
const REPEATED_COUNT_MAX = 1 << 24;
const REPEATED_BYTES_MAX = 512 * 1024 * 1024;
/** Elements between two looks at the size of the reply. */
const CHECK_EVERY = 256;

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

/**
 * Replies with `count` draws from `size` elements, repetition allowed: the header, then `replyAt` for each
 * position drawn. Beyond the limits it is an error reply instead.
 */
export function replyRepeated(
	ctx: CommandContext,
	size: number,
	count: number,
	replyHeader: (count: number) => void,
	replyAt: (position: number) => void,
): void {
	const { reply } = ctx;
	const { random } = ctx.engine.env;
	if (count > REPEATED_COUNT_MAX) return ctx.replyError('ERR value is out of range');
	reply.closeRope();
	const chunkCount = reply.chunks.length;
	const chunkBytes = reply.chunkBytes;
	replyHeader(count);
	for (let left = count; left > 0; left--) {
		replyAt(random.below(size));
		if (left % CHECK_EVERY === 0 && reply.size - chunkBytes > REPEATED_BYTES_MAX) {
			reply.truncate(chunkCount, chunkBytes, '');
			return ctx.replyError('ERR value is out of range');
		}
	}
}
