import { parseInt64 } from '../base/numbers.js';
import type { HashValue } from './hash-value.js';
import type { ListValue } from './list-value.js';
import { RawString } from './raw-string.js';
import type { SetValue } from './set-value.js';
import type { StreamValue } from './stream-value.js';
import type { ZSetValue } from './zset-value.js';

/**
 * What a key may hold. A string is a number while it is a canonical integer in the safe range (the encoding `int`), a
 * RawString once it has been changed in place or where it is very large, and else a latin1 string.
 */
export type StringValue = string | number | RawString;
export type Value = StringValue | ListValue | HashValue | SetValue | ZSetValue | StreamValue;

export type TypeName = 'string' | 'list' | 'hash' | 'set' | 'zset' | 'stream';
export type EncodingName =
	| 'int'
	| 'embstr'
	| 'raw'
	| 'listpack'
	| 'quicklist'
	| 'hashtable'
	| 'intset'
	| 'skiplist'
	| 'stream';

/** The longest string of the encoding `embstr`, in bytes (Redis's object.c). */
const EMBSTR_BYTES_MAX = 44;
/** The longest canonical 64-bit integer: `-9223372036854775808`. */
const INT64_CHARS_MAX = 20;

/** Whether a value is a string, in any of its forms. */
export function isStringValue(value: Value): value is StringValue {
	return typeof value === 'string' || typeof value === 'number' || value instanceof RawString;
}

/** The type as TYPE reports it. */
export function typeName(value: Value): TypeName {
	return isStringValue(value) ? 'string' : value.type;
}

/** The encoding as OBJECT ENCODING reports it. */
export function encodingOf(value: Value): EncodingName {
	if (typeof value === 'number') return 'int';
	if (typeof value === 'string') {
		// A safe integer that is kept as text came from INCRBYFLOAT, which does not encode its result.
		if (value.length <= INT64_CHARS_MAX && typeof parseInt64(value) === 'bigint') return 'int';
		return value.length <= EMBSTR_BYTES_MAX ? 'embstr' : 'raw';
	}
	return value instanceof RawString ? 'raw' : value.encoding;
}

/** The length of a string in bytes. */
export function stringLength(value: StringValue): number {
	return typeof value === 'number' ? String(value).length : value.length;
}

/** A string's bytes as a latin1 string; throws for a RawString beyond V8's string limit of 2^29 - 24 bytes. */
export function stringOf(value: StringValue): string {
	if (typeof value === 'string') return value;
	return typeof value === 'number' ? String(value) : value.slice();
}

/** The form in which SET keeps a string: a number if it is a canonical safe integer, else the string itself. */
export function stringValueOf(text: string): string | number {
	const length = text.length;
	if (length === 0 || length > 16 + 1) return text;
	const first = text.charCodeAt(0);
	if ((first < 48 || first > 57) && first !== 45) return text;
	const integer = parseInt64(text);
	return typeof integer === 'number' ? integer : text;
}

/** A copy that shares nothing mutable with the original. */
export function cloneValue(value: Value): Value {
	return typeof value === 'string' || typeof value === 'number' ? value : value.clone();
}
