import { assert } from 'chai';
import { parseKeyPattern } from '../../../src/commands/sort-pattern.js';

describe('the patterns of SORT', () => {
	const cases: readonly [text: string, prefix: string, suffix: string, field: string | undefined][] = [
		['*', '', '', undefined],
		['w_*', 'w_', '', undefined],
		['w_*_x', 'w_', '_x', undefined],
		['w_*_*', 'w_', '_*', undefined],
		['h_*->f', 'h_', '', 'f'],
		['h_*_x->f->g', 'h_', '_x', 'f->g'],
		['h_*->', 'h_', '->', undefined],
		['a->b*', 'a->b', '', undefined],
		['a->b*->*', 'a->b', '', '*'],
	];
	for (const [text, prefix, suffix, field] of cases) {
		it(text, () => {
			assert.deepEqual(parseKeyPattern(text), { isElement: false, hasStar: true, prefix, suffix, field });
		});
	}

	it('# is the element; anything else without a star leads nowhere', () => {
		assert.deepInclude(parseKeyPattern('#'), { isElement: true, hasStar: false });
		for (const text of ['', '##', 'key', 'h->f'])
			assert.deepInclude(parseKeyPattern(text), { isElement: false, hasStar: false });
	});
});
