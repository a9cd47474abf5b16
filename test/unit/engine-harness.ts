/** An engine with all commands on data, without sockets, and with a clock that is moved by hand. */
import { SILENT_LOGGER } from '../../src/base/logger.js';
import { systemEnv } from '../../src/base/system-env.js';
import { bitmapCommands } from '../../src/commands/bitmap.js';
import { connectionCommands } from '../../src/commands/connection.js';
import { genericCommands } from '../../src/commands/generic.js';
import { hashCommands } from '../../src/commands/hash.js';
import { listCommands } from '../../src/commands/list.js';
import { setCommands } from '../../src/commands/set.js';
import { stringCommands } from '../../src/commands/string.js';
import { transactionCommands } from '../../src/commands/transaction.js';
import { zsetCommands } from '../../src/commands/zset.js';
import { type Client, NO_TRANSPORT } from '../../src/engine/client.js';
import { Engine } from '../../src/engine/engine.js';
import { Registry } from '../../src/engine/registry.js';
import { Settings } from '../../src/engine/settings.js';
import { datasetDigest } from '../../src/keyspace/digest.js';
import { SeededRandom } from '../support/random.js';

export class TestEngine {
	nowMs: number;
	readonly settings = new Settings();
	readonly engine: Engine;
	readonly #clients: Client[] = [];

	constructor(nowMs = 1_700_000_000_000) {
		this.nowMs = nowMs;
		const registry = new Registry();
		for (const family of [
			connectionCommands,
			stringCommands,
			bitmapCommands,
			listCommands,
			hashCommands,
			setCommands,
			zsetCommands,
			genericCommands,
			transactionCommands,
		]) {
			registry.add(family());
		}
		const system = systemEnv();
		const random = new SeededRandom(7);
		this.engine = new Engine({
			settings: this.settings,
			env: {
				clock: {
					nowMs: () => this.nowMs,
					nowUs: () => this.nowMs * 1000,
					monotonicUs: () => this.nowMs * 1000,
				},
				random: { float: () => random.float(), below: (n) => random.below(n), bytes: system.random.bytes },
				timers: { ...system.timers, setTimeout: () => ({}), clearTimeout: () => undefined },
			},
			logger: SILENT_LOGGER,
			registry,
			publisher: { publish: () => 0, forget: () => undefined },
			scheduleTurn: () => undefined,
		});
	}

	get digest(): string {
		return datasetDigest(this.engine.dbs);
	}

	/** What connection number `client` is answered to a command; '' while it waits. */
	run(args: readonly string[], client = 0): string {
		this.#clients[client] ??= this.engine.addClient(NO_TRANSPORT);
		const connection = this.#clients[client]!;
		this.engine.beginInput();
		this.engine.processCommand(connection, [...args]);
		this.engine.turnStartUs = -1;
		return connection.reply
			.take()
			.map((chunk) => (typeof chunk === 'string' ? chunk : chunk.toString('latin1')))
			.join('');
	}
}
