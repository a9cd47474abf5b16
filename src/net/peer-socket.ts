/** Connections that the server opens, over TCP. */
import { Socket } from 'node:net';
import type { PeerConnector, PeerEvents, PeerSocket } from '../engine/peer.js';

const PORT_MAX = 65535;

/** Opens a TCP connection without delay of small segments. */
export const connectPeer: PeerConnector = (host, port, events) => new TcpPeer(host, port, events);

class TcpPeer implements PeerSocket {
	readonly #socket = new Socket();
	readonly #events: PeerEvents;
	#closed = false;

	constructor(host: string, port: number, events: PeerEvents) {
		this.#events = events;
		const socket = this.#socket;
		socket.setNoDelay(true);
		socket.on('error', () => undefined); // 'close' follows, and says all there is to know
		socket.on('connect', () => this.#closed || events.connected());
		socket.on('data', (bytes: Buffer) => this.#closed || events.received(bytes));
		socket.on('drain', () => this.#closed || events.drained());
		socket.on('end', () => this.#onClosed());
		socket.on('close', () => this.#onClosed());
		if (port < 1 || port > PORT_MAX || host.includes('\x00')) socket.destroy();
		else socket.connect({ host, port });
	}

	write(bytes: Buffer | string): boolean {
		if (this.#closed) return true;
		return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
	}

	close(): void {
		this.#closed = true;
		this.#socket.destroy();
	}

	#onClosed(): void {
		if (this.#closed) return;
		this.close();
		this.#events.closed();
	}
}
