/** Node's TLS options from the `tls-*` settings. */
import { constants, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { SecureVersion, TlsOptions } from 'node:tls';
import { errorText } from '../base/error-text.js';
import { toNative } from '../base/native-text.js';
import type { Settings } from '../engine/settings.js';

const PROTOCOLS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
/** Key material of session tickets, by Node's documentation. */
const TICKET_KEY_BYTES = 48;

export type TlsResult = { readonly options: TlsOptions } | { readonly error: string };

/**
 * The options for the listeners, or for connections that the server makes (`client`), or why there can be none, in words
 * for the log. Reads the files anew.
 */
export function buildTlsOptions(settings: Settings, side: 'server' | 'client' = 'server'): TlsResult {
	if (settings.tlsCertFile === '') return { error: 'No tls-cert-file configured!' };
	if (settings.tlsCaCertFile === '' && settings.tlsCaCertDir === '' && settings.tlsAuthClients !== 'no') {
		return {
			error:
				'Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!',
		};
	}
	const versions = protocolRange(settings.tlsProtocols);
	if (versions === undefined) return { error: `Invalid tls-protocols specified: ${settings.tlsProtocols}` };
	const isClient = side === 'client' && settings.tlsClientCertFile !== '';
	const certFile = isClient ? settings.tlsClientCertFile : settings.tlsCertFile;
	const keyFile = isClient ? settings.tlsClientKeyFile : settings.tlsKeyFile;
	const passphrase = isClient ? settings.tlsClientKeyFilePass : settings.tlsKeyFilePass;
	try {
		const options: TlsOptions = {
			cert: read(settings, certFile),
			key: read(settings, keyFile === '' ? certFile : keyFile),
			ca: authorities(settings),
			requestCert: settings.tlsAuthClients !== 'no',
			// `optional`: a client without a certificate is let in, one with a bad certificate is not; the
			// listener sees to it, for Node.js makes no difference between the two.
			rejectUnauthorized: settings.tlsAuthClients === 'yes',
			minVersion: versions[0],
			maxVersion: versions[1],
			honorCipherOrder: settings.tlsPreferServerCiphers,
			sessionTimeout: Math.max(1, settings.tlsSessionCacheTimeout),
		};
		if (passphrase !== '') options.passphrase = passphrase;
		if (side === 'client') options.rejectUnauthorized = true;
		if (settings.tlsDhParamsFile !== '') options.dhparam = read(settings, settings.tlsDhParamsFile);
		if (!settings.tlsSessionCaching) options.secureOptions = constants.SSL_OP_NO_TICKET;
		const ciphers = cipherList(settings);
		if (ciphers !== '') options.ciphers = ciphers;
		// Fresh keys with every set of options: no ticket of before is accepted.
		options.ticketKeys = randomBytes(TICKET_KEY_BYTES);
		process.getBuiltinModule('node:tls').createSecureContext(options);
		return { options };
	} catch (error) {
		return { error: `Failed to configure TLS: ${errorText(error)}` };
	}
}

function read(settings: Settings, path: string): Buffer {
	return readFileSync(resolve(toNative(settings.dir), toNative(path)));
}

function authorities(settings: Settings): Buffer[] | undefined {
	const found: Buffer[] = [];
	if (settings.tlsCaCertFile !== '') found.push(read(settings, settings.tlsCaCertFile));
	if (settings.tlsCaCertDir !== '') {
		const folder = resolve(toNative(settings.dir), toNative(settings.tlsCaCertDir));
		for (const name of readdirSync(folder)) {
			if (/\.(pem|crt|\d)$/.test(name)) found.push(readFileSync(join(folder, name)));
		}
	}
	return found.length === 0 ? undefined : found;
}

/** The lowest and the highest protocol named; undefined if a name is unknown. Empty is TLS 1.2 and 1.3. */
function protocolRange(text: string): readonly [SecureVersion, SecureVersion] | undefined {
	const names = text.split(' ').filter((name) => name !== '');
	if (names.length === 0) return ['TLSv1.2', 'TLSv1.3'];
	const indexes = names.map((name) => PROTOCOLS.findIndex((p) => p.toLowerCase() === name.toLowerCase()));
	if (indexes.includes(-1)) return undefined;
	return [PROTOCOLS[Math.min(...indexes)]!, PROTOCOLS[Math.max(...indexes)]!];
}

/** Node takes the suites of TLS 1.3 and the ciphers of earlier versions in one list. */
function cipherList(settings: Settings): string {
	return [settings.tlsCiphersuites, settings.tlsCiphers].filter((part) => part !== '').join(':');
}
