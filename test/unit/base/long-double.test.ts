import { expect } from 'chai';
import fc from 'fast-check';
import { addLongDouble, formatHumanDouble, isInfiniteText } from '../../../src/base/long-double.js';

/** A value, an increment, and what INCRBYFLOAT of Redis 7.2.6 on x86-64 answers. */
const GOLDEN: ReadonlyArray<readonly [string, string, string]> = [
	['3.0e3', '200', '3200'],
	['1e17', '3.3', '100000000000000003.296875'],
	['100.1', '1.7', '101.8'],
	['0.1', '0.2', '0.3'],
	['1e-4940', '1e-17', '0.00000000000000001'],
	['0x1p-18', '0', '0.00000381469726562'],
	['0x3p-18', '0', '0.00001144409179688'],
	['18446744073709551615', '1', '18446744073709551616'],
	['18446744073709551615', '2', '18446744073709551616'],
	['10.50', '0.1', '10.6'],
	['-0', '-0', '0'],
	['-1e-20', '0', '0'],
	['5e-18', '0', '0'],
	['1234567890.123456789', '0.1', '1234567890.2234567889245227'],
];

function sumText(a: string, b: string): string {
	const sum = addLongDouble(a, b);
	return sum.kind === 'sum' ? sum.text : sum.kind;
}

describe('long-double', () => {
	it('adds as INCRBYFLOAT does', () => {
		for (const [a, b, sum] of GOLDEN) expect(sumText(a, b), `${a} + ${b}`).to.equal(sum);
		expect(sumText('1.18973149535723176502e+4932', '1')).to.match(/^11897314953572317650\d{4913}$/);
	});

	it('tells the kinds of errors apart', () => {
		expect(sumText('x', '1')).to.equal('first-not-float');
		expect(sumText('1', 'x')).to.equal('second-not-float');
		expect(sumText('1.2e4932', '1')).to.equal('first-not-float');
		expect(sumText('1e-4952', '1')).to.equal('first-not-float');
		expect(sumText('nan', '1')).to.equal('first-not-float');
		expect(sumText('1', '1'.repeat(5120))).to.equal('second-not-float');
		expect(sumText('inf', '1')).to.equal('nan-or-infinity');
		expect(sumText('1', '-inf')).to.equal('nan-or-infinity');
		expect(sumText('1.18973149535723176502e+4932', '1.18973149535723176502e+4932')).to.equal(
			'nan-or-infinity',
		);
		expect(isInfiniteText('-Infinity')).to.equal(true);
		expect(isInfiniteText('1e4000')).to.equal(false);
	});

	it('gives the same by the short cuts as by the full way', () => {
		// A leading zero digit keeps the value and defeats both short cuts.
		const slow = (s: string) => (s.startsWith('-') ? `-000${s.slice(1)}` : `000${s}`) + 'e0';
		const small = fc
			.tuple(
				fc.boolean(),
				fc.integer({ min: 0, max: 15 }),
				fc.bigInt(0n, 9999999999999n),
				fc.integer({ min: 1, max: 13 }),
			)
			.map(([negative, whole, fraction, places]) => {
				const digits = fraction.toString().padStart(13, '0').slice(0, places);
				return `${negative ? '-' : ''}${whole}.${digits}`;
			});
		const integer = fc.integer({ min: -999999999999999, max: 999999999999999 }).map(String);
		for (const operand of [small, integer, fc.oneof(small, integer)]) {
			fc.assert(
				fc.property(operand, operand, (a, b) => {
					expect(sumText(a, b)).to.equal(sumText(slow(a), slow(b)));
				}),
				{ numRuns: 500 },
			);
		}
	});

	it('prints a double as %.17Lf, less the zeros', () => {
		expect(formatHumanDouble(13.361389338970184)).to.equal('13.36138933897018433');
		expect(formatHumanDouble(2 ** -18)).to.equal('0.00000381469726562');
		expect(formatHumanDouble(1e22)).to.equal('10000000000000000000000');
		expect(formatHumanDouble(-1e-30)).to.equal('0');
		expect(formatHumanDouble(-2.5)).to.equal('-2.5');
	});
});
