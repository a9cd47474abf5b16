/** What a snapshot costs, of one server: the latency of clients around it, its time, and the memory of its child. */
import { readdirSync, readFileSync } from 'node:fs';
import type { ServerExecutable } from '../../test/support/executables.js';
import { encodeCommand, type RawClient } from '../../test/support/raw-client.js';
import { parseReply } from '../../test/support/reply.js';
import { ServerFleet, type ServerProcess, sleep } from '../../test/support/server-process.js';
import { type Latencies, PacedLoad } from './paced-load.js';
import { requestsPerSecond } from './redis-benchmark.js';
import { twelveDigits, type Workload } from './workloads.js';

export const VALUE = 'v'.repeat(100);
const BATCH = 1000;
const WINDOW_MS = 10_000;
/** When in its window the snapshot begins. */
const BEFORE_MS = 2000;
const CHILD_POLL_MS = 10;
const SNAPSHOT_MS_MAX = 300_000;
const LIMIT_REQUESTS = 200_000;
const SETS: Workload = { name: 'SET', args: ['-t', 'set', '-d', '100'], fill: () => [] };

export interface SnapshotFigures {
	/** The share of the keys that changed since the base. */
	readonly changed: number;
	readonly without: Latencies;
	readonly around: Latencies;
	/** From the command to the end of the child. */
	readonly wallMs: number;
	/** The most memory that the child had resident; NaN where that can't be told. Redis's shares pages with the server. */
	readonly childMb: number;
}

export interface SnapshotResult {
	readonly requestsPerSecond: number;
	/** The child of an empty server. */
	readonly emptyChildMb: number;
	readonly figures: readonly SnapshotFigures[];
	/** From the start to the first PONG, of the keys in a base. */
	readonly loadMs: number;
}

/** Half of the SETs a second that the server can take. */
export async function halfOfLimit(executable: ServerExecutable, redisBenchmark: string): Promise<number> {
	const fleet = new ServerFleet();
	try {
		const server = await fleet.start({ executable, options: logOptions() });
		const measure = (): Promise<number> =>
			requestsPerSecond(redisBenchmark, server.port, SETS, 1, LIMIT_REQUESTS);
		await measure();
		return (await measure()) / 2;
	} finally {
		await fleet.close();
	}
}

/** Measures one server under a load of `rate` SETs a second. */
export async function measureSnapshot(
	executable: ServerExecutable,
	keyCount: number,
	rate: number,
	shares: readonly number[],
): Promise<SnapshotResult> {
	const fleet = new ServerFleet();
	try {
		const empty = await fleet.start({ executable, options: logOptions() });
		const emptyClient = await empty.connect();
		const emptyChildMb = (await snapshot(empty, emptyClient)).childMb;
		await empty.kill();

		const server = await fleet.start({ executable, options: logOptions() });
		const client = await server.connect();
		await fill(client, keyCount);
		const figures: SnapshotFigures[] = [];
		for (const changed of shares) {
			await rewrite(client);
			figures.push(await underLoad(server, client, Math.round(keyCount * changed), changed, rate));
		}
		await rewrite(client);
		await server.stop();
		const startMs = performance.now();
		await fleet.start({ executable, options: logOptions(), dir: server.dir });
		return { requestsPerSecond: rate, emptyChildMb, figures, loadMs: performance.now() - startMs };
	} finally {
		await fleet.close();
	}
}

/** A server that keeps a log, and makes no snapshot by itself. */
export function logOptions(): Record<string, string> {
	return { appendonly: 'yes', appendfsync: 'everysec', save: '', 'auto-aof-rewrite-percentage': '0' };
}

/** Sets the first `keyCount` keys to values of 100 bytes. */
export async function fill(client: RawClient, keyCount: number): Promise<void> {
	for (let done = 0; done < keyCount; done += BATCH) {
		let bytes = '';
		for (let index = done; index < Math.min(keyCount, done + BATCH); index++) {
			bytes += encodeCommand(['SET', `key:${twelveDigits(index)}`, VALUE]);
		}
		client.send(bytes);
		for (let left = Math.min(BATCH, keyCount - done); left > 0; left--) await client.reply();
	}
}

/** `changedKeys` have changed when the snapshot begins, and no others change while it is made. */
async function underLoad(
	server: ServerProcess,
	client: RawClient,
	changedKeys: number,
	changed: number,
	rate: number,
): Promise<SnapshotFigures> {
	await fill(client, changedKeys);
	const load = new PacedLoad(server.port, rate, changedKeys, VALUE);
	load.start();
	await sleep(1000);
	load.take();
	await sleep(WINDOW_MS);
	const without = load.take();
	await sleep(BEFORE_MS);
	const begin = performance.now();
	const { wallMs, childMb } = await snapshot(server, client);
	await sleep(Math.max(0, WINDOW_MS - BEFORE_MS - (performance.now() - begin)));
	const around = load.take();
	load.stop();
	return { changed, without, around, wallMs, childMb };
}

async function snapshot(
	server: ServerProcess,
	client: RawClient,
): Promise<{ wallMs: number; childMb: number }> {
	const startMs = performance.now();
	const reply = await client.command(['BGSAVE']);
	if (!reply.startsWith('+')) throw new Error(`BGSAVE: ${reply}`);
	let childMb = Number.NaN;
	for (;;) {
		for (const pid of childrenOf(server.pid)) childMb = Math.max(childMb || 0, peakMbOf(pid));
		const fields = await infoOf(client);
		if (fields.get('rdb_bgsave_in_progress') === '0') {
			if (fields.get('rdb_last_bgsave_status') !== 'ok') throw new Error(`BGSAVE failed:\n${server.log}`);
			return { wallMs: performance.now() - startMs, childMb };
		}
		if (performance.now() - startMs > SNAPSHOT_MS_MAX) throw new Error('BGSAVE does not end');
		await sleep(CHILD_POLL_MS);
	}
}

/** Makes a new base of the log. */
export async function rewrite(client: RawClient): Promise<void> {
	const reply = await client.command(['BGREWRITEAOF']);
	if (!reply.startsWith('+')) throw new Error(`BGREWRITEAOF: ${reply}`);
	for (;;) {
		await sleep(100);
		const fields = await infoOf(client);
		if (fields.get('aof_rewrite_in_progress') !== '0' || fields.get('aof_rewrite_scheduled') !== '0')
			continue;
		if (fields.get('aof_last_bgrewrite_status') !== 'ok') throw new Error('BGREWRITEAOF failed');
		return;
	}
}

async function infoOf(client: RawClient): Promise<ReadonlyMap<string, string>> {
	const text = parseReply(await client.command(['INFO', 'persistence'])).text ?? '';
	return new Map([...text.matchAll(/^(\w+):(.*?)\r?$/gm)].map((match) => [match[1]!, match[2]!]));
}

/** Child processes; none where there is no /proc. */
function childrenOf(pid: number): number[] {
	try {
		return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
			readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
		);
	} catch {
		return [];
	}
}

/** The most that a process has had resident, in megabytes; 0 if it is gone. */
function peakMbOf(pid: number): number {
	try {
		return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) / 1024;
	} catch {
		return 0;
	}
}
