import { expect } from 'chai';
import fc from 'fast-check';
import { ListValue } from '../../../src/types/list-value.js';
import { listpackEntryBytes } from '../../../src/types/listpack-size.js';

const value = fc.oneof(
	{ weight: 6, arbitrary: fc.integer({ min: -2, max: 200 }).map(String) },
	{
		weight: 3,
		arbitrary: fc.constantFrom('a', 'b', '', 'x'.repeat(63), 'y'.repeat(64), '-9223372036854775808'),
	},
	{ weight: 1, arbitrary: fc.constantFrom('z'.repeat(1500), 'w'.repeat(5000)) },
);

const step = fc.record({
	op: fc.constantFrom(
		...(['pushHead', 'pushTail', 'pushHead', 'pushTail', 'pushMany', 'popHead', 'popTail'] as const),
		...(['set', 'before', 'after', 'at', 'remove', 'trim', 'clone'] as const),
	),
	value,
	at: fc.nat(1000),
	count: fc.integer({ min: -3, max: 3 }),
});

function elementsOf(list: ListValue): string[] {
	const elements: string[] = [];
	list.visitRange(0, list.length - 1, (element) => elements.push(element));
	return elements;
}

function removeFromModel(model: string[], wanted: string, count: number): number {
	const from = model.length;
	let left = count === 0 ? from : Math.abs(count);
	for (let i = 0; i < from && left > 0; i++) {
		const at = count < 0 ? model.lastIndexOf(wanted) : model.indexOf(wanted);
		if (at === -1) break;
		model.splice(at, 1);
		left--;
	}
	return from - model.length;
}

for (const listMaxListpackSize of [-2, -1, 128, 5, 1]) {
	const limits = { listMaxListpackSize };
	describe(`ListValue with list-max-listpack-size ${listMaxListpackSize}`, () => {
		it('does what an array does, under any program', () => {
			fc.assert(
				fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
					let list = new ListValue();
					const model: string[] = [];
					for (const { op, value, at, count } of steps) {
						const index = model.length === 0 ? 0 : at % model.length;
						switch (op) {
							case 'pushHead':
								list.pushHead(value, limits);
								model.unshift(value);
								break;
							case 'pushTail':
								list.pushTail(value, limits);
								model.push(value);
								break;
							case 'pushMany': {
								const many = Array.from({ length: at % 40 }, (_, i) => (i % 3 === 0 ? value : String(i)));
								list.pushAll(many, 0, many.length - 1, count < 0, limits);
								if (count < 0) model.unshift(...many.reverse());
								else model.push(...many);
								break;
							}
							case 'popHead':
								expect(list.popHead(limits)).equal(model.shift());
								break;
							case 'popTail':
								expect(list.popTail(limits)).equal(model.pop());
								break;
							case 'set':
								expect(list.set(index, value, limits)).equal(model.length > 0);
								if (model.length > 0) model[index] = value;
								break;
							case 'before':
								if (model.length > 0) list.insertBefore(index, value, limits);
								if (model.length > 0) model.splice(index, 0, value);
								break;
							case 'after':
								if (model.length > 0) list.insertAfter(index, value, limits);
								if (model.length > 0) model.splice(index + 1, 0, value);
								break;
							case 'at':
								list.insertAt(at % (model.length + 1), value, limits);
								model.splice(at % (model.length + 1), 0, value);
								break;
							case 'remove':
								expect(list.removeMatching(value, count, limits)).equal(removeFromModel(model, value, count));
								break;
							case 'trim':
								if (at % 4 === 0) {
									const end = Math.min(model.length - 1, index + 30);
									list.trim(index, end, limits);
									model.splice(0, model.length, ...model.slice(index, end + 1));
								}
								break;
							case 'clone':
								list = list.clone();
								break;
						}
						expect(list.length).equal(model.length);
					}
					expect(elementsOf(list)).deep.equal(model);
					const backward: string[] = [];
					list.visitRangeBackward(0, list.length - 1, (element) => backward.push(element));
					expect(backward.reverse()).deep.equal(model);
					for (let i = -1; i <= model.length; i++) expect(list.get(i)).equal(model.at(i));
					let bytes = 7 * Math.max(1, list.nodes);
					for (const element of model) bytes += listpackEntryBytes(element);
					expect(list.listpackBytes).equal(bytes);
					if (list.encoding === 'listpack') expect(list.nodes).lessThanOrEqual(1);
				}),
				{ numRuns: 60 },
			);
		});
	});
}

describe('The encoding of lists', () => {
	const limits = { listMaxListpackSize: 4 };

	it('follows the number of entries up, and half of it down', () => {
		const list = new ListValue();
		for (let i = 0; i < 4; i++) list.pushTail('x', limits);
		expect(list.encoding).equal('listpack');
		list.pushTail('x', limits);
		expect(list.encoding).equal('quicklist');
		list.popTail(limits);
		list.popTail(limits);
		expect(list.encoding).equal('quicklist');
		list.popTail(limits);
		expect(list.encoding).equal('listpack');
	});

	it('stays a quicklist while there are two nodes', () => {
		const list = new ListValue();
		for (let i = 0; i < 5; i++) list.pushTail('x', limits);
		for (let i = 0; i < 3; i++) list.popHead(limits);
		expect(list.nodes).equal(2);
		expect(list.encoding).equal('quicklist');
		list.popHead(limits);
		expect(list.encoding).equal('listpack');
	});

	it('of a list that was built is listpack up to the whole limit', () => {
		for (const size of [4, 5]) {
			const list = new ListValue();
			for (let i = 0; i < size; i++) list.appendBuilt('x', limits);
			list.convertBuilt(limits);
			expect(list.encoding).equal(size === 4 ? 'listpack' : 'quicklist');
		}
	});

	it('follows the bytes of what is added', () => {
		const list = new ListValue();
		list.pushTail('x'.repeat(4096 - 7), { listMaxListpackSize: -1 });
		expect(list.encoding).equal('listpack');
		list.pushTail('x', { listMaxListpackSize: -1 });
		expect(list.encoding).equal('quicklist');
	});
});
