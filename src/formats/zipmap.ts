/**
 * The zipmap, small hashes as Redis up to 2.4 stored them: read in old RDB files, never written.
 *
 *     count   1 byte; 254 and above: "unknown, count them"
 *     pairs   length, field, length, spare, value, as many unused bytes as `spare` (1 byte) says
 *     0xff
 *
 * A length is one byte up to 253, else that byte and 4 bytes, low byte first.
 *
 * Source: Redis 7.2.6, zipmap.c (zipmapValidateIntegrity with `deep`). A count of 255, which Redis refuses unless it is
 * true, is refused here too; so is a map without pairs.
 */

import { STRING_SIZE_MAX } from './listpack.js';

const LENGTH_BIG = 254;
const COUNT_UNKNOWN = 254;
const END = 0xff;

/** Field, value, field, value … of the zipmap in [from, to), which must be all of it; undefined if it is malformed. */
export function decodeZipmap(bytes: Buffer, from: number, to: number): string[] | undefined {
	if (to - from < 2 || from < 0 || to > bytes.length) return undefined;
	const end = to - 1;
	if (bytes[end] !== END) return undefined;
	const pairs: string[] = [];
	let at = from + 1;
	// An end byte before the last one ends the map, and leaves bytes that belong to nothing.
	while (bytes[at] !== END) {
		let header = bytes[at]! < LENGTH_BIG ? 1 : 5;
		if (at + header > end) return undefined;
		let length = header === 1 ? bytes[at]! : bytes.readUInt32LE(at + 1);
		at += header;
		if (at + length >= end || length > STRING_SIZE_MAX) return undefined;
		const field = bytes.latin1Slice(at, at + length);
		at += length;
		header = bytes[at]! < LENGTH_BIG ? 1 : 5;
		if (at + header >= end) return undefined;
		length = header === 1 ? bytes[at]! : bytes.readUInt32LE(at + 1);
		at += header;
		const spare = bytes[at++]!;
		if (at + length + spare > end || length > STRING_SIZE_MAX) return undefined;
		pairs.push(field, bytes.latin1Slice(at, at + length));
		at += length + spare;
	}
	if (at !== end || pairs.length === 0) return undefined;
	const count = bytes[from]!;
	return count === COUNT_UNKNOWN || count === pairs.length / 2 ? pairs : undefined;
}
