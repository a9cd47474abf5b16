/** BGSAVE, SAVE, LASTSAVE, BGREWRITEAOF. Source of the texts: Redis 7.2.6, rdb.c, aof.c. */
import {
	ADMIN,
	CAT_ADMIN,
	CAT_DANGEROUS,
	type CommandSpec,
	command,
	FAST,
	LOADING,
	NO_ASYNC_LOADING,
	NO_KEYS,
	NO_MULTI,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import type { Server } from './server.js';

export function snapshotCommands(server: Server): CommandSpec[] {
	return [
		command(
			'bgsave',
			(ctx) => bgsaveCommand(ctx, server),
			-1,
			NO_ASYNC_LOADING | ADMIN | NOSCRIPT,
			NO_KEYS,
			0,
		),
		command(
			'save',
			(ctx) => saveCommand(ctx, server),
			1,
			NO_ASYNC_LOADING | ADMIN | NOSCRIPT | NO_MULTI,
			NO_KEYS,
			0,
		),
		command(
			'lastsave',
			(ctx) => ctx.reply.integer(Math.floor(server.snapshots.lastSaveMs / 1000)),
			1,
			LOADING | STALE | FAST,
			NO_KEYS,
			CAT_ADMIN | CAT_DANGEROUS,
			{ tips: ['nondeterministic_output'] },
		),
		command(
			'bgrewriteaof',
			(ctx) => bgrewriteaofCommand(ctx, server),
			1,
			NO_ASYNC_LOADING | ADMIN | NOSCRIPT,
			NO_KEYS,
			0,
		),
	];
}

function saveCommand(ctx: CommandContext, { snapshots }: Server): void {
	if (snapshots.isSaving) return ctx.replyError('ERR Background save already in progress');
	snapshots.saveCount++;
	if (snapshots.saveNow()) ctx.reply.ok();
	else ctx.replyError('ERR');
}

function bgsaveCommand(ctx: CommandContext, { snapshots }: Server): void {
	const { args } = ctx;
	const schedule = args.length === 2 && args[1]!.toLowerCase() === 'schedule';
	if (args.length > 1 && !schedule) return ctx.replyError(ERR_SYNTAX);
	if (snapshots.isSaving) return ctx.replyError('ERR Background save already in progress');
	// Within a transaction: the log has its first half only when it has ended.
	if (ctx.denyBlocking || (snapshots.running !== undefined && schedule)) {
		snapshots.bgsaveScheduled = true;
		return ctx.reply.simple('Background saving scheduled');
	}
	if (snapshots.running !== undefined)
		return ctx.replyError(
			"ERR Another child process is active (AOF?): can't BGSAVE right now. " +
				'Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.',
		);
	snapshots.bgsave();
	ctx.reply.simple('Background saving started');
}

function bgrewriteaofCommand(ctx: CommandContext, { snapshots }: Server): void {
	if (snapshots.running === 'aof')
		return ctx.replyError('ERR Background append only file rewriting already in progress');
	if (snapshots.running !== undefined || ctx.denyBlocking) {
		snapshots.rewriteScheduled = true;
		// Somebody wants it now, however often it has failed.
		snapshots.pace.failures = 0;
		return ctx.reply.simple('Background append only file rewriting scheduled');
	}
	snapshots.rewrite();
	ctx.reply.simple('Background append only file rewriting started');
}
