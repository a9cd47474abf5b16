/** RENAME, RENAMENX, MOVE, COPY and SWAPDB. */
import type { CommandContext } from '../engine/context.js';
import { ERR_DB_INDEX, ERR_NO_SUCH_KEY, ERR_SAME_OBJECT, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_GENERIC } from '../engine/settings.js';
import type { Database } from '../keyspace/database.js';
import { cloneValue, type Value } from '../types/value.js';
import { parseInt32 } from './integer-args.js';

export function renameCommand(ctx: CommandContext): void {
	rename(ctx, false);
}

export function renamenxCommand(ctx: CommandContext): void {
	rename(ctx, true);
}

function rename(ctx: CommandContext, onlyIfAbsent: boolean): void {
	const from = ctx.args[1]!;
	const to = ctx.args[2]!;
	const value = ctx.lookupWrite(from);
	if (value === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	if (from === to) {
		if (onlyIfAbsent) ctx.reply.integer(0);
		else ctx.reply.ok();
		return;
	}
	const expireAtMs = ctx.db.expireAt(from);
	if (ctx.lookupWrite(to) !== undefined) {
		if (onlyIfAbsent) return ctx.reply.integer(0);
		ctx.db.delete(to);
	}
	addWithExpiry(ctx, to, value, expireAtMs);
	ctx.deleteKey(from);
	ctx.signalModified(to);
	ctx.notify(NOTIFY_GENERIC, 'rename_from', from);
	ctx.notify(NOTIFY_GENERIC, 'rename_to', to);
	ctx.dirty++;
	if (onlyIfAbsent) ctx.reply.integer(1);
	else ctx.reply.ok();
}

function addWithExpiry(ctx: CommandContext, key: string, value: Value, expireAtMs: number): void {
	ctx.addKey(key, value);
	if (expireAtMs >= 0) ctx.db.setExpiry(key, expireAtMs);
}

/** The database that an argument names; undefined after an error reply. */
function parseDatabase(ctx: CommandContext, text: string): Database | undefined {
	const id = parseInt32(ctx, text);
	if (id === undefined) return undefined;
	const db = ctx.engine.dbs[id];
	if (db === undefined) ctx.replyError(ERR_DB_INDEX);
	return db;
}

export function moveCommand(ctx: CommandContext): void {
	if (ctx.settings.clusterEnabled) return ctx.replyError('ERR MOVE is not allowed in cluster mode');
	const key = ctx.args[1]!;
	const source = ctx.db;
	const target = parseDatabase(ctx, ctx.args[2]!);
	if (target === undefined) return;
	if (source === target) return ctx.replyError(ERR_SAME_OBJECT);
	const value = ctx.lookupWrite(key);
	if (value === undefined) return ctx.reply.integer(0);
	const expireAtMs = source.expireAt(key);
	ctx.db = target;
	const isFree = ctx.lookupWrite(key) === undefined;
	if (isFree) {
		addWithExpiry(ctx, key, value, expireAtMs);
		ctx.signalModified(key);
	}
	ctx.db = source;
	if (!isFree) return ctx.reply.integer(0);
	ctx.deleteKey(key);
	ctx.notify(NOTIFY_GENERIC, 'move_from', key);
	ctx.db = target;
	ctx.notify(NOTIFY_GENERIC, 'move_to', key);
	ctx.db = source;
	ctx.dirty++;
	ctx.reply.integer(1);
}

export function copyCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const source = ctx.db;
	let target = source;
	let replace = false;
	for (let i = 3; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'REPLACE') {
			replace = true;
		} else if (word === 'DB' && i + 1 < args.length) {
			const db = parseDatabase(ctx, args[++i]!);
			if (db === undefined) return;
			target = db;
		} else {
			return ctx.replyError(ERR_SYNTAX);
		}
	}
	if (ctx.settings.clusterEnabled && (source.id !== 0 || target.id !== 0))
		return ctx.replyError('ERR Copying to another database is not allowed in cluster mode');
	const from = args[1]!;
	const to = args[2]!;
	if (source === target && from === to) return ctx.replyError(ERR_SAME_OBJECT);
	const value = ctx.lookupRead(from);
	if (value === undefined) return ctx.reply.integer(0);
	const expireAtMs = source.expireAt(from);
	ctx.db = target;
	const copied = copyTo(ctx, to, value, expireAtMs, replace);
	ctx.db = source;
	ctx.reply.integer(copied ? 1 : 0);
}

/** Into the context's present database; false if the key exists there and may not be replaced. */
function copyTo(
	ctx: CommandContext,
	key: string,
	value: Value,
	expireAtMs: number,
	replace: boolean,
): boolean {
	if (ctx.lookupWrite(key) !== undefined) {
		if (!replace) return false;
		ctx.db.delete(key);
	}
	addWithExpiry(ctx, key, cloneValue(value), expireAtMs);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_GENERIC, 'copy_to', key);
	ctx.dirty++;
	return true;
}

export function swapdbCommand(ctx: CommandContext): void {
	const { engine, args } = ctx;
	if (ctx.settings.clusterEnabled) return ctx.replyError('ERR SWAPDB is not allowed in cluster mode');
	const id1 = parseInt32(ctx, args[1]!, 'ERR invalid first DB index');
	if (id1 === undefined) return;
	const id2 = parseInt32(ctx, args[2]!, 'ERR invalid second DB index');
	if (id2 === undefined) return;
	const db1 = engine.dbs[id1];
	const db2 = engine.dbs[id2];
	if (db1 === undefined || db2 === undefined) return ctx.replyError(ERR_DB_INDEX);
	if (db1 !== db2) {
		engine.watches.touchAll(db1, db2, ctx.nowMs);
		engine.watches.touchAll(db2, db1, ctx.nowMs);
		db1.swapContents(db2);
		engine.blocking.signalAllWaiting(db1);
		engine.blocking.signalAllWaiting(db2);
	}
	ctx.dirty++;
	ctx.reply.ok();
}
