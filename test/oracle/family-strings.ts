import { plain, type Recipe } from './family.js';
import type { Vocabulary } from './vocabulary.js';

/** An expiry option of SET or GETEX, far away. */
function expiryOption(words: Vocabulary): string[] {
	return words.random.pick([
		['EX', words.ttlSeconds()],
		['PX', words.ttlMillis()],
		['EXAT', words.atSeconds()],
		['PXAT', words.atMillis()],
	]);
}

export const STRING_RECIPES: readonly Recipe[] = [
	plain(8, (w) => ['SET', w.key('s'), w.value()]),
	plain(5, (w) => [
		'SET',
		w.key('s'),
		w.value(),
		...w.options(0.25, [['NX'], ['XX'], ['GET'], ['KEEPTTL'], expiryOption(w)]),
	]),
	plain(8, (w) => ['GET', w.key('s')]),
	plain(2, (w) => ['SETNX', w.key('s'), w.value()]),
	plain(2, (w) => ['SETEX', w.key('s'), w.ttlSeconds(), w.value()]),
	plain(2, (w) => ['PSETEX', w.key('s'), w.ttlMillis(), w.value()]),
	plain(3, (w) => ['GETSET', w.key('s'), w.value()]),
	plain(2, (w) => ['GETDEL', w.key('s')]),
	plain(3, (w) => ['GETEX', w.key('s'), ...w.options(0.3, [['PERSIST'], expiryOption(w)])]),
	plain(4, (w) => ['APPEND', w.key('s'), w.value()]),
	plain(3, (w) => ['STRLEN', w.key('s')]),
	plain(5, (w) => ['INCR', w.key('s')]),
	plain(3, (w) => ['DECR', w.key('s')]),
	plain(6, (w) => ['INCRBY', w.key('s'), w.integer()]),
	plain(4, (w) => ['DECRBY', w.key('s'), w.integer()]),
	plain(6, (w) => ['INCRBYFLOAT', w.key('s'), w.float()]),
	plain(4, (w) => ['GETRANGE', w.key('s'), w.index(), w.index()]),
	plain(1, (w) => ['SUBSTR', w.key('s'), w.index(), w.index()]),
	plain(4, (w) => [
		'SETRANGE',
		w.key('s'),
		w.random.pick(['0', '1', '5', '20', '60', '-1', '536870912', 'x']),
		w.value(),
	]),
	plain(4, (w) => ['MGET', ...w.keys('s', 1, 5)]),
	plain(3, (w) => ['MSET', ...w.random.times(w.random.between(1, 4), () => [w.key('s'), w.value()]).flat()]),
	plain(2, (w) => [
		'MSETNX',
		...w.random.times(w.random.between(1, 3), () => [w.key('s'), w.value()]).flat(),
	]),
	plain(3, (w) => [
		'LCS',
		w.key('s'),
		w.key('s'),
		...w.options(0.3, [['LEN'], ['IDX'], ['WITHMATCHLEN'], ['MINMATCHLEN', w.index()]]),
	]),
];
