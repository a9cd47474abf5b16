/** A client that sends its requests and shuts its side down gets the replies, and then the end. */
import { connect } from 'node:net';
import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

const BATCH_COUNT = 2000;

describe('wire: half-closed connections', function () {
	this.timeout(20_000);

	/** Sends, ends, and gives all that came until the server closed. */
	function exchange(port: number, request: string): Promise<string> {
		return new Promise((resolve, reject) => {
			let received = '';
			const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
				socket.end(request, 'latin1'),
			);
			socket.on('data', (chunk) => {
				received += chunk.toString('latin1');
			});
			socket.on('error', reject);
			socket.on('end', () => resolve(received));
		});
	}

	for (const [name, options] of [
		['without a log', { appendonly: 'no' }],
		['appendfsync everysec', { appendfsync: 'everysec' }],
		['appendfsync always', { appendfsync: 'always' }],
	] as const) {
		describe(name, () => {
			const session = new WireSession();
			before(() => session.start(options));
			after(() => session.stop());

			it('PING', async () => {
				assert.equal(await exchange(session.server.port, 'PING\r\n'), '+PONG\r\n');
			});

			it('a batch of writes and reads', async () => {
				const received = await exchange(session.server.port, 'INCR n\r\nGET n\r\n'.repeat(BATCH_COUNT));
				let expected = '';
				for (let n = 1; n <= BATCH_COUNT; n++) expected += `:${n}\r\n$${String(n).length}\r\n${n}\r\n`;
				assert.equal(received, expected);
			});

			it('replies larger than what the socket takes at once', async () => {
				await session.client.command(['SET', 'large', 'x'.repeat(1 << 20)]);
				const received = await exchange(session.server.port, 'STRLEN large\r\n' + 'GET large\r\n'.repeat(8));
				assert.equal(received.length, ':1048576\r\n'.length + 8 * ((1 << 20) + '$1048576\r\n\r\n'.length));
			});

			it('an unfinished request gets no reply', async () => {
				assert.equal(await exchange(session.server.port, 'PING\r\n*2\r\n$4\r\nECHO\r\n'), '+PONG\r\n');
			});

			it('a client that waits for a key is forgotten', async () => {
				assert.equal(await exchange(session.server.port, 'BLPOP none 0\r\n'), '');
				assert.include(await session.client.command(['INFO', 'clients']), 'blocked_clients:0');
			});
		});
	}
});
