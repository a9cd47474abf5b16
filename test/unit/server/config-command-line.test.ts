import { assert } from 'chai';
import { parseCommandLine } from '../../../src/server/config/command-line.js';

function linesOf(...args: string[]): string[] {
	const result = parseCommandLine(args);
	if (result.kind !== 'run') throw new Error(`not a run: ${result.kind}`);
	return result.options.split('\n').map((line) => line.trimEnd());
}

describe('config command line', () => {
	it('knows the options that do not serve', () => {
		assert.equal(parseCommandLine(['-v']).kind, 'version');
		assert.equal(parseCommandLine(['--version']).kind, 'version');
		assert.equal(parseCommandLine(['-h']).kind, 'help');
		assert.equal(parseCommandLine(['--help']).kind, 'help');
		assert.equal(parseCommandLine(['x.conf', '--sentinel']).kind, 'sentinel');
		assert.equal(parseCommandLine(['--check-system']).kind, 'check-system');
		assert.deepEqual(parseCommandLine(['--test-memory', '10']), { kind: 'test-memory', megabytes: '10' });
	});

	it('takes a file first and standard input at either end', () => {
		assert.deepEqual(parseCommandLine(['a.conf', '--port', '1', '-']), {
			kind: 'run',
			configFile: 'a.conf',
			readStdin: true,
			options: 'port "1" ',
		});
		assert.deepEqual(parseCommandLine(['-']), { kind: 'run', configFile: '', readStdin: true, options: '' });
		assert.deepEqual(parseCommandLine([]), { kind: 'run', configFile: '', readStdin: false, options: '' });
	});

	it('takes values until the next name', () => {
		assert.deepEqual(linesOf('--port', '6379', '6380'), ['port "6379" "6380"']);
		assert.deepEqual(linesOf('--port', '1', '--bind', 'a', 'b'), ['port "1"', 'bind "a" "b"']);
	});

	it('takes the argument after a name as its value, whatever it looks like', () => {
		assert.deepEqual(linesOf('--port', '--loglevel', 'verbose'), ['port "--loglevel" "verbose"']);
		assert.deepEqual(linesOf('--port', '--bla', '--loglevel', 'verbose'), [
			'port "--bla"',
			'loglevel "verbose"',
		]);
	});

	it('takes name and value in one argument', () => {
		assert.deepEqual(linesOf('--maxmemory 700mb', '--loglevel verbose'), [
			'maxmemory 700mb',
			'loglevel verbose',
		]);
	});

	it('takes --save without a value as an empty one', () => {
		assert.deepEqual(linesOf('--save', '--loglevel', 'verbose'), ['save ""', 'loglevel "verbose"']);
		assert.deepEqual(linesOf('--loglevel', 'verbose', '--save'), ['loglevel "verbose"', 'save ""']);
		assert.deepEqual(linesOf('--save', '', '--port', '1'), ['save ""', 'port "1"']);
		assert.deepEqual(linesOf('--proc-title-template', '--save', '--save', ''), [
			'proc-title-template "--save"',
			'save ""',
		]);
	});

	it('quotes bytes that redis.conf could not hold', () => {
		assert.deepEqual(linesOf('--requirepass', 'a"b\n\xff'), ['requirepass "a\\"b\\n\\xff"']);
	});
});
