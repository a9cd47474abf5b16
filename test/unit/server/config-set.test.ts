import { assert } from 'chai';
import { SILENT_LOGGER } from '../../../src/base/logger.js';
import { Settings } from '../../../src/engine/settings.js';
import { Config } from '../../../src/server/config/config.js';

const ALL_RIGHTS = { protectedAllowed: true, loading: false };

describe('config set and get', () => {
	let settings: Settings;
	let config: Config;

	beforeEach(() => {
		settings = new Settings();
		config = new Config(settings, '', SILENT_LOGGER);
	});

	const set = (...pairs: string[]) => config.set(pairs, ALL_RIGHTS);

	it('sets several at once', () => {
		assert.isUndefined(set('maxmemory', '10mb', 'save', '3000 5', 'Repl-Backlog-Size', '2kb'));
		assert.equal(settings.maxmemory, 10485760);
		assert.deepEqual(settings.save, [{ seconds: 3000, changes: 5 }]);
		assert.equal(settings.replBacklogSize, 2048);
	});

	it('sets none if one is not valid', () => {
		assert.equal(
			set('maxmemory', '1', 'maxmemory-clients', '200%'),
			"ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less or equal to 100",
		);
		assert.equal(settings.maxmemory, 0);
	});

	for (const [pairs, error] of [
		[['maxmemory'], 'ERR syntax error'],
		[['nosuch', '1'], "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"],
		[
			['daemonize', 'yes'],
			"ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config",
		],
		[
			['hz', '1', 'HZ', '2'],
			"ERR CONFIG SET failed (possibly related to argument 'HZ') - duplicate parameter",
		],
		[
			['slave-priority', '1', 'replica-priority', '2'],
			"ERR CONFIG SET failed (possibly related to argument 'replica-priority') - duplicate parameter",
		],
	] as const) {
		it(`refuses ${pairs.join(' ')}`, () => assert.equal(set(...pairs), error));
	}

	it('refuses a protected one without the right, and some while loading', () => {
		assert.include(
			config.set(['dir', '.'], { protectedAllowed: false, loading: false }) as string,
			"can't set protected config",
		);
		assert.match(
			config.set(['appendonly', 'yes'], { protectedAllowed: true, loading: true }) as string,
			/^LOADING /,
		);
	});

	it('runs a hook once, and only for a change', () => {
		let runs = 0;
		config.onApply('tls', () => {
			runs++;
			return undefined;
		});
		set('tls-ciphers', 'a', 'tls-ciphersuites', 'b');
		assert.equal(runs, 1);
		set('tls-ciphers', 'a');
		assert.equal(runs, 1);
		set('tls-cert-file', '');
		assert.equal(runs, 2, 'a file may have changed under its name');
	});

	it('sets everything back when a hook refuses, and runs the hooks again', () => {
		const seen: number[] = [];
		config.onApply('timeout', () => {
			seen.push(settings.timeout);
			return undefined;
		});
		config.onApply('port', () =>
			settings.port === 1 ? 'Unable to listen on this port. Check server logs.' : undefined,
		);
		assert.equal(
			set('timeout', '5', 'port', '1', 'maxclients', '7'),
			"ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server logs.",
		);
		assert.deepEqual(seen, [5, 0]);
		assert.deepEqual([settings.timeout, settings.port, settings.maxclients], [0, 6379, 10000]);
	});

	it('waits for a hook that takes its time, and lets the next CONFIG SET wait', async () => {
		const order: string[] = [];
		config.onApply('port', async () => {
			order.push(`begin ${settings.port}`);
			await new Promise((resolve) => setTimeout(resolve, 5));
			order.push('end');
			return settings.port === 1 ? 'no' : undefined;
		});
		const first = set('port', '1');
		const second = set('port', '2', 'hz', '20');
		assert.instanceOf(first, Promise);
		assert.include(await first, 'related to argument');
		assert.isUndefined(await second);
		assert.deepEqual([settings.port, settings.hz], [2, 20]);
		assert.deepEqual(order, ['begin 1', 'end', 'begin 6379', 'end', 'begin 2', 'end']);
	});

	it('caps hz', () => {
		set('hz', '100000');
		assert.equal(settings.hz, 500);
		set('hz', '0');
		assert.equal(settings.hz, 1);
	});

	it('gets by several globs and names, each once, hidden ones by name only', () => {
		const found = config.get(['maxmemory', 'maxmemory-s*', 'MAXMEMORY-SAMPLES', 'slave-priority', 'nosuch']);
		assert.deepEqual([...found.keys()], ['maxmemory', 'maxmemory-samples', 'slave-priority']);
		assert.isFalse(config.get(['*']).has('key-load-delay'));
		assert.isTrue(config.get(['key-load-delay']).has('key-load-delay'));
	});

	it('has no file to rewrite', () => {
		assert.equal(config.rewrite(), 'ERR The server is running without a config file');
	});
});
