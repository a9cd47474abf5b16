/**
 * The digest of a value and of the whole dataset, as DEBUG DIGEST-VALUE and DEBUG DIGEST of Redis 7.2
 * compute them (debug.c), so that the contents of two servers can be compared.
 *
 * A digest is 20 bytes, at first zero, with two operations on it:
 *   xor(data)  digest ^= SHA1(data)             order does not matter
 *   mix(data)  digest = SHA1(digest ^ SHA1(data))   order does
 *
 * A value: mix(type as 4 bytes big-endian); then
 *   string      mix(bytes)
 *   list        mix(element) from head to tail
 *   set         xor(member) for each
 *   sorted set  xor(d) for each, d being mix(member), mix(score as fpconv prints it) from zero
 *   hash        xor(d) for each, d being mix(field), mix(value) from zero
 *   stream      mix(ID as `ms.seq`), then mix(field), mix(value) of each field, entry by entry; no groups
 * and, if the key has an expiry time, xor("!!expire!!"): whether it has one, not which.
 *
 * The dataset, from zero: for each database that is not empty, mix(its id as 4 bytes big-endian), then
 * xor(d) for each key, d being mix(key) and the value's steps, from zero.
 *
 * Redis 7.0 differs in one point: it prints scores with `%.17g`, so the digests of sorted sets agree
 * with it only where both print a score alike (integers below 10^8, short decimals).
 */
import { hash } from 'node:crypto';
import { formatFpconv } from '../base/doubles.js';
import { RawString } from '../types/raw-string.js';
import { isStringValue, stringOf, type Value } from '../types/value.js';
import type { Database } from './database.js';

const DIGEST_BYTES = 20;

/** Type codes of Redis's object.h. */
const TYPE_CODES = { string: 0, list: 1, set: 2, zset: 3, hash: 4, stream: 6 } as const;

/** A digest under construction. */
export class Digest {
	readonly bytes: Buffer = Buffer.alloc(DIGEST_BYTES);

	/** digest ^= SHA1(data). A string stands for its latin1 bytes. */
	xor(data: string | Buffer): void {
		const hashed = sha1(data);
		for (let i = 0; i < DIGEST_BYTES; i++) this.bytes[i]! ^= hashed[i]!;
	}

	/** digest = SHA1(digest ^ SHA1(data)). */
	mix(data: string | Buffer): void {
		this.xor(data);
		sha1(this.bytes).copy(this.bytes);
	}

	/** 40 lower-case hex digits. */
	toHex(): string {
		return this.bytes.toString('hex');
	}
}

/** The digest of one value, as DEBUG DIGEST-VALUE prints it; of an absent key, 40 zeros. */
export function valueDigest(value: Value | undefined, hasExpiry: boolean): string {
	const digest = new Digest();
	if (value !== undefined) mixValue(digest, value, hasExpiry);
	return digest.toHex();
}

/**
 * The digest of the dataset, as DEBUG DIGEST prints it. Keys that have expired but are still there
 * count, as in Redis. O(N) over the whole dataset, about 6 µs a small key: for tests and debugging.
 */
export function datasetDigest(databases: Iterable<Database>): string {
	const final = new Digest();
	for (const database of databases) {
		if (database.size === 0) continue;
		final.mix(int32(database.id));
		database.forEach((key, value) => {
			const digest = new Digest();
			digest.mix(key);
			mixValue(digest, value, database.expireAt(key) !== -1);
			final.xor(digest.bytes);
		});
	}
	return final.toHex();
}

function mixValue(digest: Digest, value: Value, hasExpiry: boolean): void {
	if (isStringValue(value)) {
		digest.mix(int32(TYPE_CODES.string));
		digest.mix(value instanceof RawString ? value.toBuffer() : stringOf(value));
	} else {
		digest.mix(int32(TYPE_CODES[value.type]));
		switch (value.type) {
			case 'list':
				value.visitRange(0, value.length - 1, (element) => digest.mix(element));
				break;
			case 'set':
				for (let i = 0; i < value.size; i++) digest.xor(value.memberAt(i));
				break;
			case 'zset':
				value.forEach((member, score) => {
					xorPair(digest, member, formatFpconv(score));
				});
				break;
			case 'hash':
				for (let i = 0; i < value.size; i++) xorPair(digest, value.fieldAt(i), value.valueAt(i));
				break;
			case 'stream':
				for (const entry of value.entries()) {
					digest.mix(`${entry.ms}.${entry.seq}`);
					for (let i = 0; i < entry.fields.length; i++) {
						digest.mix(entry.fields[i]!);
						digest.mix(entry.values[i]!);
					}
				}
				break;
		}
	}
	if (hasExpiry) digest.xor('!!expire!!');
}

function xorPair(digest: Digest, first: string, second: string): void {
	const pair = new Digest();
	pair.mix(first);
	pair.mix(second);
	digest.xor(pair.bytes);
}

function int32(n: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeInt32BE(n);
	return bytes;
}

function sha1(data: string | Buffer): Buffer {
	return hash('sha1', typeof data === 'string' ? Buffer.from(data, 'latin1') : data, 'buffer');
}
