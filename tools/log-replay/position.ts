/** OFFSET and TIME on the command line. */

/** A log position, a time in milliseconds since 1970, or the end of the log. */
export type LogPosition =
	| { readonly kind: 'offset'; readonly offset: number }
	| { readonly kind: 'time'; readonly timeMs: number }
	| { readonly kind: 'end' };

/** Unix times from here on are milliseconds: as seconds it would be the year 5138. */
const UNIX_MS_MIN = 100_000_000_000;
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * Digits are a log position; digits behind `@` are a unix time, in seconds or, from 12 digits on, milliseconds; else
 * it is a time as in ISO 8601, local time unless it says otherwise. Undefined for anything else.
 */
export function parsePosition(text: string): LogPosition | undefined {
	if (text === 'end') return { kind: 'end' };
	if (/^\d{1,16}$/.test(text)) {
		const offset = Number(text);
		return Number.isSafeInteger(offset) ? { kind: 'offset', offset } : undefined;
	}
	if (/^@\d{1,15}(\.\d{1,6})?$/.test(text)) {
		const value = Number(text.slice(1));
		return { kind: 'time', timeMs: value >= UNIX_MS_MIN ? value : Math.round(value * 1000) };
	}
	if (!ISO.test(text)) return undefined;
	// A date alone would be taken for UTC, other than a date with a time.
	const timeMs = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
	return Number.isNaN(timeMs) ? undefined : { kind: 'time', timeMs };
}
