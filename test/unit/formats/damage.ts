import { assert } from 'chai';
import fc from 'fast-check';

export type Decoder = (bytes: Buffer, from: number, to: number) => readonly unknown[] | Buffer | undefined;

/** Decodes `bytes` in the middle of other bytes; fails if the result depends on those. */
export function decodeFenced(decode: Decoder, bytes: Buffer): readonly unknown[] | Buffer | undefined {
	const [inZeros, inOnes] = [0, 255].map((fence) => {
		const fenced = Buffer.alloc(bytes.length + 26, fence);
		fenced.set(bytes, 13);
		return decode(fenced, 13, 13 + bytes.length);
	});
	assert.deepEqual(inZeros, inOnes, `depends on bytes outside: ${bytes.toString('hex')}`);
	assert.deepEqual(decode(bytes, 0, bytes.length), inZeros);
	return inZeros;
}

/** Every truncation of `bytes`, and `bytes` with one byte more, must be refused. */
export function refusesOtherSizes(decode: Decoder, bytes: Buffer): void {
	for (let size = 0; size < bytes.length; size++) {
		assert.isUndefined(decodeFenced(decode, Buffer.from(bytes.subarray(0, size))), `cut to ${size}`);
	}
	for (const byte of [0, 1, 255]) {
		assert.isUndefined(decodeFenced(decode, Buffer.concat([bytes, Buffer.of(byte)])), `with a byte ${byte}`);
	}
}

/** Damages samples at random: the decoder must answer, without throwing and without looking outside. */
export function survivesDamage(decode: Decoder, samples: readonly Buffer[]): void {
	const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
	fc.assert(
		fc.property(fc.constantFrom(...samples), fc.array(change, { maxLength: 4 }), (sample, changes) => {
			const bytes = Buffer.from(sample);
			for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
			decodeFenced(decode, bytes);
		}),
		{ numRuns: 3000 },
	);
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void decodeFenced(decode, Buffer.from(bytes))),
		{ numRuns: 1000 },
	);
}
