import { assert } from 'chai';
import fc from 'fast-check';
import { Database } from '../../../src/keyspace/database.js';
import { DatasetWalk } from '../../../src/keyspace/dataset-walk.js';
import type { Value } from '../../../src/types/value.js';

/** What happens between the steps of a walk; every operation names a database and a key. */
type Op = readonly [
	'set' | 'delete' | 'expire' | 'persist' | 'change' | 'flush' | 'swap' | 'step',
	number,
	number,
];

const DATABASE_COUNT = 3;

function state(dbs: readonly Database[]): string[] {
	const lines: string[] = [];
	for (const db of dbs) {
		db.forEach((key, value) => {
			lines.push(`${db.id} ${key} ${String(value)} ${db.expireAt(key)}`);
		});
	}
	return lines.sort();
}

describe('DatasetWalk', () => {
	const key = fc.integer({ min: 0, max: 40 });
	const op: fc.Arbitrary<Op> = fc.tuple(
		fc.oneof(
			{
				arbitrary: fc.constantFrom<Op[0][]>('set', 'delete', 'expire', 'persist', 'change', 'step'),
				weight: 20,
			},
			{ arbitrary: fc.constantFrom<Op[0][]>('flush', 'swap'), weight: 1 },
		),
		fc.integer({ min: 0, max: DATABASE_COUNT - 1 }),
		key,
	);

	function apply(
		dbs: readonly Database[],
		walk: DatasetWalk | undefined,
		[what, dbId, n]: Op,
		serial: number,
	) {
		const db = dbs[dbId]!;
		const name = `key:${n}`;
		if (what === 'set') db.set(name, `v${serial}`, 1);
		else if (what === 'delete') db.delete(name);
		else if (what === 'expire' && db.has(name)) db.setExpiry(name, serial);
		else if (what === 'persist') db.removeExpiry(name);
		else if (what === 'change' && db.getToChange(name, 2) !== undefined) db.set(name, `c${serial}`, 2);
		else if (what === 'flush') db.clear();
		else if (what === 'swap') db.swapContents(dbs[(dbId + 1) % DATABASE_COUNT]!);
		else if (what === 'step') walk?.step();
	}

	it('visits every entry once, as it was at the beginning', () => {
		fc.assert(
			fc.property(fc.array(op, { maxLength: 80 }), fc.array(op, { maxLength: 120 }), (before, during) => {
				const dbs = Array.from({ length: DATABASE_COUNT }, (_, id) => new Database(id));
				for (const [at, one] of before.entries()) apply(dbs, undefined, one, at + 1);
				const expected = state(dbs);
				const visited: string[] = [];
				const walk = new DatasetWalk(dbs, (dbId, name, value: Value, expireAtMs) => {
					visited.push(`${dbId} ${name} ${String(value)} ${expireAtMs}`);
				});
				assert.equal(walk.total, expected.length);
				for (const [at, one] of during.entries()) apply(dbs, walk, one, 1000 + at);
				while (walk.step());
				assert.deepEqual(visited.sort(), expected);
			}),
			{ numRuns: 500 },
		);
	});

	it('an abandoned walk is told of nothing, and another may begin', () => {
		const db = new Database(0);
		db.set('a', 'x', 1);
		const visited: string[] = [];
		const walk = new DatasetWalk([db], (_id, name) => visited.push(name));
		assert.throws(() => new DatasetWalk([db], () => undefined), /under way/);
		walk.end();
		db.delete('a');
		assert.deepEqual(visited, []);
		assert.isFalse(walk.step());
		db.set('b', 'y', 1);
		const next = new DatasetWalk([db], (_id, name) => visited.push(name));
		assert.isTrue(next.step());
		assert.deepEqual(visited, ['b']);
	});
});
