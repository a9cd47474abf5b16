/**
 * The sockets a server listens on: TCP addresses, a Unix socket, TLS. Accepts, refuses (too many
 * clients, protected mode), and owns the connections.
 */
import { chmodSync, unlinkSync } from 'node:fs';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { Engine } from '../engine/engine.js';
import { Connection, type ConnectionOwner, readByEvents, readInto } from './connection.js';

/** What one read may return: 64 KB measured no worse than 256 KB and stays in the processor's cache. */
const READ_BUFFER_BYTES = 64 * 1024;

const PROTECTED_MODE_ERROR =
	'-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for ' +
	'the default user. In this mode connections are only accepted from the loopback interface. If you want to ' +
	'connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable ' +
	"protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by " +
	'connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly ' +
	'accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) ' +
	'Alternatively you can just disable the protected mode by editing the Redis configuration file, and ' +
	"setting the protected mode option to 'no', and then restarting the server. 3) If you started the server " +
	"manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication " +
	'password for the default user. NOTE: You only need to do one of the above things in order for the server ' +
	'to start accepting connections from the outside.\r\n';

/** A failure to listen, in the words for the log. */
export class ListenError extends Error {}

export type ListenerKind = 'tcp' | 'tls' | 'unix';

/** `::ffff:127.0.0.1` is an IPv4 address that came to an IPv6 socket. */
function endpoint(address: string | undefined, port: number | undefined): string {
	const host = address?.startsWith('::ffff:') ? address.slice(7) : (address ?? '?');
	return host.includes(':') ? `[${host}]:${port ?? 0}` : `${host}:${port ?? 0}`;
}

function isLoopback(address: string | undefined): boolean {
	if (address === undefined) return true;
	return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}

export class Listeners implements ConnectionOwner {
	readonly engine: Engine;
	readonly connections = new Set<Connection>();
	readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
	readonly #servers: Record<ListenerKind, NetServer[]> = { tcp: [], tls: [], unix: [] };
	#unixPath = '';

	constructor(engine: Engine) {
		this.engine = engine;
	}

	connectionClosed(connection: Connection): void {
		this.connections.delete(connection);
	}

	/**
	 * Listens on every address of `addresses` (`*` and `::*` are all of IPv4 and IPv6; a leading `-`
	 * makes one optional). `port` 0 lets the system choose when `anyPort`. Returns the port.
	 * @throws ListenError
	 */
	async listenTcp(addresses: readonly string[], port: number, tls: TlsOptions | undefined): Promise<number> {
		const kind: ListenerKind = tls === undefined ? 'tcp' : 'tls';
		let bound = port;
		for (const given of addresses) {
			const optional = given.startsWith('-');
			const host = optional ? given.slice(1) : given;
			const server = tls === undefined ? this.#tcpServer() : this.#tlsServer(tls);
			try {
				bound = await this.#bind(server, {
					host: host === '*' ? '0.0.0.0' : host === '::*' ? '::' : host,
					port: bound,
					backlog: this.engine.settings.tcpBacklog,
					ipv6Only: host.includes(':'),
				});
				this.#servers[kind].push(server);
			} catch (error) {
				const code = (error as NodeJS.ErrnoException).code ?? '';
				const text =
					code === 'EADDRINUSE' ? 'bind: Address already in use' : `bind: ${(error as Error).message}`;
				this.engine.logger.log(
					'warning',
					`Warning: Could not create server TCP listening socket ${host}:${port}: ${text}`,
				);
				if (optional && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT' || code === 'ENOTFOUND'))
					continue;
				this.stop(kind);
				throw new ListenError(
					`Failed listening on port ${port} (${tls === undefined ? 'tcp' : 'tls'}), aborting.`,
				);
			}
		}
		return bound;
	}

	/** Listens on a Unix socket; an old socket file of that name is removed first. @throws ListenError */
	async listenUnix(path: string, mode: number): Promise<void> {
		try {
			unlinkSync(path);
		} catch {
			// There was none, or the bind below says what is wrong.
		}
		const server = this.#unixServer(path);
		try {
			await this.#bind(server, { path });
			if (mode !== 0) chmodSync(path, mode);
		} catch (error) {
			throw new ListenError(`Failed opening Unix socket: bind: ${(error as Error).message}`);
		}
		this.#unixPath = path;
		this.#servers.unix.push(server);
	}

	#bind(server: NetServer, options: object): Promise<number> {
		return new Promise((resolve, reject) => {
			server.once('error', reject);
			server.listen(options, () => {
				server.removeListener('error', reject);
				server.on('error', (error) =>
					this.engine.logger.log('warning', `Accepting client connection: ${error.message}`),
				);
				const address = server.address();
				resolve(typeof address === 'object' && address !== null ? address.port : 0);
			});
		});
	}

	#tcpServer(): NetServer {
		return createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true }, (socket) => {
			const remote = endpoint(socket.remoteAddress, socket.remotePort);
			const local = endpoint(socket.localAddress, socket.localPort);
			if (this.#refuse(socket, socket.remoteAddress)) return;
			readInto(socket, this.#readBuffer, (own) => this.#accept(own, remote, local));
		});
	}

	#unixServer(path: string): NetServer {
		return createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
			if (this.#refuse(socket, undefined)) return;
			readInto(socket, this.#readBuffer, (own) => this.#accept(own, `${path}:0`, `${path}:0`));
		});
	}

	#tlsServer(options: TlsOptions): NetServer {
		// Fetched here, as most servers start without TLS.
		const { createServer: createTlsServer } = process.getBuiltinModule('node:tls');
		const server = createTlsServer(
			{ ...options, noDelay: true, allowHalfOpen: true } as TlsOptions,
			(socket: TLSSocket) => {
				// `tls-auth-clients optional`: no certificate will do, a bad one will not.
				if (
					options.requestCert &&
					!socket.authorized &&
					Object.keys(socket.getPeerCertificate()).length > 0
				) {
					socket.destroy();
					return;
				}
				if (this.#refuse(socket, socket.remoteAddress)) return;
				const remote = endpoint(socket.remoteAddress, socket.remotePort);
				readByEvents(socket, this.#accept(socket, remote, endpoint(socket.localAddress, socket.localPort)));
			},
		);
		server.on('tlsClientError', (error, socket) => {
			this.engine.logger.log('verbose', `Error accepting a client connection: ${error.message}`);
			socket.destroy();
		});
		return server;
	}

	#refuse(socket: Socket, address: string | undefined): boolean {
		const { settings, stats } = this.engine;
		let reason: string | undefined;
		if (this.connections.size >= settings.maxclients) reason = '-ERR max number of clients reached\r\n';
		else if (settings.protectedMode && settings.requirepass === '' && !isLoopback(address))
			reason = PROTECTED_MODE_ERROR;
		if (reason === undefined) return false;
		stats.rejectedConnections++;
		socket.on('error', () => undefined);
		socket.end(reason, 'latin1', () => socket.destroySoon());
		return true;
	}

	#accept(socket: Socket, remote: string, local: string): Connection {
		const connection = new Connection(this, socket, remote, local);
		this.engine.stats.connectionsReceived++;
		if (!remote.startsWith('/')) connection.setKeepAlive(this.engine.settings.tcpKeepalive);
		this.connections.add(connection);
		this.engine.logger.log('verbose', `Accepted ${remote}`);
		return connection;
	}

	/** Stops accepting on the sockets of that kind; the connections stay. */
	stop(kind: ListenerKind): void {
		for (const server of this.#servers[kind].splice(0)) server.close();
	}

	/** Stops accepting; the Unix socket's file is removed. */
	async stopListening(): Promise<void> {
		const { tcp, tls, unix } = this.#servers;
		const servers = [...tcp.splice(0), ...tls.splice(0), ...unix.splice(0)];
		if (this.#unixPath !== '') {
			try {
				unlinkSync(this.#unixPath);
			} catch {
				// Somebody else has removed it.
			}
			this.#unixPath = '';
		}
		await Promise.all(
			servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()).unref())),
		);
	}

	/** Closes every connection, and stops listening. */
	async close(): Promise<void> {
		const stopped = this.stopListening();
		for (const connection of [...this.connections]) connection.closeNow();
		await stopped;
	}
}
