import { assert } from 'chai';
import fc from 'fast-check';
import { canonicalInt64 } from '../../../src/base/numbers.js';
import { decodeIntset, encodeIntset } from '../../../src/formats/intset.js';
import { decodeFenced, refusesOtherSizes, survivesDamage } from './damage.js';

/** Intsets of Redis 7.2.6 (DUMP with rdbcompression no). */
const FROM_REDIS: readonly (readonly [hex: string, members: readonly bigint[]])[] = [
	['0200000003000000fbff0300e803', [-5n, 3n, 1000n]],
	['0400000003000000fbffffff0300000070110100', [-5n, 3n, 70000n]],
	[
		'08000000040000000000000000000080fbffffffffffffff0100000000002000ffffffffffffff7f',
		[-(2n ** 63n), -5n, 9007199254740993n, 2n ** 63n - 1n],
	],
];

describe('intset', () => {
	it('reads and writes what Redis writes', () => {
		for (const [hex, members] of FROM_REDIS) {
			assert.deepEqual(decodeFenced(decodeIntset, Buffer.from(hex, 'hex')), members.map(canonicalInt64));
			assert.equal(encodeIntset(members.map(canonicalInt64)).toString('hex'), hex);
		}
	});

	it('gives back what it was given', () => {
		const bits = fc.constantFrom(15n, 16n, 31n, 32n, 53n, 63n);
		const member = bits.chain((n) => fc.bigInt({ min: -(2n ** n), max: 2n ** n - 1n }));
		fc.assert(
			fc.property(fc.uniqueArray(member, { minLength: 1, maxLength: 30 }), (members) => {
				members.sort((a, b) => (a < b ? -1 : 1));
				const bytes = encodeIntset(members.map(canonicalInt64));
				assert.deepEqual(decodeFenced(decodeIntset, bytes), members.map(canonicalInt64));
			}),
		);
	});

	it('refuses truncation, unknown widths, no members, and members that do not rise', () => {
		for (const [hex] of FROM_REDIS) refusesOtherSizes(decodeIntset, Buffer.from(hex, 'hex'));
		for (const width of [0, 1, 3, 5, 16]) {
			const bytes = Buffer.from(FROM_REDIS[0]![0], 'hex');
			bytes.writeUInt32LE(width);
			assert.isUndefined(decodeFenced(decodeIntset, bytes), `width ${width}`);
		}
		assert.isUndefined(decodeFenced(decodeIntset, Buffer.from('0200000000000000', 'hex')));
		for (const members of [
			[1, 1],
			[2, 1],
			[2 ** 40, 2 ** 40],
			[2 ** 40, 1],
			[2 ** 33 + 7, 2 ** 33 + 6],
		]) {
			assert.isUndefined(decodeFenced(decodeIntset, encodeIntset([...members, 2 ** 45])), String(members));
		}
	});

	it('survives damage', () => {
		survivesDamage(
			decodeIntset,
			FROM_REDIS.map(([hex]) => Buffer.from(hex, 'hex')),
		);
	});
});
