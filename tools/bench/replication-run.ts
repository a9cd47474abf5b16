/** What replicas cost a master: the latency of its clients and its memory, while three take on its dataset at once. */
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ServerExecutable } from '../../test/support/executables.js';
import { ServerFleet, sleep } from '../../test/support/server-process.js';
import { type Latencies, PacedLoad } from './paced-load.js';
import type { ReplicaReport } from './replica-program.js';
import { fill, logOptions, rewrite, VALUE } from './snapshot-run.js';

const SETTLE_MS = 5000;
const WINDOW_MS = 20_000;
const SAMPLE_MS = 50;

export interface ReplicationFigures {
	readonly without: Latencies;
	readonly around: Latencies;
	/** The most that the master had resident in each window, in megabytes; NaN where that can't be told. */
	readonly withoutMb: number;
	readonly aroundMb: number;
	/** When the two fast replicas had the snapshot, in milliseconds; NaN if not within the window. */
	readonly syncMs: number;
	readonly snapshotMb: number;
	/** What the slow one has read. */
	readonly slowMb: number;
	/** Links that ended, and why. */
	readonly failures: readonly string[];
}

/** Measures one server under a load of `rate` SETs a second; the slow replica reads `slowRate` bytes a second. */
export async function measureReplication(
	executable: ServerExecutable,
	keyCount: number,
	rate: number,
	slowRate: number,
): Promise<ReplicationFigures> {
	const fleet = new ServerFleet();
	let replicas: Replicas | undefined;
	try {
		const options = { ...logOptions(), 'repl-diskless-sync-delay': '1', rdbcompression: 'no' };
		const server = await fleet.start({ executable, options });
		const client = await server.connect();
		await fill(client, keyCount);
		await rewrite(client);
		const load = new PacedLoad(server.port, rate, keyCount, VALUE);
		load.start();
		await sleep(SETTLE_MS);
		load.take();
		const withoutMb = await peakMb(server.pid, WINDOW_MS);
		const without = load.take();
		replicas = new Replicas(server.port, [0, 0, slowRate]);
		const aroundMb = await peakMb(server.pid, WINDOW_MS);
		const around = load.take();
		load.stop();
		const { reports } = replicas;
		const fast = reports.slice(0, 2);
		return {
			without,
			around,
			withoutMb,
			aroundMb,
			syncMs: fast.every(({ syncMs }) => syncMs >= 0)
				? Math.max(...fast.map(({ syncMs }) => syncMs))
				: Number.NaN,
			snapshotMb: (reports[0]?.snapshotBytes ?? Number.NaN) / 2 ** 20,
			slowMb: (reports[2]?.receivedBytes ?? Number.NaN) / 2 ** 20,
			failures: reports.map(({ failure }) => failure).filter((failure) => failure !== ''),
		};
	} finally {
		replicas?.close();
		await fleet.close();
	}
}

/** The process with the replicas. */
class Replicas {
	/** The last that was heard of them. */
	reports: readonly ReplicaReport[] = [];
	readonly #child: ChildProcess;

	/** Each reads so many bytes a second; 0 for no limit. */
	constructor(port: number, rates: readonly number[]) {
		const program = fileURLToPath(new URL('replica-program.js', import.meta.url));
		this.#child = fork(program, [port, ...rates].map(String));
		this.#child.on('message', (reports) => {
			this.reports = reports as readonly ReplicaReport[];
		});
	}

	close(): void {
		this.#child.disconnect();
	}
}

/** The most that a process has resident within the next `ms` milliseconds, in megabytes. */
async function peakMb(pid: number, ms: number): Promise<number> {
	const endMs = performance.now() + ms;
	let peak = Number.NaN;
	while (performance.now() < endMs) {
		peak = Math.max(peak || 0, residentMb(pid)) || Number.NaN;
		await sleep(SAMPLE_MS);
	}
	return peak;
}

/** 0 where there is no /proc. */
function residentMb(pid: number): number {
	try {
		return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
	} catch {
		return 0;
	}
}
