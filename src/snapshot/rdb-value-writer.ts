/**
 * Values of the keyspace in RDB format, by the types of version 10: Redis 7.0 reads them. A small set is written member
 * by member, as 7.0 has no listpack for it; whoever loads it makes it small again.
 *
 * Source: Redis 7.2.6, rdb.c (rdbSaveObject).
 */
import { formatDouble } from '../base/doubles.js';
import { encodeIntset } from '../formats/intset.js';
import {
	RDB_CONTAINER_PACKED,
	RDB_TYPE_HASH,
	RDB_TYPE_HASH_LISTPACK,
	RDB_TYPE_LIST_QUICKLIST_2,
	RDB_TYPE_SET,
	RDB_TYPE_SET_INTSET,
	RDB_TYPE_STREAM_LISTPACKS_2,
	RDB_TYPE_STRING,
	RDB_TYPE_ZSET_2,
	RDB_TYPE_ZSET_LISTPACK,
} from '../formats/rdb-codes.js';
import type { RdbOutput } from '../formats/rdb-output.js';
import type { HashValue } from '../types/hash-value.js';
import type { ListValue } from '../types/list-value.js';
import { RawString } from '../types/raw-string.js';
import type { SetValue } from '../types/set-value.js';
import { isStringValue, type Value } from '../types/value.js';
import type { ZSetValue } from '../types/zset-value.js';
import { writeStream } from './rdb-stream-writer.js';

/** The number of the type that the value is written as. */
export function rdbTypeOf(value: Value): number {
	if (isStringValue(value)) return RDB_TYPE_STRING;
	switch (value.type) {
		case 'list':
			return RDB_TYPE_LIST_QUICKLIST_2;
		case 'hash':
			return value.encoding === 'listpack' ? RDB_TYPE_HASH_LISTPACK : RDB_TYPE_HASH;
		case 'set':
			return value.encoding === 'intset' ? RDB_TYPE_SET_INTSET : RDB_TYPE_SET;
		case 'zset':
			return value.encoding === 'listpack' ? RDB_TYPE_ZSET_LISTPACK : RDB_TYPE_ZSET_2;
		case 'stream':
			return RDB_TYPE_STREAM_LISTPACKS_2;
	}
}

/** Writes the value, without its type. */
export function writeRdbValue(output: RdbOutput, value: Value): void {
	if (typeof value === 'string') output.writeString(value);
	else if (typeof value === 'number') output.writeInteger(value);
	else if (value instanceof RawString) output.writeBytes(value.toBuffer());
	else {
		switch (value.type) {
			case 'list':
				writeList(output, value);
				break;
			case 'hash':
				writeHash(output, value);
				break;
			case 'set':
				writeSet(output, value);
				break;
			case 'zset':
				writeZSet(output, value);
				break;
			case 'stream':
				writeStream(output, value);
				break;
		}
	}
}

function writeList(output: RdbOutput, list: ListValue): void {
	output.writeLength(list.nodes);
	const { listpack } = output;
	list.visitNodes((count, cursor) => {
		listpack.reset();
		for (let left = count; left > 0; left--, cursor.forward()) listpack.append(cursor.value);
		output.writeLength(RDB_CONTAINER_PACKED);
		output.writeBytes(listpack.finish());
	});
}

function writeHash(output: RdbOutput, hash: HashValue): void {
	const { size } = hash;
	if (hash.encoding === 'listpack') {
		const { listpack } = output;
		listpack.reset();
		for (let i = 0; i < size; i++) {
			listpack.append(hash.fieldAt(i));
			listpack.append(hash.valueAt(i));
		}
		output.writeBytes(listpack.finish());
		return;
	}
	output.writeLength(size);
	for (let i = 0; i < size; i++) {
		output.writeString(hash.fieldAt(i));
		output.writeString(hash.valueAt(i));
	}
}

function writeSet(output: RdbOutput, set: SetValue): void {
	const integers = set.intsetMembers;
	if (integers !== null) {
		output.writeBytes(encodeIntset(integers));
		return;
	}
	const { size } = set;
	output.writeLength(size);
	for (let i = 0; i < size; i++) output.writeString(set.memberAt(i));
}

/** A skiplist goes from the highest to the lowest: so Redis builds it up again with the least effort. */
function writeZSet(output: RdbOutput, zset: ZSetValue): void {
	if (zset.encoding === 'listpack') {
		const { listpack } = output;
		listpack.reset();
		zset.forEach((member, score) => {
			listpack.append(member);
			listpack.append(formatDouble(score));
		});
		output.writeBytes(listpack.finish());
		return;
	}
	output.writeLength(zset.size);
	for (const cursor = zset.cursorAt(zset.size - 1); cursor.valid; cursor.backward()) {
		output.writeString(cursor.member);
		output.writeBinaryDouble(cursor.score);
	}
}
