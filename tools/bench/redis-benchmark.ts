/** Runs of the redis-benchmark program. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { findInPath } from '../../test/support/executables.js';
import { KEYSPACE_SIZE, type Workload } from './workloads.js';

const run = promisify(execFile);

/** The program: beside the real server, or in PATH; undefined if there is none. */
export function findRedisBenchmark(realServerFile: string): string | undefined {
	const beside = join(dirname(realServerFile), 'redis-benchmark');
	return existsSync(beside) ? beside : findInPath('redis-benchmark');
}

/** One run against `port`; requests per second. Throws if the program fails or prints no figure. */
export async function requestsPerSecond(
	file: string,
	port: number,
	workload: Workload,
	pipeline: number,
	requestCount: number,
): Promise<number> {
	const options = [
		'-p',
		String(port),
		'-n',
		String(requestCount),
		'-P',
		String(pipeline),
		'-r',
		String(KEYSPACE_SIZE),
	];
	const { stdout, stderr } = await run(file, [...options, '--csv', ...workload.args], { encoding: 'latin1' });
	const lines = stdout
		.trim()
		.split('\n')
		.filter((line) => /^"[^"]*","[\d.]+"/.test(line));
	const figure = Number(/^"[^"]*","([\d.]+)"/.exec(lines.at(-1) ?? '')?.[1]);
	if (!(figure > 0))
		throw new Error(`redis-benchmark printed no figure for ${workload.name}: ${stdout}${stderr}`);
	return figure;
}
