/** The timeout of blocking commands: what Redis 7.2.6 makes of each text. */
import { assert } from 'chai';
import { parseTimeout } from '../../../src/commands/blocking-timeout.js';
import type { CommandContext } from '../../../src/engine/context.js';

const NOW_MS = 1_700_000_000_000;

/** The result, or the error reply. */
function parsed(text: string): number | string {
	let error = '';
	const ctx = { nowMs: NOW_MS, replyError: (reply: string) => (error = reply) };
	return parseTimeout(ctx as unknown as CommandContext, text) ?? error;
}

describe('the timeout of a blocking command', () => {
	const cases: readonly [text: string, expected: number | string][] = [
		['0', 0],
		['1', 1000],
		['0.1', 100],
		['0.001', 1],
		['0.0001', 1],
		['1.0005', 1001],
		['8.2', 8200],
		['4.35', 4350],
		['0x10', 16000],
		['1e3', 1_000_000],
		['-0', 0],
		['-0.0001', 0],
		['9000000000000000', 9e18],
		['-1', 'ERR timeout is negative'],
		['-0.5', 'ERR timeout is negative'],
		['-inf', 'ERR timeout is negative'],
		['-1e4000', 'ERR timeout is negative'],
		['inf', 'ERR timeout is out of range'],
		['1e4000', 'ERR timeout is out of range'],
		['9223372036854775', 'ERR timeout is out of range'],
		['0x7FFFFFFFFFFFFF', 'ERR timeout is out of range'],
		['1e5000', 'ERR timeout is not a float or out of range'],
		['nan', 'ERR timeout is not a float or out of range'],
		['', 'ERR timeout is not a float or out of range'],
		[' 1', 'ERR timeout is not a float or out of range'],
		['1s', 'ERR timeout is not a float or out of range'],
	];
	for (const [text, expected] of cases) {
		it(`'${text}': ${expected}`, () => assert.equal(parsed(text), expected));
	}
});
