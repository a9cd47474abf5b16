import { expect } from 'chai';
import fc from 'fast-check';
import { quoteArg, quoteRepr, splitArgs } from '../../../src/base/quote.js';

const bytes = fc.array(fc.integer({ min: 0, max: 255 })).map((codes) => String.fromCharCode(...codes));

describe('quote', () => {
	it('escapes every byte that is not printable', () => {
		expect(quoteRepr('a "b" \\c')).to.equal('"a \\"b\\" \\\\c"');
		expect(quoteRepr('\n\r\t\x07\b\0\x1b\x7f\xff')).to.equal('"\\n\\r\\t\\a\\b\\x00\\x1b\\x7f\\xff"');
		expect(quoteArg('plain')).to.equal('plain');
		expect(quoteArg('two words')).to.equal('"two words"');
		expect(quoteArg('')).to.equal('""');
	});

	it('splits as sdssplitargs does', () => {
		expect(splitArgs('  a  b\tc\r\n')).to.deep.equal(['a', 'b', 'c']);
		expect(splitArgs('')).to.deep.equal([]);
		expect(splitArgs('"a b" \'c d\'')).to.deep.equal(['a b', 'c d']);
		expect(splitArgs('x"a b"')).to.deep.equal(['xa b']);
		expect(splitArgs('"\\x41\\n\\q\\x4z"')).to.deep.equal(['A\nqx4z']);
		expect(splitArgs("'it\\'s \\n'")).to.deep.equal(["it's \\n"]);
		expect(splitArgs('a\vb')).to.deep.equal(['a\vb']);
		expect(splitArgs('a\0b')).to.deep.equal(['a']);
		for (const line of ['"a', "'a", '"a"b', "'a'b", '"a\\"', '"'])
			expect(splitArgs(line), line).to.equal(null);
	});

	it('reads back what it quotes', () => {
		fc.assert(
			fc.property(fc.array(bytes), (args) => {
				expect(splitArgs(args.map(quoteRepr).join(' '))).to.deep.equal(args);
				expect(splitArgs(args.map(quoteArg).join(' '))).to.deep.equal(args);
			}),
		);
	});
});
