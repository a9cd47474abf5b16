import { assert } from 'chai';
import fc from 'fast-check';
import { valueDigest } from '../../../src/keyspace/digest.js';
import { valueCommands } from '../../../src/snapshot/dataset-commands.js';
import { dumpPayload, isSoundPayload, readPayload } from '../../../src/snapshot/dump-payload.js';
import { encodingOf, type Value } from '../../../src/types/value.js';
import { anyValue, SMALL_LIMITS } from './arbitrary-values.js';

/** What a value is, groups of streams included, which are not in its digest. */
function describeValue(value: Value): string {
	const commands = typeof value === 'object' && 'groups' in value ? [...valueCommands('key', value)] : [];
	return `${valueDigest(value, false)} ${JSON.stringify(commands)}`;
}

function readBack(payload: Buffer): Value {
	assert.isTrue(isSoundPayload(payload, false));
	const read = readPayload(payload, SMALL_LIMITS);
	return read.value ?? assert.fail(read.fault);
}

/** The encoding that a value has when it is read again: what could be smaller becomes so. */
function encodingWhenRead(value: Value): readonly string[] {
	const encoding = encodingOf(value);
	if (encoding === 'raw' || encoding === 'embstr') return ['raw', 'embstr', 'int'];
	// Written member by member, and made as small as the limits allow.
	if (typeof value === 'object' && 'type' in value) {
		if (value.type === 'set' && encoding !== 'intset') return ['intset', 'listpack', 'hashtable'];
		if (value.type === 'zset' && encoding === 'skiplist') return ['skiplist', 'listpack'];
		if (value.type === 'hash' && encoding === 'hashtable') return ['hashtable', 'listpack'];
		if (value.type === 'list' && encoding === 'quicklist') return ['quicklist', 'listpack'];
	}
	return [encoding];
}

describe('the payload of DUMP', () => {
	it('gives back the value, compressed or not', () => {
		fc.assert(
			fc.property(anyValue, fc.boolean(), (value, compress) => {
				const back = readBack(dumpPayload(value, compress));
				assert.equal(describeValue(back), describeValue(value));
				assert.include(encodingWhenRead(value), encodingOf(back));
			}),
			{ numRuns: 500 },
		);
	});

	it('refuses a version to come, and a wrong checksum unless that is not looked at', () => {
		const payload = dumpPayload('value', true);
		const version = Buffer.from(payload);
		version.writeUInt16LE(12, payload.length - 10);
		assert.isFalse(isSoundPayload(version, true));
		for (let at = 0; at < payload.length; at++) {
			const flipped = Buffer.from(payload);
			flipped[at]! ^= 1;
			assert.isFalse(isSoundPayload(flipped, false), `byte ${at}`);
		}
		payload[2]! ^= 1;
		assert.isTrue(isSoundPayload(payload, true));
		for (let size = 0; size < 10; size++) assert.isFalse(isSoundPayload(Buffer.alloc(size), true));
	});

	it('cut anywhere, is refused', () => {
		fc.assert(
			fc.property(anyValue, fc.boolean(), (value, compress) => {
				const payload = dumpPayload(value, compress);
				const body = payload.length - 10;
				for (let size = 0; size < body; size += size < 300 ? 1 : 97) {
					const cut = Buffer.concat([payload.subarray(0, size), payload.subarray(body)]);
					assert.isUndefined(readPayload(cut, SMALL_LIMITS).value, `cut to ${size} of ${body}`);
				}
			}),
			{ numRuns: 100 },
		);
	});

	it('damaged anywhere, is refused or gives a value that can be used', () => {
		const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) }), {
			minLength: 1,
			maxLength: 3,
		});
		fc.assert(
			fc.property(anyValue, fc.boolean(), damage, (value, compress, changes) => {
				const payload = dumpPayload(value, compress);
				for (const { at, byte } of changes) payload[at % (payload.length - 10)] = byte;
				const read = readPayload(payload, SMALL_LIMITS).value;
				if (read === undefined) return;
				const again = readBack(dumpPayload(read, compress));
				assert.equal(describeValue(again), describeValue(read));
			}),
			{ numRuns: 3000 },
		);
	});

	it('of any bytes, is refused or gives a value', () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 22 }), fc.uint8Array({ maxLength: 60 }), (type, bytes) => {
				readPayload(Buffer.concat([Buffer.of(type), bytes, Buffer.alloc(10)]), SMALL_LIMITS);
			}),
			{ numRuns: 5000 },
		);
	});
});
