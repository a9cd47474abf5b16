/** What redis-benchmark is asked to send, and what must be there before. */

/** Keys, members and fields are drawn from this many. */
export const KEYSPACE_SIZE = 100_000;

export interface Workload {
	readonly name: string;
	/** Arguments of redis-benchmark that choose what is sent; the last row of its output is the one that counts. */
	readonly args: readonly string[];
	/** Commands that fill the empty server before a run of `requestCount` requests. */
	fill(requestCount: number): Iterable<readonly string[]>;
}

const CHUNK_SIZE = 1000;
const LRANGE_LIST_LENGTH = 1000;
const VALUE = 'xxx';

export const WORKLOADS: readonly Workload[] = [
	{ name: 'SET', args: ['-t', 'set'], fill: nothing },
	{ name: 'GET', args: ['-t', 'get'], fill: strings },
	{ name: 'INCR', args: ['-t', 'incr'], fill: nothing },
	{ name: 'LPUSH', args: ['-t', 'lpush'], fill: nothing },
	{ name: 'RPUSH', args: ['-t', 'rpush'], fill: nothing },
	{ name: 'LPOP', args: ['-t', 'lpop'], fill: (requestCount) => list(requestCount) },
	{ name: 'SADD', args: ['-t', 'sadd'], fill: nothing },
	{ name: 'HSET', args: ['-t', 'hset'], fill: nothing },
	{ name: 'SPOP', args: ['-t', 'spop'], fill: set },
	{ name: 'ZADD', args: ['-t', 'zadd'], fill: nothing },
	{ name: 'LRANGE_100', args: ['LRANGE', 'mylist', '0', '99'], fill: () => list(LRANGE_LIST_LENGTH) },
	{ name: 'LRANGE_600', args: ['LRANGE', 'mylist', '0', '599'], fill: () => list(LRANGE_LIST_LENGTH) },
	{ name: 'MSET', args: ['-t', 'mset'], fill: nothing },
];

function nothing(): readonly string[][] {
	return [];
}

function* list(length: number): Iterable<readonly string[]> {
	for (let left = length; left > 0; left -= CHUNK_SIZE) {
		yield ['RPUSH', 'mylist', ...Array.from({ length: Math.min(CHUNK_SIZE, left) }, () => VALUE)];
	}
}

/** A member for every request, so that no SPOP finds the set empty. */
function* set(requestCount: number): Iterable<readonly string[]> {
	for (let done = 0; done < requestCount; done += CHUNK_SIZE) {
		yield [
			'SADD',
			'myset',
			...Array.from({ length: CHUNK_SIZE }, (_, index) => `element:${twelveDigits(done + index)}`),
		];
	}
}

function* strings(): Iterable<readonly string[]> {
	for (let done = 0; done < KEYSPACE_SIZE; done += CHUNK_SIZE) {
		const pairs = Array.from({ length: CHUNK_SIZE }, (_, index) => [
			`key:${twelveDigits(done + index)}`,
			VALUE,
		]);
		yield ['MSET', ...pairs.flat()];
	}
}

/** As redis-benchmark writes its random numbers. */
export function twelveDigits(n: number): string {
	return String(n).padStart(12, '0');
}
