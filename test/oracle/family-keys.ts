import { iterate, plain, type Recipe, randomResult } from './family.js';
import type { Vocabulary } from './vocabulary.js';

const EXPIRE_FLAGS = [['NX'], ['XX'], ['GT'], ['LT']];

/** Generic commands on keys, expiry, SORT, SCAN, SELECT. */
export const KEY_RECIPES: readonly Recipe[] = [
	plain(3, (w) => ['DEL', ...w.keys(undefined, 1, 2)]),
	plain(1, (w) => ['UNLINK', ...w.keys(undefined, 1, 2)]),
	plain(3, (w) => ['EXISTS', ...w.keys(undefined, 1, 4)]),
	plain(4, (w) => ['TYPE', w.key()]),
	plain(2, (w) => ['TOUCH', ...w.keys(undefined, 1, 3)]),
	plain(4, (w) => ['OBJECT', 'ENCODING', w.key()]),
	plain(0.2, (w) => ['OBJECT', w.random.pick(['REFCOUNT', 'FREQ', 'NOSUCH', 'HELP']), 'nokey']),
	plain(3, (w) => ['RENAME', w.key(), w.key()]),
	plain(2, (w) => ['RENAMENX', w.key(), w.key()]),
	plain(4, (w) => [
		'COPY',
		w.key(),
		w.key(),
		...w.options(0.4, [['REPLACE'], ['DB', w.random.pick(['0', '1', '2', '2', '99', '-1', 'x'])]]),
	]),
	plain(2, (w) => ['MOVE', w.key(), w.random.pick(['0', '1', '2', '99', 'x'])]),
	plain(0.3, (w) => ['SWAPDB', w.random.pick(['0', '1', '2', '99', 'x']), w.random.pick(['0', '1', '2'])]),
	plain(2, (w) => ['SELECT', w.random.pick(['0', '0', '0', '1', '2', '16', '-1', 'x'])]),
	plain(1, () => ['DBSIZE']),
	plain(0.1, (w) => [w.random.pick(['FLUSHDB', 'FLUSHALL']), ...w.options(0.3, [['SYNC'], ['ASYNC']])]),
	plain(1, (w) => ['KEYS', w.pattern()], 'unordered'),
	randomResult(0.5, () => ['RANDOMKEY']),
	iterate(
		2,
		(w) => [
			'SCAN',
			...w.options(0.4, [
				['MATCH', w.pattern()],
				['COUNT', w.random.pick(['1', '3', '10', '1000', '0', '-1', 'x'])],
				['TYPE', w.random.pick(['string', 'list', 'set', 'zset', 'hash', 'STRING', 'stream', 'nosuch'])],
			]),
		],
		false,
	),
	plain(2, (w) => ['EXPIRE', w.key(), w.ttlSeconds(), ...w.options(0.15, EXPIRE_FLAGS)]),
	plain(2, (w) => ['PEXPIRE', w.key(), w.ttlMillis(), ...w.options(0.15, EXPIRE_FLAGS)]),
	plain(3, (w) => ['EXPIREAT', w.key(), w.atSeconds(), ...w.options(0.15, EXPIRE_FLAGS)]),
	plain(3, (w) => ['PEXPIREAT', w.key(), w.atMillis(), ...w.options(0.15, EXPIRE_FLAGS)]),
	plain(2, (w) => ['PERSIST', w.key()]),
	plain(3, (w) => ['TTL', w.key()], 'seconds'),
	plain(2, (w) => ['PTTL', w.key()], 'millis'),
	// The absolute time of a relative EXPIRE depends on when it arrived.
	plain(2, (w) => ['EXPIRETIME', w.key()], 'seconds'),
	plain(2, (w) => ['PEXPIRETIME', w.key()], 'millis'),
	{ weight: 0.4, since: 0, make: (w) => ({ kind: 'expire', key: w.key() }) },
	plain(5, sortStored),
	plain(4, (w) => [w.random.pick(['SORT', 'SORT_RO']), sortKey(w), ...sortGets(w)]),
	plain(2, (w) => [
		'SORT',
		sortKey(w),
		'BY',
		sortPattern(w),
		...w.options(0.3, [['LIMIT', w.index(), w.index()], ['DESC']]),
	]),
	plain(2, (w) => ['SORT', sortKey(w), 'ALPHA', ...w.options(0.4, [['DESC']])]),
	plain(1, (w) => ['SORT', sortKey(w), 'BY', sortPattern(w), 'ALPHA'], 'unordered'),
	plain(1, (w) => ['SORT', sortKey(w), 'BY', 'nosort', ...sortGets(w).slice(0, 2)], 'unordered'),
	plain(
		0.3,
		(w) => ['SORT', sortKey(w), w.random.pick(['BY', 'LIMIT', 'GET', 'STORE', 'ALPHA']), w.value()],
		'unordered',
	),
];

function sortKey(words: Vocabulary): string {
	return words.key(words.random.pick(['l', 'e', 'z'] as const));
}

/** A weight or a value outside: string keys, hash fields, and patterns that name nothing. */
function sortPattern(words: Vocabulary): string {
	return words.random.pick(['s*', 'h*->1', 'h*->m1', 'h*->a', 'none_*', '*', 's*->', 'h*->*']);
}

function sortGets(words: Vocabulary): string[] {
	return words.options(0.4, [
		['GET', '#'],
		['GET', sortPattern(words)],
		['DESC'],
		['LIMIT', words.index(), words.index()],
	]);
}

function sortStored(words: Vocabulary): string[] {
	const by = words.options(0.3, [['BY', sortPattern(words)]]);
	// Ties of ALPHA with BY are in no defined order, so that the stored list would not be either.
	const alpha = by.length === 0 ? words.options(0.5, [['ALPHA']]) : [];
	return ['SORT', sortKey(words), ...by, ...alpha, ...sortGets(words), 'STORE', words.key('l')];
}
