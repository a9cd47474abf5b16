/** A server of ours with its log, a client of each protocol, and what tests of commands ask of them. */
import { ourServer } from './executables.js';
import { logEntries } from './log-entries.js';
import type { RawClient } from './raw-client.js';
import { parseReply, type Reply } from './reply.js';
import { ServerFleet, type ServerOptions, type ServerProcess } from './server-process.js';

/**
 * A reply as nested arrays of texts; a nil of RESP2 is null; what is no blob
 * keeps its type byte (`:1`, `+OK`, `_`), and so do aggregates other than arrays.
 */
export function shape(reply: Reply): unknown {
	if (reply.items !== null) {
		const items = reply.items.map(shape);
		return reply.type === '*' ? items : [reply.type, ...items];
	}
	return reply.type === '$' ? reply.text : reply.type + (reply.text ?? '');
}

export class WireSession {
	readonly fleet = new ServerFleet();
	server!: ServerProcess;
	/** In RESP2. */
	client!: RawClient;
	/** The same server, in RESP3. */
	client3!: RawClient;

	async start(options: ServerOptions = {}): Promise<void> {
		this.server = await this.fleet.start({
			executable: ourServer(),
			options: { appendonly: 'yes', ...options },
		});
		this.client = await this.server.connect();
		this.client3 = await this.server.connect();
		await this.client3.command(['HELLO', '3']);
	}

	async stop(): Promise<void> {
		await this.fleet.close();
	}

	/** Runs commands, words separated by single spaces; the raw reply of the last one. */
	async run(...commands: string[]): Promise<string> {
		let last = '';
		for (const command of commands) last = await this.client.command(command.split(' '));
		return last;
	}

	/** The shape of a command's reply in RESP2. */
	async shape2(command: string): Promise<unknown> {
		return shape(parseReply(await this.client.command(command.split(' '))));
	}

	/** The shape of a command's reply in RESP3. */
	async shape3(command: string): Promise<unknown> {
		return shape(parseReply(await this.client3.command(command.split(' '))));
	}

	/** The entries that come into the log while the commands are executed, without SELECT. */
	async effectsOf(...commands: string[]): Promise<string[]> {
		const before = logEntries(this.server.dir).length;
		await this.run(...commands);
		return logEntries(this.server.dir)
			.slice(before)
			.map((entry) => entry.join(' '))
			.filter((entry) => !entry.startsWith('SELECT '));
	}

	/** DEBUG DIGEST now, and after the server was killed and has loaded its log. */
	async digestsAroundCrash(): Promise<readonly [before: string, after: string]> {
		const before = await this.client.command(['DEBUG', 'DIGEST']);
		await this.server.kill();
		const again = await this.fleet.start({
			executable: ourServer(),
			dir: this.server.dir,
			options: { appendonly: 'yes' },
		});
		return [before, await (await again.connect()).command(['DEBUG', 'DIGEST'])];
	}
}
