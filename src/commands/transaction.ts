/** MULTI, EXEC, DISCARD, WATCH, UNWATCH (redis.io: the group "transactions"). */
import { BLOCKED_NOT } from '../engine/client.js';
import {
	ALLOW_BUSY,
	CAT_TRANSACTION,
	type CommandSpec,
	command,
	FAST,
	KEY_RO,
	keyRange,
	LOADING,
	NO_KEYS,
	NOSCRIPT,
	SKIP_SLOWLOG,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_EXECABORT } from '../engine/errors.js';

function multiCommand(ctx: CommandContext): void {
	if (ctx.client.inMulti) return ctx.replyError('ERR MULTI calls can not be nested');
	ctx.client.inMulti = true;
	ctx.reply.ok();
}

function discardCommand(ctx: CommandContext): void {
	if (!ctx.client.inMulti) return ctx.replyError('ERR DISCARD without MULTI');
	ctx.engine.dispatcher.discardTransaction(ctx.client);
	ctx.reply.ok();
}

function watchCommand(ctx: CommandContext): void {
	const { client, args } = ctx;
	if (client.inMulti) return ctx.replyError('ERR WATCH inside MULTI is not allowed');
	if (!client.dirtyCas) {
		for (let i = 1; i < args.length; i++) ctx.engine.watches.watch(client, ctx.db, args[i]!, ctx.nowMs);
	}
	ctx.reply.ok();
}

function unwatchCommand(ctx: CommandContext): void {
	ctx.engine.watches.unwatchAll(ctx.client);
	ctx.client.dirtyCas = false;
	ctx.reply.ok();
}

function execCommand(ctx: CommandContext): void {
	const { client, engine } = ctx;
	const { dispatcher } = engine;
	if (!client.inMulti) return ctx.replyError('ERR EXEC without MULTI');
	if (engine.watches.hasExpiredKey(client, engine.dbs, ctx.nowMs)) client.dirtyCas = true;
	if (client.dirtyExec || client.dirtyCas) {
		const { dirtyExec } = client;
		dispatcher.discardTransaction(client);
		if (dirtyExec) return ctx.replyError(ERR_EXECABORT);
		return ctx.reply.nilArray();
	}
	const { queued } = client;
	// The watches go first: what the transaction itself changes must not cost anything.
	dispatcher.discardTransaction(client);
	const denyBlocking = ctx.denyBlocking;
	ctx.denyBlocking = true;
	ctx.reply.array(queued.length);
	for (const { spec, args } of queued) {
		if (client.blocked !== BLOCKED_NOT) break;
		dispatcher.call(client, spec, args, false);
	}
	ctx.denyBlocking = denyBlocking;
}

export function transactionCommands(): CommandSpec[] {
	const flags = NOSCRIPT | LOADING | STALE | ALLOW_BUSY;
	return [
		command('multi', multiCommand, 1, flags | FAST, NO_KEYS, CAT_TRANSACTION),
		command('exec', execCommand, 1, NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG, NO_KEYS, CAT_TRANSACTION),
		command('discard', discardCommand, 1, flags | FAST, NO_KEYS, CAT_TRANSACTION),
		command('watch', watchCommand, -2, flags | FAST, keyRange(KEY_RO, 1, -1), CAT_TRANSACTION),
		command('unwatch', unwatchCommand, 1, flags | FAST, NO_KEYS, CAT_TRANSACTION),
	];
}
