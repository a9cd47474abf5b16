/** What the benchmarks compare. */
import { existsSync } from 'node:fs';
import { ourServer, realServer } from '../../test/support/executables.js';
import { findRedisBenchmark } from './redis-benchmark.js';
import type { Contestants } from './throughput.js';

/** Both servers and the load generator, or a message that says what is missing. */
export function findContestants(): Contestants | string {
	const real = realServer();
	if (real === undefined) return 'no redis-server here: install one, or name one in REDIS_SERVER';
	const redisBenchmark = findRedisBenchmark(real.file);
	if (redisBenchmark === undefined) return 'no redis-benchmark here: install redis-tools';
	const ours = ourServer();
	const program = ours.args.at(-1) ?? ours.file;
	if (!existsSync(program)) return `our server is not built: ${program} is missing`;
	return { ours, real, redisBenchmark };
}
