import { expect } from 'chai';
import fc from 'fast-check';
import {
	addInt64,
	canonicalInt64,
	decimalLength,
	INT64_MAX,
	INT64_MIN,
	isInt64,
	negateInt64,
	parseInt64,
	parseSafeInt,
	parseScanCursor,
	parseUint64,
} from '../../../src/base/numbers.js';

describe('numbers', () => {
	it('refuses what string2ll refuses', () => {
		const malformed = ['', '-', '+1', '-0', '00', '01', '-01', ' 1', '1 ', '1.0', '1e3', '0x1', '1\0', 'a'];
		for (const s of malformed) {
			expect(parseInt64(s), s).to.equal(undefined);
			expect(parseSafeInt(s), s).to.equal(undefined);
			expect(parseUint64(s), s).to.equal(undefined);
		}
	});

	it('takes the whole 64-bit range and nothing beyond', () => {
		expect(parseInt64('9007199254740991')).to.equal(9007199254740991);
		expect(parseInt64('9007199254740992')).to.equal(9007199254740992n);
		expect(parseInt64('9223372036854775807')).to.equal(INT64_MAX);
		expect(parseInt64('-9223372036854775808')).to.equal(INT64_MIN);
		expect(parseInt64('9223372036854775808')).to.equal(undefined);
		expect(parseInt64('-9223372036854775809')).to.equal(undefined);
		expect(parseUint64('18446744073709551615')).to.equal(18446744073709551615n);
		expect(parseUint64('18446744073709551616')).to.equal(undefined);
		expect(parseUint64('-1')).to.equal(undefined);
		expect(parseSafeInt('-9007199254740991')).to.equal(-9007199254740991);
		expect(parseSafeInt('9007199254740992')).to.equal(undefined);
		expect(parseSafeInt('9007199254740993')).to.equal(undefined);
	});

	it('reads back every int64 in canonical form', () => {
		fc.assert(
			fc.property(fc.bigInt(INT64_MIN, INT64_MAX), (b) => {
				expect(parseInt64(b.toString())).to.equal(canonicalInt64(b));
			}),
		);
	});

	it('adds and negates as 64-bit integers', () => {
		fc.assert(
			fc.property(fc.bigInt(INT64_MIN, INT64_MAX), fc.bigInt(INT64_MIN, INT64_MAX), (a, b) => {
				const expected = isInt64(a + b) ? canonicalInt64(a + b) : undefined;
				expect(addInt64(canonicalInt64(a), canonicalInt64(b))).to.equal(expected);
				expect(negateInt64(canonicalInt64(a))).to.equal(isInt64(-a) ? canonicalInt64(-a) : undefined);
			}),
		);
		expect(addInt64(9007199254740991, 1)).to.equal(9007199254740992n);
		expect(addInt64(9007199254740992n, -1)).to.equal(9007199254740991);
		expect(addInt64(INT64_MAX, 1)).to.equal(undefined);
	});

	it('reads a SCAN cursor as strtoul does', () => {
		expect(parseScanCursor('')).to.equal(0);
		expect(parseScanCursor('007')).to.equal(7);
		expect(parseScanCursor('+5')).to.equal(5);
		expect(parseScanCursor('-1')).to.equal(18446744073709551615n);
		expect(parseScanCursor('18446744073709551616')).to.equal(undefined);
		for (const s of [' 1', '1 ', '-', 'x', '1x']) expect(parseScanCursor(s), s).to.equal(undefined);
	});

	it('counts decimal digits', () => {
		fc.assert(fc.property(fc.maxSafeInteger(), (n) => decimalLength(n) === String(n).length));
	});
});
