/**
 * The dataset as commands that rebuild it: the content of a base in AOF format (aof.c,
 * rewriteAppendOnlyFileRio). Aggregates are given in commands of at most `ITEMS_PER_COMMAND` elements.
 */
import { formatDouble } from '../base/doubles.js';
import type { Database } from '../keyspace/database.js';
import { HashValue } from '../types/hash-value.js';
import { ListValue } from '../types/list-value.js';
import { SetValue } from '../types/set-value.js';
import { isStringValue, stringOf, type Value } from '../types/value.js';
import type { ZSetValue } from '../types/zset-value.js';

const ITEMS_PER_COMMAND = 64;

/** The commands, in an order that starts with database 0 selected. Do not change the dataset meanwhile. */
export function* datasetCommands(dbs: readonly Database[]): Generator<readonly string[]> {
	for (const db of dbs) {
		if (db.size === 0) continue;
		yield ['SELECT', String(db.id)];
		for (const [key, value] of entriesOf(db)) {
			yield* valueCommands(key, value);
			const expireAtMs = db.expireAt(key);
			if (expireAtMs >= 0) yield ['PEXPIREAT', key, String(expireAtMs)];
		}
	}
}

function* entriesOf(db: Database): Generator<readonly [string, Value]> {
	let cursor = 0;
	do {
		const batch: [string, Value][] = [];
		cursor = db.scan(cursor, ITEMS_PER_COMMAND, (key, value) => batch.push([key, value]));
		yield* batch;
	} while (cursor !== 0);
}

/** The commands that create `key` with that value. */
export function valueCommands(key: string, value: Value): Iterable<readonly string[]> {
	if (isStringValue(value)) return [['SET', key, stringOf(value)]];
	if (value instanceof ListValue) return chunked('RPUSH', key, elementsOf(value), ITEMS_PER_COMMAND);
	if (value instanceof HashValue) return chunked('HMSET', key, fieldsAndValues(value), ITEMS_PER_COMMAND * 2);
	if (value instanceof SetValue) return chunked('SADD', key, membersOf(value), ITEMS_PER_COMMAND);
	return chunked('ZADD', key, scoresAndMembers(value), ITEMS_PER_COMMAND * 2);
}

function* chunked(
	name: string,
	key: string,
	items: Iterable<string>,
	countMax: number,
): Generator<readonly string[]> {
	let args = [name, key];
	for (const item of items) {
		args.push(item);
		if (args.length === countMax + 2) {
			yield args;
			args = [name, key];
		}
	}
	if (args.length > 2) yield args;
}

function* elementsOf(list: ListValue): Generator<string> {
	for (const cursor = list.cursorAt(0); cursor.valid; cursor.forward()) yield cursor.value;
}

function* membersOf(set: SetValue): Generator<string> {
	for (let position = 0; position < set.size; position++) yield set.memberAt(position);
}

function* fieldsAndValues(hash: HashValue): Generator<string> {
	for (let position = 0; position < hash.size; position++) {
		yield hash.fieldAt(position);
		yield hash.valueAt(position);
	}
}

function* scoresAndMembers(zset: ZSetValue): Generator<string> {
	for (let position = 0; position < zset.size; position++) {
		yield formatDouble(zset.scoreAt(position));
		yield zset.memberAt(position);
	}
}
