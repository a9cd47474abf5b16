import { assert } from 'chai';
import fc from 'fast-check';
import { Settings } from '../../../src/engine/settings.js';
import { estimateBytes } from '../../../src/types/memory-size.js';
import { StreamConsumer, StreamGroup, StreamPending } from '../../../src/types/stream-group.js';
import { compareStreamIds, formatStreamId, type StreamId } from '../../../src/types/stream-id.js';
import { StreamIdList } from '../../../src/types/stream-id-list.js';
import { StreamValue } from '../../../src/types/stream-value.js';
import { cloneValue, encodingOf, typeName } from '../../../src/types/value.js';

const anyId = fc.record({ ms: fc.nat({ max: 30 }), seq: fc.nat({ max: 30 }) });

describe('StreamIdList', () => {
	it('does what a sorted array does, under any program', () => {
		const step = fc.record({ id: anyId, adds: fc.boolean() });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 2000, size: 'max' }), anyId, (steps, from) => {
				const list = new StreamIdList<StreamId>();
				const model = new Map<string, StreamId>();
				for (const { id, adds } of steps) {
					const text = formatStreamId(id);
					if (adds) assert.equal(list.add(id), !model.has(text));
					else assert.equal(list.remove(id), model.get(text));
					if (adds && !model.has(text)) model.set(text, id);
					if (!adds) model.delete(text);
					assert.equal(list.get(id), model.get(text));
				}
				const sorted = [...model.values()].sort(compareStreamIds);
				assert.equal(list.size, sorted.length);
				assert.deepEqual([...list.items()], sorted);
				assert.deepEqual(
					[...list.items(from)],
					sorted.filter((id) => compareStreamIds(id, from) >= 0),
				);
			}),
			{ numRuns: 50 },
		);
	});
});

describe('StreamValue', () => {
	const limits = Object.assign(new Settings(), { streamNodeMaxEntries: 10 });

	function streamOf(count: number): StreamValue {
		const stream = new StreamValue();
		for (let i = 1; i <= count; i++) {
			stream.append({ ms: i, seq: i % 3 }, ['f', 'g'], [String(i), 'x'.repeat(i % 50)], limits);
		}
		return stream;
	}

	it('is divided into nodes by the number of entries, and by their bytes', () => {
		assert.equal(streamOf(100).nodeCount, 10);
		const stream = new StreamValue();
		const byBytes = { streamNodeMaxBytes: 100, streamNodeMaxEntries: 0 };
		for (let i = 1; i <= 9; i++) stream.append({ ms: i, seq: 0 }, ['f'], ['v'.repeat(20)], byBytes);
		// 18 bytes of head with a field, 30 an entry; what is added counts 21: 99 for a third one, 129 for a fourth.
		assert.deepEqual(
			stream.allNodes().map((node) => node.entries.length),
			[3, 3, 3],
		);
	});

	it('gives its entries in order, from anywhere', () => {
		const stream = streamOf(95);
		assert.equal(stream.length, 95);
		assert.equal(stream.entriesAdded, 95);
		assert.deepEqual(stream.lastId, { ms: 95, seq: 2 });
		assert.equal(formatStreamId(stream.firstId), '1-1');
		for (const ms of [0, 1, 10, 11, 50, 95, 96]) {
			const found = [...stream.entries({ ms, seq: 0 })].map((entry) => entry.ms);
			assert.deepEqual(
				found,
				Array.from({ length: 95 }, (_, i) => i + 1).filter((i) => i >= ms),
			);
		}
		assert.deepEqual([...new StreamValue().entries({ ms: 1, seq: 0 })], []);
	});

	it('has a type and an encoding, and copies that share nothing that changes', () => {
		const stream = streamOf(25);
		const group = new StreamGroup('group', { ms: 3, seq: 0 }, 3);
		const consumer = new StreamConsumer('consumer', 1, 2);
		group.consumers.set('consumer', consumer);
		const pending = new StreamPending({ ms: 1, seq: 1 }, 100, 1, consumer);
		group.pending.add(pending);
		consumer.pending.add(pending);
		stream.groups.set('group', group);
		assert.equal(typeName(stream), 'stream');
		assert.equal(encodingOf(stream), 'stream');
		const copy = cloneValue(stream) as StreamValue;
		assert.deepEqual(copy, stream);
		copy.append({ ms: 100, seq: 0 }, ['f'], ['v'], limits);
		copy.groups.get('group')!.pending.get(pending)!.deliveryCount = 9;
		assert.equal(stream.length, 25);
		assert.equal(pending.deliveryCount, 1);
		const copiedConsumer = copy.groups.get('group')!.consumers.get('consumer')!;
		assert.equal(copiedConsumer.pending.get(pending)!.deliveryCount, 9);
	});

	it('takes memory in proportion to its entries', () => {
		const small = estimateBytes(streamOf(100), 5);
		const large = estimateBytes(streamOf(1000), 5);
		assert.isAbove(large, small * 8);
		assert.isBelow(large, small * 12);
	});
});
