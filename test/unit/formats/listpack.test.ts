import { assert } from 'chai';
import fc from 'fast-check';
import { decodeListpack, ListpackWriter } from '../../../src/formats/listpack.js';
import { LISTPACK_EMPTY_BYTES, listpackEntryBytes } from '../../../src/types/listpack-size.js';
import { decodeFenced, refusesOtherSizes, survivesDamage } from './damage.js';

/** Listpacks of Redis 7.2.6 (DUMP with rdbcompression no) with their entries. */
const FROM_REDIS: readonly (readonly [hex: string, entries: readonly string[]])[] = [
	['120000000400816602817602816e020c01ff', ['f', 'v', 'n', '12']],
	['1c000000060081610283312e3504816202020181630283696e6604ff', ['a', '1.5', 'b', '2', 'c', 'inf']],
	[
		'cb00000018008161028568656c6c6f0600017f01c08002dfff02cfff02d00002f1001003f1ff7f03f1008003f200800004f2' +
			'ffff7f04f200008004f30000800005f3ffffff7f05f30000008005f4000000800000000009f4ffffffffffffff7f09f400' +
			'000000000000800993393232333337323033363835343737353830381483303037048001e040' +
			`${'78'.repeat(64)}42ff`,
		[
			...['a', 'hello', '0', '127', '128', '-1', '4095', '-4096', '4096', '32767', '-32768', '32768'],
			...['8388607', '-8388608', '8388608', '2147483647', '-2147483648', '2147483648', '9223372036854775807'],
			...['-9223372036854775808', '9223372036854775808', '007', '', 'x'.repeat(64)],
		],
	],
	[`8d0000000100e082${'79'.repeat(130)}0184ff`, ['y'.repeat(130)]],
];

function encode(entries: readonly string[]): Buffer {
	const writer = new ListpackWriter(7);
	for (const entry of entries) writer.append(entry);
	assert.equal(writer.count, entries.length);
	const bytes = writer.finish();
	assert.equal(writer.size, bytes.length);
	return Buffer.from(bytes);
}

const entryText = fc.oneof(
	fc.string({ unit: 'binary-ascii', maxLength: 200 }),
	fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
	fc.integer({ min: -5000, max: 5000 }).map(String),
	fc.constantFrom('', '-0', '01', '-', 'x'.repeat(63), 'x'.repeat(64), 'y'.repeat(4095), 'z'.repeat(4096)),
);

describe('listpack', () => {
	it('reads what Redis has written', () => {
		for (const [hex, entries] of FROM_REDIS) {
			assert.deepEqual(decodeFenced(decodeListpack, Buffer.from(hex, 'hex')), entries);
		}
	});

	it('writes what Redis writes', () => {
		for (const [hex, entries] of FROM_REDIS) assert.equal(encode(entries).toString('hex'), hex);
	});

	it('gives back what it was given, in the size that is foretold', () => {
		fc.assert(
			fc.property(fc.array(entryText, { maxLength: 40 }), (entries) => {
				const bytes = encode(entries);
				assert.deepEqual(decodeFenced(decodeListpack, bytes), entries);
				const foretold = entries.reduce(
					(sum, entry) => sum + listpackEntryBytes(entry),
					LISTPACK_EMPTY_BYTES,
				);
				assert.equal(bytes.length, foretold);
			}),
		);
	});

	it('writes the size of an entry in 1 to 4 bytes', () => {
		for (const length of [125, 126, 127, 128, 16_377, 16_378, 16_379, 2_097_145, 2_097_146, 2_097_147]) {
			const entry = 'e'.repeat(length);
			assert.isTrue(
				decodeListpack(encode(['a', entry, 'b']), 0, encode(['a', entry, 'b']).length)?.[1] === entry,
			);
		}
	});

	it('takes integers as numbers and bigints', () => {
		const writer = new ListpackWriter();
		writer.appendInteger(5);
		writer.appendInteger(-70_000);
		writer.appendInteger(2n ** 62n);
		writer.appendInteger(2 ** 40);
		const bytes = writer.finish();
		assert.deepEqual(decodeListpack(bytes, 0, bytes.length), [
			'5',
			'-70000',
			String(2n ** 62n),
			String(2 ** 40),
		]);
	});

	it('starts again in the same memory', () => {
		const writer = new ListpackWriter();
		writer.append('first');
		writer.finish();
		writer.reset();
		writer.append('second');
		const bytes = writer.finish();
		assert.deepEqual(decodeListpack(bytes, 0, bytes.length), ['second']);
	});

	it('counts more than 65534 entries itself', () => {
		const entries = Array.from({ length: 70_000 }, (_, i) => String(i % 7));
		const bytes = encode(entries);
		assert.equal(bytes.readUInt16LE(4), 65535);
		assert.deepEqual(decodeListpack(bytes, 0, bytes.length), entries);
	});

	it('refuses truncation, a wrong count, a wrong size behind an entry and unknown encodings', () => {
		for (const [hex] of FROM_REDIS.slice(0, 2)) {
			const bytes = Buffer.from(hex, 'hex');
			refusesOtherSizes(decodeListpack, bytes);
			const withByte = (at: number, byte: number): Buffer => {
				const copy = Buffer.from(bytes);
				copy[at] = byte;
				return copy;
			};
			assert.isUndefined(decodeFenced(decodeListpack, withByte(4, 3)), 'count');
			assert.isUndefined(decodeFenced(decodeListpack, withByte(5, 1)), 'count');
			assert.isDefined(decodeFenced(decodeListpack, Buffer.from(bytes).fill(0xff, 4, 6)), 'count unknown');
			assert.isUndefined(decodeFenced(decodeListpack, withByte(8, 3)), 'size behind the entry');
			for (let first = 0xf5; first <= 0xff; first++) {
				assert.isUndefined(decodeFenced(decodeListpack, withByte(6, first)), 'encoding');
			}
		}
		assert.isUndefined(decodeListpack(encode(['a']), 0, 1000), 'beyond the buffer');
	});

	it('survives damage', () => {
		survivesDamage(
			decodeListpack,
			FROM_REDIS.map(([hex]) => Buffer.from(hex, 'hex')),
		);
	});
});
