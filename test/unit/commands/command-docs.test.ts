import { expect } from 'chai';
import { loadCommandDocs } from '../../../src/commands/command-docs.js';
import { type ArgumentDoc, parseArgumentSyntax } from '../../../src/commands/command-docs-syntax.js';

function argument(name: string, type: ArgumentDoc['type'], fields: Partial<ArgumentDoc> = {}): ArgumentDoc {
	return {
		name,
		type,
		displayText: type === 'oneof' || type === 'block' ? undefined : name,
		keySpecIndex: type === 'key' ? 0 : undefined,
		token: type === 'pure-token' ? name.toUpperCase() : undefined,
		since: undefined,
		deprecatedSince: undefined,
		optional: false,
		multiple: false,
		multipleToken: false,
		arguments: undefined,
		...fields,
	};
}

describe('command documentation', () => {
	it('reads the notation of arguments', () => {
		const limit = argument('limit', 'block', {
			token: 'LIMIT',
			optional: true,
			arguments: [argument('offset', 'integer'), argument('count', 'integer')],
		});
		const condition = argument('condition', 'oneof', {
			optional: true,
			since: '2.6.12',
			arguments: [argument('nx', 'pure-token'), argument('xx', 'pure-token', { deprecatedSince: '7.0.0' })],
		});
		expect(
			parseArgumentSyntax(
				'key:key ... [condition(NX | XX !7.0.0) ^2.6.12] [LIMIT limit(offset:integer count:integer)]',
			),
		).to.deep.equal([argument('key', 'key', { multiple: true }), condition, limit]);
		expect(
			parseArgumentSyntax('REV, [GET pat:pattern ~pattern #1 +...] sorting=ALPHA "" value'),
		).to.deep.equal([
			argument('rev', 'pure-token'),
			argument('pat', 'pattern', {
				token: 'GET',
				displayText: 'pattern',
				keySpecIndex: 1,
				optional: true,
				multiple: true,
				multipleToken: true,
			}),
			argument('sorting', 'pure-token', { token: 'ALPHA' }),
			argument('value', 'string', { token: '' }),
		]);
		expect(parseArgumentSyntax('')).to.deep.equal([]);
	});

	it('refuses what is not in the notation', () => {
		for (const text of ['[', 'a(', 'a]', 'a | b', 'a:nope', 'a ? b', '[a b]', 'x=', ')']) {
			expect(() => parseArgumentSyntax(text), text).to.throw();
		}
	});

	it('has complete entries, all of whose arguments can be read', () => {
		const docs = loadCommandDocs();
		expect(docs.size).to.be.greaterThan(230);
		for (const [name, doc] of docs) {
			expect(doc.summary, name).to.match(/^[A-Z].*\.$/);
			expect(doc.since, name).to.match(/^\d+\.\d+\.\d+$/);
			expect(doc.deprecatedSince !== undefined, name).to.equal(doc.docFlags.includes('deprecated'));
			for (const [version, change] of doc.history) {
				expect(version, name).to.match(/^\d+\.\d+\.\d+$/);
				expect(change, name).to.match(/^.+\.$/);
			}
			const bar = name.indexOf('|');
			if (bar > 0) expect(docs.has(name.slice(0, bar)), name).to.equal(true);
		}
	});
});
