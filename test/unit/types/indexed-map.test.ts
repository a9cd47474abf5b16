import { expect } from 'chai';
import fc from 'fast-check';
import { HashIndex, hashKey } from '../../../src/types/hash-index.js';
import { IndexedMap } from '../../../src/types/indexed-map.js';

/** Few keys, so that programs meet the same ones again; some are names of Object.prototype, some not ASCII. */
const keyOf = (n: number): string =>
	n === 0 ? '' : n === 1 ? '__proto__' : n === 2 ? 'constructor' : n === 3 ? '\x00\xff' : `key:${n}`;

type Step = { op: 'set' | 'delete' | 'keep' | 'clear'; key: number; value: number };
const step = fc.record<Step>({
	op: fc.oneof(
		{ weight: 12, arbitrary: fc.constant('set' as const) },
		{ weight: 6, arbitrary: fc.constant('delete' as const) },
		{ weight: 2, arbitrary: fc.constant('keep' as const) },
		{ weight: 1, arbitrary: fc.constantFrom('clear' as const, 'set' as const, 'set' as const) },
	),
	key: fc.nat(60),
	value: fc.nat(1000),
});

describe('IndexedMap', () => {
	it('does what a Map does, under any program', () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
				const map = new IndexedMap<number>();
				const model = new Map<string, number>();
				for (const { op, key, value } of steps) {
					const k = keyOf(key);
					if (op === 'set') {
						expect(map.set(k, value)).equal(!model.has(k));
						model.set(k, value);
					} else if (op === 'clear') {
						map.clear();
						model.clear();
					} else {
						expect(op === 'keep' ? map.deleteKeepingOrder(k) : map.delete(k)).equal(model.delete(k));
					}
					expect(map.size).equal(model.size);
					expect(map.get(k)).equal(model.get(k));
				}
				for (let n = 0; n <= 60; n++) expect(map.get(keyOf(n))).equal(model.get(keyOf(n)));
				for (let i = 0; i < map.size; i++) {
					expect(map.indexOf(map.keyAt(i))).equal(i);
					expect(map.valueAt(i)).equal(model.get(map.keyAt(i)));
				}
				const copy = map.clone();
				expect(copy.keys).deep.equal(map.keys);
				expect(copy.values).deep.equal(map.values);
				for (const k of map.keys) expect(copy.get(k)).equal(model.get(k));
			}),
		);
	});

	it('keeps insertion order when asked to', () => {
		fc.assert(
			fc.property(fc.array(fc.nat(40), { maxLength: 100 }), fc.array(fc.nat(40)), (added, removed) => {
				const map = new IndexedMap<number>();
				for (const n of added) map.set(keyOf(n), n);
				const expected = [...new Set(added)].filter((n) => !removed.includes(n)).map(keyOf);
				for (const n of removed) map.deleteKeepingOrder(keyOf(n));
				expect(map.keys).deep.equal(expected);
			}),
		);
	});

	it('scans every entry that stays, whatever happens between the steps', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 200 }),
				fc.array(fc.record({ count: fc.nat(9), change: fc.array(step, { maxLength: 8 }) }), { minLength: 1 }),
				(size, rounds) => {
					const map = new IndexedMap<number>();
					for (let i = 0; i < size; i++) map.set(`stays:${i}`, i);
					for (let i = 0; i < size; i++) map.set(keyOf(i), i);
					const seen = new Set<string>();
					let cursor = 0;
					let round = 0;
					do {
						const { count, change } = rounds[round++ % rounds.length]!;
						cursor = map.scan(cursor, count, (key) => seen.add(key));
						for (const { op, key, value } of change) {
							if (op === 'set') map.set(keyOf(key), value);
							else if (op !== 'clear') map.delete(keyOf(key));
						}
					} while (cursor !== 0);
					for (let i = 0; i < size; i++) expect(seen.has(`stays:${i}`)).equal(true);
				},
			),
		);
	});

	it('holds hundreds of thousands of entries, and shrinks again', () => {
		const map = new IndexedMap<number>();
		const count = 100_000;
		for (let i = 0; i < count; i++) map.set(`key:${i}`, i);
		for (let i = 0; i < count; i++) if (map.get(`key:${i}`) !== i) expect.fail(`key:${i}`);
		for (let i = 0; i < count; i++) if (i % 1000 !== 0) map.delete(`key:${i}`);
		expect(map.size).equal(count / 1000);
		for (let i = 0; i < count; i++)
			if (map.get(`key:${i}`) !== (i % 1000 === 0 ? i : undefined)) expect.fail(`key:${i}`);
	});
});

describe('HashIndex', () => {
	it('finds entries whose hashes are all equal', () => {
		const keys = Array.from({ length: 300 }, (_, i) => `k${i}`);
		const index = new HashIndex(0);
		for (let i = 0; i < keys.length; i++) index.insert(keys, 7, i);
		for (let i = 0; i < keys.length; i += 2) index.remove(7, i);
		for (let i = 0; i < keys.length; i++) expect(index.find(keys, keys[i]!, 7)).equal(i % 2 === 0 ? -1 : i);
	});

	it('grows until it is divided, shrinks, and grows again', () => {
		const keys: string[] = [];
		let made = 0;
		const index = new HashIndex(0);
		const growTo = (count: number) => {
			while (keys.length < count) {
				const key = `key:${made++}`;
				index.insert(keys, hashKey(key), keys.length);
				keys.push(key);
			}
		};
		const shrinkTo = (count: number) => {
			while (keys.length > count) {
				const position = ((keys.length * keys.length * 7919) % 31) % keys.length;
				index.remove(hashKey(keys[position]!), position);
				const last = keys.pop()!;
				if (position === keys.length) continue;
				keys[position] = last;
				index.move(hashKey(last), keys.length, position);
			}
		};
		const check = () => {
			for (const [i, key] of keys.entries()) expect(index.find(keys, key, hashKey(key))).equal(i);
			for (let i = 0; i < 1000; i++) expect(index.find(keys, `no:${i}`, hashKey(`no:${i}`))).equal(-1);
		};
		for (const count of [32_768, 3, 20_000, 0, 1000, 32_768, 32_769, 40_000, 10]) {
			growTo(count);
			shrinkTo(count);
			check();
		}
	});

	it('hashes by every byte and the length', () => {
		const seen = new Set<number>();
		const texts = ['', '\0', '\0\0', '\0\0\0', '\0\0\0\0', '\0\0\0\0\0'];
		for (let i = 0; i < 32; i++) texts.push('x'.repeat(i) + 'y' + 'x'.repeat(31 - i), 'x'.repeat(i + 1));
		for (const text of texts) seen.add(hashKey(text));
		expect(seen.size).equal(texts.length);
	});
});
