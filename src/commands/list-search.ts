/** The commands that look for an element: LPOS, LINSERT, LREM. */
import { INT64_MAX, type Int64, parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_LIST } from '../engine/settings.js';
import type { ListValue } from '../types/list-value.js';
import { parseLong, parseLongFrom, readList, writeList } from './list-common.js';

const ERR_RANK_ZERO =
	"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... " +
	'or use negative to start from the end of the list';
const ERR_RANK_RANGE = `ERR value is out of range, value must between -${INT64_MAX} and ${INT64_MAX}`;

interface PositionOptions {
	/** The first match that counts, from 1; negative from the tail. */
	rank: number;
	/** The most matches, 0 for all; -1 if not given. */
	count: number;
	/** The most elements looked at, 0 for all. */
	lengthMax: number;
}

function parseRank(ctx: CommandContext, text: string): number | undefined {
	const rank: Int64 | undefined = parseInt64(text);
	let error = ERR_RANK_ZERO;
	if (rank === undefined) error = ERR_NOT_INTEGER;
	else if (rank < -INT64_MAX) error = ERR_RANK_RANGE;
	else if (rank !== 0) return Number(rank);
	ctx.replyError(error);
	return undefined;
}

function parsePositionOptions(ctx: CommandContext): PositionOptions | undefined {
	const { args } = ctx;
	const options: PositionOptions = { rank: 1, count: -1, lengthMax: 0 };
	for (let i = 3; i < args.length; i += 2) {
		const word = args[i]!.toUpperCase();
		let given: number | undefined;
		if (i + 1 >= args.length) {
			ctx.replyError(ERR_SYNTAX);
		} else if (word === 'RANK') {
			given = parseRank(ctx, args[i + 1]!);
			if (given !== undefined) options.rank = given;
		} else if (word === 'COUNT') {
			given = parseLongFrom(ctx, args[i + 1]!, 0, "ERR COUNT can't be negative");
			if (given !== undefined) options.count = given;
		} else if (word === 'MAXLEN') {
			given = parseLongFrom(ctx, args[i + 1]!, 0, "ERR MAXLEN can't be negative");
			if (given !== undefined) options.lengthMax = given;
		} else {
			ctx.replyError(ERR_SYNTAX);
		}
		if (given === undefined) return undefined;
	}
	return options;
}

/** The indexes of `element` that the options ask for, in the order of the search. */
function findPositions(list: ListValue, element: string, options: PositionOptions): number[] {
	const fromTail = options.rank < 0;
	const firstRank = Math.abs(options.rank);
	const wanted = options.count === -1 ? 1 : options.count;
	const lookCount = options.lengthMax === 0 ? list.length : Math.min(options.lengthMax, list.length);
	const found: number[] = [];
	const cursor = list.cursorAt(fromTail ? list.length - 1 : 0);
	let matches = 0;
	for (let looked = 0; looked < lookCount; looked++) {
		if (cursor.value === element && ++matches >= firstRank) {
			found.push(fromTail ? list.length - 1 - looked : looked);
			if (found.length === wanted) break;
		}
		if (fromTail) cursor.backward();
		else cursor.forward();
	}
	return found;
}

export function lposCommand(ctx: CommandContext): void {
	const options = parsePositionOptions(ctx);
	if (options === undefined) return;
	const list = readList(ctx, ctx.args[1]!);
	if (list === null) return;
	const { reply } = ctx;
	const found = list === undefined ? [] : findPositions(list, ctx.args[2]!, options);
	if (options.count === -1) {
		if (found.length === 0) reply.nil();
		else reply.integer(found[0]!);
		return;
	}
	reply.array(found.length);
	for (const position of found) reply.integer(position);
}

export function linsertCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const pivot = args[3]!;
	const element = args[4]!;
	const where = args[2]!.toUpperCase();
	if (where !== 'AFTER' && where !== 'BEFORE') return ctx.replyError(ERR_SYNTAX);
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.reply.integer(0);
	// Redis makes room before it looks for the pivot: the encoding shows it even if there is no pivot.
	list.prepareToGrow(1, element.length, ctx.settings);
	const cursor = list.cursorAt(0);
	let index = 0;
	while (cursor.valid && cursor.value !== pivot) {
		cursor.forward();
		index++;
	}
	if (!cursor.valid) return ctx.reply.integer(-1);
	if (where === 'AFTER') list.insertAfter(index, element, ctx.settings);
	else list.insertBefore(index, element, ctx.settings);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_LIST, 'linsert', key);
	ctx.dirty++;
	ctx.reply.integer(list.length);
}

export function lremCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const count = parseLong(ctx, args[2]!);
	if (count === undefined) return;
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.reply.integer(0);
	const removed = list.removeMatching(args[3]!, count, ctx.settings);
	if (removed > 0) {
		ctx.signalModified(key);
		ctx.notify(NOTIFY_LIST, 'lrem', key);
		if (list.length === 0) ctx.deleteEmptied(key);
		ctx.dirty += removed;
	}
	ctx.reply.integer(removed);
}
