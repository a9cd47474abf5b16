import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { ServerLogger } from '../../../src/server/logger.js';

describe('logger', () => {
	let folder = '';
	let nowMs = 0;

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), 'tsredis-logger-'));
		nowMs = new Date(2026, 0, 5, 7, 8, 9, 42).getTime();
	});

	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	function open(format: 'redis' | 'json' = 'redis'): ServerLogger {
		return new ServerLogger({
			level: 'notice',
			format,
			file: join(folder, 'log'),
			pid: 123,
			role: 'C',
			now: () => nowMs,
		});
	}

	const text = () => readFileSync(join(folder, 'log'), 'utf8');

	it('writes Redis’s lines at once, from the threshold on', () => {
		const logger = open();
		logger.log('verbose', 'not shown');
		logger.log('notice', 'one %s %d');
		logger.role = 'M';
		logger.log('warning', 'caf\xc3\xa9');
		logger.setLevel('debug');
		logger.log('debug', 'three');
		logger.setLevel('nothing');
		logger.log('warning', 'not shown');
		assert.equal(
			text(),
			'123:C 05 Jan 2026 07:08:09.042 * one %s %d\n' +
				'123:M 05 Jan 2026 07:08:09.042 # café\n' +
				'123:M 05 Jan 2026 07:08:09.042 . three\n',
		);
		logger.close();
	});

	it('writes signals in Redis’s form', () => {
		const logger = open();
		logger.logSignal('Received SIGTERM scheduling shutdown...');
		assert.equal(
			text(),
			`123:signal-handler (${Math.floor(nowMs / 1000)}) Received SIGTERM scheduling shutdown...\n`,
		);
		logger.close();
	});

	it('writes JSON', () => {
		const logger = open('json');
		logger.log('warning', 'a "b"');
		assert.deepEqual(JSON.parse(text()), {
			level: 'warning',
			time: nowMs,
			pid: 123,
			role: 'C',
			msg: 'a "b"',
		});
		logger.close();
	});

	it('begins a new file when the old one was moved away', () => {
		const logger = open();
		logger.log('notice', 'old');
		renameSync(join(folder, 'log'), join(folder, 'log.1'));
		nowMs += 2000;
		logger.log('notice', 'new');
		assert.include(text(), 'new');
		assert.notInclude(text(), 'old');
		logger.close();
	});
});
