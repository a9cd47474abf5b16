/** SADD, SREM and their kin (redis.io: the group "set"). */
import {
	CAT_SET,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_INSERT,
	KEY_OW,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	keyNum,
	keyRange,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_WRONGTYPE } from '../engine/errors.js';
import { NOTIFY_GENERIC, NOTIFY_SET } from '../engine/settings.js';
import { SetValue } from '../types/set-value.js';
import { parseCursor, parseScanOptions, replyEmptyScan, replyScan, scanMatches } from './scan-common.js';
import {
	sdiffCommand,
	sdiffstoreCommand,
	sinterCommand,
	sintercardCommand,
	sinterstoreCommand,
	smembersCommand,
	sunionCommand,
	sunionstoreCommand,
} from './set-combine.js';
import { readSet, writeSet } from './set-common.js';
import { spopCommand, srandmemberCommand } from './set-random.js';

function saddCommand(ctx: CommandContext): void {
	const { args, settings } = ctx;
	const key = args[1]!;
	let set = writeSet(ctx, key);
	if (set === null) return;
	if (set === undefined) {
		set = SetValue.forAdding(args[2]!, args.length - 2, settings);
		ctx.addKey(key, set);
	} else {
		set.prepareToAdd(args.length - 2, settings);
	}
	let added = 0;
	for (let i = 2; i < args.length; i++) if (set.add(args[i]!, settings)) added++;
	if (added > 0) {
		ctx.signalModified(key);
		ctx.notify(NOTIFY_SET, 'sadd', key);
		ctx.dirty += added;
	}
	ctx.reply.integer(added);
}

function sremCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const set = writeSet(ctx, key);
	if (set === null) return;
	if (set === undefined) return ctx.reply.integer(0);
	let removed = 0;
	for (let i = 2; i < args.length && set.size > 0; i++) if (set.remove(args[i]!)) removed++;
	if (removed > 0) {
		ctx.notify(NOTIFY_SET, 'srem', key);
		if (set.size === 0) ctx.deleteEmptied(key);
		ctx.signalModified(key);
		ctx.dirty += removed;
	}
	ctx.reply.integer(removed);
}

function smoveCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	const [, from, to, member] = args as [string, string, string, string];
	const source = ctx.lookupWrite(from);
	const existing = ctx.lookupWrite(to);
	// Without a source the type of the destination does not matter.
	if (source === undefined) return reply.integer(0);
	if (!(source instanceof SetValue)) return ctx.replyError(ERR_WRONGTYPE);
	if (existing !== undefined && !(existing instanceof SetValue)) return ctx.replyError(ERR_WRONGTYPE);
	if (source === existing) return reply.integer(source.has(member) ? 1 : 0);
	if (!source.remove(member)) return reply.integer(0);
	ctx.notify(NOTIFY_SET, 'srem', from);
	if (source.size === 0) {
		ctx.db.delete(from);
		ctx.notify(NOTIFY_GENERIC, 'del', from);
	}
	let target = existing;
	if (target === undefined) {
		target = SetValue.forAdding(member, 1, ctx.settings);
		ctx.addKey(to, target);
	}
	ctx.signalModified(from);
	ctx.dirty++;
	if (target.add(member, ctx.settings)) {
		ctx.dirty++;
		ctx.signalModified(to);
		ctx.notify(NOTIFY_SET, 'sadd', to);
	}
	reply.integer(1);
}

function sismemberCommand(ctx: CommandContext): void {
	const set = readSet(ctx, ctx.args[1]!);
	if (set !== null) ctx.reply.integer(set?.has(ctx.args[2]!) ? 1 : 0);
}

function smismemberCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	const set = readSet(ctx, args[1]!);
	if (set === null) return;
	reply.array(args.length - 2);
	for (let i = 2; i < args.length; i++) reply.integer(set?.has(args[i]!) ? 1 : 0);
}

function scardCommand(ctx: CommandContext): void {
	const set = readSet(ctx, ctx.args[1]!);
	if (set !== null) ctx.reply.integer(set?.size ?? 0);
}

function sscanCommand(ctx: CommandContext): void {
	const cursor = parseCursor(ctx, ctx.args[2]!);
	if (cursor === undefined) return;
	const set = readSet(ctx, ctx.args[1]!);
	if (set === null) return;
	if (set === undefined) return replyEmptyScan(ctx);
	const options = parseScanOptions(ctx, 3, false);
	if (options === undefined) return;
	const found: string[] = [];
	const next = set.scan(cursor, options.count, (member) => {
		if (scanMatches(options, member)) found.push(member);
	});
	replyScan(ctx, next, found);
}

export function setCommands(): CommandSpec[] {
	const readEntry = oneKey(KEY_RO | KEY_ACCESS);
	const readMeta = oneKey(KEY_RO);
	const readAll = keyRange(KEY_RO | KEY_ACCESS, 1, -1);
	const sources = keyRange(KEY_RO | KEY_ACCESS, 2, -1);
	const unordered = { tips: ['nondeterministic_output_order'] };
	const random = { tips: ['nondeterministic_output'] };
	const storeKeys = [...oneKey(KEY_OW | KEY_UPDATE), ...sources];
	const interStoreKeys = [...oneKey(KEY_RW | KEY_UPDATE), ...sources];
	const moveKeys = [...oneKey(KEY_RW | KEY_ACCESS | KEY_DELETE), ...oneKey(KEY_RW | KEY_INSERT, 2)];
	const popKeys = oneKey(KEY_RW | KEY_ACCESS | KEY_DELETE);
	return [
		command('sadd', saddCommand, -3, WRITE | DENYOOM | FAST, oneKey(KEY_RW | KEY_INSERT), CAT_SET),
		command('srem', sremCommand, -3, WRITE | FAST, oneKey(KEY_RW | KEY_DELETE), CAT_SET),
		command('smove', smoveCommand, 4, WRITE | FAST, moveKeys, CAT_SET),
		command('sismember', sismemberCommand, 3, READONLY | FAST, readMeta, CAT_SET),
		command('smismember', smismemberCommand, -3, READONLY | FAST, readEntry, CAT_SET),
		command('scard', scardCommand, 2, READONLY | FAST, readMeta, CAT_SET),
		command('spop', spopCommand, -2, WRITE | FAST, popKeys, CAT_SET, random),
		command('srandmember', srandmemberCommand, -2, READONLY, readEntry, CAT_SET, random),
		command('sinter', sinterCommand, -2, READONLY, readAll, CAT_SET, unordered),
		command('sintercard', sintercardCommand, -3, READONLY, keyNum(KEY_RO | KEY_ACCESS, 1), CAT_SET),
		command('sinterstore', sinterstoreCommand, -3, WRITE | DENYOOM, interStoreKeys, CAT_SET),
		command('sunion', sunionCommand, -2, READONLY, readAll, CAT_SET, unordered),
		command('sunionstore', sunionstoreCommand, -3, WRITE | DENYOOM, storeKeys, CAT_SET),
		command('sdiff', sdiffCommand, -2, READONLY, readAll, CAT_SET, unordered),
		command('sdiffstore', sdiffstoreCommand, -3, WRITE | DENYOOM, storeKeys, CAT_SET),
		command('smembers', smembersCommand, 2, READONLY, readEntry, CAT_SET, unordered),
		command('sscan', sscanCommand, -3, READONLY, readEntry, CAT_SET, random),
	];
}
