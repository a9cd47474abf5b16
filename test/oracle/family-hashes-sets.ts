import { iterate, orderedRead, plain, type Recipe, randomResult } from './family.js';
import type { Vocabulary } from './vocabulary.js';

function scanOptions(words: Vocabulary): string[] {
	return words.options(0.4, [
		['MATCH', words.pattern()],
		['COUNT', words.random.pick(['1', '3', '10', '1000', '0', 'x'])],
	]);
}

export const HASH_RECIPES: readonly Recipe[] = [
	plain(8, (w) => [
		'HSET',
		w.key('h'),
		...w.random.times(w.random.between(1, 4), () => [w.member(), w.value()]).flat(),
	]),
	plain(2, (w) => [
		'HMSET',
		w.key('h'),
		...w.random.times(w.random.between(1, 4), () => [w.member(), w.value()]).flat(),
	]),
	plain(3, (w) => ['HSETNX', w.key('h'), w.member(), w.value()]),
	plain(6, (w) => ['HGET', w.key('h'), w.member()]),
	plain(4, (w) => ['HMGET', w.key('h'), ...w.members(1, 4)]),
	plain(5, (w) => ['HDEL', w.key('h'), ...w.members(1, 3)]),
	plain(3, (w) => ['HEXISTS', w.key('h'), w.member()]),
	plain(3, (w) => ['HLEN', w.key('h')]),
	plain(2, (w) => ['HSTRLEN', w.key('h'), w.member()]),
	plain(6, (w) => ['HINCRBY', w.key('h'), w.member(), w.integer()]),
	plain(6, (w) => ['HINCRBYFLOAT', w.key('h'), w.member(), w.float()]),
	orderedRead(5, (w) => ['HGETALL', w.key('h')], 'pairs'),
	orderedRead(3, (w) => ['HKEYS', w.key('h')], 'unordered'),
	orderedRead(3, (w) => ['HVALS', w.key('h')], 'unordered'),
	randomResult(1.5, (w) => [
		'HRANDFIELD',
		w.key('h'),
		...w.options(0.7, [[w.randomCount(), ...w.options(0.5, [['WITHVALUES']])]]),
	]),
	iterate(2, (w) => ['HSCAN', w.key('h'), ...scanOptions(w)], true),
];

function numberedSets(words: Vocabulary): string[] {
	const keys = words.keys('e', 1, 3);
	return [words.random.chance(0.95) ? String(keys.length) : words.index(), ...keys];
}

export const SET_RECIPES: readonly Recipe[] = [
	plain(10, (w) => ['SADD', w.key('e'), ...w.members(1, 5)]),
	plain(5, (w) => ['SADD', w.key('e'), ...w.random.times(w.random.between(1, 5), () => w.integer())]),
	plain(6, (w) => ['SREM', w.key('e'), ...w.members(1, 4)]),
	plain(3, (w) => ['SCARD', w.key('e')]),
	plain(5, (w) => ['SISMEMBER', w.key('e'), w.member()]),
	plain(3, (w) => ['SMISMEMBER', w.key('e'), ...w.members(1, 4)]),
	plain(5, (w) => ['SMEMBERS', w.key('e')], 'unordered'),
	plain(4, (w) => ['SMOVE', w.key('e'), w.key('e'), w.member()]),
	plain(4, (w) => ['SUNION', ...w.keys('e', 1, 3)], 'unordered'),
	plain(4, (w) => ['SINTER', ...w.keys('e', 1, 3)], 'unordered'),
	plain(4, (w) => ['SDIFF', ...w.keys('e', 1, 3)], 'unordered'),
	plain(2, (w) => ['SUNIONSTORE', w.key('e'), ...w.keys('e', 1, 3)]),
	plain(2, (w) => ['SINTERSTORE', w.key('e'), ...w.keys('e', 1, 3)]),
	plain(2, (w) => ['SDIFFSTORE', w.key('e'), ...w.keys('e', 1, 3)]),
	plain(3, (w) => ['SINTERCARD', ...numberedSets(w), ...w.options(0.4, [['LIMIT', w.index()]])]),
	randomResult(1, (w) => ['SPOP', w.key('e'), ...w.options(0.5, [[w.count()]])]),
	randomResult(1.5, (w) => ['SRANDMEMBER', w.key('e'), ...w.options(0.6, [[w.randomCount()]])]),
	iterate(2, (w) => ['SSCAN', w.key('e'), ...scanOptions(w)], false),
];
