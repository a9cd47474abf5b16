/**
 * `npm run bench`: ours against the installed redis-server, started with the same options, taking turns under
 * redis-benchmark. Prints ratios with their spread, and memory per key.
 */
import { serverVersion } from '../../test/support/executables.js';
import { findContestants } from './contestants.js';
import { type MemoryResult, measureMemory, VALUE_SIZES } from './memory.js';
import { type BenchOptions, parseOptions, USAGE } from './options.js';
import { Progress } from './progress.js';
import { memoryTable, ratioSpread, throughputTables } from './report.js';
import { type Cell, type CellResult, type Contestants, measureCell } from './throughput.js';
import { WORKLOADS } from './workloads.js';

async function main(args: readonly string[]): Promise<number> {
	if (args.includes('--help')) {
		console.log(USAGE);
		return 0;
	}
	const options = parseOptions(args);
	if (typeof options === 'string') {
		console.error(`bench: ${options}\n\n${USAGE}`);
		return 2;
	}
	const contestants = findContestants();
	if (typeof contestants === 'string') {
		console.error(`bench: ${contestants}`);
		return 1;
	}
	const { throughput, memory } = await measureAll(contestants, options);
	const version = serverVersion(contestants.real);
	const versionText = [Math.floor(version / 10_000), Math.floor(version / 100) % 100, version % 100].join(
		'.',
	);
	if (options.json) {
		const withRatios = throughput.map((result) => ({ ...result, ratio: ratioSpread(result) }));
		console.log(JSON.stringify({ realVersion: versionText, throughput: withRatios, memory }, null, '\t'));
		return 0;
	}
	console.log(
		`tsredis / Redis ${versionText}: median (min-max) of ${options.roundCount} rounds, and Redis's requests/s\n`,
	);
	if (throughput.length > 0) console.log(`${throughputTables(throughput)}\n`);
	if (memory.length > 0) console.log(`${options.memoryKeyCount} keys\n\n${memoryTable(memory)}`);
	return 0;
}

async function measureAll(
	contestants: Contestants,
	options: BenchOptions,
): Promise<{ throughput: CellResult[]; memory: MemoryResult[] }> {
	const cells: Cell[] = options.policies.flatMap((policy) =>
		options.tests.flatMap((test) => options.pipelines.map((pipeline) => ({ policy, test, pipeline }))),
	);
	const valueSizes = options.memoryKeyCount > 0 ? VALUE_SIZES : [];
	const progress = new Progress(cells.length + valueSizes.length);
	const throughput: CellResult[] = [];
	for (const cell of cells) {
		progress.show(`${cell.policy} ${cell.test} pipeline ${cell.pipeline}`);
		const workload = WORKLOADS.find((candidate) => candidate.name === cell.test)!;
		throughput.push(await measureCell(contestants, cell, workload, options.roundCount, options.runSeconds));
		progress.advance();
	}
	const memory: MemoryResult[] = [];
	for (const valueSize of valueSizes) {
		progress.show(`memory, values of ${valueSize} bytes`);
		memory.push(await measureMemory(contestants, options.memoryKeyCount, valueSize));
		progress.advance();
	}
	progress.clear();
	return { throughput, memory };
}

process.exitCode = await main(process.argv.slice(2));
