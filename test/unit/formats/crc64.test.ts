import { assert } from 'chai';
import fc from 'fast-check';
import { Crc64 } from '../../../src/formats/crc64.js';

function sumOf(...pieces: Buffer[]): string {
	const sum = new Crc64();
	for (const piece of pieces) sum.update(piece, 0, piece.length);
	const stored = Buffer.alloc(8);
	sum.writeTo(stored, 0);
	assert.isTrue(sum.matches(stored, 0));
	return stored.toString('hex');
}

/** One bit at a time, as the definition says. */
function slowSumOf(bytes: Uint8Array): string {
	let sum = 0n;
	for (const byte of bytes) {
		sum ^= BigInt(byte);
		for (let bit = 0; bit < 8; bit++) sum = sum & 1n ? (sum >> 1n) ^ 0x95ac9329ac4bc9b5n : sum >> 1n;
	}
	const stored = Buffer.alloc(8);
	stored.writeBigUInt64LE(sum);
	return stored.toString('hex');
}

describe('crc64', () => {
	it('gives the check value', () => {
		assert.equal(sumOf(Buffer.from('123456789')), 'cad9b8c414d9c6e9');
		assert.equal(sumOf(), '0000000000000000');
	});

	it('is what Redis puts behind a DUMP payload', () => {
		const payload = Buffer.from('0b0e0200000003000000fbff0300e8030b00', 'hex');
		assert.equal(sumOf(payload), 'b9a641ffd74c68c3');
	});

	it('is the same by words and by bytes, at every alignment and size', () => {
		const bytes = Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 167 + (i >> 3)) & 255));
		for (let from = 0; from < 20; from++) {
			for (const size of [0, 1, 15, 191, 192, 193, 207, 208, 300, 512, 640, 680]) {
				const sum = new Crc64();
				sum.update(bytes, from, from + size);
				const stored = Buffer.alloc(8);
				sum.writeTo(stored, 0);
				assert.equal(stored.toString('hex'), slowSumOf(bytes.subarray(from, from + size)), `${from} ${size}`);
			}
		}
	});

	it('does not depend on how the bytes come', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 900 }), fc.nat(), (array, at) => {
				const bytes = Buffer.from(array);
				const cut = bytes.length === 0 ? 0 : at % bytes.length;
				assert.equal(sumOf(bytes.subarray(0, cut), bytes.subarray(cut)), slowSumOf(bytes));
			}),
		);
	});

	it('knows zero, another sum, and starts again', () => {
		const sum = new Crc64();
		assert.isTrue(sum.isZero);
		sum.update(Buffer.of(1), 0, 1);
		assert.isFalse(sum.isZero);
		assert.isFalse(sum.matches(Buffer.alloc(8), 0));
		sum.reset();
		assert.isTrue(sum.matches(Buffer.alloc(8), 0));
	});
});
