import { expect } from 'chai';
import fc from 'fast-check';
import { SetValue } from '../../../src/types/set-value.js';

const limits = { setMaxIntsetEntries: 16, setMaxListpackEntries: 12, setMaxListpackValue: 8 };

const integerText = fc.oneof(
	fc.integer({ min: -12, max: 12 }).map(String),
	fc.constantFrom(
		'9223372036854775807',
		'-9223372036854775808',
		'9007199254740991',
		'9007199254740992',
		'9007199254740993',
		'-9007199254740993',
	),
);
const otherText = fc.constantFrom(
	'a',
	'b',
	'',
	'01',
	'+1',
	'-0',
	' 1',
	'9223372036854775808',
	'1.0',
	'123456789x',
);

/** The rules of the encodings, written down apart from the class. */
class Model {
	encoding = 'intset';
	members: string[] = [];

	add(text: string): boolean {
		if (this.members.includes(text)) return false;
		const isInteger = /^(0|-?[1-9][0-9]*)$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
		if (this.encoding === 'intset' && !isInteger) {
			const longest = Math.max(text.length, ...this.ends().map((m) => m.length));
			this.encoding = this.members.length < 12 && longest <= 8 ? 'listpack' : 'hashtable';
			this.members.push(text);
		} else {
			if (this.encoding === 'listpack' && (this.members.length >= 12 || text.length > 8))
				this.encoding = 'hashtable';
			this.members.push(text);
			if (this.encoding === 'intset') {
				this.members.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
				if (this.members.length > 16) this.encoding = 'hashtable';
			}
		}
		return true;
	}

	remove(text: string): boolean {
		const at = this.members.indexOf(text);
		if (at !== -1) this.members.splice(at, 1);
		return at !== -1;
	}

	private ends(): string[] {
		return this.members.length === 0 ? [] : [this.members[0]!, this.members.at(-1)!];
	}
}

function membersOf(set: SetValue): string[] {
	const members: string[] = [];
	let cursor = 0;
	do cursor = set.scan(cursor, 5, (member) => members.push(member));
	while (cursor !== 0);
	return members;
}

describe('SetValue', () => {
	it('does what a set does, in the order and encoding of Redis, under any program', () => {
		const member = fc.oneof({ weight: 20, arbitrary: integerText }, { weight: 1, arbitrary: otherText });
		const step = fc.record({ remove: fc.integer({ min: 0, max: 4 }).map((n) => n === 0), member });
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const set = new SetValue();
				const model = new Model();
				for (const { remove, member } of steps) {
					if (remove) expect(set.remove(member)).equal(model.remove(member));
					else expect(set.add(member, limits)).equal(model.add(member));
					expect(set.encoding).equal(model.encoding);
					expect(set.size).equal(model.members.length);
					const members = membersOf(set);
					if (model.encoding === 'hashtable') expect(members.sort()).deep.equal([...model.members].sort());
					else expect(members).deep.equal(model.members);
				}
				for (const member of model.members) expect(set.has(member)).equal(true);
				expect(set.has('absent')).equal(false);
				const copy = set.clone();
				copy.add('only in the copy', limits);
				expect(set.has('only in the copy')).equal(false);
			}),
			{ numRuns: 300 },
		);
	});

	it('pops every member once', () => {
		for (const encoding of ['intset', 'listpack', 'hashtable'] as const) {
			const set = new SetValue(encoding);
			for (let i = 0; i < 10; i++) set.add(String(i), limits);
			expect(set.encoding).equal(encoding);
			const popped: string[] = [];
			let turn = 3;
			while (set.size > 0) {
				turn = (turn * 7 + 1) % 101;
				popped.push(set.popAt(turn % set.size));
			}
			expect(popped.sort()).deep.equal(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
		}
	});

	it('starts and converts by the number of members to come', () => {
		expect(SetValue.forAdding('1', 16, limits).encoding).equal('intset');
		expect(SetValue.forAdding('1', 17, limits).encoding).equal('hashtable');
		expect(SetValue.forAdding('x', 12, limits).encoding).equal('listpack');
		expect(SetValue.forAdding('x', 13, limits).encoding).equal('hashtable');
		const set = SetValue.forAdding('1', 1, limits);
		set.add('5', limits);
		set.prepareToAdd(17, limits);
		expect(set.encoding).equal('hashtable');
		set.convertToIntset(limits);
		expect(set.encoding).equal('intset');
		expect(set.has('5')).equal(true);
		expect(membersOf(set)).deep.equal(['5']);
	});
});
