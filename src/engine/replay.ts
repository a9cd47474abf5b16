/**
 * The fold of the log: applies one entry after the other to the databases. Start-up uses it, and
 * whatever else reads the log will. Nothing expires, blocks, is published or logged on the way, and the
 * replies are dropped.
 */
import type { Engine } from './engine.js';

export class Replay {
	readonly #engine: Engine;
	/** Whether the commands are in the statistics, as they are on a replica. */
	readonly #counts: boolean;

	constructor(engine: Engine, counts = false) {
		this.#engine = engine;
		this.#counts = counts;
	}

	/** Starts with database 0 selected. Between `begin` and `end` the engine is loading. */
	begin(): void {
		const engine = this.#engine;
		engine.loading = true;
		engine.replayClient.db = engine.dbs[0]!;
	}

	/** Applies one entry; `unknown-command` if there is no such command. */
	apply(args: string[]): 'unknown-command' | undefined {
		const engine = this.#engine;
		const client = engine.replayClient;
		let spec = engine.registry.original(args[0]!);
		if (spec?.subcommands !== undefined && args.length > 1)
			spec = spec.subcommands.get(args[1]!.toLowerCase()) ?? spec;
		if (spec === undefined) return 'unknown-command';
		if (this.#counts) {
			engine.stats.commandsProcessed++;
			spec.calls++;
		}
		engine.ctx.denyBlocking = true;
		engine.dispatcher.call(client, spec, args, false);
		engine.ctx.denyBlocking = false;
		client.reply.truncate(0, 0, '');
		return undefined;
	}

	end(): void {
		this.#engine.loading = false;
	}
}
