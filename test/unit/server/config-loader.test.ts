import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import type { Settings } from '../../../src/engine/settings.js';
import {
	type ConfigFailure,
	loadConfig,
	settingsWithoutEffect,
} from '../../../src/server/config/config-loader.js';
import { DIRECTIVES_BY_NAME } from '../../../src/server/config/directive-table.js';
import { PROJECT_ROOT } from '../../support/executables.js';

describe('config-loader', () => {
	let folder = '';

	before(() => {
		folder = realpathSync(mkdtempSync(join(tmpdir(), 'tsredis-config-')));
	});

	after(() => rmSync(folder, { recursive: true, force: true }));

	function load(options: string, configFile = '', stdin?: string) {
		return loadConfig(
			{ configFile, readStdin: stdin !== undefined, options },
			{ dir: folder, readStdin: () => stdin ?? '', commandNames: () => ['get', 'set', 'flushall'] },
		);
	}

	function settingsOf(options: string, configFile = '', stdin?: string): Settings {
		const result = load(options, configFile, stdin);
		if (!result.ok) throw new Error(JSON.stringify(result.failure));
		return result.settings;
	}

	function failureOf(options: string, configFile = ''): ConfigFailure {
		const result = load(options, configFile);
		if (result.ok) throw new Error('it was accepted');
		return result.failure;
	}

	function write(name: string, text: string): string {
		const path = join(folder, name);
		writeFileSync(path, text, 'latin1');
		return path;
	}

	it('reads comments, blank lines, any case, quotes and escapes', () => {
		const settings = settingsOf(
			'# requirepass no\n\n  \t PORT 7000  \r\nrequirepass "a b\\x00\\xff\\n\\"" \nmasterauth \'it\\\'s\'\n#',
		);
		assert.equal(settings.port, 7000);
		assert.equal(settings.requirepass, 'a b\0\xff\n"');
		assert.equal(settings.masterauth, "it's");
	});

	it('reads units of memory in any case', () => {
		for (const [text, bytes] of [
			['100', 100],
			['100b', 100],
			['3k', 3000],
			['3KB', 3072],
			['2m', 2_000_000],
			['2Mb', 2_097_152],
			['1g', 1_000_000_000],
			['1GB', 1_073_741_824],
		] as const) {
			assert.equal(settingsOf(`maxmemory ${text}`).maxmemory, bytes, text);
		}
	});

	it('adds up save lines, and forgets the defaults at the first', () => {
		assert.deepEqual(settingsOf('save 900 1\nsave 300 10 60 5').save, [
			{ seconds: 900, changes: 1 },
			{ seconds: 300, changes: 10 },
			{ seconds: 60, changes: 5 },
		]);
		assert.deepEqual(settingsOf('save 900 1\nsave ""\nsave 60 5').save, [{ seconds: 60, changes: 5 }]);
		assert.lengthOf(settingsOf('').save, 3);
	});

	it('takes the last of a repeated directive, under either name', () => {
		const settings = settingsOf(
			'hash-max-listpack-entries 20\nhash-max-ziplist-entries 21\nbind a b\nbind c',
		);
		assert.equal(settings.hashMaxListpackEntries, 21);
		assert.deepEqual(settings.bind, ['c']);
	});

	it('changes only the classes of client-output-buffer-limit that are named', () => {
		const settings = settingsOf('client-output-buffer-limit replica 1mb 2k 3');
		assert.deepEqual(settings.clientOutputBufferLimit.replica, {
			hardBytes: 1048576,
			softBytes: 2000,
			softSeconds: 3,
		});
		assert.equal(settings.clientOutputBufferLimit.pubsub.softSeconds, 60);
	});

	it('reads the file, then standard input, then the options', () => {
		const path = write('order.conf', 'port 1\ntimeout 1\nhz 1\n');
		const settings = settingsOf('hz 3', path, 'timeout 2\nhz 2');
		assert.deepEqual([settings.port, settings.timeout, settings.hz], [1, 2, 3]);
	});

	it('includes files, those that match a pattern, and none', () => {
		mkdirSync(join(folder, 'conf.d'), { recursive: true });
		write('conf.d/b.conf', 'port 2\nhz 20\n');
		write('conf.d/a.conf', 'port 1\ntimeout 9\n');
		write('conf.d/.hidden.conf', 'port 3\n');
		const settings = settingsOf('include conf.d/*.conf\ninclude nothing/*.conf');
		assert.deepEqual([settings.port, settings.hz, settings.timeout], [2, 20, 9]);
	});

	it('includes relative to dir once that is set', () => {
		mkdirSync(join(folder, 'sub'), { recursive: true });
		write('sub/inner.conf', 'port 5');
		const settings = settingsOf('dir sub\ninclude inner.conf');
		assert.equal(settings.port, 5);
		assert.equal(settings.dir, join(folder, 'sub'));
	});

	it('refuses a file that includes itself', () => {
		const path = write('self.conf', `include ${join(folder, 'self.conf')}`);
		assert.include(failureOf('', path).block, 'Includes are nested too deeply');
	});

	it('says which file is missing', () => {
		assert.equal(
			failureOf('', 'missing.conf').line,
			"Fatal error, can't open config file 'missing.conf': No such file or directory",
		);
	});

	it('renames and removes commands', () => {
		assert.deepEqual(settingsOf('rename-command FLUSHALL ""\nrename-command get fetch').renameCommand, [
			{ from: 'FLUSHALL', to: '' },
			{ from: 'get', to: 'fetch' },
		]);
		assert.include(failureOf('rename-command nosuch x').block, 'No such command in rename-command');
		assert.include(failureOf('rename-command get SET').block, 'Target command name already exists');
	});

	it('gives the error in a block with the line', () => {
		assert.equal(
			failureOf('port 7000\n  loglevel   loud ').block,
			'\n*** FATAL CONFIG FILE ERROR (Redis 7.2.6) ***\n' +
				'Reading the configuration file, at line 3\n' +
				">>> 'loglevel   loud'\n" +
				'argument(s) must be one of the following: debug, verbose, notice, warning, nothing\n',
		);
	});

	for (const [line, reason] of [
		['foo bar', 'Bad directive or wrong number of arguments'],
		['port', 'wrong number of arguments'],
		['port 1 2', 'wrong number of arguments'],
		['port x', "argument couldn't be parsed into an integer"],
		['port 65536', 'argument must be between 0 and 65535 inclusive'],
		['port "1', 'Unbalanced quotes in configuration line'],
		['appendonly maybe', "argument must be 'yes' or 'no'"],
		['maxmemory 1x', 'argument must be a memory value'],
		['maxmemory -1', 'argument must be a memory value'],
		['unixsocketperm 9', "argument couldn't be parsed as an octal number"],
		['unixsocketperm 1000', 'argument must be between 0 and 777 inclusive'],
		['save 1', 'Invalid save parameters'],
		['save 0 1', 'Invalid save parameters'],
		['dir /no/such/folder', 'No such file or directory'],
		['appendfilename a/b', "appendfilename can't be a path, just a filename"],
		['client-output-buffer-limit normal 0 0', 'Wrong number of arguments in buffer limit configuration.'],
		['client-output-buffer-limit x 0 0 0', 'Invalid client class specified in buffer limit configuration.'],
		['client-output-buffer-limit normal 0 0 -1', 'Error in hard, soft or soft_seconds setting'],
		['notify-keyspace-events Q', "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."],
		['replicaof 127.0.0.1 abc', 'Invalid master port'],
		['cluster-enabled yes', 'cluster mode is not supported yet'],
		['aclfile users.acl', 'ACL files are not supported yet'],
		['loadmodule x.so', 'modules are not supported'],
		['user alice on', 'ACL users are not supported yet'],
		['sentinel monitor x', 'sentinel directive while not in sentinel mode'],
		['shutdown-on-sigint save nosave', "SAVE and NOSAVE can't be used simultaneously"],
		['logfile /no/such/folder/log', "Can't open the log file: No such file or directory"],
	] as const) {
		it(`refuses: ${line}`, () => assert.include(failureOf(line).block, reason));
	}

	it('accepts the value of a refused directive that asks for nothing', () => {
		settingsOf('cluster-enabled no\nreplicaof no one\naclfile ""\nmin-slaves-to-write 0');
	});

	it('accepts for every directive the default as it shows it', () => {
		for (const [name, { directive }] of DIRECTIVES_BY_NAME) {
			if (name === 'replicaof' || name === 'slaveof' || name === 'dir') continue;
			const value = directive.defaultText;
			const settings = settingsOf(`${name} "${value}"`);
			assert.equal(directive.get(settings), value, name);
		}
	});

	it('accepts the example configuration, all of which has an effect', () => {
		const path = join(PROJECT_ROOT, 'data/config/tsredis.conf');
		const settings = settingsOf('', path);
		assert.isTrue(settings.appendonly);
		assert.deepEqual(settingsWithoutEffect(settings), []);
	});

	it('reports what was set and has no effect', () => {
		assert.deepEqual(settingsWithoutEffect(settingsOf('io-threads 1\nport 7')), []);
		assert.deepEqual(settingsWithoutEffect(settingsOf('io-threads 4')), [
			"Setting 'io-threads' has no effect: the event loop has one thread.",
		]);
	});
});
