/**
 * Glob patterns as Redis matches them (KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET, ACL): on bytes, never
 * through RegExp, and in time O(pattern × text) for any pattern.
 *
 *   `*`      any bytes, none included
 *   `?`      one byte
 *   `[abc]`  one of these; ranges `a-z` in either direction; `[^…]` one byte that is none of these; `\x`
 *            within is the byte x. Without a `]` the class extends to the end of the pattern.
 *   `\x`     the byte x; a final backslash is itself
 *
 * What one might not expect, and Redis's `stringmatchlen` does too: the bounds of a range compare as
 * signed bytes; an escaped byte in a class keeps its case under `nocase`; the empty text matches only
 * the empty pattern (KEYS and SCAN treat `*` alone as "everything" before they come here); a pattern
 * with more than a thousand separate stars before its last matches nothing.
 */

const STAR = 42;
const QUESTION = 63;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;
const BACKSLASH = 92;
const CARET = 94;
const MINUS = 45;
const STAR_COUNT_MAX = 1000;

/** Whether the whole of `text` matches `pattern`; `nocase` folds ASCII letters. */
export function globMatch(pattern: string, text: string, nocase = false): boolean {
	const patternLength = pattern.length;
	const textLength = text.length;
	if (textLength === 0) return patternLength === 0;
	let p = 0;
	let t = 0;
	// Where to resume when a byte does not match: after the last star, one byte further on.
	let resumeP = -1;
	let resumeT = 0;
	let starCount = 0;
	for (;;) {
		if (t === textLength) {
			while (p < patternLength && pattern.charCodeAt(p) === STAR) p++;
			// If pattern is left over, a later start would have even fewer bytes for it: no resuming.
			return p === patternLength;
		}
		let matched = false;
		if (p < patternLength) {
			const c = pattern.charCodeAt(p);
			if (c === STAR) {
				do p++;
				while (p < patternLength && pattern.charCodeAt(p) === STAR);
				if (p === patternLength) return true;
				if (++starCount > STAR_COUNT_MAX) return false;
				resumeP = p;
				resumeT = t;
				continue;
			}
			if (c === QUESTION) {
				matched = true;
				p++;
			} else if (c === BRACKET_OPEN) {
				const result = matchClass(pattern, p + 1, text.charCodeAt(t), nocase);
				matched = result > 0;
				p = matched ? result : -result;
			} else {
				if (c === BACKSLASH && p + 1 < patternLength) p++;
				matched = sameByte(pattern.charCodeAt(p), text.charCodeAt(t), nocase);
				p++;
			}
		}
		if (matched) {
			t++;
		} else {
			if (resumeP < 0) return false;
			p = resumeP;
			t = ++resumeT;
		}
	}
}

/**
 * Matches byte `c` against the class whose content starts at `start`. Returns the index after the
 * class, negated if `c` is not in it.
 */
function matchClass(pattern: string, start: number, c: number, nocase: boolean): number {
	const length = pattern.length;
	let p = start;
	const negated = pattern.charCodeAt(p) === CARET;
	if (negated) p++;
	let found = false;
	for (; p < length; p++) {
		const member = pattern.charCodeAt(p);
		if (member === BACKSLASH && p + 1 < length) {
			p++;
			if (pattern.charCodeAt(p) === c) found = true;
		} else if (member === BRACKET_CLOSE) {
			break;
		} else if (p + 2 < length && pattern.charCodeAt(p + 1) === MINUS) {
			if (inRange(member, pattern.charCodeAt(p + 2), c, nocase)) found = true;
			p += 2;
		} else if (sameByte(member, c, nocase)) {
			found = true;
		}
	}
	const end = p < length ? p + 1 : p;
	return found === negated ? -end : end;
}

function inRange(from: number, to: number, c: number, nocase: boolean): boolean {
	let low = signed(from);
	let high = signed(to);
	let byte = signed(c);
	if (low > high) [low, high] = [high, low];
	if (nocase) {
		low = lower(low);
		high = lower(high);
		byte = lower(byte);
	}
	return byte >= low && byte <= high;
}

function sameByte(a: number, b: number, nocase: boolean): boolean {
	return a === b || (nocase && lower(a) === lower(b));
}

function lower(c: number): number {
	return c >= 65 && c <= 90 ? c + 32 : c;
}

/** The byte as C's `char` on x86 has it: -128 to 127. */
function signed(c: number): number {
	return c > 127 ? c - 256 : c;
}
