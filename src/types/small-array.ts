/**
 * Adding to arrays that are mostly small.
 *
 * Arrays up to `EXACT_LENGTH_MAX` are copied to exactly one slot more when an element is added. V8's own growth would
 * give an array of one element 17 slots, most of the memory of a small hash, list or sorted set.
 *
 * One function for each kind of element, with the same text: V8 remembers for the array literal in it what it held, and
 * one that has held both would box every number that comes after.
 */
const EXACT_LENGTH_MAX = 8;

/** `array` with `element` added at the end: the same array, or a copy where that saves memory. */
export function appendString(array: string[], element: string): string[] {
	if (array.length < EXACT_LENGTH_MAX) return array.concat([element]);
	array.push(element);
	return array;
}

/** As `appendString`, of numbers. */
export function appendNumber(array: number[], element: number): number[] {
	if (array.length < EXACT_LENGTH_MAX) return array.concat([element]);
	array.push(element);
	return array;
}
