/** DEL, EXISTS, TYPE, KEYS, SCAN and their kin (redis.io: the group "generic"). */
import { globMatch } from '../base/glob.js';
import {
	CAT_DANGEROUS,
	CAT_KEYSPACE,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_INSERT,
	KEY_OW,
	KEY_RM,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	keyRange,
	NO_KEYS,
	oneKey,
	READONLY,
	TOUCHES_ARBITRARY_KEYS,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_GENERIC } from '../engine/settings.js';
import { isStringValue, typeName, type Value } from '../types/value.js';
import { expireCommands } from './expire.js';
import { copyCommand, moveCommand, renameCommand, renamenxCommand, swapdbCommand } from './generic-move.js';
import { objectCommands } from './object.js';
import { parseCursor, parseScanOptions, replyScan, scanMatches } from './scan-common.js';
import { sortCommands } from './sort.js';

/** Values of at least this many elements count as freed lazily (INFO stats, lazyfreed_objects). */
const LAZY_FREE_EFFORT_MIN = 65;
/** Draws of RANDOMKEY where expired keys cannot be deleted, so that it comes to an end. */
const RANDOM_KEY_TRIES_MAX = 100;

// ---- deletion ---------------------------------------------------------------------------------------

function delCommand(ctx: CommandContext): void {
	deleteKeys(ctx, ctx.settings.lazyfreeLazyUserDel);
}

/** To us as DEL is: the memory goes with the garbage collector, bit by bit. Only the statistics differ. */
function unlinkCommand(ctx: CommandContext): void {
	deleteKeys(ctx, true);
}

function deleteKeys(ctx: CommandContext, lazily: boolean): void {
	const { args } = ctx;
	let deleted = 0;
	for (let i = 1; i < args.length; i++) {
		const key = args[i]!;
		const value = ctx.peek(key);
		if (!ctx.deleteKey(key)) continue;
		if (lazily && value !== undefined && freeEffort(value) >= LAZY_FREE_EFFORT_MIN)
			ctx.engine.stats.lazyfreedObjects++;
		ctx.notify(NOTIFY_GENERIC, 'del', key);
		deleted++;
	}
	ctx.dirty += deleted;
	ctx.reply.integer(deleted);
}

/** The number of allocations that a value is made of in Redis, as far as its encoding is one of many (lazyfree.c). */
function freeEffort(value: Value): number {
	if (isStringValue(value)) return 1;
	switch (value.encoding) {
		case 'hashtable':
		case 'skiplist':
			return value.size;
		case 'quicklist':
			return value.nodes;
		default:
			return 1;
	}
}

/** FLUSHDB, and FLUSHALL for `dbId` -1. */
function flush(ctx: CommandContext, dbId: number): void {
	const { args, engine, settings } = ctx;
	const mode = args.length === 2 ? args[1]!.toUpperCase() : '';
	if (args.length > 2 || (mode !== '' && mode !== 'SYNC' && mode !== 'ASYNC'))
		return ctx.replyError(ERR_SYNTAX);
	const removed = engine.emptyDatabases(dbId);
	if (mode === 'ASYNC' || (mode === '' && settings.lazyfreeLazyUserFlush))
		engine.stats.lazyfreedObjects += removed;
	// Clients may wait for what happens to a key, its disappearance included.
	for (const db of engine.dbs) if (dbId === -1 || db.id === dbId) engine.blocking.signalAllWaiting(db);
	// With a snapshot of that there are no changes since the last one.
	const isSaved = dbId === -1 && engine.onFlushAll?.() === true;
	if (!isSaved) ctx.dirty += removed;
	// Logged in any case: replicas and readers of the log see that it was said.
	if (ctx.dirty === 0) ctx.addEffect(args);
	ctx.reply.ok();
}

function flushdbCommand(ctx: CommandContext): void {
	flush(ctx, ctx.db.id);
}

function flushallCommand(ctx: CommandContext): void {
	flush(ctx, -1);
}

// ---- looking at keys --------------------------------------------------------------------------------

function existsCommand(ctx: CommandContext): void {
	const { args } = ctx;
	let count = 0;
	for (let i = 1; i < args.length; i++) if (ctx.lookupReadNoTouch(args[i]!) !== undefined) count++;
	ctx.reply.integer(count);
}

/** Touches even for a client that asked not to (CLIENT NO-TOUCH): it is what the command is for. */
function touchCommand(ctx: CommandContext): void {
	const { args, db } = ctx;
	let count = 0;
	for (let i = 1; i < args.length; i++) {
		if (ctx.lookupRead(args[i]!) === undefined) continue;
		count++;
		if (ctx.client.noTouch) db.getAndTouch(args[i]!, ctx.accessClock);
	}
	ctx.reply.integer(count);
}

function typeCommand(ctx: CommandContext): void {
	const value = ctx.lookupReadNoTouch(ctx.args[1]!);
	ctx.reply.simple(value === undefined ? 'none' : typeName(value));
}

function dbsizeCommand(ctx: CommandContext): void {
	ctx.reply.integer(ctx.db.size);
}

/** Expired keys are passed over but stay: KEYS deletes nothing. */
function keysCommand(ctx: CommandContext): void {
	const { db, nowMs, reply } = ctx;
	const pattern = ctx.args[1]!;
	const mayExpire = db.expires.size > 0 && !ctx.engine.loading;
	const found: string[] = [];
	db.forEach((key) => {
		if (pattern !== '*' && !globMatch(pattern, key)) return;
		if (mayExpire) {
			const expireAtMs = db.expires.get(key);
			if (expireAtMs !== undefined && nowMs > expireAtMs) return;
		}
		found.push(key);
	});
	reply.array(found.length);
	for (const key of found) reply.bulk(key);
}

function scanCommand(ctx: CommandContext): void {
	const cursor = parseCursor(ctx, ctx.args[1]!);
	if (cursor === undefined) return;
	const options = parseScanOptions(ctx, 2, true);
	if (options === undefined) return;
	const found: string[] = [];
	const next = ctx.db.scan(cursor, options.count, (key) => {
		if (scanMatches(options, key)) found.push(key);
	});
	const { type } = options;
	if (type === undefined && ctx.db.expires.size === 0) return replyScan(ctx, next, found);
	// Looking a key up deletes it if it has expired, which must wait until the walk has ended. Keys of other
	// types are looked up too, as in Redis 7.2.
	const present = found.filter((key) => {
		if (type === undefined) return ctx.peek(key) !== undefined;
		const value = ctx.peekCounted(key);
		return value !== undefined && typeName(value) === type;
	});
	replyScan(ctx, next, present);
}

function randomkeyCommand(ctx: CommandContext): void {
	const { db } = ctx;
	for (let tries = 0; ; tries++) {
		const key = db.randomKey(ctx.engine.env.random);
		if (key === undefined) return ctx.reply.nil();
		if (tries >= RANDOM_KEY_TRIES_MAX || ctx.peek(key) !== undefined) return ctx.reply.bulk(key);
		// Deleted now, so that there is one less to draw; it stays only while writes are paused.
		if (!db.has(key)) tries = 0;
	}
}

// ---- the table --------------------------------------------------------------------------------------

export function genericCommands(): CommandSpec[] {
	const deleteAll = keyRange(KEY_RM | KEY_DELETE, 1, -1);
	const readAll = keyRange(KEY_RO, 1, -1);
	const taken = oneKey(KEY_RW | KEY_ACCESS | KEY_DELETE);
	const renameKeys = [...taken, ...oneKey(KEY_OW | KEY_UPDATE, 2)];
	const renamenxKeys = [...taken, ...oneKey(KEY_OW | KEY_INSERT, 2)];
	const copyKeys = [...oneKey(KEY_RO | KEY_ACCESS), ...oneKey(KEY_OW | KEY_UPDATE, 2)];
	const moveKeys = oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE);
	const anyKey = READONLY | TOUCHES_ARBITRARY_KEYS;
	const dangerous = CAT_KEYSPACE | CAT_DANGEROUS;
	const summed = { tips: ['request_policy:multi_shard', 'response_policy:agg_sum'] };
	const everywhere = { tips: ['request_policy:all_shards', 'response_policy:all_succeeded'] };
	return [
		command('del', delCommand, -2, WRITE, deleteAll, CAT_KEYSPACE, summed),
		command('unlink', unlinkCommand, -2, WRITE | FAST, deleteAll, CAT_KEYSPACE, summed),
		command('exists', existsCommand, -2, READONLY | FAST, readAll, CAT_KEYSPACE, summed),
		command('touch', touchCommand, -2, READONLY | FAST, readAll, CAT_KEYSPACE, summed),
		command('type', typeCommand, 2, READONLY | FAST, oneKey(KEY_RO), CAT_KEYSPACE),
		command('keys', keysCommand, 2, READONLY, NO_KEYS, dangerous, {
			tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
		}),
		command('scan', scanCommand, -2, anyKey, NO_KEYS, CAT_KEYSPACE, {
			tips: ['nondeterministic_output', 'request_policy:special', 'response_policy:special'],
		}),
		command('randomkey', randomkeyCommand, 1, anyKey, NO_KEYS, CAT_KEYSPACE, {
			tips: ['request_policy:all_shards', 'response_policy:special', 'nondeterministic_output'],
		}),
		command('rename', renameCommand, 3, WRITE, renameKeys, CAT_KEYSPACE),
		command('renamenx', renamenxCommand, 3, WRITE | FAST, renamenxKeys, CAT_KEYSPACE),
		command('move', moveCommand, 3, WRITE | FAST, moveKeys, CAT_KEYSPACE),
		command('copy', copyCommand, -3, WRITE | DENYOOM, copyKeys, CAT_KEYSPACE),
		command('swapdb', swapdbCommand, 3, WRITE | FAST, NO_KEYS, dangerous),
		command('dbsize', dbsizeCommand, 1, READONLY | FAST, NO_KEYS, CAT_KEYSPACE, {
			tips: ['request_policy:all_shards', 'response_policy:agg_sum'],
		}),
		command('flushdb', flushdbCommand, -1, WRITE, NO_KEYS, dangerous, everywhere),
		command('flushall', flushallCommand, -1, WRITE, NO_KEYS, dangerous, everywhere),
		...expireCommands(),
		...objectCommands(),
		...sortCommands(),
	];
}
