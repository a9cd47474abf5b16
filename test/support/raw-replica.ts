/**
 * A replica written by hand: it speaks the protocol of replication and keeps what it gets, applying nothing. It reads
 * only when it is told to, if so wished.
 */
import { connect, type Socket } from 'node:net';
import { encodeCommand } from './raw-client.js';

const MARK_BYTES = 40;

export class RawReplica {
	/** Why the connection ended; undefined while it is up. */
	closedBecause: string | undefined = undefined;
	/** Everything received and not taken yet, as latin1 text. */
	input = '';
	/** Of the snapshot. */
	snapshotSize = -1;
	/** Ended by a mark instead of having been announced with its size. */
	snapshotIsMarked = false;
	private readonly socket: Socket;
	private readonly waiting = new Set<() => void>();

	private constructor(socket: Socket) {
		this.socket = socket;
		socket.on('data', (chunk) => {
			this.input += chunk.toString('latin1');
			this.wake();
		});
		socket.on('error', (error) => {
			this.closedBecause ??= error.message;
		});
		socket.on('close', () => {
			this.closedBecause ??= 'closed';
			this.wake();
		});
	}

	static connect(port: number): Promise<RawReplica> {
		return new Promise((resolve, reject) => {
			const socket = connect(port, '127.0.0.1');
			socket.once('error', reject);
			socket.once('connect', () => {
				socket.off('error', reject);
				resolve(new RawReplica(socket));
			});
		});
	}

	send(...args: string[]): void {
		this.socket.write(encodeCommand(args), 'latin1');
	}

	/** Sends a command, and gives the line that answers it. */
	async ask(...args: string[]): Promise<string> {
		this.send(...args);
		return await this.line();
	}

	/** Introduces itself. */
	async greet(port: number, ...capabilities: string[]): Promise<void> {
		await this.ask('PING');
		await this.ask('REPLCONF', 'listening-port', String(port));
		await this.ask('REPLCONF', ...capabilities.flatMap((name) => ['capa', name]));
	}

	/** The next line that is not empty. */
	async line(): Promise<string> {
		for (;;) {
			await this.until(() => this.input.includes('\n'));
			const end = this.input.indexOf('\n');
			const line = this.input.slice(0, end).replace(/\r$/, '');
			this.input = this.input.slice(end + 1);
			if (line !== '') return line;
		}
	}

	/** Takes the snapshot, its announcement included; its bytes. */
	async snapshot(): Promise<string> {
		const head = await this.line();
		this.snapshotIsMarked = head.startsWith('$EOF:');
		let size: number;
		if (this.snapshotIsMarked) {
			const mark = head.slice(5);
			if (mark.length !== MARK_BYTES) throw new Error(`a bad announcement: ${head}`);
			await this.until(() => this.input.includes(mark));
			size = this.input.indexOf(mark);
			this.snapshotSize = size;
			const bytes = this.input.slice(0, size);
			this.input = this.input.slice(size + MARK_BYTES);
			return bytes;
		}
		if (!/^\$\d+$/.test(head)) throw new Error(`no announcement of a snapshot: ${head}`);
		size = Number(head.slice(1));
		this.snapshotSize = size;
		await this.until(() => this.input.length >= size);
		const bytes = this.input.slice(0, size);
		this.input = this.input.slice(size);
		return bytes;
	}

	/** Waits until the stream that has not been taken holds that text; the stream up to behind it. */
	async streamUpTo(text: string): Promise<string> {
		let from = 0;
		let at = -1;
		await this.until(() => {
			at = this.input.indexOf(text, from);
			// What has been looked at is not looked at again.
			from = Math.max(0, this.input.length - text.length);
			return at >= 0;
		});
		const end = at + text.length;
		const bytes = this.input.slice(0, end);
		this.input = this.input.slice(end);
		return bytes;
	}

	pauseReading(): void {
		this.socket.pause();
	}

	resumeReading(): void {
		this.socket.resume();
	}

	destroy(): void {
		this.socket.destroy();
	}

	/** Resolves when the connection has ended. */
	async closed(): Promise<string> {
		while (this.closedBecause === undefined) await this.change();
		return this.closedBecause;
	}

	/** Waits until the condition is met; rejects when the connection ends before. */
	private async until(isMet: () => boolean): Promise<void> {
		while (!isMet()) {
			if (this.closedBecause !== undefined)
				throw new Error(`the connection has ended: ${this.closedBecause}`);
			await this.change();
		}
	}

	private change(): Promise<void> {
		return new Promise((resolve) => this.waiting.add(resolve));
	}

	private wake(): void {
		const waiting = [...this.waiting];
		this.waiting.clear();
		for (const wake of waiting) wake();
	}
}
