/** The command line of the benchmark. */
import { WORKLOADS } from './workloads.js';

export const POLICIES = ['no-log', 'everysec', 'always'] as const;
/** `no-log` is `appendonly no`; the others are `appendonly yes` with that `appendfsync`. */
export type Policy = (typeof POLICIES)[number];

export interface BenchOptions {
	/** Names of workloads, in the order of the table. */
	readonly tests: readonly string[];
	/** Requests in flight on a connection; 1 is no pipeline. */
	readonly pipelines: readonly number[];
	readonly policies: readonly Policy[];
	/** Runs of each server in each cell of the table. */
	readonly roundCount: number;
	/** What a run should take. */
	readonly runSeconds: number;
	/** Keys of the memory measurement; 0 leaves it out. */
	readonly memoryKeyCount: number;
	readonly json: boolean;
}

export const USAGE = `usage: npm run bench -- [options]

  --tests SET,GET,…      which of: ${WORKLOADS.map((workload) => workload.name).join(', ')}; or none
  --pipelines none,16,64 requests in flight on each of the 50 connections
  --policies no,…        which of: no (appendonly no), everysec, always
  --rounds 5             runs of each server in each cell; the table shows median, minimum and maximum
  --seconds 1            what a run should take
  --memory-keys 1000000  keys of the memory measurement; 0 leaves it out
  --quick                SET, GET, INCR, LPUSH with everysec, short runs, no memory measurement
  --json                 the figures as JSON on standard output

The real server is the redis-server in PATH, or REDIS_SERVER; redis-benchmark is looked for beside it, then in
PATH.`;

const DEFAULTS: BenchOptions = {
	tests: WORKLOADS.map((workload) => workload.name),
	pipelines: [1, 16, 64],
	policies: POLICIES,
	roundCount: 5,
	runSeconds: 1,
	memoryKeyCount: 1_000_000,
	json: false,
};
const QUICK: Partial<BenchOptions> = {
	tests: ['SET', 'GET', 'INCR', 'LPUSH'],
	policies: ['everysec'],
	roundCount: 3,
	runSeconds: 0.4,
	memoryKeyCount: 0,
};

/** What the arguments ask for, or a message that says what is wrong with them. */
export function parseOptions(args: readonly string[]): BenchOptions | string {
	let options: BenchOptions = args.includes('--quick') ? { ...DEFAULTS, ...QUICK } : DEFAULTS;
	for (let index = 0; index < args.length; index++) {
		const name = args[index]!;
		if (name === '--quick') continue;
		if (name === '--json') {
			options = { ...options, json: true };
			continue;
		}
		const [flag, inline] = name.split('=', 2) as [string, string | undefined];
		const value = inline ?? args[++index];
		if (value === undefined) return `${flag} needs a value`;
		const changed = parseOne(flag, value);
		if (typeof changed === 'string') return changed;
		options = { ...options, ...changed };
	}
	return options;
}

function parseOne(flag: string, value: string): Partial<BenchOptions> | string {
	const words = value.split(',').filter((word) => word !== '');
	switch (flag) {
		case '--tests': {
			if (value === 'none') return { tests: [] };
			const tests = words.map((word) => word.toUpperCase());
			const unknown = tests.find((test) => !WORKLOADS.some((workload) => workload.name === test));
			return unknown === undefined ? { tests } : `no such test: ${unknown}`;
		}
		case '--pipelines': {
			const pipelines = words.map((word) => (word === 'none' ? 1 : Number(word)));
			return pipelines.every((count) => Number.isInteger(count) && count > 0)
				? { pipelines }
				: `not a pipeline: ${value}`;
		}
		case '--policies': {
			const policies = words.map((word) => (word === 'no' ? 'no-log' : word) as Policy);
			return policies.every((policy) => POLICIES.includes(policy))
				? { policies }
				: `no such policy: ${value}`;
		}
		case '--rounds':
			return numeric(value, 'rounds', (roundCount) => ({ roundCount: Math.ceil(roundCount) }));
		case '--seconds':
			return numeric(value, 'seconds', (runSeconds) => ({ runSeconds }));
		case '--memory-keys':
			return value === '0'
				? { memoryKeyCount: 0 }
				: numeric(value, 'keys', (memoryKeyCount) => ({ memoryKeyCount }));
		default:
			return `no such option: ${flag}`;
	}
}

function numeric(
	value: string,
	what: string,
	make: (n: number) => Partial<BenchOptions>,
): Partial<BenchOptions> | string {
	const n = Number(value);
	return n > 0 ? make(n) : `not a number of ${what}: ${value}`;
}
