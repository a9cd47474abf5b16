/** LCS: the longest common subsequence of two strings, by the textbook table of lengths. */
import { parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import { isStringValue, stringOf } from '../types/value.js';

/** The table takes 4 bytes a cell; Redis too refuses what it cannot allocate. */
const TABLE_BYTES_MAX = 2 ** 31;

interface LcsOptions {
	lengthOnly: boolean;
	indexes: boolean;
	withMatchLength: boolean;
	minMatchLength: number;
}

function parseOptions(ctx: CommandContext): LcsOptions | undefined {
	const { args } = ctx;
	const options: LcsOptions = {
		lengthOnly: false,
		indexes: false,
		withMatchLength: false,
		minMatchLength: 0,
	};
	for (let i = 3; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'IDX') options.indexes = true;
		else if (word === 'LEN') options.lengthOnly = true;
		else if (word === 'WITHMATCHLEN') options.withMatchLength = true;
		else if (word === 'MINMATCHLEN' && i + 1 < args.length) {
			const n = parseInt64(args[++i]!);
			if (n === undefined) {
				ctx.replyError(ERR_NOT_INTEGER);
				return undefined;
			}
			options.minMatchLength = Math.max(0, Number(n));
		} else {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
	}
	if (options.indexes && options.lengthOnly) {
		ctx.replyError('ERR If you want both the length and indexes, please just use IDX.');
		return undefined;
	}
	return options;
}

export function longestCommonSubsequenceCommand(ctx: CommandContext): void {
	const valueA = ctx.lookupRead(ctx.args[1]!) ?? '';
	const valueB = ctx.lookupRead(ctx.args[2]!) ?? '';
	if (!isStringValue(valueA) || !isStringValue(valueB))
		return ctx.replyError('ERR The specified keys must contain string values');
	const options = parseOptions(ctx);
	if (options === undefined) return;
	const a = stringOf(valueA);
	const b = stringOf(valueB);
	const width = b.length + 1;
	if ((a.length + 1) * width * 4 > TABLE_BYTES_MAX)
		return ctx.replyError('ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len');
	const table = lengthTable(a, b);
	const total = table[a.length * width + b.length]!;
	if (options.lengthOnly) return ctx.reply.integer(total);
	const ranges: MatchRange[] = [];
	const text = backtrack(a, b, table, total, ranges);
	if (!options.indexes) return ctx.reply.bulk(text);
	const shown = ranges.filter((range) => range.length >= options.minMatchLength);
	const { reply } = ctx;
	reply.map(2);
	reply.bulk('matches');
	reply.array(shown.length);
	for (const { startA, startB, length } of shown) {
		reply.array(options.withMatchLength ? 3 : 2);
		for (const start of [startA, startB]) {
			reply.array(2);
			reply.integer(start);
			reply.integer(start + length - 1);
		}
		if (options.withMatchLength) reply.integer(length);
	}
	reply.bulk('len');
	reply.integer(total);
}

/** Cell (i, j), at `i * (b.length + 1) + j`: the length for the first i bytes of `a` and j of `b`. */
function lengthTable(a: string, b: string): Uint32Array {
	const width = b.length + 1;
	const table = new Uint32Array((a.length + 1) * width);
	for (let i = 1; i <= a.length; i++) {
		const code = a.charCodeAt(i - 1);
		for (let j = 1; j <= b.length; j++) {
			const at = i * width + j;
			if (code === b.charCodeAt(j - 1)) table[at] = table[at - width - 1]! + 1;
			else table[at] = Math.max(table[at - width]!, table[at - 1]!);
		}
	}
	return table;
}

interface MatchRange {
	startA: number;
	startB: number;
	length: number;
}

/** Walks the table back from its end; the ranges come out last first, as Redis reports them. */
function backtrack(a: string, b: string, table: Uint32Array, total: number, ranges: MatchRange[]): string {
	const width = b.length + 1;
	const bytes = Buffer.alloc(total);
	let left = total;
	let i = a.length;
	let j = b.length;
	let current: MatchRange | undefined;
	while (i > 0 && j > 0) {
		if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1)) {
			bytes[--left] = a.charCodeAt(i - 1);
			i--;
			j--;
			if (current !== undefined && current.startA === i + 1 && current.startB === j + 1) {
				current.startA = i;
				current.startB = j;
				current.length++;
			} else {
				current = { startA: i, startB: j, length: 1 };
				ranges.push(current);
			}
		} else if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) {
			i--;
		} else {
			j--;
		}
	}
	return bytes.toString('latin1');
}
