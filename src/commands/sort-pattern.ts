/**
 * The patterns of SORT's BY and GET: `#` is the element itself; otherwise the first `*` stands for the
 * element, and `->` behind it separates a key from a field of the hash there. Without a `*` there is
 * nothing to look up. An arrow at the very end is a part of the key.
 */
import type { CommandContext } from '../engine/context.js';
import { HashValue } from '../types/hash-value.js';
import { isStringValue, type StringValue } from '../types/value.js';

export interface KeyPattern {
	readonly isElement: boolean;
	readonly hasStar: boolean;
	readonly prefix: string;
	readonly suffix: string;
	/** Undefined for a string key. */
	readonly field: string | undefined;
}

export function parseKeyPattern(text: string): KeyPattern {
	const star = text.indexOf('*');
	if (star < 0) {
		return { isElement: text === '#', hasStar: false, prefix: '', suffix: '', field: undefined };
	}
	const arrow = text.indexOf('->', star + 1);
	const hasField = arrow >= 0 && arrow + 2 < text.length;
	return {
		isElement: false,
		hasStar: true,
		prefix: text.slice(0, star),
		suffix: hasField ? text.slice(star + 1, arrow) : text.slice(star + 1),
		field: hasField ? text.slice(arrow + 2) : undefined,
	};
}

/** What the pattern leads to for the element; undefined if nothing, or something of another type. */
export function lookupByPattern(
	ctx: CommandContext,
	pattern: KeyPattern,
	element: string,
): StringValue | undefined {
	if (pattern.isElement) return element;
	if (!pattern.hasStar) return undefined;
	const value = ctx.lookupRead(pattern.prefix + element + pattern.suffix);
	if (value === undefined) return undefined;
	if (pattern.field !== undefined) return value instanceof HashValue ? value.get(pattern.field) : undefined;
	return isStringValue(value) ? value : undefined;
}
