/**
 * A client that hides nothing: it sends bytes, and gives each reply as the bytes that came (latin1 text, one
 * character a byte). Replies are given in order, to whoever asked in order; push messages of RESP3 are kept
 * apart.
 */
import { connect, type Socket } from 'node:net';
import { replyEnd } from './reply.js';

interface Waiter {
	resolve(reply: string): void;
	reject(error: Error): void;
}

export class RawClient {
	/** Push messages (RESP3, type `>`) in the order they came. */
	readonly pushes: string[] = [];
	/** Why the connection ended; undefined while it is up. */
	closedBecause: Error | undefined = undefined;
	/** Resolves when the connection has ended. */
	readonly closed: Promise<void>;
	private readonly socket: Socket;
	private input = '';
	private readonly unclaimed: string[] = [];
	private readonly waiters: Waiter[] = [];

	private constructor(socket: Socket) {
		this.socket = socket;
		socket.setNoDelay(true);
		socket.on('data', (chunk) => this.receive(chunk.toString('latin1')));
		socket.on('error', (error) => this.fail(error));
		this.closed = new Promise((resolve) => {
			socket.on('close', () => {
				this.fail(new Error('connection closed'));
				resolve();
			});
		});
	}

	/** Connects to a loopback port; rejects if nothing listens there. */
	static connect(port: number): Promise<RawClient> {
		return new Promise((resolve, reject) => {
			const socket = connect(port, '127.0.0.1');
			socket.once('error', reject);
			socket.once('connect', () => {
				socket.off('error', reject);
				resolve(new RawClient(socket));
			});
		});
	}

	/** Sends bytes as they are. False if the socket asks to wait for `drained`. */
	send(bytes: string): boolean {
		return this.closedBecause !== undefined || this.socket.write(bytes, 'latin1');
	}

	/** Resolves when what was sent has left this process, or the connection has ended. */
	drained(): Promise<void> {
		if (this.closedBecause !== undefined || !this.socket.writableNeedDrain) return Promise.resolve();
		return Promise.race([new Promise<void>((done) => this.socket.once('drain', () => done())), this.closed]);
	}

	/** The next reply. Rejects when the connection ends first. */
	reply(): Promise<string> {
		const ready = this.unclaimed.shift();
		if (ready !== undefined) return Promise.resolve(ready);
		if (this.closedBecause !== undefined) return Promise.reject(this.closedBecause);
		return new Promise((resolve, reject) => this.waiters.push({ resolve, reject }));
	}

	/** One command and its reply. */
	command(args: readonly string[]): Promise<string> {
		this.send(encodeCommand(args));
		return this.reply();
	}

	/** Commands in one write, and the reply of each. */
	async pipeline(commands: readonly (readonly string[])[]): Promise<string[]> {
		this.send(commands.map(encodeCommand).join(''));
		const replies: string[] = [];
		for (let index = 0; index < commands.length; index++) replies.push(await this.reply());
		return replies;
	}

	/** Stops reading from the socket, as a client that is stuck does. */
	pauseReading(): void {
		this.socket.pause();
	}

	/** Says that nothing more will be sent. */
	end(): void {
		this.socket.end();
	}

	/** Ends the connection at once. */
	destroy(): void {
		this.socket.destroy();
	}

	private receive(chunk: string): void {
		this.input += chunk;
		let position = 0;
		try {
			for (;;) {
				const end = replyEnd(this.input, position);
				if (end < 0) break;
				this.deliver(this.input.slice(position, end));
				position = end;
				if (position === this.input.length) break;
			}
		} catch (error) {
			this.fail(error as Error);
			this.destroy();
		}
		this.input = this.input.slice(position);
	}

	private deliver(reply: string): void {
		if (reply[0] === '>') {
			this.pushes.push(reply);
			return;
		}
		const waiter = this.waiters.shift();
		if (waiter === undefined) this.unclaimed.push(reply);
		else waiter.resolve(reply);
	}

	private fail(error: Error): void {
		this.closedBecause ??= error;
		for (const waiter of this.waiters.splice(0)) waiter.reject(this.closedBecause);
	}
}

/** A command as an array of bulk strings. */
export function encodeCommand(args: readonly string[]): string {
	let bytes = `*${args.length}\r\n`;
	for (const arg of args) bytes += `$${arg.length}\r\n${arg}\r\n`;
	return bytes;
}
