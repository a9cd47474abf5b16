import { expect } from 'chai';
import fc from 'fast-check';
import { HashValue } from '../../../src/types/hash-value.js';

const limits = { hashMaxListpackEntries: 20, hashMaxListpackValue: 8 };

describe('HashValue', () => {
	it('does what a Map does, under any program, and turns to a hashtable by its limits', () => {
		const step = fc.record({
			remove: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
			field: fc.nat(30).map((n) => `f${n}`),
			value: fc.string({ maxLength: 9 }),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
				const hash = new HashValue();
				const model = new Map<string, string>();
				let encoding = 'listpack';
				for (const { remove, field, value } of steps) {
					if (remove) {
						expect(hash.delete(field)).equal(model.delete(field));
					} else {
						expect(hash.set(field, value, limits)).equal(!model.has(field));
						model.set(field, value);
						if (model.size > 20 || value.length > 8) encoding = 'hashtable';
					}
					expect(hash.encoding).equal(encoding);
					expect(hash.size).equal(model.size);
				}
				for (const [field, value] of model) {
					expect(hash.get(field)).equal(value);
					expect(hash.has(field)).equal(true);
				}
				const entries: [string, string][] = [];
				let cursor = 0;
				do cursor = hash.scan(cursor, 7, (field, value) => entries.push([field, value]));
				while (cursor !== 0);
				if (encoding === 'listpack') expect(entries).deep.equal([...model]);
				else expect(new Map(entries)).deep.equal(model);
				const copy = hash.clone();
				copy.set('only', 'copy', limits);
				expect(hash.has('only')).equal(false);
				expect(copy.size).equal(model.size + 1);
			}),
		);
	});

	it('decides about a command before it looks for duplicates', () => {
		const many = ['key'];
		for (let i = 0; i < 21; i++) many.push('same', 'v');
		const hash = new HashValue();
		hash.prepareToSet(many, 1, 40, limits);
		expect(hash.encoding).equal('listpack');
		hash.prepareToSet(many, 1, 42, limits);
		expect(hash.encoding).equal('hashtable');
		const long = new HashValue();
		long.prepareToSet(['f', '123456789'], 0, 1, limits);
		expect(long.encoding).equal('hashtable');
	});
});
