import { from, iterate, plain, type Recipe, randomResult } from './family.js';
import type { Step } from './step.js';
import type { Vocabulary } from './vocabulary.js';

const REDIS_7_2 = 70200;

function score(words: Vocabulary): string {
	return words.random.chance(0.6) ? String(words.random.between(-3, 12)) : words.float();
}

function scoredMembers(words: Vocabulary): string[] {
	return words.random.times(words.random.between(1, 4), () => [score(words), words.member()]).flat();
}

function limit(words: Vocabulary): string[] {
	return words.options(0.3, [['LIMIT', words.index(), words.index()]]);
}

/** `numkeys key …` of sorted sets, and now and then a plain set. */
function numberedKeys(words: Vocabulary): string[] {
	const keys = words.random.times(words.random.between(1, 3), () =>
		words.key(words.random.chance(0.9) ? 'z' : 'e'),
	);
	return [words.random.chance(0.95) ? String(keys.length) : words.index(), ...keys];
}

function weighted(words: Vocabulary): string[] {
	const numbered = numberedKeys(words);
	const weights = words.random.times(numbered.length - 1, () => words.float());
	return [
		...numbered,
		...words.options(0.35, [
			['WEIGHTS', ...weights],
			['AGGREGATE', words.random.pick(['SUM', 'MIN', 'MAX', 'min', 'avg'])],
		]),
	];
}

/** The part of ZRANGE and ZRANGESTORE after the key. */
function anyRange(words: Vocabulary): string[] {
	const rest = words.options(0.3, [['REV'], ['LIMIT', words.index(), words.index()]]);
	return words.random.chance(0.5)
		? [words.index(), words.index(), ...words.options(0.3, [['REV']])]
		: [words.scoreBound(), words.scoreBound(), 'BYSCORE', ...rest];
}

function lexCommand(words: Vocabulary, key: string): string[] {
	const [from, to] = [words.lexBound(), words.lexBound()];
	const rest = [...words.options(0.3, [['REV']]), ...limit(words)];
	switch (words.random.below(6)) {
		case 0:
			return ['ZLEXCOUNT', key, from, to];
		case 1:
			return ['ZRANGEBYLEX', key, from, to, ...limit(words)];
		case 2:
			return ['ZREVRANGEBYLEX', key, from, to, ...limit(words)];
		case 3:
			return ['ZREMRANGEBYLEX', key, from, to];
		case 4:
			return ['ZRANGESTORE', words.key('z'), key, from, to, 'BYLEX', ...rest];
		default:
			return ['ZRANGE', key, from, to, 'BYLEX', ...rest];
	}
}

/**
 * A lexicographic range is defined only where all scores are equal (elsewhere Redis's answer depends on the
 * random levels of its skiplist), so the set is made for the occasion.
 */
function lexTransaction(words: Vocabulary): Step {
	const score = words.random.pick(['0', '0', '7']);
	const members = words.members(1, 14).flatMap((member) => [score, member]);
	const commands = [
		['DEL', 'y0'],
		['ZADD', 'y0', ...members],
		lexCommand(words, 'y0'),
		lexCommand(words, 'y0'),
	];
	return {
		kind: 'transaction',
		commands: commands.map((args) => ({ kind: 'command', args, mode: 'exact' })),
		end: 'EXEC',
		watch: null,
		meanwhile: null,
	};
}

function withScores(words: Vocabulary, probability = 0.4): string[] {
	return words.options(probability, [['WITHSCORES']]);
}

export const ZSET_RECIPES: readonly Recipe[] = [
	plain(10, (w) => ['ZADD', w.key('z'), ...scoredMembers(w)]),
	plain(6, (w) => [
		'ZADD',
		w.key('z'),
		...w.options(0.2, [['NX'], ['XX'], ['GT'], ['LT'], ['CH']]),
		...scoredMembers(w),
	]),
	plain(2, (w) => [
		'ZADD',
		w.key('z'),
		...w.options(0.2, [['NX'], ['XX'], ['GT'], ['LT'], ['CH']]),
		'INCR',
		score(w),
		w.member(),
	]),
	plain(5, (w) => ['ZINCRBY', w.key('z'), score(w), w.member()]),
	plain(5, (w) => ['ZSCORE', w.key('z'), w.member()]),
	plain(3, (w) => ['ZMSCORE', w.key('z'), ...w.members(1, 4)]),
	plain(3, (w) => ['ZCARD', w.key('z')]),
	plain(4, (w) => ['ZRANK', w.key('z'), w.member()]),
	plain(3, (w) => ['ZREVRANK', w.key('z'), w.member()]),
	from(
		REDIS_7_2,
		plain(2, (w) => [w.random.pick(['ZRANK', 'ZREVRANK']), w.key('z'), w.member(), 'WITHSCORE']),
	),
	plain(5, (w) => ['ZREM', w.key('z'), ...w.members(1, 3)]),
	plain(4, (w) => ['ZCOUNT', w.key('z'), w.scoreBound(), w.scoreBound()]),
	plain(4, (w) => ['ZRANGE', w.key('z'), '0', '-1', 'WITHSCORES']),
	plain(8, (w) => ['ZRANGE', w.key('z'), ...anyRange(w), ...withScores(w)]),
	plain(3, (w) => ['ZREVRANGE', w.key('z'), w.index(), w.index(), ...withScores(w)]),
	plain(4, (w) => [
		'ZRANGEBYSCORE',
		w.key('z'),
		w.scoreBound(),
		w.scoreBound(),
		...withScores(w),
		...limit(w),
	]),
	plain(3, (w) => [
		'ZREVRANGEBYSCORE',
		w.key('z'),
		w.scoreBound(),
		w.scoreBound(),
		...withScores(w),
		...limit(w),
	]),
	plain(3, (w) => ['ZRANGESTORE', w.key('z'), w.key('z'), ...anyRange(w)]),
	plain(1.5, (w) => ['ZREMRANGEBYRANK', w.key('z'), w.index(), w.index()]),
	plain(1.5, (w) => ['ZREMRANGEBYSCORE', w.key('z'), w.scoreBound(), w.scoreBound()]),
	{ weight: 10, since: 0, make: lexTransaction },
	plain(4, (w) => [w.random.pick(['ZPOPMIN', 'ZPOPMAX']), w.key('z'), ...w.options(0.5, [[w.count()]])]),
	plain(3, (w) => [
		'ZMPOP',
		...numberedKeys(w),
		w.random.pick(['MIN', 'MAX', 'MID']),
		...w.options(0.4, [['COUNT', w.count()]]),
	]),
	plain(3, (w) => ['ZUNION', ...weighted(w), ...withScores(w, 0.7)]),
	plain(3, (w) => ['ZINTER', ...weighted(w), ...withScores(w, 0.7)]),
	plain(3, (w) => ['ZDIFF', ...numberedKeys(w), ...withScores(w, 0.7)]),
	plain(2, (w) => ['ZUNIONSTORE', w.key('z'), ...weighted(w)]),
	plain(2, (w) => ['ZINTERSTORE', w.key('z'), ...weighted(w)]),
	plain(2, (w) => ['ZDIFFSTORE', w.key('z'), ...numberedKeys(w)]),
	plain(2, (w) => ['ZINTERCARD', ...numberedKeys(w), ...w.options(0.4, [['LIMIT', w.index()]])]),
	randomResult(1.5, (w) => [
		'ZRANDMEMBER',
		w.key('z'),
		...w.options(0.7, [[w.randomCount(), ...withScores(w)]]),
	]),
	iterate(
		2,
		(w) => [
			'ZSCAN',
			w.key('z'),
			...w.options(0.4, [
				['MATCH', w.pattern()],
				['COUNT', w.random.pick(['1', '3', '10', '1000'])],
			]),
		],
		true,
	),
];
