/**
 * `npm run bench:snapshot`: what a snapshot costs, ours against the installed redis-server: latency of clients around
 * BGSAVE under half of the load that both can take, its time, the memory of its child, and the time to load the base.
 */

import { findContestants } from './contestants.js';
import type { Latencies } from './paced-load.js';
import { halfOfLimit, measureSnapshot, type SnapshotFigures, type SnapshotResult } from './snapshot-run.js';

const USAGE = `usage: npm run bench:snapshot -- [--keys 1000000] [--rate N]

  --keys N   keys with values of 100 bytes
  --rate N   SETs a second while the snapshot is made; default: half of what the slower server can take`;
const SHARES = [0.01, 1];

async function main(args: readonly string[]): Promise<number> {
	let keyCount = 1_000_000;
	let rate = 0;
	for (let at = 0; at < args.length; at += 2) {
		const value = Number(args[at + 1]);
		if (args[at] === '--keys' && value > 0) keyCount = value;
		else if (args[at] === '--rate' && value > 0) rate = value;
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
	const oursResult = await measureSnapshot(ours, keyCount, rate, SHARES);
	const realResult = await measureSnapshot(real, keyCount, rate, SHARES);
	console.log(`${keyCount} keys, ${Math.round(rate)} SETs a second; times in milliseconds\n`);
	console.log(
		'| server | keys changed | p99 without | max without | p99 around | max around | snapshot | child MB |',
	);
	console.log('|---|---|---|---|---|---|---|---|');
	for (const [name, result] of [
		['tsredis', oursResult],
		['Redis', realResult],
	] as const) {
		for (const figures of result.figures) console.log(row(name, figures, result));
	}
	const ratio = (oursResult.loadMs / realResult.loadMs).toFixed(2);
	console.log(
		`\nload of the base: tsredis ${Math.round(oursResult.loadMs)}, Redis ${Math.round(realResult.loadMs)}, ratio ${ratio}`,
	);
	return 0;
}

function row(name: string, figures: SnapshotFigures, result: SnapshotResult): string {
	const { without, around } = figures;
	const latency = (of: Latencies): string => `${of.p99.toFixed(1)} | ${of.max.toFixed(1)}`;
	const memory = `${figures.childMb.toFixed(0)} (empty: ${result.emptyChildMb.toFixed(0)})`;
	return `| ${name} | ${figures.changed * 100} % | ${latency(without)} | ${latency(around)} | ${Math.round(figures.wallMs)} | ${memory} |`;
}

process.exitCode = await main(process.argv.slice(2));
