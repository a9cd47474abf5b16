import { assert } from 'chai';
import fc from 'fast-check';
import { decodeZiplist } from '../../../src/formats/ziplist.js';
import { decodeFenced, refusesOtherSizes, survivesDamage } from './damage.js';

/** A ziplist of entries that are given encoded, without the size of the entry before them. */
function ziplist(bodies: readonly Buffer[], count = bodies.length, wide = false): Buffer {
	const entries: Buffer[] = [];
	let tail = 10;
	let end = 10;
	let previous = 0;
	for (const body of bodies) {
		const header = previous < 254 && !wide ? Buffer.of(previous) : Buffer.alloc(5, 0xfe);
		if (header.length === 5) header.writeUInt32LE(previous, 1);
		entries.push(header, body);
		tail = end;
		previous = header.length + body.length;
		end += previous;
	}
	const head = Buffer.alloc(10);
	head.writeUInt32LE(end + 1, 0);
	head.writeUInt32LE(tail, 4);
	head.writeUInt16LE(count, 8);
	return Buffer.concat([head, ...entries, Buffer.of(255)]);
}

function stringBody(text: string): Buffer {
	const bytes = Buffer.from(text, 'latin1');
	if (bytes.length < 64) return Buffer.concat([Buffer.of(bytes.length), bytes]);
	if (bytes.length < 16384)
		return Buffer.concat([Buffer.of(0x40 | (bytes.length >> 8), bytes.length & 255), bytes]);
	const head = Buffer.alloc(5, 0x80);
	head.writeUInt32BE(bytes.length, 1);
	return Buffer.concat([head, bytes]);
}

/** Every way to write an integer, and what it stands for. */
const INTEGERS: readonly (readonly [hex: string, text: string])[] = [
	...Array.from({ length: 13 }, (_, i): [string, string] => [`f${(i + 1).toString(16)}`, String(i)]),
	['fe7f', '127'],
	['fe80', '-128'],
	['c0ff7f', '32767'],
	['c00080', '-32768'],
	['f0ffff7f', '8388607'],
	['f0000080', '-8388608'],
	['d0ffffff7f', '2147483647'],
	['d000000080', '-2147483648'],
	['e0ffffffffffffff7f', '9223372036854775807'],
	['e00000000000000080', '-9223372036854775808'],
	['e00100000000002000', '9007199254740993'],
];

/** Loaded by Redis 7.2.6 with the same entries (RESTORE of a list of this encoding). */
const SAMPLE = ziplist([
	stringBody('one'),
	...INTEGERS.map(([hex]) => Buffer.from(hex, 'hex')),
	stringBody('x'.repeat(300)),
	stringBody(''),
]);
const SAMPLE_ENTRIES = ['one', ...INTEGERS.map(([, text]) => text), 'x'.repeat(300), ''];

describe('ziplist', () => {
	it('reads every encoding', () => {
		assert.deepEqual(decodeFenced(decodeZiplist, SAMPLE), SAMPLE_ENTRIES);
		assert.deepEqual(decodeFenced(decodeZiplist, ziplist([])), []);
	});

	it('reads what was written', () => {
		const text = fc.oneof(
			fc.string({ unit: 'binary-ascii', maxLength: 100 }),
			fc.constantFrom('x'.repeat(63), 'x'.repeat(64), 'x'.repeat(16383), 'x'.repeat(16384), 'x'.repeat(252)),
		);
		fc.assert(
			fc.property(fc.array(text, { maxLength: 20 }), fc.boolean(), (entries, wide) => {
				assert.deepEqual(
					decodeFenced(decodeZiplist, ziplist(entries.map(stringBody), entries.length, wide)),
					entries,
				);
			}),
		);
	});

	it('counts itself where the count says so', () => {
		const bodies = ['a', 'b'].map(stringBody);
		assert.deepEqual(decodeFenced(decodeZiplist, ziplist(bodies, 65535)), ['a', 'b']);
		assert.isUndefined(decodeFenced(decodeZiplist, ziplist(bodies, 3)));
		assert.isUndefined(decodeFenced(decodeZiplist, ziplist(bodies, 1)));
	});

	it('refuses truncation, a wrong tail, a wrong previous size and unknown encodings', () => {
		const bytes = ziplist(['ab', 'cd', 'ef'].map(stringBody));
		refusesOtherSizes(decodeZiplist, bytes);
		for (let at = 0; at < 10; at++) {
			const damaged = Buffer.from(bytes);
			damaged[at] = damaged[at]! ^ 1;
			assert.isUndefined(decodeFenced(decodeZiplist, damaged), `header byte ${at}`);
		}
		const wrongPrevious = Buffer.from(bytes);
		wrongPrevious[14] = 3;
		assert.isUndefined(decodeFenced(decodeZiplist, wrongPrevious));
		for (const first of [0xc1, 0xcf, 0xd1, 0xe5, 0xff]) {
			assert.isUndefined(decodeFenced(decodeZiplist, ziplist([Buffer.of(first)])), `encoding ${first}`);
		}
	});

	it('survives damage', () => survivesDamage(decodeZiplist, [SAMPLE, ziplist([stringBody('a')])]));
});
