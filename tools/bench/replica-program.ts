/**
 * The replicas of the benchmark, in a process of their own so that they do not slow down the clients: begins them when it
 * is told to, and reports how they are. Arguments: the port of the master, and the bytes a second that each may read.
 */
import { RawReplica } from './raw-replica.js';

/** How a replica is doing; times in milliseconds since it was begun, -1 for not yet. */
export interface ReplicaReport {
	readonly receivedBytes: number;
	readonly snapshotBytes: number;
	readonly syncMs: number;
	readonly failure: string;
}

const REPORT_MS = 200;

function main(): void {
	const [port, ...rates] = process.argv.slice(2).map(Number);
	const startMs = performance.now();
	const replicas = rates.map((rate) => new RawReplica(port!, rate === 0 ? Number.POSITIVE_INFINITY : rate));
	setInterval(() => {
		const reports = replicas.map(
			({ receivedBytes, snapshotBytes, syncedMs, failure }): ReplicaReport => ({
				receivedBytes,
				snapshotBytes,
				syncMs: syncedMs < 0 ? -1 : syncedMs - startMs,
				failure,
			}),
		);
		process.send?.(reports);
	}, REPORT_MS);
	process.once('disconnect', () => process.exit(0));
}

main();
