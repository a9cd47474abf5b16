import { expect } from 'chai';
import { Database } from '../../../src/keyspace/database.js';
import { datasetDigest, valueDigest } from '../../../src/keyspace/digest.js';
import { HashValue } from '../../../src/types/hash-value.js';
import { ListValue } from '../../../src/types/list-value.js';
import { RawString } from '../../../src/types/raw-string.js';
import { SetValue } from '../../../src/types/set-value.js';
import type { Value } from '../../../src/types/value.js';
import { ZSetValue } from '../../../src/types/zset-value.js';

const LIMITS = {
	hashMaxListpackEntries: 128,
	hashMaxListpackValue: 64,
	setMaxIntsetEntries: 512,
	setMaxListpackEntries: 128,
	setMaxListpackValue: 64,
	zsetMaxListpackEntries: 128,
	zsetMaxListpackValue: 64,
	listMaxListpackSize: -2,
};

/** Each value, and what DEBUG DIGEST-VALUE of Redis 7.2.6 says of it. */
function goldenValues(): Array<[key: string, value: Value, hasExpiry: boolean, digest: string]> {
	const list = new ListValue();
	for (const element of ['a', 'b', '1']) list.pushTail(element, LIMITS);
	const integers = new SetValue();
	for (const member of ['3', '1', '2']) integers.add(member, LIMITS);
	const set = new SetValue();
	for (const member of ['x', 'y\0']) set.add(member, LIMITS);
	const hash = new HashValue();
	hash.set('f', 'v', LIMITS);
	hash.set('g', '7', LIMITS);
	const zset = new ZSetValue();
	zset.add('a', 0.1, LIMITS);
	zset.add('b', 1e8, LIMITS);
	zset.add('c', Number.POSITIVE_INFINITY, LIMITS);
	zset.add('d', 0.30000000000000004, LIMITS);
	return [
		['s', 'hello\xff', false, 'b35c8c1ca4c48a5239102916a90367cdbcb2859b'],
		['n', 12345, false, 'e1cf90774e995ae03de66e8109dc5cb9d9c2dc83'],
		['l', list, false, '981fd62c1655c074205cff40b800bd5a5bfdcd41'],
		['i', integers, false, '2a462a3f51a1db89738ebbeef0c47ce1bbc85246'],
		['t', set, false, '30cba29896296cb7f9b545416dca1eab74811125'],
		['h', hash, false, '42e8aee1f7247f7f7997132f31f0ea5085e70d29'],
		['z', zset, false, 'a06e0cd9d4330b5ff7466a242935f60d321abc44'],
		['e', 'v', true, '311b17018163335616e089f6b951c82c477335ac'],
	];
}

describe('digest', () => {
	it('gives the digests of values that Redis gives', () => {
		for (const [key, value, hasExpiry, digest] of goldenValues()) {
			expect(valueDigest(value, hasExpiry), key).to.equal(digest);
		}
		expect(valueDigest(new RawString(Buffer.from('hello\xff', 'latin1')), false)).to.equal(
			'b35c8c1ca4c48a5239102916a90367cdbcb2859b',
		);
		expect(valueDigest(undefined, false)).to.equal('0'.repeat(40));
	});

	it('gives the digest of the dataset that Redis gives', () => {
		const databases = [0, 1, 9].map((id) => new Database(id));
		for (const [key, value, hasExpiry] of goldenValues()) {
			databases[0]!.set(key, value, 0);
			if (hasExpiry) databases[0]!.expires.set(key, 1e15);
		}
		databases[2]!.set('other', 'db', 0);
		expect(datasetDigest(databases)).to.equal('8f49648a89a48b86f261c57a4c1d15f497227cb8');
		expect(datasetDigest([new Database(0)])).to.equal('0'.repeat(40));
	});
});
