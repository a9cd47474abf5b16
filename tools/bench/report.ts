/** The figures as tables for people. Ratios are ours / real: above 1 is faster, or for memory, larger. */
import type { MemoryResult } from './memory.js';
import type { Policy } from './options.js';
import type { CellResult } from './throughput.js';

/** Median, least and greatest of the ratios of the rounds. */
export interface Spread {
	readonly median: number;
	readonly min: number;
	readonly max: number;
}

export function ratioSpread(result: CellResult): Spread {
	const ratios = result.ours.map((figure, round) => figure / result.real[round]!).sort((a, b) => a - b);
	return { median: median(ratios), min: ratios[0]!, max: ratios.at(-1)! };
}

/** A table for each policy: a row for each test, a column for each pipeline. */
export function throughputTables(results: readonly CellResult[]): string {
	const policies = [...new Set(results.map((result) => result.policy))];
	return policies
		.map((policy) =>
			throughputTable(
				policy,
				results.filter((result) => result.policy === policy),
			),
		)
		.join('\n\n');
}

function throughputTable(policy: Policy, results: readonly CellResult[]): string {
	const pipelines = [...new Set(results.map((result) => result.pipeline))];
	const rows = [
		[title(policy), ...pipelines.map((count) => (count === 1 ? 'no pipeline' : `pipeline ${count}`))],
	];
	for (const test of new Set(results.map((result) => result.test))) {
		const cells = pipelines.map((pipeline) => {
			const result = results.find((candidate) => candidate.test === test && candidate.pipeline === pipeline);
			if (result === undefined) return '';
			const { median: middle, min, max } = ratioSpread(result);
			const real = Math.round(median(sorted(result.real)) / 1000);
			return `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)}) of ${real}k`;
		});
		rows.push([test, ...cells]);
	}
	return alignColumns(rows);
}

export function memoryTable(results: readonly MemoryResult[]): string {
	const rows = [
		['bytes per key', 'ours, used', 'real, used', 'ratio', 'ours, resident', 'real, resident', 'ratio'],
	];
	for (const { valueSize, ours, real } of results) {
		rows.push([
			`16-byte key, ${valueSize}-byte value`,
			ours.usedBytes.toFixed(0),
			real.usedBytes.toFixed(0),
			(ours.usedBytes / real.usedBytes).toFixed(2),
			ours.residentBytes.toFixed(0),
			real.residentBytes.toFixed(0),
			(ours.residentBytes / real.residentBytes).toFixed(2),
		]);
	}
	return alignColumns(rows);
}

function title(policy: Policy): string {
	return policy === 'no-log' ? 'appendonly no' : `appendfsync ${policy}`;
}

function median(ascending: readonly number[]): number {
	const middle = ascending.length >> 1;
	return ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2;
}

function sorted(figures: readonly number[]): number[] {
	return [...figures].sort((a, b) => a - b);
}

/** Markdown, readable as it stands. */
function alignColumns(rows: readonly (readonly string[])[]): string {
	const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
	const lines = rows.map(
		(row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`,
	);
	lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
	return lines.join('\n');
}
