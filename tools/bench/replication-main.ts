/**
 * `npm run bench:replication`: what it costs a master that three replicas take on its dataset at once, one of which reads
 * slowly, ours against the installed redis-server: latency of clients under half of the load that both can take, and
 * memory.
 */
import { findContestants } from './contestants.js';
import { measureReplication, type ReplicationFigures } from './replication-run.js';
import { halfOfLimit } from './snapshot-run.js';

const USAGE = `usage: npm run bench:replication -- [--keys 1000000] [--rate N] [--slow 1048576]

  --keys N   keys with values of 100 bytes
  --rate N   SETs a second; default: half of what the slower server can take
  --slow N   bytes a second that the slow replica reads`;

async function main(args: readonly string[]): Promise<number> {
	let keyCount = 1_000_000;
	let rate = 0;
	let slowRate = 2 ** 20;
	for (let at = 0; at < args.length; at += 2) {
		const value = Number(args[at + 1]);
		if (args[at] === '--keys' && value > 0) keyCount = value;
		else if (args[at] === '--rate' && value > 0) rate = value;
		else if (args[at] === '--slow' && value > 0) slowRate = value;
		else {
			console.error(USAGE);
			return args[at] === '--help' ? 0 : 2;
		}
	}
	const contestants = findContestants();
	if (typeof contestants === 'string') {
		console.error(`bench: ${contestants}`);
		return 1;
	}
	const { ours, real, redisBenchmark } = contestants;
	if (rate === 0) {
		rate = Math.min(await halfOfLimit(ours, redisBenchmark), await halfOfLimit(real, redisBenchmark));
	}
	console.log(
		`${keyCount} keys, ${Math.round(rate)} SETs a second, three replicas of which one reads ${slowRate} bytes a second; ` +
			'times in milliseconds, memory of the master in MB\n',
	);
	console.log(
		'| server | p99 without | p99 with | ratio | max without | max with | resident | growth | two synced after | snapshot | slow one has |',
	);
	console.log('|---|---|---|---|---|---|---|---|---|---|---|');
	for (const [name, executable] of [
		['tsredis', ours],
		['Redis', real],
	] as const) {
		const figures = await measureReplication(executable, keyCount, rate, slowRate);
		console.log(row(name, figures));
		for (const failure of figures.failures) console.log(`${name}: a replica was lost: ${failure}`);
	}
	return 0;
}

function row(name: string, figures: ReplicationFigures): string {
	const { without, around, withoutMb, aroundMb, syncMs, snapshotMb, slowMb } = figures;
	const columns = [
		name,
		without.p99.toFixed(1),
		around.p99.toFixed(1),
		(around.p99 / without.p99).toFixed(2),
		without.max.toFixed(1),
		around.max.toFixed(1),
		withoutMb.toFixed(0),
		(aroundMb - withoutMb).toFixed(1),
		// A snapshot that goes over sockets goes to all at once: as fast as the slowest reads.
		Number.isNaN(syncMs) ? 'not yet' : syncMs.toFixed(0),
		snapshotMb < 0 ? '' : snapshotMb.toFixed(0),
		slowMb.toFixed(0),
	];
	return `| ${columns.join(' | ')} |`;
}

process.exitCode = await main(process.argv.slice(2));
