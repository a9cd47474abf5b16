import { plain, type Recipe } from './family.js';
import type { Vocabulary } from './vocabulary.js';

function end(words: Vocabulary): string {
	return words.random.chance(0.97) ? words.random.pick(['LEFT', 'RIGHT', 'left', 'Right']) : 'middle';
}

/** Redis 7.0 takes the smallest integer for a rank, 7.2 does not. */
function rank(words: Vocabulary): string {
	const index = words.index();
	return index === '-9223372036854775808' ? '0' : index;
}

function numberedKeys(words: Vocabulary): string[] {
	const keys = words.keys('l', 1, 3);
	return [words.random.chance(0.95) ? String(keys.length) : words.index(), ...keys];
}

export const LIST_RECIPES: readonly Recipe[] = [
	plain(8, (w) => ['RPUSH', w.key('l'), ...w.values(1, 5)]),
	plain(8, (w) => ['LPUSH', w.key('l'), ...w.values(1, 5)]),
	plain(4, (w) => [
		w.random.pick(['RPUSH', 'LPUSH']),
		w.key('l'),
		...w.random.times(6, () => String(w.random.below(9))),
	]),
	plain(2, (w) => ['RPUSHX', w.key('l'), ...w.values(1, 2)]),
	plain(2, (w) => ['LPUSHX', w.key('l'), ...w.values(1, 2)]),
	plain(4, (w) => ['LPOP', w.key('l'), ...w.options(0.5, [[w.count()]])]),
	plain(4, (w) => ['RPOP', w.key('l'), ...w.options(0.5, [[w.count()]])]),
	plain(3, (w) => ['LLEN', w.key('l')]),
	plain(8, (w) => ['LRANGE', w.key('l'), w.index(), w.index()]),
	plain(3, (w) => ['LRANGE', w.key('l'), '0', '-1']),
	plain(4, (w) => ['LINDEX', w.key('l'), w.index()]),
	// No huge index: Redis 7.2 cuts it to 32 bits, so that 4294967296 is taken for 0.
	plain(4, (w) => [
		'LSET',
		w.key('l'),
		w.random.pick([String(w.random.below(6)), '-1', '-2', '100', '-100', 'x', '01']),
		w.value(),
	]),
	plain(4, (w) => ['LREM', w.key('l'), w.index(), w.value()]),
	plain(3, (w) => ['LTRIM', w.key('l'), w.index(), w.index()]),
	plain(4, (w) => [
		'LINSERT',
		w.key('l'),
		w.random.pick(['BEFORE', 'AFTER', 'after', 'AT']),
		w.value(),
		w.value(),
	]),
	plain(4, (w) => [
		'LPOS',
		w.key('l'),
		w.random.chance(0.5) ? String(w.random.below(9)) : w.value(),
		...w.options(0.4, [
			['RANK', rank(w)],
			['COUNT', w.index()],
			['MAXLEN', w.index()],
		]),
	]),
	plain(4, (w) => ['LMOVE', w.key('l'), w.key('l'), end(w), end(w)]),
	plain(2, (w) => ['RPOPLPUSH', w.key('l'), w.key('l')]),
	plain(4, (w) => ['LMPOP', ...numberedKeys(w), end(w), ...w.options(0.5, [['COUNT', w.count()]])]),
];

/** Commands that would wait; only for use where nothing waits (inside MULTI) or where somebody serves them. */
export function blockingCommand(words: Vocabulary, timeout: string): string[] {
	const { random } = words;
	switch (random.below(7)) {
		case 0:
			return ['BLPOP', ...words.keys('l', 1, 3), timeout];
		case 1:
			return ['BRPOP', ...words.keys('l', 1, 3), timeout];
		case 2:
			return ['BLMOVE', words.key('l'), words.key('l'), end(words), end(words), timeout];
		case 3:
			return ['BRPOPLPUSH', words.key('l'), words.key('l'), timeout];
		case 4:
			return [
				'BLMPOP',
				timeout,
				...numberedKeys(words),
				end(words),
				...words.options(0.5, [['COUNT', words.count()]]),
			];
		case 5:
			return [random.pick(['BZPOPMIN', 'BZPOPMAX']), ...words.keys('z', 1, 3), timeout];
		default:
			return [
				'BZMPOP',
				timeout,
				'1',
				words.key('z'),
				random.pick(['MIN', 'MAX']),
				...words.options(0.5, [['COUNT', words.count()]]),
			];
	}
}
