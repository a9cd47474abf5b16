/** Values of every type and encoding, for fast-check. */
import fc from 'fast-check';
import { canonicalInt64, type Int64 } from '../../../src/base/numbers.js';
import { Settings } from '../../../src/engine/settings.js';
import { HashValue } from '../../../src/types/hash-value.js';
import { ListValue } from '../../../src/types/list-value.js';
import { RawString } from '../../../src/types/raw-string.js';
import { SetValue } from '../../../src/types/set-value.js';
import { StreamConsumer, StreamGroup, StreamPending } from '../../../src/types/stream-group.js';
import { compareStreamIds, formatStreamId, type StreamId } from '../../../src/types/stream-id.js';
import { StreamValue } from '../../../src/types/stream-value.js';
import { stringValueOf, type Value } from '../../../src/types/value.js';
import { ZSetValue } from '../../../src/types/zset-value.js';

/** Limits that a few elements reach. */
export const SMALL_LIMITS: Settings = Object.assign(new Settings(), {
	hashMaxListpackEntries: 8,
	listMaxListpackSize: 5,
	setMaxIntsetEntries: 8,
	setMaxListpackEntries: 8,
	zsetMaxListpackEntries: 8,
	streamNodeMaxEntries: 4,
});

const MANY = { maxLength: 20 };

/** Bytes of all kinds: any, integers of every width, long ones that compress and that do not. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
	fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
	fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
	fc.integer({ min: -40_000, max: 40_000 }).map(String),
	fc
		.tuple(fc.constantFrom('x', 'abc', '\0'), fc.integer({ min: 1, max: 3000 }))
		.map(([part, times]) => part.repeat(times)),
	fc.uint8Array({ minLength: 60, maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

const anyScore = fc.double({ noNaN: true });

const anyString: fc.Arbitrary<Value> = fc.oneof(
	anyText.map(stringValueOf),
	anyText.map((text) => RawString.from(text)),
);

const anyList: fc.Arbitrary<Value> = fc.array(anyText, { minLength: 1, maxLength: 20 }).map((elements) => {
	const list = new ListValue();
	for (const element of elements) list.pushTail(element, SMALL_LIMITS);
	return list;
});

const anyHash: fc.Arbitrary<Value> = fc
	.array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 20 })
	.map((pairs) => {
		const hash = new HashValue();
		for (const [field, value] of pairs) hash.set(field, value, SMALL_LIMITS);
		return hash;
	});

const anySet: fc.Arbitrary<Value> = fc
	.oneof(
		fc.array(anyText, { minLength: 1, ...MANY }),
		fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String), { minLength: 1, ...MANY }),
	)
	.map((members) => {
		const set = SetValue.forAdding(members[0]!, 1, SMALL_LIMITS);
		for (const member of members) set.add(member, SMALL_LIMITS);
		return set;
	});

const anyZSet: fc.Arbitrary<Value> = fc
	.array(fc.tuple(anyText, anyScore), { minLength: 1, ...MANY })
	.map((pairs) => {
		const zset = new ZSetValue();
		for (const [member, score] of pairs) zset.add(member, score, SMALL_LIMITS);
		return zset;
	});

// ---- streams ----------------------------------------------------------------------------------------

const anyUint64: fc.Arbitrary<Int64> = fc
	.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
	.map(canonicalInt64);

const anyId: fc.Arbitrary<StreamId> = fc.record({ ms: anyUint64, seq: anyUint64 });

const anyTime = fc.integer({ min: 0, max: 2 ** 48 });

const anyGroup = fc.record({
	name: anyText,
	lastId: anyId,
	entriesRead: fc.oneof(fc.constant(-1 as Int64), fc.nat()),
	consumers: fc.uniqueArray(anyText, { maxLength: 4 }),
	pending: fc.uniqueArray(fc.tuple(anyId, anyTime, fc.nat(), fc.nat()), {
		maxLength: 12,
		selector: ([id]) => formatStreamId(id),
	}),
});

const anyEntry = fc.tuple(
	anyId,
	fc.oneof(fc.constantFrom(['a', 'b'], ['c']), fc.array(anyText, { minLength: 1, maxLength: 4 })),
	fc.array(anyText, { minLength: 4, maxLength: 4 }),
);

const anyStream: fc.Arbitrary<Value> = fc
	.record({
		entries: fc.uniqueArray(anyEntry, { maxLength: 12, selector: ([id]) => formatStreamId(id) }),
		maxDeletedId: anyId,
		groups: fc.uniqueArray(anyGroup, { maxLength: 3, selector: ({ name }) => name }),
	})
	.map(({ entries, maxDeletedId, groups }) => {
		const stream = new StreamValue();
		entries.sort(([a], [b]) => compareStreamIds(a, b));
		for (const [id, fields, values] of entries) {
			stream.append(id, fields, values.slice(0, fields.length), SMALL_LIMITS);
		}
		stream.maxDeletedId = maxDeletedId;
		for (const { name, lastId, entriesRead, consumers, pending } of groups) {
			const group = new StreamGroup(name, lastId, entriesRead);
			for (const consumer of consumers) group.consumers.set(consumer, new StreamConsumer(consumer, 5, 5));
			for (const [id, deliveredMs, deliveryCount, owner] of consumers.length === 0 ? [] : pending) {
				const consumer = group.consumers.get(consumers[owner % consumers.length]!)!;
				const item = new StreamPending(id, deliveredMs, deliveryCount, consumer);
				group.pending.add(item);
				consumer.pending.add(item);
			}
			stream.groups.set(name, group);
		}
		return stream;
	});

/** A value of any type, and of any encoding that it can have under `SMALL_LIMITS`. */
export const anyValue: fc.Arbitrary<Value> = fc.oneof(
	anyString,
	anyList,
	anyHash,
	anySet,
	anyZSet,
	anyStream,
);
