import { assert } from 'chai';
import fc from 'fast-check';
import { lzfCompress, lzfDecompress } from '../../../src/formats/lzf.js';
import { survivesDamage } from './damage.js';

/** Compressed by Redis 7.2.6 (DUMP), with what was stored. */
const FROM_REDIS: readonly (readonly [hex: string, text: string])[] = [
	['0361626361e017020078e0ff00e01a00414c016263', `${'abc'.repeat(12)}${'x'.repeat(300)}abcabc`],
	[
		'076974656d3a3020694006003780060131348007013231a007003880070133358007013432a00700398007013536800701' +
			'363380070037c04ea04f0038a04f0039a04f0039a04f013130a050013131a051013131a052013132a053013133a0540131' +
			'34a055013134a056013135a057013136a058013136c0590037c0590038c0590038c0590039a059013230a059013231a059' +
			'013231a059013232a059013233a059013233a059013234a059013235a059013235a059013236c05902373320',
		Array.from({ length: 40 }, (_, i) => `item:${i * 7} `).join(''),
	],
];

function roundTrip(bytes: Buffer): number {
	const fenced = Buffer.concat([Buffer.from('fence'), bytes, Buffer.from('fence')]);
	const target = Buffer.alloc(bytes.length + 8, 0xee);
	const size = lzfCompress(fenced, 5, 5 + bytes.length, target.subarray(0, bytes.length));
	assert.isTrue(target.subarray(bytes.length).equals(Buffer.alloc(8, 0xee)), 'wrote beyond the target');
	if (size > 0) assert.isTrue(lzfDecompress(target, 0, size, bytes.length)?.equals(bytes));
	return size;
}

describe('lzf', () => {
	it('decompresses what Redis has compressed', () => {
		for (const [hex, text] of FROM_REDIS) {
			const bytes = Buffer.from(hex, 'hex');
			assert.equal(lzfDecompress(bytes, 0, bytes.length, text.length)?.latin1Slice(), text);
		}
	});

	it('compresses as well as Redis does, nearly', () => {
		for (const [hex, text] of FROM_REDIS) {
			assert.isAtMost(roundTrip(Buffer.from(text, 'latin1')), (hex.length / 2) * 1.1);
		}
		assert.isAtMost(roundTrip(Buffer.alloc(1_000_000, 'x')), 12_000);
	});

	it('gives back what it was given', () => {
		const repetitive = fc
			.array(
				fc.tuple(
					fc.constantFrom('a', 'bc', 'def', 'ghijklmnop', '\xff\x00'),
					fc.integer({ min: 1, max: 400 }),
				),
			)
			.map((parts) => Buffer.from(parts.map(([part, count]) => part.repeat(count)).join(''), 'latin1'));
		fc.assert(fc.property(repetitive, (bytes) => void roundTrip(bytes)));
		fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => void roundTrip(Buffer.from(bytes))));
	});

	it('finds repetitions up to 8192 bytes back and none further', () => {
		const noise = (size: number): Buffer => {
			const bytes = Buffer.alloc(size);
			let state = 12345;
			for (let i = 0; i < size; i++) {
				state = (Math.imul(state, 1103515245) + 12345) >>> 0;
				bytes[i] = state >>> 23;
			}
			return bytes;
		};
		const unique = Buffer.from('the quick brown fox jumps over the lazy dog');
		for (const gap of [8000, 8148, 8149, 8150, 8192, 9000])
			roundTrip(Buffer.concat([unique, noise(gap), unique]));
	});

	it('says 0 for a target that is too small, whatever its size', () => {
		const bytes = Buffer.from('abcabcabcabcabcabc0123456789'.repeat(3));
		const needed = lzfCompress(bytes, 0, bytes.length, Buffer.alloc(bytes.length));
		assert.isAbove(needed, 0);
		for (let size = 0; size < needed; size++) {
			assert.equal(lzfCompress(bytes, 0, bytes.length, Buffer.alloc(size)), 0, `target of ${size}`);
		}
		assert.equal(lzfCompress(bytes, 0, bytes.length, Buffer.alloc(needed)), needed);
	});

	it('refuses another size, and reserves nothing for an absurd one', () => {
		const [hex, text] = FROM_REDIS[0]!;
		const bytes = Buffer.from(hex, 'hex');
		assert.isUndefined(lzfDecompress(bytes, 0, bytes.length, text.length - 1));
		assert.isUndefined(lzfDecompress(bytes, 0, bytes.length, text.length + 1));
		assert.isUndefined(lzfDecompress(bytes, 0, bytes.length - 1, text.length));
		assert.isUndefined(lzfDecompress(bytes, 0, bytes.length, 2 ** 40));
		assert.isUndefined(lzfDecompress(Buffer.of(0x20, 0), 0, 2, 3), 'a copy from before the start');
	});

	it('survives damage', () => {
		const samples = FROM_REDIS.map(([hex]) => Buffer.from(hex, 'hex'));
		for (const size of [0, 1, 342, 100]) {
			survivesDamage((bytes, from, to) => lzfDecompress(bytes, from, to, size), samples);
		}
	});
});
