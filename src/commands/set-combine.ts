/**
 * SINTER, SUNION, SDIFF, their STORE variants, and SINTERCARD.
 *
 * The results are built as Redis 7.2 builds them (t_set.c), so that a stored result has the encoding that
 * it has there.
 */
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_GENERIC, NOTIFY_SET } from '../engine/settings.js';
import { SetValue } from '../types/set-value.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { readSet, replyMembers } from './set-common.js';

/**
 * The sets at the keys `args[from]` to before `args[to]`, undefined standing for a missing one; undefined
 * after an error reply, since some key is of another type.
 */
function readSets(ctx: CommandContext, from: number, to: number): (SetValue | undefined)[] | undefined {
	const sets: (SetValue | undefined)[] = [];
	for (let i = from; i < to; i++) {
		const set = readSet(ctx, ctx.args[i]!);
		if (set === null) return undefined;
		sets.push(set);
	}
	return sets;
}

/** Stores a result at `args[1]`, which it replaces; an empty one deletes the key. */
function storeResult(ctx: CommandContext, result: SetValue | undefined, event: string): void {
	const key = ctx.args[1]!;
	if (result !== undefined && result.size > 0) {
		ctx.setKey(key, result);
		ctx.notify(NOTIFY_SET, event, key);
		ctx.dirty++;
	} else if (ctx.deleteKey(key)) {
		ctx.notify(NOTIFY_GENERIC, 'del', key);
		ctx.dirty++;
	}
	ctx.reply.integer(result?.size ?? 0);
}

// ---- intersection -----------------------------------------------------------------------------------

/** The sets by ascending size; undefined if one is missing, so that the intersection is empty. */
function bySize(sets: readonly (SetValue | undefined)[]): SetValue[] | undefined {
	const present = sets.filter((set) => set !== undefined);
	return present.length < sets.length ? undefined : present.sort((a, b) => a.size - b.size);
}

/** Whether all sets but the first have the member. */
function inOthers(sets: readonly SetValue[], member: string): boolean {
	for (let i = 1; i < sets.length; i++) {
		if (sets[i] !== sets[0] && !sets[i]!.has(member)) return false;
	}
	return true;
}

export function smembersCommand(ctx: CommandContext): void {
	const set = readSet(ctx, ctx.args[1]!);
	if (set === null) return;
	if (set === undefined) ctx.reply.set(0);
	else replyMembers(ctx, set);
}

export function sinterCommand(ctx: CommandContext): void {
	const found = readSets(ctx, 1, ctx.args.length);
	if (found === undefined) return;
	const sets = bySize(found);
	if (sets === undefined) return ctx.reply.set(0);
	const smallest = sets[0]!;
	const members: string[] = [];
	for (let i = 0; i < smallest.size; i++) {
		const member = smallest.memberAt(i);
		if (inOthers(sets, member)) members.push(member);
	}
	ctx.reply.set(members.length);
	for (const member of members) ctx.reply.bulk(member);
}

export function sinterstoreCommand(ctx: CommandContext): void {
	const found = readSets(ctx, 2, ctx.args.length);
	if (found === undefined) return;
	const sets = bySize(found);
	if (sets === undefined) return storeResult(ctx, undefined, '');
	const smallest = sets[0]!;
	const result = new SetValue(smallest.encoding === 'intset' ? 'intset' : 'listpack');
	for (let i = 0; i < smallest.size; i++) {
		const member = smallest.memberAt(i);
		if (inOthers(sets, member)) result.add(member, ctx.settings);
	}
	if (result.size > 0) result.convertToIntset(ctx.settings);
	storeResult(ctx, result, 'sinterstore');
}

export function sintercardCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const keyCount = parseInRange(ctx, args[1]!, 1, LONG_MAX, 'ERR numkeys should be greater than 0');
	if (keyCount === undefined) return;
	if (keyCount > args.length - 2)
		return ctx.replyError("ERR Number of keys can't be greater than number of args");
	const end = 2 + Number(keyCount);
	let limit = 0;
	for (let i = end; i < args.length; i += 2) {
		if (args[i]!.toUpperCase() !== 'LIMIT' || i + 1 === args.length) return ctx.replyError(ERR_SYNTAX);
		const given = parseInRange(ctx, args[i + 1]!, 0, LONG_MAX, "ERR LIMIT can't be negative");
		if (given === undefined) return;
		limit = Number(given);
	}
	const found = readSets(ctx, 2, end);
	if (found === undefined) return;
	const sets = bySize(found);
	if (sets === undefined) return ctx.reply.integer(0);
	const smallest = sets[0]!;
	let cardinality = 0;
	for (let i = 0; i < smallest.size; i++) {
		if (!inOthers(sets, smallest.memberAt(i))) continue;
		cardinality++;
		if (cardinality === limit) break;
	}
	ctx.reply.integer(cardinality);
}

// ---- union and difference ---------------------------------------------------------------------------

function addAll(ctx: CommandContext, target: SetValue, source: SetValue): void {
	for (let i = 0; i < source.size; i++) target.add(source.memberAt(i), ctx.settings);
}

function union(ctx: CommandContext, sets: readonly (SetValue | undefined)[]): SetValue {
	const result = new SetValue();
	for (const set of sets) if (set !== undefined) addAll(ctx, result, set);
	return result;
}

/**
 * The members of the first set that are in none of the others: by looking each of them up in the others,
 * or, where that is more work, by removing the members of the others from a copy.
 */
function difference(ctx: CommandContext, sets: readonly (SetValue | undefined)[]): SetValue {
	const result = new SetValue();
	const first = sets[0];
	const others = sets.slice(1).filter((set) => set !== undefined);
	if (first === undefined || others.includes(first)) return result;
	let removals = first.size;
	for (const other of others) removals += other.size;
	// Looking up is the cheaper operation: it counts half (Redis's weights).
	if (Math.floor((first.size * (others.length + 1)) / 2) <= removals) {
		others.sort((a, b) => b.size - a.size);
		for (let i = 0; i < first.size; i++) {
			const member = first.memberAt(i);
			if (!inAny(others, member)) result.add(member, ctx.settings);
		}
		return result;
	}
	addAll(ctx, result, first);
	for (const other of others) {
		for (let i = 0; i < other.size && result.size > 0; i++) result.remove(other.memberAt(i));
	}
	return result;
}

function inAny(sets: readonly SetValue[], member: string): boolean {
	for (const set of sets) if (set.has(member)) return true;
	return false;
}

export function sunionCommand(ctx: CommandContext): void {
	const sets = readSets(ctx, 1, ctx.args.length);
	if (sets !== undefined) replyMembers(ctx, union(ctx, sets));
}

export function sunionstoreCommand(ctx: CommandContext): void {
	const sets = readSets(ctx, 2, ctx.args.length);
	if (sets !== undefined) storeResult(ctx, union(ctx, sets), 'sunionstore');
}

export function sdiffCommand(ctx: CommandContext): void {
	const sets = readSets(ctx, 1, ctx.args.length);
	if (sets !== undefined) replyMembers(ctx, difference(ctx, sets));
}

export function sdiffstoreCommand(ctx: CommandContext): void {
	const sets = readSets(ctx, 2, ctx.args.length);
	if (sets !== undefined) storeResult(ctx, difference(ctx, sets), 'sdiffstore');
}
