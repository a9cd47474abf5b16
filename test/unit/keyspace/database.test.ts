import { expect } from 'chai';
import fc from 'fast-check';
import { Database } from '../../../src/keyspace/database.js';

const keyOf = (n: number): string => (n === 0 ? '' : n === 1 ? '__proto__' : `key:${n}`);

describe('Database', () => {
	it('does what a Map does, under any program', () => {
		const step = fc.record({
			op: fc.constantFrom(
				'set' as const,
				'set' as const,
				'delete' as const,
				'touch' as const,
				'clear' as const,
			),
			key: fc.nat(40),
			value: fc.nat(1_000_000),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
				const database = new Database(0);
				const model = new Map<string, number>();
				const clocks = new Map<string, number>();
				for (const { op, key, value } of steps) {
					const k = keyOf(key);
					if (op === 'set') {
						expect(database.set(k, value, value)).equal(!model.has(k));
						model.set(k, value);
						clocks.set(k, value);
					} else if (op === 'delete') {
						clocks.delete(k);
						expect(database.delete(k)).equal(model.delete(k));
					} else if (op === 'touch') {
						expect(database.getAndTouch(k, value)).equal(model.get(k));
						if (model.has(k)) clocks.set(k, value);
					} else if (value % 8 === 0) {
						database.clear();
						model.clear();
						clocks.clear();
					}
					expect(database.size).equal(model.size);
				}
				for (let n = 0; n <= 40; n++) {
					const k = keyOf(n);
					expect(database.get(k)).equal(model.get(k));
					expect(database.has(k)).equal(model.has(k));
					expect(database.accessClock(k)).equal(clocks.get(k) ?? 0);
				}
			}),
		);
	});

	it('scans every key that stays, whatever happens between the steps', () => {
		const database = new Database(0);
		const count = 20_000;
		for (let i = 0; i < count; i++) database.set(`stays:${i}`, i, 0);
		for (let i = 0; i < count; i++) database.set(`goes:${i}`, i, 0);
		const seen = new Set<string>();
		let cursor = 0;
		let step = 0;
		do {
			cursor = database.scan(cursor, 10, (key) => seen.add(key));
			database.set(`new:${step}`, step, 0);
			database.delete(`goes:${(step * 7919) % count}`);
			step++;
		} while (cursor !== 0);
		for (let i = 0; i < count; i++) if (!seen.has(`stays:${i}`)) expect.fail(`stays:${i}`);
	});

	it('spreads keys evenly over its partitions', () => {
		const database = new Database(0);
		for (let i = 0; i < 50_000; i++) database.set(`memtier-${i}`, i, 0);
		for (let i = 0; i < 50_000; i++) if (database.get(`memtier-${i}`) !== i) expect.fail(`memtier-${i}`);
		// A step of one key ends in the partition where the walk has come to: no partition is empty, so none is skipped.
		let cursor = 0;
		const partitions = new Set<number>();
		do {
			cursor = database.scan(cursor, 1, () => undefined);
			partitions.add(cursor % 1024);
		} while (cursor !== 0);
		expect(partitions.size).greaterThan(1000);
	});
});
