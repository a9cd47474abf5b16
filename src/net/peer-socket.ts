/** Connections that the server opens, over TCP or TLS. */
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { errorText } from '../base/error-text.js';
import type { PeerConnector, PeerEvents, PeerSocket } from '../engine/peer.js';

const PORT_MAX = 65535;

export interface PeerOptions {
	/** The address to connect from; '' for any. */
	readonly sourceAddress: string;
	/** Undefined for plain TCP. */
	readonly tls: ConnectionOptions | undefined;
}

/** Opens a TCP connection without delay of small segments. */
export const connectPeer: PeerConnector = (host, port, events) =>
	new NetPeer(host, port, events, { sourceAddress: '', tls: undefined });

/** As `connectPeer`, with options that may be others each time; a text if there can be none. */
export function peerConnector(options: () => PeerOptions | string): PeerConnector {
	return (host, port, events) => new NetPeer(host, port, events, options());
}

class NetPeer implements PeerSocket {
	readonly #socket: Socket;
	readonly #events: PeerEvents;
	#closed = false;
	#reason = 'Connection closed by the other side';

	constructor(host: string, port: number, events: PeerEvents, options: PeerOptions | string) {
		this.#events = events;
		const socket = new Socket();
		this.#socket = socket;
		const sourceAddress = typeof options === 'string' ? '' : options.sourceAddress;
		const address = sourceAddress === '' ? { host, port } : { host, port, localAddress: sourceAddress };
		socket.setNoDelay(true);
		if (typeof options === 'string') this.#reason = options;
		else if (port < 1 || port > PORT_MAX || host.includes('\x00')) this.#reason = 'Invalid argument';
		else {
			if (options.tls !== undefined) {
				this.#socket = process.getBuiltinModule('node:tls').connect({ ...options.tls, socket, host });
				this.#listen(this.#socket, 'secureConnect');
			} else {
				this.#listen(socket, 'connect');
			}
			// What is wrong before TLS has begun is an error of the socket below.
			socket.on('error', (error) => this.#fail(error));
			socket.connect(address);
			return;
		}
		socket.on('close', () => this.#onClosed());
		socket.destroy();
	}

	#listen(socket: Socket, connected: 'connect' | 'secureConnect'): void {
		socket.on('error', (error) => this.#fail(error)); // 'close' follows
		socket.on(connected, () => this.#closed || this.#events.connected());
		socket.on('data', (bytes: Buffer) => this.#closed || this.#events.received(bytes));
		socket.on('drain', () => this.#closed || this.#events.drained());
		socket.on('end', () => this.#onClosed());
		socket.on('close', () => this.#onClosed());
	}

	get remoteAddress(): string {
		const { remoteAddress, remotePort } = this.#socket;
		if (remoteAddress === undefined) return '';
		return remoteAddress.includes(':')
			? `[${remoteAddress}]:${remotePort}`
			: `${remoteAddress}:${remotePort}`;
	}

	write(bytes: Buffer | string): boolean {
		if (this.#closed) return true;
		return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
	}

	setPaused(isPaused: boolean): void {
		if (isPaused) this.#socket.pause();
		else this.#socket.resume();
	}

	close(): void {
		this.#closed = true;
		this.#socket.destroy();
	}

	#fail(error: Error): void {
		this.#reason = errorText(error);
	}

	#onClosed(): void {
		if (this.#closed) return;
		this.close();
		this.#events.closed(this.#reason);
	}
}
