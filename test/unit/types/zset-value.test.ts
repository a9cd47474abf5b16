import { expect } from 'chai';
import fc from 'fast-check';
import { IndexedMap } from '../../../src/types/indexed-map.js';
import type { LexBound } from '../../../src/types/zset-range.js';
import { memberInRange, scoreInRange } from '../../../src/types/zset-range.js';
import { PUT_ADDED, PUT_CHANGED, PUT_SAME, ZSetValue } from '../../../src/types/zset-value.js';

const limits = { zsetMaxListpackEntries: 20, zsetMaxListpackValue: 8 };

type Entry = [member: string, score: number];

function byOrder(a: Entry, b: Entry): number {
	return a[1] !== b[1] ? a[1] - b[1] || (a[1] < b[1] ? -1 : 1) : a[0] < b[0] ? -1 : 1;
}

function entriesOf(zset: ZSetValue): Entry[] {
	const entries: Entry[] = [];
	zset.forEach((member, score) => {
		entries.push([member, score]);
	});
	return entries;
}

function check(zset: ZSetValue, model: Map<string, number>): void {
	const expected = [...model].sort(byOrder);
	expect(zset.size).equal(expected.length);
	expect(entriesOf(zset)).deep.equal(expected);
	const backward: Entry[] = [];
	for (const cursor = zset.cursorAt(zset.size - 1); cursor.valid; cursor.backward()) {
		backward.push([cursor.member, cursor.score]);
	}
	expect(backward.reverse()).deep.equal(expected);
	for (let rank = 0; rank < expected.length; rank += 1 + (expected.length >> 5)) {
		const [member, score] = expected[rank]!;
		expect(zset.rank(member, false)).equal(rank);
		expect(zset.rank(member, true)).equal(expected.length - 1 - rank);
		expect(zset.score(member)).equal(score);
		expect(zset.cursorAt(rank).member).equal(member);
	}
}

const member = fc.oneof(
	fc.nat(400).map((n) => `m${n}`),
	fc.constantFrom('', '\xff', '\0', 'longer than eight'),
);
const score = fc.oneof(
	fc.integer({ min: -5, max: 5 }),
	fc.double({ noNaN: true }),
	fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0),
);
const step = fc.record({
	op: fc.oneof(
		{ weight: 10, arbitrary: fc.constant('add' as const) },
		{ weight: 3, arbitrary: fc.constant('remove' as const) },
		{ weight: 1, arbitrary: fc.constant('range' as const) },
		{ weight: 1, arbitrary: fc.constant('fill' as const) },
	),
	member,
	score,
	at: fc.nat(1000),
	count: fc.nat(100),
});

describe('ZSetValue', () => {
	it('does what a sorted array does, under any program', () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
				const zset = new ZSetValue();
				const model = new Map<string, number>();
				let encoding = 'listpack';
				const add = (member: string, score: number): void => {
					expect(zset.add(member, score, limits)).equal(!model.has(member));
					if (!model.has(member) && (model.size === 20 || member.length > 8)) encoding = 'skiplist';
					// An equal score changes nothing, and a listpack has no -0.
					if (model.get(member) !== score) model.set(member, encoding === 'listpack' ? score + 0 : score);
				};
				for (const { op, member, score, at, count } of steps) {
					if (op === 'add') add(member, score);
					else if (op === 'remove') expect(zset.remove(member)).equal(model.delete(member));
					else if (op === 'fill') {
						// Ascending, descending and equal scores, to fill and split nodes.
						for (let i = 0; i < count * 2; i++)
							add(`m${(at + i) % 400}`, (at % 3) - 1 === 0 ? 1 : i * ((at % 3) - 1));
					} else if (model.size > 0) {
						const start = at % model.size;
						const gone: Entry[] = [];
						const expected = [...model].sort(byOrder).slice(start, start + count);
						expect(zset.deleteRangeByRank(start, start + count - 1, (m, s) => gone.push([m, s]))).equal(
							expected.length,
						);
						expect(gone).deep.equal(expected);
						for (const [m] of gone) model.delete(m);
					}
					expect(zset.encoding).equal(encoding);
				}
				check(zset, model);
				const seen: Entry[] = [];
				let cursor = 0;
				do cursor = zset.scan(cursor, 9, (m, s) => seen.push([m, s]));
				while (cursor !== 0);
				expect(seen.sort(byOrder)).deep.equal([...model].sort(byOrder));
				const copy = zset.clone();
				zset.add('new', 1, limits);
				if (!model.has('new')) expect(copy.has('new')).equal(false);
				check(copy, model);
			}),
			{ numRuns: 200 },
		);
	});

	it('finds ranges of scores', () => {
		const range = fc.record({
			min: score,
			max: score,
			minExclusive: fc.boolean(),
			maxExclusive: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(score, { maxLength: 300 }), range, (scores, range) => {
				const zset = new ZSetValue();
				for (const [i, s] of scores.entries()) zset.add(`m${i}`, s, limits);
				const ranks = entriesOf(zset).flatMap(([, s], rank) => (scoreInRange(s, range) ? [rank] : []));
				expect(zset.countInScoreRange(range)).equal(ranks.length);
				if (ranks.length > 0) {
					expect(zset.scoreRangeStart(range)).equal(ranks[0]);
					expect(zset.scoreRangeEnd(range)).equal(ranks.at(-1)! + 1);
				}
			}),
		);
	});

	it('finds ranges of members', () => {
		const bound = fc.oneof(
			fc.constant<LexBound>({ kind: 'lowest' }),
			fc.constant<LexBound>({ kind: 'highest' }),
			fc.record({ kind: fc.constant('member' as const), member, exclusive: fc.boolean() }),
		);
		fc.assert(
			fc.property(fc.uniqueArray(member, { maxLength: 300 }), bound, bound, (members, min, max) => {
				const zset = new ZSetValue();
				for (const m of members) zset.add(m, 0, limits);
				const range = { min, max };
				const ranks = entriesOf(zset).flatMap(([m], rank) => (memberInRange(m, range) ? [rank] : []));
				expect(zset.countInLexRange(range)).equal(ranks.length);
				if (ranks.length > 0) {
					expect(zset.lexRangeStart(range)).equal(ranks[0]);
					expect(zset.lexRangeEnd(range)).equal(ranks.at(-1)! + 1);
				}
			}),
		);
	});

	it('answers a range of members alike for the same elements, however they came', () => {
		const grown = new ZSetValue();
		for (let i = 0; i < 1000; i++) grown.add(`m${(i * 7) % 1000}`, i % 5, limits);
		const loaded = new ZSetValue();
		grown.forEach((m, s) => {
			loaded.add(m, s, limits);
		});
		for (let i = 0; i < 1000; i += 9) {
			const min: LexBound = { kind: 'member', member: `m${i}`, exclusive: false };
			const range = { min, max: { kind: 'highest' as const } };
			expect(grown.lexRangeStart(range)).equal(loaded.lexRangeStart(range));
		}
	});

	it('keeps its order over tens of thousands of elements', () => {
		const zset = new ZSetValue();
		const model = new Map<string, number>();
		let seed = 12345;
		const draw = (bound: number): number => {
			seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
			return seed % bound;
		};
		for (let i = 0; i < 30_000; i++) {
			const m = `m${draw(20_000)}`;
			if (draw(4) === 0) {
				zset.remove(m);
				model.delete(m);
			} else {
				const s = draw(5000) / 8;
				zset.add(m, s, limits);
				model.set(m, s);
			}
		}
		check(zset, model);
		const order = [...model].sort(byOrder);
		const gone: Entry[] = [];
		zset.deleteRangeByRank(1000, 9000, (m, s) => gone.push([m, s]));
		expect(gone).deep.equal(order.slice(1000, 9001));
		for (const [m] of gone) model.delete(m);
		check(zset, model);
		for (const m of [...model.keys()]) {
			zset.remove(m);
			model.delete(m);
		}
		check(zset, model);
	});

	it('keeps the sign of zero, but not in a listpack', () => {
		const zset = new ZSetValue('skiplist');
		zset.add('a', -0, limits);
		zset.add('b', 0, limits);
		zset.add('b', -0, limits);
		expect(Object.is(zset.score('a'), -0)).equal(true);
		expect(Object.is(zset.score('b'), 0)).equal(true);
		expect(zset.rank('a', false)).equal(0);
		zset.convertBuilt(limits);
		expect(zset.encoding).equal('listpack');
		expect(Object.is(zset.score('a'), 0)).equal(true);
		zset.add('c', -0, limits);
		expect(Object.is(zset.score('c'), 0)).equal(true);
	});

	it('takes over a table', () => {
		const table = new IndexedMap<number>();
		table.set('b', 2);
		table.set('a', 3);
		const zset = ZSetValue.ofTable(table);
		expect(entriesOf(zset)).deep.equal([
			['b', 2],
			['a', 3],
		]);
		expect(zset.score('a')).equal(3);
		expect(zset.put('a', 3, limits)).equal(PUT_SAME);
		expect(zset.put('a', 4, limits)).equal(PUT_CHANGED);
		expect(zset.put('c', 4, limits)).equal(PUT_ADDED);
	});
});
