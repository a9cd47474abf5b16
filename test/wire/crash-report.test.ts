import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { ServerFleet } from '../support/server-process.js';

describe('crash report', () => {
	const fleet = new ServerFleet();
	after(() => fleet.close());

	it('SIGABRT: the report, and the end that the signal brings', async function () {
		if (process.platform === 'win32') this.skip();
		const server = await fleet.start({ executable: ourServer() });
		process.kill(server.pid, 'SIGABRT');
		await server.exited;
		assert.equal(server.child.signalCode, 'SIGABRT');
		for (const part of [
			'REDIS BUG REPORT START',
			'crashed by signal: 6',
			'STACK TRACE',
			'# Server',
			'redis_version',
		])
			assert.include(server.log, part);
	});

	it('DEBUG SEGFAULT: where it happened; one line with crash-log-enabled no', async () => {
		for (const enabled of ['yes', 'no']) {
			const server = await fleet.start({
				executable: ourServer(),
				options: { 'crash-log-enabled': enabled },
			});
			const client = await server.connect();
			client.send('DEBUG SEGFAULT\r\n');
			await server.exited;
			assert.equal(server.child.signalCode, 'SIGSEGV');
			assert.include(server.log, 'crashed by signal: 11');
			assert.include(server.log, 'crash requested by DEBUG');
			assert.equal(server.log.includes('------ STACK TRACE ------'), enabled === 'yes');
		}
	});
});
