import { parseInt64 } from '../base/numbers.js';

/**
 * The size that values would have in a listpack, the serialised form of Redis's compact encodings. Nothing is stored so
 * here; but Redis decides on encodings and on the division of lists by these sizes, so they have to be known exactly.
 *
 * Facts from Redis's listpack.c: a listpack is 4 bytes of size, 2 of count, the entries, and one end byte. An entry is its
 * encoding and data, then the length of those two as a backwards varint of 7 bits a byte. Canonical 64-bit integers of
 * up to 20 characters are stored as integers of 1, 2, 3, 4, 5 or 9 bytes, everything else as a string with a prefix of
 * 1, 2 or 5 bytes.
 */

/** The bytes of a listpack without entries. */
export const LISTPACK_EMPTY_BYTES = 7;

const CHAR_0 = 48;
const CHAR_9 = 57;
const CHAR_MINUS = 45;

/** The bytes that `text` takes as a listpack entry. */
export function listpackEntryBytes(text: string): number {
	const length = text.length;
	if (length > 0 && length <= 20) {
		const first = text.charCodeAt(0);
		if ((first >= CHAR_0 && first <= CHAR_9) || first === CHAR_MINUS) {
			const integer = parseInt64(text);
			if (integer !== undefined) return listpackIntegerBytes(integer);
		}
	}
	const body = length + (length < 64 ? 1 : length < 4096 ? 2 : 5);
	return body + backLengthBytes(body);
}

/** The bytes that an integer takes as a listpack entry. */
export function listpackIntegerBytes(n: number | bigint): number {
	if (n >= 0 && n <= 127) return 2;
	if (n >= -4096 && n <= 4095) return 3;
	if (n >= -32768 && n <= 32767) return 4;
	if (n >= -8388608 && n <= 8388607) return 5;
	if (n >= -2147483648 && n <= 2147483647) return 6;
	return 10;
}

function backLengthBytes(bodyBytes: number): number {
	if (bodyBytes <= 127) return 1;
	if (bodyBytes < 16383) return 2;
	if (bodyBytes < 2097151) return 3;
	if (bodyBytes < 268435455) return 4;
	return 5;
}
