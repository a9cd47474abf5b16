/**
 * SORT and SORT_RO: the elements of a list, set or sorted set, ordered by themselves or by values at other
 * keys, with values of other keys in their place.
 *
 * SORT … STORE reads keys that its arguments do not name, so the log gets its result: the deletion of the
 * old key, and RPUSH.
 */
import { parseInt64 } from '../base/numbers.js';
import {
	CAT_DANGEROUS,
	CAT_LIST,
	CAT_SET,
	CAT_SORTEDSET,
	type CommandSpec,
	command,
	DENYOOM,
	type GetKeys,
	KEY_ACCESS,
	KEY_OW,
	KEY_RO,
	KEY_UPDATE,
	type KeyPosition,
	type KeySpec,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../engine/errors.js';
import { NOTIFY_GENERIC, NOTIFY_LIST } from '../engine/settings.js';
import { ListValue } from '../types/list-value.js';
import { SetValue } from '../types/set-value.js';
import type { StringValue } from '../types/value.js';
import { ZSetValue } from '../types/zset-value.js';
import { type SortOrder, sortElements } from './sort-order.js';
import { type KeyPattern, lookupByPattern, parseKeyPattern } from './sort-pattern.js';

/** Elements in one RPUSH of the log. */
const EFFECT_ELEMENTS_MAX = 16 * 1024;

interface SortOptions {
	desc: boolean;
	alpha: boolean;
	/** Weights; undefined to sort by the elements themselves. */
	by: KeyPattern | undefined;
	/** BY names one key for all: the order is left as it is. */
	dontSort: boolean;
	gets: KeyPattern[];
	storeKey: string | undefined;
	limitStart: number;
	/** Negative: no limit. */
	limitCount: number;
}

/** Undefined after an error reply. */
function parseSortOptions(ctx: CommandContext, readOnly: boolean): SortOptions | undefined {
	const { args, settings } = ctx;
	const options: SortOptions = {
		desc: false,
		alpha: false,
		by: undefined,
		dontSort: false,
		gets: [],
		storeKey: undefined,
		limitStart: 0,
		limitCount: -1,
	};
	const fail = (text: string): undefined => {
		ctx.replyError(text);
		return undefined;
	};
	for (let i = 2; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		const left = args.length - i - 1;
		if (word === 'ASC') options.desc = false;
		else if (word === 'DESC') options.desc = true;
		else if (word === 'ALPHA') options.alpha = true;
		else if (word === 'LIMIT' && left >= 2) {
			const start = parseInt64(args[++i]!);
			const count = parseInt64(args[++i]!);
			if (start === undefined || count === undefined) return fail(ERR_NOT_INTEGER);
			options.limitStart = Number(start);
			options.limitCount = Number(count);
		} else if (word === 'STORE' && left >= 1 && !readOnly) {
			options.storeKey = args[++i]!;
		} else if (word === 'BY' && left >= 1) {
			const pattern = args[++i]!;
			options.by = parseKeyPattern(pattern);
			// As in Redis, one constant BY is enough, whatever other BY there are.
			if (!options.by.hasStar) options.dontSort = true;
			else if (settings.clusterEnabled) return fail('ERR BY option of SORT denied in Cluster mode.');
		} else if (word === 'GET' && left >= 1) {
			if (settings.clusterEnabled) return fail('ERR GET option of SORT denied in Cluster mode.');
			options.gets.push(parseKeyPattern(args[++i]!));
		} else {
			return fail(ERR_SYNTAX);
		}
	}
	return options;
}

/** The elements [start, end] of the result, both inclusive; none if `end < start`. */
interface SortRange {
	readonly start: number;
	readonly end: number;
}

function rangeOf(options: SortOptions, length: number): SortRange {
	const start = Math.min(Math.max(options.limitStart, 0), length);
	const count = Math.min(Math.max(options.limitCount, -1), length);
	if (start >= length) return { start: 0, end: -1 };
	return { start, end: count < 0 ? length - 1 : Math.min(start + count - 1, length - 1) };
}

type Sortable = ListValue | SetValue | ZSetValue;

/** The elements in the value's own order. */
function elementsOf(value: Sortable): string[] {
	const elements: string[] = [];
	if (value instanceof ListValue) {
		if (value.length > 0) value.visitRange(0, value.length - 1, (element) => elements.push(element));
	} else if (value instanceof SetValue) {
		for (let i = 0; i < value.size; i++) elements.push(value.memberAt(i));
	} else {
		value.forEach((member) => {
			elements.push(member);
		});
	}
	return elements;
}

/** The elements in the order asked for; undefined after an error reply. */
function orderedElements(ctx: CommandContext, value: Sortable, options: SortOptions): string[] | undefined {
	const elements = elementsOf(value);
	let { alpha, by, dontSort } = options;
	// A set has no order of its own: what is stored must not depend on how it is kept.
	if (dontSort && value instanceof SetValue && options.storeKey !== undefined) {
		dontSort = false;
		alpha = true;
		by = undefined;
	}
	if (dontSort) return options.desc && !(value instanceof SetValue) ? elements.reverse() : elements;
	const order: SortOrder = { alpha, desc: options.desc, by };
	const sorted = sortElements(ctx, elements, order);
	if (sorted === undefined) ctx.replyError("ERR One or more scores can't be converted into double");
	return sorted;
}

function sortGeneric(ctx: CommandContext, readOnly: boolean): void {
	const options = parseSortOptions(ctx, readOnly);
	if (options === undefined) return;
	const value = ctx.lookupRead(ctx.args[1]!);
	let elements: string[] | undefined = [];
	// As in Redis, a sorted set that is sorted is a skiplist from then on.
	if (value instanceof ZSetValue) value.prepareToAdd(Number.POSITIVE_INFINITY, ctx.settings);
	if (value instanceof ListValue || value instanceof SetValue || value instanceof ZSetValue)
		elements = orderedElements(ctx, value, options);
	else if (value !== undefined) return ctx.replyError(ERR_WRONGTYPE);
	if (elements === undefined) return;
	const range = rangeOf(options, elements.length);
	if (options.storeKey === undefined) replySorted(ctx, elements, range, options.gets);
	else storeSorted(ctx, elements, range, options.gets, options.storeKey);
}

function replySorted(
	ctx: CommandContext,
	elements: readonly string[],
	{ start, end }: SortRange,
	gets: readonly KeyPattern[],
): void {
	const { reply } = ctx;
	reply.array((end - start + 1) * Math.max(1, gets.length));
	for (let i = start; i <= end; i++) {
		const element = elements[i]!;
		if (gets.length === 0) reply.bulk(element);
		for (const get of gets) {
			const found: StringValue | undefined = lookupByPattern(ctx, get, element);
			if (found === undefined) reply.nil();
			else ctx.replyString(found);
		}
	}
}

function storeSorted(
	ctx: CommandContext,
	elements: readonly string[],
	{ start, end }: SortRange,
	gets: readonly KeyPattern[],
	storeKey: string,
): void {
	const { settings } = ctx;
	const hadKey = ctx.db.has(storeKey);
	const list = new ListValue();
	const stored: string[] = [];
	for (let i = start; i <= end; i++) {
		const element = elements[i]!;
		if (gets.length === 0) stored.push(element);
		for (const get of gets) {
			const found = lookupByPattern(ctx, get, element);
			stored.push(found === undefined ? '' : String(found));
		}
	}
	if (hadKey) ctx.addEffect(['DEL', storeKey]);
	ctx.suppressEffect();
	if (stored.length > 0) {
		for (const element of stored) list.appendBuilt(element, settings);
		list.convertBuilt(settings);
		ctx.setKey(storeKey, list);
		ctx.notify(NOTIFY_LIST, 'sortstore', storeKey);
		ctx.dirty += stored.length;
		for (let i = 0; i < stored.length; i += EFFECT_ELEMENTS_MAX)
			ctx.addEffect(['RPUSH', storeKey, ...stored.slice(i, i + EFFECT_ELEMENTS_MAX)]);
	} else if (ctx.deleteKey(storeKey)) {
		ctx.notify(NOTIFY_GENERIC, 'del', storeKey);
		ctx.dirty++;
	}
	ctx.reply.integer(stored.length);
}

function sortCommand(ctx: CommandContext): void {
	sortGeneric(ctx, false);
}

function sortroCommand(ctx: CommandContext): void {
	sortGeneric(ctx, true);
}

/** The sorted key, and the last STORE's. */
const sortGetKeys: GetKeys = (args) => {
	const keys: KeyPosition[] = [{ index: 1, flags: KEY_RO | KEY_ACCESS }];
	for (let i = 2; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'LIMIT') i += 2;
		else if (word === 'GET' || word === 'BY') i++;
		else if (word === 'STORE' && i + 1 < args.length) keys[1] = { index: i + 1, flags: KEY_OW | KEY_UPDATE };
	}
	return keys;
};

const sortroGetKeys: GetKeys = () => [{ index: 1, flags: KEY_RO | KEY_ACCESS }];

export function sortCommands(): CommandSpec[] {
	const unknown = (flags: number, notes: string): KeySpec => ({
		flags,
		begin: { kind: 'unknown' },
		find: { kind: 'unknown' },
		notes,
	});
	const patternKeys = unknown(
		KEY_RO | KEY_ACCESS,
		"For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the " +
			'content of the key we sort',
	);
	const storeKey = unknown(
		KEY_OW | KEY_UPDATE,
		"For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in " +
			'the argument array',
	);
	const readKeys = [...oneKey(KEY_RO | KEY_ACCESS), patternKeys];
	const categories = CAT_SET | CAT_SORTEDSET | CAT_LIST | CAT_DANGEROUS;
	return [
		command('sort', sortCommand, -2, WRITE | DENYOOM, [...readKeys, storeKey], categories, {
			getKeys: sortGetKeys,
		}),
		command('sort_ro', sortroCommand, -2, READONLY, readKeys, categories, { getKeys: sortroGetKeys }),
	];
}
