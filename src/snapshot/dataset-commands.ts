/**
 * The dataset as commands that rebuild it: the content of a base in AOF format (aof.c,
 * rewriteAppendOnlyFileRio). Aggregates are given in commands of at most `ITEMS_PER_COMMAND` elements.
 */
import { formatDouble } from '../base/doubles.js';
import type { Database } from '../keyspace/database.js';
import { HashValue } from '../types/hash-value.js';
import { ListValue } from '../types/list-value.js';
import { SetValue } from '../types/set-value.js';
import type { StreamGroup } from '../types/stream-group.js';
import { formatStreamId } from '../types/stream-id.js';
import { StreamValue } from '../types/stream-value.js';
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
	if (value instanceof StreamValue) return streamCommands(key, value);
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

/** Entries, then what they do not tell, then the groups with their consumers and what those have pending. */
function* streamCommands(key: string, stream: StreamValue): Generator<readonly string[]> {
	for (const entry of stream.entries()) {
		const args = ['XADD', key, formatStreamId(entry)];
		for (let i = 0; i < entry.fields.length; i++) args.push(entry.fields[i]!, entry.values[i]!);
		yield args;
	}
	// An empty stream is made by adding an entry that is trimmed at once.
	if (stream.length === 0) yield ['XADD', key, 'MAXLEN', '0', '0-1', 'x', 'y'];
	const added = String(stream.entriesAdded);
	const deleted = formatStreamId(stream.maxDeletedId);
	yield ['XSETID', key, formatStreamId(stream.lastId), 'ENTRIESADDED', added, 'MAXDELETEDID', deleted];
	for (const group of stream.sortedGroups()) yield* groupCommands(key, group);
}

function* groupCommands(key: string, group: StreamGroup): Generator<readonly string[]> {
	const read = String(group.entriesRead);
	yield ['XGROUP', 'CREATE', key, group.name, formatStreamId(group.lastId), 'ENTRIESREAD', read];
	for (const consumer of group.sortedConsumers()) {
		if (consumer.pending.size === 0) yield ['XGROUP', 'CREATECONSUMER', key, group.name, consumer.name];
		for (const pending of consumer.pending.items()) {
			const claim = ['XCLAIM', key, group.name, consumer.name, '0', formatStreamId(pending)];
			const state = ['TIME', String(pending.deliveredMs), 'RETRYCOUNT', String(pending.deliveryCount)];
			yield [...claim, ...state, 'JUSTID', 'FORCE'];
		}
	}
}
