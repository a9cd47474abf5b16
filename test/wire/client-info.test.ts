/** What CLIENT INFO says of the request that asks. */
import { assert } from 'chai';
import { WireSession } from '../support/wire-session.js';

describe('wire: CLIENT INFO', () => {
	const session = new WireSession();
	before(() => session.start());
	after(() => session.stop());

	function fieldsOf(reply: string): Map<string, string> {
		const line = reply.split('\r\n')[1]!.trim();
		return new Map(line.split(' ').map((field) => field.split('=', 2) as [string, string]));
	}

	it('counts the request itself', async () => {
		const fields = fieldsOf(await session.client.command(['CLIENT', 'INFO']));
		assert.equal(fields.get('qbuf'), String('*2\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n'.length));
		assert.equal(fields.get('argv-mem'), String('CLIENTINFO'.length));
	});

	it('counts the requests behind it', async () => {
		session.client.send('CLIENT INFO\r\nPING\r\n');
		assert.equal(fieldsOf(await session.client.reply()).get('qbuf'), '19');
		assert.equal(await session.client.reply(), '+PONG\r\n');
	});

	it('counts nothing of a client that has no request under way', async () => {
		const idle = await session.server.connect();
		const id = (await idle.command(['CLIENT', 'ID'])).slice(1).trim();
		const fields = fieldsOf(await session.client.command(['CLIENT', 'LIST', 'ID', id]));
		assert.equal(fields.get('qbuf'), '0');
		assert.equal(fields.get('argv-mem'), '0');
		idle.destroy();
	});
});
