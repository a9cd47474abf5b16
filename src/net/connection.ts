/**
 * One client's connection: bytes in to the parser, requests to the engine, replies out.
 *
 * A plain TCP or Unix socket reads into one buffer that all connections of the process share (`onread`
 * of net.Socket); the parser copies only what is incomplete. TLS sockets deliver chunks of their own.
 */
import { Socket } from 'node:net';
import { BLOCKED_NOT, type Client, type Transport } from '../engine/client.js';
import type { Engine } from '../engine/engine.js';
import type { ReplyChunk } from '../protocol/reply-buffer.js';
import { COMMAND, PROTOCOL_ERROR, RequestParser } from '../protocol/request-parser.js';
import { exceedsOutputLimit } from './output-limits.js';

/** How many bytes of replies may gather within a turn before the limits are looked at. */
const LIMIT_CHECK_BYTES = 1024 * 1024;

/** What a connection tells its owner. */
export interface ConnectionOwner {
	readonly engine: Engine;
	/** The socket is closed and the client forgotten. */
	connectionClosed(connection: Connection): void;
}

export class Connection implements Transport {
	readonly client: Client;
	readonly remoteAddress: string;
	readonly localAddress: string;
	/** Batches of replies held until the log is durable. */
	heldBatches = 0;
	heldBytes = 0;
	readonly #owner: ConnectionOwner;
	readonly #engine: Engine;
	readonly #socket: Socket;
	readonly #parser: RequestParser;
	#closing = false;
	#closed = false;
	/** Guards against running requests from within a request. */
	#running = false;

	constructor(owner: ConnectionOwner, socket: Socket, remoteAddress: string, localAddress: string) {
		this.#owner = owner;
		this.#engine = owner.engine;
		this.#socket = socket;
		this.remoteAddress = remoteAddress;
		this.localAddress = localAddress;
		this.#parser = new RequestParser(owner.engine.settings);
		this.client = owner.engine.addClient(this);
		socket.on('error', () => undefined); // 'close' follows, and says all there is to know
		socket.on('close', () => this.#onClose());
		socket.on('end', () => this.#onInputEnd());
	}

	/** File descriptor of the socket, or -1. */
	get fd(): number {
		const { _handle } = this.#socket as unknown as { _handle?: { fd?: number } };
		return _handle?.fd ?? -1;
	}

	/** Takes [0, length) of `chunk`, which may be overwritten as soon as this returns. */
	onData(chunk: Buffer, length: number): void {
		if (this.#closing) return;
		const { client } = this;
		const { stats } = this.#engine;
		this.#engine.beginInput();
		stats.netInputBytes += length;
		stats.readsProcessed++;
		client.bytesRead += length;
		client.lastInteractionMs = this.#engine.time.wallMs;
		this.#parser.feed(chunk, 0, length);
		this.#run();
		if (this.#parser.heldBytes > this.#engine.settings.clientQueryBufferLimit) {
			stats.queryBufferLimitDisconnections++;
			this.#engine.logger.log(
				'warning',
				`Closing client that reached max query buffer length: id=${client.id} addr=${this.remoteAddress} qbuf=${this.#parser.heldBytes}`,
			);
			this.closeNow();
		}
	}

	/** Executes requests until they run out, or the client has to wait. */
	#run(): void {
		const { client } = this;
		const parser = this.#parser;
		const engine = this.#engine;
		if (this.#running) return;
		this.#running = true;
		for (;;) {
			if (client.blocked !== BLOCKED_NOT || this.#closing) {
				parser.hold();
				break;
			}
			parser.authenticated = client.authenticated;
			const status = parser.next();
			if (status === COMMAND) {
				engine.processRequest(
					client,
					parser.args,
					parser.source,
					parser.start,
					parser.inline ? 0 : parser.end,
				);
				if (client.reply.chunkBytes > LIMIT_CHECK_BYTES) this.checkOutputLimit();
				continue;
			}
			if (status === PROTOCOL_ERROR) {
				engine.stats.countError('ERR ');
				client.reply.error(`ERR Protocol error: ${parser.error}`);
				this.closeAfterReply();
			}
			break;
		}
		this.#running = false;
		engine.dispatcher.endRun();
		engine.effects.seal();
		if (!client.reply.isEmpty()) engine.markOutput(client);
	}

	/** Sends batches of replies now. */
	send(chunks: ReplyChunk[]): void {
		if (this.#closed) return;
		const socket = this.#socket;
		let bytes = 0;
		if (chunks.length === 1) {
			const chunk = chunks[0]!;
			bytes = chunk.length;
			if (typeof chunk === 'string') socket.write(chunk, 'latin1');
			else socket.write(chunk);
		} else {
			socket.cork();
			for (const chunk of chunks) {
				bytes += chunk.length;
				if (typeof chunk === 'string') socket.write(chunk, 'latin1');
				else socket.write(chunk);
			}
			socket.uncork();
		}
		const { stats } = this.#engine;
		stats.netOutputBytes += bytes;
		stats.writesProcessed++;
		this.client.bytesWritten += bytes;
		if (socket.writableLength > 0) this.checkOutputLimit();
		this.finishIfDone();
	}

	sendBytes(bytes: Buffer | string): boolean {
		if (this.#closed) return true;
		const { stats } = this.#engine;
		stats.netOutputBytes += bytes.length;
		stats.netReplOutputBytes += bytes.length;
		this.client.bytesWritten += bytes.length;
		return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes);
	}

	onDrained(fn: () => void): void {
		this.#socket.on('drain', fn);
	}

	setNoDelay(on: boolean): void {
		this.#socket.setNoDelay(on);
	}

	/** Closes the connection if it is to be closed and nothing is left to be sent. */
	finishIfDone(): void {
		if (this.#closing && !this.#closed && this.heldBatches === 0 && this.client.reply.isEmpty())
			this.#socket.destroySoon();
	}

	/** Cuts the client off if more is waiting for it than `client-output-buffer-limit` allows. */
	checkOutputLimit(): void {
		const reason = exceedsOutputLimit(this.#engine, this.client, this.outputBytes());
		if (reason === undefined || this.#closed) return;
		this.#engine.stats.outputBufferLimitDisconnections++;
		this.#engine.logger.log(
			'warning',
			`Client id=${this.client.id} addr=${this.remoteAddress} closed for overcoming of output buffer limits (${reason}).`,
		);
		this.closeNow();
	}

	/** While requests are executed, the one under way and those behind it; else what is held for later. */
	queryBufferBytes(): number {
		return this.#running ? this.#parser.unparsedBytes : this.#parser.heldBytes;
	}

	queryBufferFree(): number {
		return Math.max(0, this.#parser.heldCapacity - this.#parser.heldBytes);
	}

	argumentBytes(): number {
		let bytes = 0;
		if (this.#running) for (const argument of this.#parser.args) bytes += argument.length;
		return bytes;
	}

	outputBytes(): number {
		return this.client.reply.size + this.heldBytes + this.#socket.writableLength + this.client.unreadBytes;
	}

	outputPieces(): number {
		return this.client.reply.chunks.length + this.heldBatches + (this.#socket.writableLength > 0 ? 1 : 0);
	}

	resume(): void {
		if (!this.#running && !this.#closing && this.#parser.heldBytes > 0) this.#run();
	}

	closeAfterReply(): void {
		this.#closing = true;
		this.client.closing = true;
		this.#engine.markOutput(this.client);
	}

	closeNow(): void {
		if (this.#closed) return;
		this.#closing = true;
		this.client.closing = true;
		this.#socket.destroy();
		this.#onClose();
	}

	/** The client sends nothing more. It may still read: replies to what it has sent are on their way. */
	#onInputEnd(): void {
		const isWaiting = this.client.blocked !== BLOCKED_NOT;
		if (isWaiting || (this.heldBatches === 0 && this.outputBytes() === 0)) this.closeNow();
		else this.closeAfterReply();
	}

	#onClose(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#closing = true;
		this.#engine.removeClient(this.client);
		this.#owner.connectionClosed(this);
	}

	/** TCP keep-alive probes after `seconds` of silence; 0 turns them off. */
	setKeepAlive(seconds: number): void {
		if (seconds > 0) this.#socket.setKeepAlive(true, seconds * 1000);
	}
}

/**
 * The accepted socket, reading into `buffer` instead of fresh memory: its handle is moved to a socket
 * made with `onread`, which a net.Server does not offer. Falls back to `data` events where the handle
 * cannot be had.
 */
export function readInto(
	accepted: Socket,
	buffer: Buffer,
	makeConnection: (socket: Socket) => Connection,
): Connection {
	const shell = accepted as unknown as { _handle: unknown };
	const handle = shell._handle;
	let connection: Connection | undefined;
	if (handle === null || handle === undefined) {
		connection = makeConnection(accepted);
		readByEvents(accepted, connection);
		return connection;
	}
	shell._handle = null;
	accepted.destroy();
	const socket = new Socket({
		handle,
		allowHalfOpen: true,
		onread: {
			buffer,
			callback: (length: number) => {
				connection?.onData(buffer, length);
				return true;
			},
		},
	} as ConstructorParameters<typeof Socket>[0]);
	connection = makeConnection(socket);
	socket.resume();
	return connection;
}

/** Feeds the connection from the socket's `data` events (TLS). */
export function readByEvents(socket: Socket, connection: Connection): void {
	socket.on('data', (chunk: Buffer) => connection.onData(chunk, chunk.length));
}
