/**
 * The order of SORT. By number: equal numbers are ordered by their elements' bytes, so that the result is
 * defined. By text: by bytes; elements without a weight come first.
 */
import { parseDouble } from '../base/doubles.js';
import type { CommandContext } from '../engine/context.js';
import { stringOf } from '../types/value.js';
import { type KeyPattern, lookupByPattern } from './sort-pattern.js';

export interface SortOrder {
	readonly alpha: boolean;
	readonly desc: boolean;
	/** Where the weights are; undefined to sort by the elements. */
	readonly by: KeyPattern | undefined;
}

/** Sorted anew; undefined if a number was needed and something else found. */
export function sortElements(
	ctx: CommandContext,
	elements: readonly string[],
	order: SortOrder,
): string[] | undefined {
	const { by } = order;
	const sign = order.desc ? -1 : 1;
	if (!order.alpha) return sortByNumber(ctx, elements, by, sign);
	if (by === undefined) return [...elements].sort((a, b) => sign * compareBytes(a, b));
	const weighted = elements.map((element) => {
		const weight = lookupByPattern(ctx, by, element);
		return { element, weight: weight === undefined ? undefined : stringOf(weight) };
	});
	weighted.sort((a, b) => sign * compareWeights(a.weight, b.weight));
	return weighted.map(({ element }) => element);
}

function sortByNumber(
	ctx: CommandContext,
	elements: readonly string[],
	by: KeyPattern | undefined,
	sign: 1 | -1,
): string[] | undefined {
	const weighted: { element: string; score: number }[] = [];
	let allNumbers = true;
	for (const element of elements) {
		let score: number | undefined = 0;
		if (by === undefined) {
			score = parseScore(element);
		} else {
			const weight = lookupByPattern(ctx, by, element);
			if (typeof weight === 'number') score = weight;
			else if (weight !== undefined) score = parseScore(stringOf(weight));
		}
		if (score === undefined) allNumbers = false;
		weighted.push({ element, score: score ?? 0 });
	}
	if (!allNumbers) return undefined;
	weighted.sort((a, b) => sign * (compareNumbers(a.score, b.score) || compareBytes(a.element, b.element)));
	return weighted.map(({ element }) => element);
}

/** As strtod reads it: leading white space is skipped, a NUL byte ends it, the empty text is 0. */
function parseScore(text: string): number | undefined {
	let end = text.indexOf('\0');
	if (end < 0) end = text.length;
	let start = 0;
	while (start < end && isSpace(text.charCodeAt(start))) start++;
	if (start === 0 && end === text.length) return end === 0 ? 0 : parseDouble(text);
	// White space alone is no number, and strtod then stops where it began.
	if (start === end) return start === 0 ? 0 : undefined;
	return parseDouble(text.slice(start, end));
}

function isSpace(c: number): boolean {
	return c === 32 || (c >= 9 && c <= 13);
}

/** Infinities of one sign are equal, which their difference would not say. */
function compareNumbers(a: number, b: number): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function compareBytes(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function compareWeights(a: string | undefined, b: string | undefined): number {
	if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
	return compareBytes(a, b);
}
