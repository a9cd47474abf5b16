import { assert } from 'chai';
import { decodeZipmap } from '../../../src/formats/zipmap.js';
import { decodeFenced, refusesOtherSizes, survivesDamage } from './damage.js';

/** {foo: bar, hello: world}, the second value with two spare bytes. */
const SMALL = Buffer.from('\x02\x03foo\x03\x00bar\x05hello\x05\x02world..\xff', 'latin1');
/** A value of 300 bytes, its length in the long form. */
const LARGE = Buffer.from(`\x01\x01k\xfe\x2c\x01\x00\x00\x00${'v'.repeat(300)}\xff`, 'latin1');

describe('zipmap', () => {
	it('reads fields and values, spare bytes left out', () => {
		assert.deepEqual(decodeFenced(decodeZipmap, SMALL), ['foo', 'bar', 'hello', 'world']);
		assert.deepEqual(decodeFenced(decodeZipmap, LARGE), ['k', 'v'.repeat(300)]);
	});

	it('counts itself where the count says so', () => {
		const withCount = (count: number): Buffer => Buffer.concat([Buffer.of(count), SMALL.subarray(1)]);
		assert.isDefined(decodeFenced(decodeZipmap, withCount(254)));
		for (const count of [0, 1, 3, 253, 255]) assert.isUndefined(decodeFenced(decodeZipmap, withCount(count)));
	});

	it('refuses an empty map, truncation, and lengths that lead outside', () => {
		assert.isUndefined(decodeFenced(decodeZipmap, Buffer.of(0, 255)));
		refusesOtherSizes(decodeZipmap, SMALL);
		refusesOtherSizes(decodeZipmap, LARGE);
		for (const text of [
			'\x01\xfe\xff',
			'\x01\x01k\xff',
			'\x01\x01k\xfe\xff\xff\xff\xff\x00v\xff',
			'\x01\x01k\x01\xffv\xff',
		])
			assert.isUndefined(decodeFenced(decodeZipmap, Buffer.from(text, 'latin1')));
	});

	it('survives damage', () => survivesDamage(decodeZipmap, [SMALL, LARGE]));
});
