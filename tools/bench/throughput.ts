/** Requests per second of two servers, run by run in turn, as ratios. */
import type { ServerExecutable } from '../../test/support/executables.js';
import { encodeCommand } from '../../test/support/raw-client.js';
import { ServerFleet, type ServerOptions, type ServerProcess } from '../../test/support/server-process.js';
import type { Policy } from './options.js';
import { requestsPerSecond } from './redis-benchmark.js';
import type { Workload } from './workloads.js';

/** One cell of the table. */
export interface Cell {
	readonly policy: Policy;
	readonly test: string;
	readonly pipeline: number;
}

export interface CellResult extends Cell {
	/** Requests in each run. */
	readonly requestCount: number;
	/** Requests per second, a figure for each round. */
	readonly ours: readonly number[];
	readonly real: readonly number[];
}

export interface Contestants {
	readonly ours: ServerExecutable;
	readonly real: ServerExecutable;
	readonly redisBenchmark: string;
}

const CALIBRATION_REQUESTS = 20_000;
const REQUESTS_MIN = 2000;
/** Requests of the first look at speed, which tells how many make a calibration worthwhile. */
const FIRST_LOOK_REQUESTS = 1000;
const FILL_BATCH = 20;

/** What both servers are started with. */
export function serverOptions(policy: Policy): ServerOptions {
	const common = { save: '', 'auto-aof-rewrite-percentage': '0' };
	return policy === 'no-log'
		? { ...common, appendonly: 'no' }
		: { ...common, appendonly: 'yes', appendfsync: policy };
}

/**
 * Measures one cell on new servers: each is warmed up, the number of requests is chosen so that a run of the
 * real server takes `runSeconds`, then they take turns, and take turns in going first.
 */
export async function measureCell(
	contestants: Contestants,
	cell: Cell,
	workload: Workload,
	roundCount: number,
	runSeconds: number,
): Promise<CellResult> {
	const fleet = new ServerFleet();
	try {
		const options = serverOptions(cell.policy);
		const ours = await fleet.start({ executable: contestants.ours, options });
		const real = await fleet.start({ executable: contestants.real, options });
		const measure = async (server: ServerProcess, requestCount: number): Promise<number> => {
			await prepare(server, workload, requestCount);
			return requestsPerSecond(
				contestants.redisBenchmark,
				server.port,
				workload,
				cell.pipeline,
				requestCount,
			);
		};
		const firstLook = await measure(real, FIRST_LOOK_REQUESTS);
		const calibrationCount =
			firstLook * runSeconds < CALIBRATION_REQUESTS ? FIRST_LOOK_REQUESTS : CALIBRATION_REQUESTS;
		const speed = await measure(real, calibrationCount);
		const requestCount = Math.max(REQUESTS_MIN, Math.round((speed * runSeconds) / 1000) * 1000);
		await measure(ours, Math.max(calibrationCount, Math.round(requestCount / 2)));
		const figures = { ours: [] as number[], real: [] as number[] };
		for (let round = 0; round < roundCount; round++) {
			const order = round % 2 === 0 ? (['real', 'ours'] as const) : (['ours', 'real'] as const);
			for (const side of order)
				figures[side].push(await measure(side === 'ours' ? ours : real, requestCount));
		}
		return { ...cell, requestCount, ...figures };
	} finally {
		await fleet.close();
	}
}

/** Empties the server and fills it for a run. Throws if it refuses. */
async function prepare(server: ServerProcess, workload: Workload, requestCount: number): Promise<void> {
	const client = await server.connect();
	try {
		let pending = [await client.command(['FLUSHALL'])];
		let batch: string[] = [];
		const flush = async (): Promise<void> => {
			client.send(batch.join(''));
			for (let left = batch.length; left > 0; left--) pending.push(await client.reply());
			batch = [];
			const refused = pending.find((reply) => reply[0] === '-');
			if (refused !== undefined)
				throw new Error(`${server.executable.name} refuses to be filled: ${refused}`);
			pending = [];
		};
		for (const command of workload.fill(requestCount)) {
			batch.push(encodeCommand(command));
			if (batch.length >= FILL_BATCH) await flush();
		}
		await flush();
	} finally {
		client.destroy();
	}
}
