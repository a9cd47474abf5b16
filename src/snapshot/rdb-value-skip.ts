/**
 * Passing over values in RDB format, for whoever copies entries as they are: looks no deeper than needed to find the
 * end, so that damage inside a string goes unnoticed.
 */
import {
	RDB_TYPE_HASH,
	RDB_TYPE_HASH_LISTPACK,
	RDB_TYPE_HASH_ZIPLIST,
	RDB_TYPE_HASH_ZIPMAP,
	RDB_TYPE_LIST,
	RDB_TYPE_LIST_QUICKLIST,
	RDB_TYPE_LIST_QUICKLIST_2,
	RDB_TYPE_LIST_ZIPLIST,
	RDB_TYPE_MODULE_2,
	RDB_TYPE_SET,
	RDB_TYPE_SET_INTSET,
	RDB_TYPE_SET_LISTPACK,
	RDB_TYPE_STREAM_LISTPACKS,
	RDB_TYPE_STREAM_LISTPACKS_2,
	RDB_TYPE_STREAM_LISTPACKS_3,
	RDB_TYPE_STRING,
	RDB_TYPE_ZSET,
	RDB_TYPE_ZSET_2,
	RDB_TYPE_ZSET_LISTPACK,
	RDB_TYPE_ZSET_ZIPLIST,
} from '../formats/rdb-codes.js';
import type { RdbInput } from '../formats/rdb-input.js';

/** Passes over a value of the type, a module's included. @throws RdbFault */
export function skipRdbValue(input: RdbInput, type: number): void {
	switch (type) {
		case RDB_TYPE_STRING:
		case RDB_TYPE_HASH_ZIPMAP:
		case RDB_TYPE_LIST_ZIPLIST:
		case RDB_TYPE_SET_INTSET:
		case RDB_TYPE_ZSET_ZIPLIST:
		case RDB_TYPE_HASH_ZIPLIST:
		case RDB_TYPE_HASH_LISTPACK:
		case RDB_TYPE_ZSET_LISTPACK:
		case RDB_TYPE_SET_LISTPACK:
			input.skipString();
			return;
		case RDB_TYPE_LIST:
		case RDB_TYPE_SET:
		case RDB_TYPE_LIST_QUICKLIST:
			skipStrings(input, input.readCount());
			return;
		case RDB_TYPE_HASH:
			skipStrings(input, input.readCount() * 2);
			return;
		case RDB_TYPE_ZSET:
			for (let left = input.readCount(); left > 0; left--) {
				input.skipString();
				input.readTextDouble();
			}
			return;
		case RDB_TYPE_ZSET_2:
			for (let left = input.readCount(); left > 0; left--) {
				input.skipString();
				input.skip(8);
			}
			return;
		case RDB_TYPE_LIST_QUICKLIST_2:
			for (let left = input.readCount(); left > 0; left--) {
				input.readLength();
				input.skipString();
			}
			return;
		case RDB_TYPE_STREAM_LISTPACKS:
		case RDB_TYPE_STREAM_LISTPACKS_2:
		case RDB_TYPE_STREAM_LISTPACKS_3:
			skipStream(input, type);
			return;
		case RDB_TYPE_MODULE_2:
			input.readLength();
			input.skipModuleValue();
			return;
		default:
			input.fail('unsupported', `Unknown RDB encoding type ${type}`);
	}
}

function skipStrings(input: RdbInput, count: number): void {
	for (let left = count; left > 0; left--) input.skipString();
}

/** The layout is told in `rdb-stream-reader.ts`. */
function skipStream(input: RdbInput, type: number): void {
	skipStrings(input, input.readCount() * 2);
	const hasCounters = type !== RDB_TYPE_STREAM_LISTPACKS;
	for (let left = hasCounters ? 8 : 3; left > 0; left--) input.readLength();
	for (let groups = input.readCount(); groups > 0; groups--) {
		input.skipString();
		for (let left = hasCounters ? 3 : 2; left > 0; left--) input.readLength();
		for (let pending = input.readCount(); pending > 0; pending--) {
			input.skip(16 + 8);
			input.readLength();
		}
		for (let consumers = input.readCount(); consumers > 0; consumers--) {
			input.skipString();
			input.skip(type === RDB_TYPE_STREAM_LISTPACKS_3 ? 16 : 8);
			for (let pending = input.readCount(); pending > 0; pending--) input.skip(16);
		}
	}
}
