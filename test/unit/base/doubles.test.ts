import { expect } from 'chai';
import fc from 'fast-check';
import { formatDouble, formatDouble17g, formatFpconv, parseDouble } from '../../../src/base/doubles.js';

/** As given to ZADD, and as ZSCORE of Redis 7.2.6 prints it. */
const GOLDEN: ReadonlyArray<readonly [string, string]> = [
	['0.1', '0.1'],
	['1e-7', '1e-7'],
	['5e-324', '5e-324'],
	['123456789.12345679', '1.2345678912345679e+8'],
	['0.000123', '0.000123'],
	['0.0000012', '1.2e-6'],
	['12345.1234567', '1.23451234567e+4'],
	['1e17', '100000000000000000'],
	['4611686018427387904', '4611686018427387904'],
	['4611686018427388928', '4611686018427389000'],
	['-1e21', '-1e+21'],
	['1.5e300', '1.5e+300'],
	['1234567890123456789012', '1234567890123456800000'],
	['0.30000000000000004', '0.30000000000000004'],
	['9.5367431640625e-07', '9.5367431640625e-7'],
	['2.2250738585072014e-308', '2.2250738585072014e-308'],
	['1.7976931348623157e308', '1.7976931348623157e+308'],
	['-2.5', '-2.5'],
	['0x1.8p1', '3'],
	['9007199254740993', '9007199254740992'],
	['1e22', '1e+22'],
	['+Infinity', 'inf'],
	['-iNf', '-inf'],
];

/** Where Grisu2 does not find the shortest digits. */
const GOLDEN_NOT_SHORTEST: ReadonlyArray<readonly [string, string]> = [
	['1e23', '99999999999999990000000'],
	['0.3785273591187788', '0.37852735911877877'],
	['0.05142031940090264', '0.051420319400902637'],
	['0.1993537080434198', '0.19935370804341979'],
];

describe('doubles', () => {
	it('prints as Redis 7.2.6 does', () => {
		for (const [given, printed] of [...GOLDEN, ...GOLDEN_NOT_SHORTEST]) {
			expect(formatDouble(parseDouble(given)!), given).to.equal(printed);
		}
		expect(formatDouble(-0)).to.equal('-0');
		expect(formatDouble(Number.NaN)).to.equal('nan');
		expect(formatDouble(-0.1)).to.equal('-0.1');
	});

	it('reads back what it prints', () => {
		fc.assert(
			fc.property(fc.double({ noNaN: true }), (n) => {
				expect(Object.is(parseDouble(formatDouble(n)), n)).to.equal(true);
				expect(Object.is(parseDouble(formatFpconv(n)), n)).to.equal(true);
				expect(Object.is(parseDouble(formatDouble17g(n)), n)).to.equal(true);
			}),
			{ numRuns: 2000 },
		);
	});

	it('refuses what strtod leaves over, NaN, and what does not fit', () => {
		const refused = [
			'',
			'+',
			'-',
			'.',
			'e5',
			'1e',
			'1e+',
			' 1',
			'1 ',
			'\t1',
			'1\0',
			'0x',
			'0x.',
			'0x1p',
			'1_0',
		];
		refused.push('nan', '-nan', 'nan(1)', 'infinit', 'infinity1', '1e400', '-1e400', '1e-400', '0x1p1024');
		refused.push('2.4703282292062327e-324', '0x1p-1075', '1e1000000000000', '0b1', '1,5', '\xa01');
		for (const s of refused) expect(parseDouble(s), s).to.equal(undefined);
	});

	it('takes every form of strtod', () => {
		expect(parseDouble('1.')).to.equal(1);
		expect(parseDouble('.5')).to.equal(0.5);
		expect(parseDouble('+.5e1')).to.equal(5);
		expect(parseDouble('0x.8')).to.equal(0.5);
		expect(parseDouble('0X1P-3')).to.equal(0.125);
		expect(parseDouble('0x1p-1074')).to.equal(5e-324);
		expect(parseDouble('0x1.fffffffffffff7p1023')).to.equal(Number.MAX_VALUE);
		expect(parseDouble('0e-400')).to.equal(0);
		expect(Object.is(parseDouble('-0'), -0)).to.equal(true);
		expect(parseDouble('0'.repeat(400) + '1')).to.equal(1);
	});

	it('prints %.17g with ties to even', () => {
		expect(formatDouble17g(0.1)).to.equal('0.10000000000000001');
		expect(formatDouble17g(2 ** -25)).to.equal('2.9802322387695312e-08');
		expect(formatDouble17g(1e17)).to.equal('1e+17');
		expect(formatDouble17g(12345.5)).to.equal('12345.5');
		expect(formatDouble17g(1.5e-5)).to.equal('1.5e-05');
	});

	it('prints integers without the short cut where a digest needs it', () => {
		expect(formatFpconv(1e8)).to.equal('1e+8');
		expect(formatFpconv(-123456789)).to.equal('-123456789');
		expect(formatFpconv(10000000)).to.equal('10000000');
	});
});
