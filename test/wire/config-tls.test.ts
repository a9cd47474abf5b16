/** TLS by the `tls-*` directives, client certificates included. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { assert } from 'chai';
import { findInPath, ourServer } from '../support/executables.js';
import type { RawClient } from '../support/raw-client.js';
import { freePort, ServerFleet } from '../support/server-process.js';

describe('wire: TLS', () => {
	const fleet = new ServerFleet();
	let folder = '';
	let port = 0;
	let control: RawClient;

	before(async function () {
		// Node.js has no means to make certificates.
		if (findInPath('openssl') === undefined) this.skip();
		folder = fleet.folder();
		authority('ca');
		authority('stranger');
		certificate('server');
		certificate('client');
		port = await freePort();
		const server = await fleet.start({
			executable: ourServer(),
			options: {
				'tls-port': String(port),
				'tls-cert-file': join(folder, 'server.crt'),
				'tls-key-file': join(folder, 'server.key'),
				'tls-ca-cert-file': join(folder, 'ca.crt'),
			},
		});
		assert.include(server.log, 'Ready to accept connections tls');
		control = await server.connect();
	});

	after(() => fleet.close());

	const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
	const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

	function authority(name: string): void {
		openssl(
			'req',
			'-x509',
			...newKey,
			'-keyout',
			`${name}.key`,
			'-out',
			`${name}.crt`,
			'-subj',
			`/CN=${name}`,
		);
	}

	function certificate(name: string): void {
		openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
		const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
		openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.crt`);
	}

	/** What PING over TLS gives: the reply, or 'refused'. */
	function ping(clientName?: string): Promise<string> {
		const own =
			clientName === undefined
				? {}
				: {
						cert: readFileSync(join(folder, `${clientName}.crt`)),
						key: readFileSync(join(folder, `${clientName}.key`)),
					};
		return new Promise((resolve) => {
			const socket = connect({
				port,
				host: '127.0.0.1',
				ca: readFileSync(join(folder, 'ca.crt')),
				checkServerIdentity: () => undefined,
				...own,
			});
			const done = (text: string) => {
				resolve(text);
				socket.destroy();
			};
			socket.on('error', () => done('refused'));
			socket.on('close', () => done('refused'));
			socket.on('data', (chunk) => done(chunk.toString('latin1')));
			socket.write('PING\r\n');
		});
	}

	async function set(...args: string[]): Promise<string> {
		return control.command(['CONFIG', 'SET', ...args]);
	}

	it('asks for a certificate of its authority', async () => {
		assert.equal(await ping('client'), '+PONG\r\n');
		assert.equal(await ping(), 'refused');
		assert.equal(await ping('stranger'), 'refused');
	});

	it('lets in whoever has none if that is optional, but nobody with a strange one', async () => {
		assert.equal(await set('tls-auth-clients', 'optional'), '+OK\r\n');
		assert.equal(await ping(), '+PONG\r\n');
		assert.equal(await ping('client'), '+PONG\r\n');
		assert.equal(await ping('stranger'), 'refused');
	});

	it('asks for none', async () => {
		assert.equal(await set('tls-auth-clients', 'no'), '+OK\r\n');
		assert.equal(await ping(), '+PONG\r\n');
		assert.equal(await ping('stranger'), '+PONG\r\n');
	});

	it('keeps its certificate when the new one can not be read', async () => {
		assert.include(
			await set('tls-cert-file', join(folder, 'none.crt')),
			'Unable to update TLS configuration.',
		);
		assert.equal(await ping(), '+PONG\r\n');
	});

	it('stops, and starts again', async () => {
		assert.equal(await set('tls-port', '0'), '+OK\r\n');
		assert.equal(await ping(), 'refused');
		assert.equal(await set('tls-port', String(port)), '+OK\r\n');
		assert.equal(await ping(), '+PONG\r\n');
	});
});
