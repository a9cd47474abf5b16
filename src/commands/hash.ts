/** HSET, HGET and their kin (redis.io: the group "hash"). */
import {
	CAT_HASH,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_INSERT,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { NOTIFY_HASH } from '../engine/settings.js';
import { readHash, writeHash, writeOrCreateHash } from './hash-common.js';
import { hincrbyCommand, hincrbyfloatCommand } from './hash-increment.js';
import { hrandfieldCommand } from './hash-random.js';
import { parseCursor, parseScanOptions, replyEmptyScan, replyScan, scanMatches } from './scan-common.js';

/** HSET and HMSET up to the reply: the number of new fields, or -1 after an error reply. */
function setFields(ctx: CommandContext): number {
	const { args, settings } = ctx;
	if (args.length % 2 === 1) {
		ctx.replyWrongArity();
		return -1;
	}
	const key = args[1]!;
	const hash = writeOrCreateHash(ctx, key);
	if (hash === null) return -1;
	let created = 0;
	if (args.length === 4) {
		if (hash.set(args[2]!, args[3]!, settings)) created = 1;
	} else {
		hash.prepareToSet(args, 2, args.length - 1, settings);
		for (let i = 2; i < args.length; i += 2) if (hash.set(args[i]!, args[i + 1]!, settings)) created++;
	}
	ctx.signalModified(key);
	ctx.notify(NOTIFY_HASH, 'hset', key);
	ctx.dirty += (args.length - 2) / 2;
	return created;
}

function hsetCommand(ctx: CommandContext): void {
	const created = setFields(ctx);
	if (created >= 0) ctx.reply.integer(created);
}

function hmsetCommand(ctx: CommandContext): void {
	if (setFields(ctx) >= 0) ctx.reply.ok();
}

function hsetnxCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const hash = writeOrCreateHash(ctx, key);
	if (hash === null) return;
	if (hash.has(args[2]!)) return ctx.reply.integer(0);
	hash.set(args[2]!, args[3]!, ctx.settings);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_HASH, 'hset', key);
	ctx.dirty++;
	ctx.reply.integer(1);
}

function hgetCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash === null) return;
	const value = hash?.get(ctx.args[2]!);
	if (value === undefined) ctx.reply.nil();
	else ctx.reply.bulk(value);
}

function hmgetCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	const hash = readHash(ctx, args[1]!);
	if (hash === null) return;
	reply.array(args.length - 2);
	for (let i = 2; i < args.length; i++) {
		const value = hash?.get(args[i]!);
		if (value === undefined) reply.nil();
		else reply.bulk(value);
	}
}

function hdelCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const hash = writeHash(ctx, key);
	if (hash === null) return;
	if (hash === undefined) return ctx.reply.integer(0);
	let deleted = 0;
	for (let i = 2; i < args.length && hash.size > 0; i++) if (hash.delete(args[i]!)) deleted++;
	if (deleted > 0) {
		ctx.notify(NOTIFY_HASH, 'hdel', key);
		if (hash.size === 0) ctx.deleteEmptied(key);
		ctx.signalModified(key);
		ctx.dirty += deleted;
	}
	ctx.reply.integer(deleted);
}

function hlenCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash !== null) ctx.reply.integer(hash?.size ?? 0);
}

function hstrlenCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash !== null) ctx.reply.integer(hash?.get(ctx.args[2]!)?.length ?? 0);
}

function hexistsCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash !== null) ctx.reply.integer(hash?.has(ctx.args[2]!) ? 1 : 0);
}

function hkeysCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash === null) return;
	const size = hash?.size ?? 0;
	ctx.reply.array(size);
	for (let i = 0; i < size; i++) ctx.reply.bulk(hash!.fieldAt(i));
}

function hvalsCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash === null) return;
	const size = hash?.size ?? 0;
	ctx.reply.array(size);
	for (let i = 0; i < size; i++) ctx.reply.bulk(hash!.valueAt(i));
}

function hgetallCommand(ctx: CommandContext): void {
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash === null) return;
	const size = hash?.size ?? 0;
	ctx.reply.map(size);
	for (let i = 0; i < size; i++) {
		ctx.reply.bulk(hash!.fieldAt(i));
		ctx.reply.bulk(hash!.valueAt(i));
	}
}

function hscanCommand(ctx: CommandContext): void {
	const cursor = parseCursor(ctx, ctx.args[2]!);
	if (cursor === undefined) return;
	const hash = readHash(ctx, ctx.args[1]!);
	if (hash === null) return;
	if (hash === undefined) return replyEmptyScan(ctx);
	const options = parseScanOptions(ctx, 3, false);
	if (options === undefined) return;
	const found: string[] = [];
	const next = hash.scan(cursor, options.count, (field, value) => {
		if (scanMatches(options, field)) found.push(field, value);
	});
	replyScan(ctx, next, found);
}

export function hashCommands(): CommandSpec[] {
	const readEntry = oneKey(KEY_RO | KEY_ACCESS);
	const readMeta = oneKey(KEY_RO);
	const update = oneKey(KEY_RW | KEY_UPDATE);
	const increment = oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE);
	const unordered = { tips: ['nondeterministic_output_order'] };
	const random = { tips: ['nondeterministic_output'] };
	const writeFlags = WRITE | DENYOOM | FAST;
	return [
		command('hset', hsetCommand, -4, writeFlags, update, CAT_HASH),
		command('hmset', hmsetCommand, -4, writeFlags, update, CAT_HASH),
		command('hsetnx', hsetnxCommand, 4, writeFlags, oneKey(KEY_RW | KEY_INSERT), CAT_HASH),
		command('hget', hgetCommand, 3, READONLY | FAST, readEntry, CAT_HASH),
		command('hmget', hmgetCommand, -3, READONLY | FAST, readEntry, CAT_HASH),
		command('hdel', hdelCommand, -3, WRITE | FAST, oneKey(KEY_RW | KEY_DELETE), CAT_HASH),
		command('hlen', hlenCommand, 2, READONLY | FAST, readMeta, CAT_HASH),
		command('hstrlen', hstrlenCommand, 3, READONLY | FAST, readMeta, CAT_HASH),
		command('hexists', hexistsCommand, 3, READONLY | FAST, readMeta, CAT_HASH),
		command('hkeys', hkeysCommand, 2, READONLY, readEntry, CAT_HASH, unordered),
		command('hvals', hvalsCommand, 2, READONLY, readEntry, CAT_HASH, unordered),
		command('hgetall', hgetallCommand, 2, READONLY, readEntry, CAT_HASH, unordered),
		command('hincrby', hincrbyCommand, 4, writeFlags, increment, CAT_HASH),
		command('hincrbyfloat', hincrbyfloatCommand, 4, writeFlags, increment, CAT_HASH),
		command('hrandfield', hrandfieldCommand, -2, READONLY, readEntry, CAT_HASH, random),
		command('hscan', hscanCommand, -3, READONLY, readEntry, CAT_HASH, random),
	];
}
