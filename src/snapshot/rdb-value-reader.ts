/**
 * Values in RDB format to values of the keyspace. Everything is looked into before it is believed, as Redis does with
 * `sanitize-dump-payload yes`: an encoding that is damaged in any way, and members or fields that are there twice, are
 * faults. Encodings are chosen as Redis's loader chooses them, so that OBJECT ENCODING gives the same.
 *
 * Source: Redis 7.2.6, rdb.c (rdbLoadObject).
 */
import { parseDouble } from '../base/doubles.js';
import type { Int64 } from '../base/numbers.js';
import { decodeIntset } from '../formats/intset.js';
import { decodeListpack, STRING_SIZE_MAX } from '../formats/listpack.js';
import {
	RDB_CONTAINER_PACKED,
	RDB_CONTAINER_PLAIN,
	RDB_TYPE_HASH,
	RDB_TYPE_HASH_LISTPACK,
	RDB_TYPE_HASH_ZIPLIST,
	RDB_TYPE_HASH_ZIPMAP,
	RDB_TYPE_LIST,
	RDB_TYPE_LIST_QUICKLIST,
	RDB_TYPE_LIST_QUICKLIST_2,
	RDB_TYPE_LIST_ZIPLIST,
	RDB_TYPE_MODULE,
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
import { RdbFault } from '../formats/rdb-fault.js';
import type { RdbInput } from '../formats/rdb-input.js';
import { decodeZiplist } from '../formats/ziplist.js';
import { decodeZipmap } from '../formats/zipmap.js';
import { HashValue } from '../types/hash-value.js';
import type { HashLimits, ListLimits, SetLimits, ZSetLimits } from '../types/limits.js';
import { ListValue } from '../types/list-value.js';
import { RawString } from '../types/raw-string.js';
import { SetValue } from '../types/set-value.js';
import { type StringValue, stringValueOf, type Value } from '../types/value.js';
import { ZSetValue } from '../types/zset-value.js';
import { readStream } from './rdb-stream-reader.js';

/** What decides about encodings; the settings of a server are such. */
export type RdbValueLimits = ListLimits & HashLimits & SetLimits & ZSetLimits;

/** The longest integer string that is kept as a number, sign included; see `stringValueOf`. */
const INTEGER_CHARS_MAX = 17;

/** Is `type` the number of a value's type? */
export function isRdbValueType(type: number): boolean {
	return (
		(type >= RDB_TYPE_STRING && type <= RDB_TYPE_MODULE_2) || (type >= RDB_TYPE_HASH_ZIPMAP && type <= 21)
	);
}

/** Reads a value; undefined for an aggregate without elements, which is read to its end. @throws RdbFault */
export function readRdbValue(input: RdbInput, type: number, limits: RdbValueLimits): Value | undefined {
	switch (type) {
		case RDB_TYPE_STRING:
			return readStringValue(input);
		case RDB_TYPE_LIST:
			return readList(input, limits);
		case RDB_TYPE_SET:
			return readSet(input, limits);
		case RDB_TYPE_ZSET:
		case RDB_TYPE_ZSET_2:
			return readZSet(input, type, limits);
		case RDB_TYPE_HASH:
			return readHash(input, limits);
		case RDB_TYPE_LIST_QUICKLIST:
		case RDB_TYPE_LIST_QUICKLIST_2:
			return readQuicklist(input, type, limits);
		case RDB_TYPE_LIST_ZIPLIST:
			return readListZiplist(input, limits);
		case RDB_TYPE_SET_INTSET:
			return SetValue.ofIntegers(readIntset(input), limits);
		case RDB_TYPE_SET_LISTPACK:
			return setOfListpack(input, readListpack(input, 'Set listpack'), limits);
		case RDB_TYPE_HASH_ZIPMAP:
			return hashOfPairs(input, readZipmap(input), limits, 'Hash zipmap', true);
		case RDB_TYPE_HASH_ZIPLIST:
			return hashOfPairs(input, readZiplist(input, 'Hash ziplist'), limits, 'Hash ziplist', false);
		case RDB_TYPE_HASH_LISTPACK:
			return hashOfPairs(input, readListpack(input, 'Hash listpack'), limits, 'Hash listpack', false);
		case RDB_TYPE_ZSET_ZIPLIST:
			return zsetOfPairs(input, readZiplist(input, 'Zset ziplist'), limits, 'Zset ziplist');
		case RDB_TYPE_ZSET_LISTPACK:
			return zsetOfPairs(input, readListpack(input, 'Zset listpack'), limits, 'Zset listpack');
		case RDB_TYPE_STREAM_LISTPACKS:
		case RDB_TYPE_STREAM_LISTPACKS_2:
		case RDB_TYPE_STREAM_LISTPACKS_3:
			return readStream(input, type);
		case RDB_TYPE_MODULE:
			return input.fail('module', 'Pre-release module format not supported');
		case RDB_TYPE_MODULE_2: {
			const name = moduleName(input.readLength());
			const message = `The RDB file contains module data I can't load: no matching module type '${name}'`;
			return input.fail('module', message);
		}
		default:
			return input.fail('unsupported', `Unknown RDB encoding type ${type}`);
	}
}

// ---- strings ----------------------------------------------------------------------------------------

function readStringValue(input: RdbInput): StringValue {
	const integer = input.readIntegerIfEncoded();
	if (integer !== undefined) return integer;
	input.readBlob();
	const { blobBytes, blobStart, blobEnd } = input;
	const size = blobEnd - blobStart;
	if (size > STRING_SIZE_MAX) {
		const bytes = Buffer.allocUnsafeSlow(size);
		blobBytes.copy(bytes, 0, blobStart, blobEnd);
		return new RawString(bytes);
	}
	const text = blobBytes.latin1Slice(blobStart, blobEnd);
	return size <= INTEGER_CHARS_MAX ? stringValueOf(text) : text;
}

// ---- blobs ------------------------------------------------------------------------------------------

function readListpack(input: RdbInput, what: string): string[] {
	input.checkedCount++;
	input.readBlob();
	const entries = decodeListpack(input.blobBytes, input.blobStart, input.blobEnd);
	return entries ?? input.damaged(`${what} integrity check failed.`);
}

function readZiplist(input: RdbInput, what: string): string[] {
	input.readBlob();
	const entries = decodeZiplist(input.blobBytes, input.blobStart, input.blobEnd);
	return entries ?? input.damaged(`${what} integrity check failed.`);
}

function readZipmap(input: RdbInput): string[] {
	input.readBlob();
	const pairs = decodeZipmap(input.blobBytes, input.blobStart, input.blobEnd);
	return pairs ?? input.damaged('Zipmap integrity check failed.');
}

function readIntset(input: RdbInput): Int64[] {
	input.checkedCount++;
	input.readBlob();
	const members = decodeIntset(input.blobBytes, input.blobStart, input.blobEnd);
	return members ?? input.damaged('Intset integrity check failed.');
}

// ---- lists ------------------------------------------------------------------------------------------

function readList(input: RdbInput, limits: ListLimits): ListValue | undefined {
	const count = input.readCount();
	if (count === 0) return undefined;
	const list = new ListValue();
	for (let i = 0; i < count; i++) list.appendBuilt(input.readString(), limits);
	list.convertBuilt(limits);
	return list;
}

function readQuicklist(input: RdbInput, type: number, limits: ListLimits): ListValue | undefined {
	const nodeCount = input.readCount();
	const list = new ListValue();
	for (let i = 0; i < nodeCount; i++) {
		const container = type === RDB_TYPE_LIST_QUICKLIST_2 ? input.readLength() : RDB_CONTAINER_PACKED;
		if (container === RDB_CONTAINER_PLAIN) {
			const element = input.readString();
			if (element === '') input.damaged('Quicklist integrity check failed.');
			list.appendBuiltNode([element]);
			continue;
		}
		if (container !== RDB_CONTAINER_PACKED) input.damaged('Quicklist integrity check failed.');
		const values =
			type === RDB_TYPE_LIST_QUICKLIST_2 ? readListpack(input, 'Listpack') : readZiplist(input, 'Ziplist');
		if (values.length > 0) list.appendBuiltNode(values);
	}
	if (list.length === 0) return undefined;
	list.convertBuilt(limits);
	return list;
}

/** It stays a quicklist, however short it is. */
function readListZiplist(input: RdbInput, limits: ListLimits): ListValue | undefined {
	const values = readZiplist(input, 'List ziplist');
	if (values.length === 0) return undefined;
	const list = new ListValue();
	for (const value of values) list.appendBuilt(value, limits);
	return list;
}

// ---- sets -------------------------------------------------------------------------------------------

function readSet(input: RdbInput, limits: SetLimits): SetValue | undefined {
	const count = input.readCount();
	if (count === 0) return undefined;
	const set = new SetValue(count > limits.setMaxIntsetEntries ? 'hashtable' : 'intset');
	for (let i = 0; i < count; i++) {
		if (!set.add(input.readString(), limits)) input.damaged('Duplicate set members detected');
	}
	return set;
}

function setOfListpack(input: RdbInput, members: string[], limits: SetLimits): SetValue | undefined {
	if (members.length === 0) return undefined;
	const encoding = members.length > limits.setMaxListpackEntries ? 'hashtable' : 'listpack';
	return (
		SetValue.ofMembers(members.slice(), encoding) ?? input.damaged('Set listpack integrity check failed.')
	);
}

// ---- hashes -----------------------------------------------------------------------------------------

function readHash(input: RdbInput, limits: HashLimits): HashValue | undefined {
	const count = input.readCount();
	if (count === 0) return undefined;
	const hash = new HashValue();
	if (count > limits.hashMaxListpackEntries) hash.encoding = 'hashtable';
	for (let i = 0; i < count; i++) {
		const field = input.readString();
		if (!hash.set(field, input.readString(), limits)) input.damaged('Duplicate hash fields detected');
	}
	return hash;
}

/** `checkSizes`: the elements decide about the encoding too, and not just their number. */
function hashOfPairs(
	input: RdbInput,
	pairs: string[],
	limits: HashLimits,
	what: string,
	checkSizes: boolean,
): HashValue | undefined {
	if (pairs.length === 0) return undefined;
	if (pairs.length % 2 !== 0) input.damaged(`${what} integrity check failed.`);
	let small = pairs.length / 2 <= limits.hashMaxListpackEntries;
	if (checkSizes && small) small = pairs.every((text) => text.length <= limits.hashMaxListpackValue);
	const hash = HashValue.ofPairs(pairs, small ? 'listpack' : 'hashtable');
	return hash ?? duplicates(input, what);
}

/** `what`: the type of the value and the encoding, two words. */
function duplicates(input: RdbInput, what: string): never {
	return input.damaged(`${what} integrity check failed: ${what.split(' ')[1]} with dup elements`);
}

// ---- sorted sets ------------------------------------------------------------------------------------

function readZSet(input: RdbInput, type: number, limits: ZSetLimits): ZSetValue | undefined {
	const count = input.readCount();
	if (count === 0) return undefined;
	const zset = new ZSetValue('skiplist');
	for (let i = 0; i < count; i++) {
		const member = input.readString();
		const score = type === RDB_TYPE_ZSET_2 ? input.readBinaryDouble() : input.readTextDouble();
		if (Number.isNaN(score)) input.damaged('Zset with NAN score detected');
		if (!zset.add(member, score, limits)) input.damaged('Duplicate zset fields detected');
	}
	zset.convertBuilt(limits);
	return zset;
}

function zsetOfPairs(
	input: RdbInput,
	pairs: readonly string[],
	limits: ZSetLimits,
	what: string,
): ZSetValue | undefined {
	const count = pairs.length / 2;
	if (count === 0) return undefined;
	if (!Number.isInteger(count)) input.damaged(`${what} integrity check failed.`);
	const members: string[] = [];
	const scores: number[] = [];
	for (let i = 0; i < pairs.length; i += 2) {
		const score = parseDouble(pairs[i + 1]!);
		if (score === undefined) input.damaged(`${what} integrity check failed.`);
		members.push(pairs[i]!);
		scores.push(score);
	}
	const encoding = count > limits.zsetMaxListpackEntries ? 'skiplist' : 'listpack';
	return ZSetValue.ofScored(members, scores, encoding) ?? duplicates(input, what);
}

// ---- modules ----------------------------------------------------------------------------------------

const MODULE_NAME_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const MODULE_NAME_LENGTH = 9;

/** The name in the number of a module's type: 9 characters of 6 bits above the 10 bits of its version (module.c). */
export function moduleName(id: Int64): string {
	let rest = BigInt(id) >> 10n;
	let name = '';
	for (let i = 0; i < MODULE_NAME_LENGTH; i++) {
		name = MODULE_NAME_CHARS[Number(rest & 63n)]! + name;
		rest >>= 6n;
	}
	return name;
}

/** The fault in an exception, or the exception itself again if it is none. */
export function faultOf(error: unknown): RdbFault {
	if (error instanceof RdbFault) return error;
	throw error;
}
