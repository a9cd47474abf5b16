/**
 * Connections that the server opens itself (MIGRATE). The engine's side knows no sockets: a driver hands in a
 * `PeerConnector`.
 */

/** What a connection tells its owner. Nothing more comes after `closed`, or after the owner's `close`. */
export interface PeerEvents {
	connected(): void;
	/** Bytes have come; they are the owner's only until it returns. */
	received(bytes: Buffer): void;
	/** What was written has been handed to the network, after `write` had returned false. */
	drained(): void;
	/** The connection has failed, could not be made, or the other side has ended it. `reason`: in the C library's words. */
	closed(reason: string): void;
}

export interface PeerSocket {
	/** `ip:port` of the other side; '' before it is connected. */
	readonly remoteAddress: string;
	/** Sends bytes (a string: latin1); false if enough is waiting now, and `drained` will come. */
	write(bytes: Buffer | string): boolean;
	/** Holds back what comes, and then the other side; or goes on. */
	setPaused(isPaused: boolean): void;
	/** Ends the connection at once. */
	close(): void;
}

/** Opens a connection. Never throws: what is wrong with the address comes as `closed`, later. */
export type PeerConnector = (host: string, port: number, events: PeerEvents) => PeerSocket;
