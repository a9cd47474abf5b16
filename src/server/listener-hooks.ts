/**
 * CONFIG SET of the addresses and ports, and of TLS: the listeners are closed and opened anew, and
 * connections that exist stay. The order is Redis's (changeListener in server.c): the old one is
 * closed first, so that where the new one can't be opened the settings of before have to be applied
 * again, which `Config` does.
 */
import type { TlsOptions } from 'node:tls';
import { ListenError } from '../net/listeners.js';
import type { Config } from './config/config.js';
import type { Server } from './server.js';
import { buildTlsOptions } from './tls-options.js';

const CANT_LISTEN = 'Unable to listen on this port. Check server logs.';
const CANT_BIND = 'Failed to bind to specified addresses.';
const CANT_TLS = 'Unable to update TLS configuration. Check server logs.';

export function registerListenerHooks(server: Server, config: Config): void {
	config.onApply('port', () => listenTcp(server, CANT_LISTEN));
	config.onApply('tls-port', () => listenTls(server, CANT_LISTEN));
	config.onApply('tls', () => listenTls(server, CANT_LISTEN));
	config.onApply('bind', async () => {
		const error = await listenTcp(server, CANT_BIND);
		return error ?? listenTls(server, CANT_BIND);
	});
}

async function listenTcp(server: Server, failure: string): Promise<string | undefined> {
	server.listeners.stop('tcp');
	const { port } = server.settings;
	if (port === 0) {
		server.port = 0;
		return undefined;
	}
	return listen(server, port, undefined, failure);
}

async function listenTls(server: Server, failure: string): Promise<string | undefined> {
	const { settings, logger } = server;
	if (settings.tlsPort === 0) {
		server.listeners.stop('tls');
		return undefined;
	}
	const tls = buildTlsOptions(settings);
	if ('error' in tls) {
		logger.log('warning', tls.error);
		return CANT_TLS;
	}
	server.listeners.stop('tls');
	return listen(server, settings.tlsPort, tls.options, failure);
}

async function listen(
	server: Server,
	port: number,
	tls: TlsOptions | undefined,
	failure: string,
): Promise<string | undefined> {
	try {
		const bound = await server.listeners.listenTcp(server.settings.bind, port, tls);
		if (tls === undefined) server.port = bound;
		return undefined;
	} catch (error) {
		if (!(error instanceof ListenError)) throw error;
		return failure;
	}
}
