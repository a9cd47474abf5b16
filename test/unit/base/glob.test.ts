import { expect } from 'chai';
import { globMatch } from '../../../src/base/glob.js';

const MATCHING: ReadonlyArray<readonly [string, string]> = [
	['h?llo', 'hello'],
	['h*llo', 'heeello'],
	['h[ae]llo', 'hallo'],
	['h[^e]llo', 'hbllo'],
	['h[a-c]llo', 'hbllo'],
	['h[c-a]llo', 'hbllo'],
	['\\*', '*'],
	['a\\', 'a\\'],
	['[\\]]', ']'],
	['[a', 'a'],
	['[^', 'x'],
	['[a-]', 'a'],
	['a***', 'a'],
	['**b', 'ab'],
	['*a*b*', 'xaxbx'],
	['[\x01-\xff]', '\xff'],
	['', ''],
];

const NOT_MATCHING: ReadonlyArray<readonly [string, string]> = [
	['h?llo', 'hllo'],
	['h[^e]llo', 'hello'],
	['[', '['],
	['[]', ']'],
	['*', ''],
	['a', ''],
	['', 'a'],
	['\\*', 'a'],
	['a*b', 'abc'],
	['[\x01-\xff]', 'a'],
];

describe('glob', () => {
	it('matches what Redis matches', () => {
		for (const [pattern, text] of MATCHING)
			expect(globMatch(pattern, text), `${pattern} ${text}`).to.equal(true);
		for (const [pattern, text] of NOT_MATCHING) {
			expect(globMatch(pattern, text), `${pattern} ${text}`).to.equal(false);
		}
	});

	it('folds letters under nocase, except an escaped byte in a class', () => {
		expect(globMatch('HeL*', 'hello', true)).to.equal(true);
		expect(globMatch('[A-C]x', 'bX', true)).to.equal(true);
		expect(globMatch('[\\A]', 'a', true)).to.equal(false);
		expect(globMatch('HEL*', 'hello')).to.equal(false);
	});

	it('takes polynomial time, and stops at a thousand stars', () => {
		expect(globMatch('*a'.repeat(900) + 'b', 'a'.repeat(20000))).to.equal(false);
		expect(globMatch('*a'.repeat(1000), 'a'.repeat(1100))).to.equal(true);
		expect(globMatch('*a'.repeat(1001), 'a'.repeat(1100))).to.equal(false);
	});
});
