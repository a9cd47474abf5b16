import { expect } from 'chai';
import { findKeys, hasKeys, legacyKeyRange } from '../../../src/engine/command-keys.js';
import {
	type CommandExtras,
	type CommandSpec,
	command,
	KEY_ACCESS,
	KEY_INCOMPLETE,
	KEY_NOT_KEY,
	KEY_RO,
	KEY_RW,
	KEY_VARIABLE_FLAGS,
	type KeySpec,
	keyNum,
	keyRange,
	NO_KEYS,
	oneKey,
	READONLY,
} from '../../../src/engine/command-spec.js';

function row(keySpecs: readonly KeySpec[], extras: CommandExtras = {}): CommandSpec {
	return command('test', () => {}, -2, READONLY, keySpecs, 0, extras);
}

function keysOf(spec: CommandSpec, request: string, includeNotKeys = false): string[] | undefined {
	const args = request.split(' ');
	return findKeys(spec, args, includeNotKeys)?.map(({ index }) => args[index]!);
}

const BY_KEYWORD: KeySpec = {
	flags: KEY_RO,
	begin: { kind: 'keyword', keyword: 'KEYS', startFrom: -2 },
	find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
	notes: '',
};

describe('command keys', () => {
	it('finds ranges', () => {
		expect(keysOf(row(oneKey(KEY_RO)), 'get a b')).to.deep.equal(['a']);
		expect(keysOf(row(keyRange(KEY_RO, 1, -1)), 'mget a b c')).to.deep.equal(['a', 'b', 'c']);
		expect(keysOf(row(keyRange(KEY_RO, 1, -2)), 'blpop a b 0')).to.deep.equal(['a', 'b']);
		expect(keysOf(row(keyRange(KEY_RW, 1, -1, 2)), 'mset a 1 b 2')).to.deep.equal(['a', 'b']);
		expect(keysOf(row(oneKey(KEY_RO)), 'get')).to.equal(undefined);
	});

	it('finds counted keys, and refuses a count that does not fit', () => {
		const spec = row([...oneKey(KEY_RW), ...keyNum(KEY_RO, 2)]);
		expect(keysOf(spec, 'zunionstore d 2 a b weights 1 2')).to.deep.equal(['d', 'a', 'b']);
		for (const request of ['s d 3 a b', 's d x a', 's d -1 a', 's d 0 a', 's d']) {
			expect(keysOf(spec, request), request).to.equal(undefined);
		}
	});

	it('finds keys behind a keyword, from the end backward', () => {
		const spec = row([...oneKey(KEY_RO), BY_KEYWORD]);
		expect(keysOf(spec, 'm k x keys a b')).to.deep.equal(['k', 'a', 'b']);
		expect(keysOf(spec, 'm k x y')).to.deep.equal(['k']);
	});

	it('asks the row where key specs do not tell', () => {
		const getKeys = () => [{ index: 2, flags: KEY_RW }];
		expect(keysOf(row(oneKey(KEY_RO | KEY_VARIABLE_FLAGS), { getKeys }), 'set a b')).to.deep.equal(['b']);
		expect(keysOf(row(oneKey(KEY_RO | KEY_INCOMPLETE), { getKeys }), 'sort a b')).to.deep.equal(['b']);
		expect(keysOf(row(oneKey(KEY_RO), { getKeys }), 'get a b')).to.deep.equal(['a']);
	});

	it('tells keys from channels that only route', () => {
		const spec = row(oneKey(KEY_NOT_KEY));
		expect(hasKeys(spec)).to.equal(false);
		expect(keysOf(spec, 'spublish ch m')).to.deep.equal([]);
		expect(keysOf(spec, 'spublish ch m', true)).to.deep.equal(['ch']);
		expect(hasKeys(row(NO_KEYS))).to.equal(false);
		expect(hasKeys(row(oneKey(KEY_RO | KEY_ACCESS)))).to.equal(true);
	});

	it('sums key specs up as one range', () => {
		expect(legacyKeyRange(row(NO_KEYS))).to.deep.equal({
			range: { first: 0, last: 0, step: 0 },
			movable: false,
		});
		expect(legacyKeyRange(row(keyRange(KEY_RW, 1, -1, 2))).range).to.deep.equal({
			first: 1,
			last: -1,
			step: 2,
		});
		expect(legacyKeyRange(row([...oneKey(KEY_RO, 1), ...oneKey(KEY_RW, 2)]))).to.deep.equal({
			range: { first: 1, last: 2, step: 1 },
			movable: false,
		});
		expect(legacyKeyRange(row([...oneKey(KEY_RW, 1), ...keyRange(KEY_RO, 2, -1)])).range.last).to.equal(-1);
		expect(legacyKeyRange(row(keyNum(KEY_RO, 1)))).to.deep.equal({
			range: { first: 0, last: 0, step: 0 },
			movable: true,
		});
		expect(legacyKeyRange(row([...oneKey(KEY_RW), ...keyNum(KEY_RO, 2)]))).to.deep.equal({
			range: { first: 1, last: 1, step: 1 },
			movable: true,
		});
	});
});
