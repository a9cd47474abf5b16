import { ourServer } from '../support/executables.js';
import type { Oracle } from '../support/oracle-server.js';
import type { RawClient } from '../support/raw-client.js';
import type { ServerFleet, ServerOptions, ServerProcess } from '../support/server-process.js';

/** Low thresholds, so that small values change their encoding often. */
export function smallEncodings(version: number): ServerOptions {
	return {
		'hash-max-listpack-entries': '8',
		'hash-max-listpack-value': '40',
		'zset-max-listpack-entries': '8',
		'zset-max-listpack-value': '40',
		'set-max-intset-entries': '6',
		'list-max-listpack-size': '8',
		...(version >= 70200 ? { 'set-max-listpack-entries': '8', 'set-max-listpack-value': '40' } : {}),
	};
}

/** Ours and the real server, started alike. */
export class ServerPair {
	readonly ours: ServerProcess;
	readonly real: ServerProcess;
	readonly oracle: Oracle;

	private constructor(ours: ServerProcess, real: ServerProcess, oracle: Oracle) {
		this.ours = ours;
		this.real = real;
		this.oracle = oracle;
	}

	static async start(fleet: ServerFleet, oracle: Oracle, options: ServerOptions = {}): Promise<ServerPair> {
		const [ours, real] = await Promise.all([
			fleet.start({ executable: ourServer(), options }),
			fleet.start({ executable: oracle.executable, options }),
		]);
		return new ServerPair(ours, real, oracle);
	}

	/** A connection to each. */
	async connect(): Promise<ClientPair> {
		const [ours, real] = await Promise.all([this.ours.connect(), this.real.connect()]);
		return { ours, real };
	}
}

/** The same client of both servers. */
export interface ClientPair {
	readonly ours: RawClient;
	readonly real: RawClient;
}

export async function onBoth(
	clients: ClientPair,
	args: readonly string[],
): Promise<[ours: string, real: string]> {
	return Promise.all([clients.ours.command(args), clients.real.command(args)]);
}

export function destroyBoth(clients: ClientPair): void {
	clients.ours.destroy();
	clients.real.destroy();
}
