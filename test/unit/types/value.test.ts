import { expect } from 'chai';
import { HashValue } from '../../../src/types/hash-value.js';
import { ListValue } from '../../../src/types/list-value.js';
import { listpackEntryBytes } from '../../../src/types/listpack-size.js';
import { estimateBytes } from '../../../src/types/memory-size.js';
import { RawString } from '../../../src/types/raw-string.js';
import { SetValue } from '../../../src/types/set-value.js';
import {
	cloneValue,
	encodingOf,
	stringLength,
	stringOf,
	stringValueOf,
	typeName,
} from '../../../src/types/value.js';
import { ZSetValue } from '../../../src/types/zset-value.js';

describe('Values', () => {
	it('name their types and encodings', () => {
		expect(typeName('x')).equal('string');
		expect(typeName(1)).equal('string');
		expect(typeName(RawString.from('x'))).equal('string');
		expect(typeName(new ListValue())).equal('list');
		expect(typeName(new HashValue())).equal('hash');
		expect(typeName(new SetValue())).equal('set');
		expect(typeName(new ZSetValue())).equal('zset');
		expect(encodingOf(12)).equal('int');
		expect(encodingOf('9223372036854775807')).equal('int');
		expect(encodingOf('9223372036854775808')).equal('embstr');
		expect(encodingOf('x'.repeat(44))).equal('embstr');
		expect(encodingOf('x'.repeat(45))).equal('raw');
		expect(encodingOf(RawString.from('1'))).equal('raw');
		expect(encodingOf(new SetValue())).equal('intset');
	});

	it('keep canonical safe integers as numbers, and nothing else', () => {
		expect(stringValueOf('123')).equal(123);
		expect(stringValueOf('-9007199254740991')).equal(-9007199254740991);
		for (const text of ['', '-', '01', '+1', '-0', '1 ', '9007199254740993', '1e3', 'x', '0x1']) {
			expect(stringValueOf(text)).equal(text);
		}
	});

	it('give the bytes and the length of strings', () => {
		for (const value of ['-17', -17, RawString.from('-17')]) {
			expect(stringOf(value)).equal('-17');
			expect(stringLength(value)).equal(3);
		}
	});

	it('are copied so that nothing is shared', () => {
		const raw = RawString.from('x');
		(cloneValue(raw) as RawString).append('y');
		expect(raw.slice()).equal('x');
		expect(cloneValue('x')).equal('x');
	});

	it('have an estimated size that grows with what they hold', () => {
		const list = new ListValue();
		const hash = new HashValue();
		const set = new SetValue('hashtable');
		const zset = new ZSetValue('skiplist');
		const limits = { listMaxListpackSize: -2, zsetMaxListpackEntries: 1, zsetMaxListpackValue: 1 };
		for (let i = 0; i < 1000; i++) {
			list.pushTail(`element ${i}`, limits);
			hash.set(`field ${i}`, 'value', { hashMaxListpackEntries: 1, hashMaxListpackValue: 1 });
			set.add(`m${i}`, { setMaxIntsetEntries: 1, setMaxListpackEntries: 1, setMaxListpackValue: 1 });
			zset.add(`m${i}`, i, limits);
		}
		for (const value of [list, hash, set, zset]) {
			const all = estimateBytes(value, 0);
			expect(all).within(20_000, 200_000);
			expect(estimateBytes(value, 5)).within(all * 0.8, all * 1.2);
		}
		expect(estimateBytes(7, 5)).equal(0);
		expect(estimateBytes(RawString.from('x'.repeat(1000)), 5)).greaterThan(1000);
		expect(estimateBytes(new HashValue(), 5)).greaterThan(0);
	});
});

describe('The size of a listpack entry', () => {
	it('is that of the smallest encoding', () => {
		const sizes: [string, number][] = [
			['0', 2],
			['127', 2],
			['128', 3],
			['-1', 3],
			['-4096', 3],
			['4096', 4],
			['32768', 5],
			['8388608', 6],
			['2147483648', 10],
			['-9223372036854775808', 10],
			['', 2],
			['a', 3],
			['-', 3],
			['x'.repeat(63), 65],
			['x'.repeat(64), 67],
			['x'.repeat(125), 128],
			['x'.repeat(126), 130],
			['x'.repeat(4095), 4099],
			['x'.repeat(4096), 4103],
			['x'.repeat(20000), 20008],
		];
		for (const [text, bytes] of sizes) expect(listpackEntryBytes(text), text.slice(0, 30)).equal(bytes);
	});
});
