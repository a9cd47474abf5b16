/**
 * Ranges of a sorted set, as the commands give them. A bound of a score range is a number, infinities included; a bound
 * of a lexicographical range is a byte string or one of the two ends.
 */

/** Scores from `min` to `max`; each bound belongs to the range unless it is exclusive. */
export interface ScoreRange {
	readonly min: number;
	readonly max: number;
	readonly minExclusive: boolean;
	readonly maxExclusive: boolean;
}

/** `lowest` is before every byte string (`-`), `highest` behind every one (`+`). */
export type LexBound =
	| { readonly kind: 'lowest' }
	| { readonly kind: 'highest' }
	| { readonly kind: 'member'; readonly member: string; readonly exclusive: boolean };

/** Members from `min` to `max`. */
export interface LexRange {
	readonly min: LexBound;
	readonly max: LexBound;
}

/** Whether a score lies in a range. */
export function scoreInRange(score: number, range: ScoreRange): boolean {
	return (
		(range.minExclusive ? score > range.min : score >= range.min) &&
		(range.maxExclusive ? score < range.max : score <= range.max)
	);
}

/** Whether a member lies in a range. */
export function memberInRange(member: string, range: LexRange): boolean {
	return aboveMin(member, range.min) && belowMax(member, range.max);
}

function aboveMin(member: string, min: LexBound): boolean {
	if (min.kind !== 'member') return min.kind === 'lowest';
	return min.exclusive ? member > min.member : member >= min.member;
}

function belowMax(member: string, max: LexBound): boolean {
	if (max.kind !== 'member') return max.kind === 'highest';
	return max.exclusive ? member < max.member : member <= max.member;
}
