/** The commands on sorted sets (redis.io: the group "sorted-set"): single members, and the table of all. */
import {
	BLOCKING,
	CAT_SORTEDSET,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	type Handler,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_OW,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	type KeySpec,
	keyNum,
	keyRange,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_ZSET } from '../engine/settings.js';
import { zaddCommand, zincrbyCommand } from './zset-add.js';
import {
	zdiffCommand,
	zdiffstoreCommand,
	zinterCommand,
	zintercardCommand,
	zinterstoreCommand,
	zunionCommand,
	zunionstoreCommand,
} from './zset-combine.js';
import { readZSet, writeZSet } from './zset-common.js';
import {
	bzmpopCommand,
	bzpopmaxCommand,
	bzpopminCommand,
	zmpopCommand,
	zpopmaxCommand,
	zpopminCommand,
} from './zset-pop.js';
import { zrandmemberCommand, zscanCommand } from './zset-random.js';
import {
	zcountCommand,
	zlexcountCommand,
	zrangebylexCommand,
	zrangebyscoreCommand,
	zrangeCommand,
	zrangestoreCommand,
	zremrangebylexCommand,
	zremrangebyrankCommand,
	zremrangebyscoreCommand,
	zrevrangebylexCommand,
	zrevrangebyscoreCommand,
	zrevrangeCommand,
} from './zset-range.js';

function zremCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const zset = writeZSet(ctx, key);
	if (zset === null) return;
	let removed = 0;
	if (zset !== undefined) {
		for (let i = 2; i < args.length; i++) if (zset.remove(args[i]!)) removed++;
		if (removed > 0) {
			ctx.dirty += removed;
			ctx.notify(NOTIFY_ZSET, 'zrem', key);
			if (zset.size === 0) ctx.deleteEmptied(key);
			ctx.signalModified(key);
		}
	}
	ctx.reply.integer(removed);
}

function zcardCommand(ctx: CommandContext): void {
	const zset = readZSet(ctx, ctx.args[1]!);
	if (zset !== null) ctx.reply.integer(zset === undefined ? 0 : zset.size);
}

function replyScore(ctx: CommandContext, score: number | undefined): void {
	if (score === undefined) ctx.reply.nil();
	else ctx.reply.double(score);
}

function zscoreCommand(ctx: CommandContext): void {
	const zset = readZSet(ctx, ctx.args[1]!);
	if (zset !== null) replyScore(ctx, zset?.score(ctx.args[2]!));
}

function zmscoreCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const zset = readZSet(ctx, args[1]!);
	if (zset === null) return;
	ctx.reply.array(args.length - 2);
	for (let i = 2; i < args.length; i++) replyScore(ctx, zset?.score(args[i]!));
}

function replyRank(ctx: CommandContext, reverse: boolean): void {
	const { args, reply } = ctx;
	if (args.length > 4) return ctx.replyWrongArity();
	const withScore = args.length === 4;
	if (withScore && args[3]!.toUpperCase() !== 'WITHSCORE') return ctx.replyError(ERR_SYNTAX);
	const zset = readZSet(ctx, args[1]!);
	if (zset === null) return;
	const member = args[2]!;
	const rank = zset === undefined ? -1 : zset.rank(member, reverse);
	if (zset === undefined || rank < 0) {
		if (withScore) reply.nilArray();
		else reply.nil();
		return;
	}
	if (withScore) reply.array(2);
	reply.integer(rank);
	if (withScore) reply.double(zset.score(member)!);
}

function zrankCommand(ctx: CommandContext): void {
	replyRank(ctx, false);
}

function zrevrankCommand(ctx: CommandContext): void {
	replyRank(ctx, true);
}

const READS = KEY_RO | KEY_ACCESS;
const POPS = KEY_RW | KEY_ACCESS | KEY_DELETE;

function readRow(name: string, handler: Handler, arity: number, flags = 0, use = READS): CommandSpec {
	return command(name, handler, arity, READONLY | flags, oneKey(use), CAT_SORTEDSET);
}

function removeRow(name: string, handler: Handler, arity: number, flags = 0): CommandSpec {
	return command(name, handler, arity, WRITE | flags, oneKey(KEY_RW | KEY_DELETE), CAT_SORTEDSET);
}

function popRow(
	name: string,
	handler: Handler,
	arity: number,
	flags: number,
	keys: readonly KeySpec[],
): CommandSpec {
	return command(name, handler, arity, WRITE | flags, keys, CAT_SORTEDSET);
}

function combineRow(name: string, handler: Handler): CommandSpec {
	return command(name, handler, -3, READONLY, keyNum(READS, 1), CAT_SORTEDSET);
}

function storeRow(name: string, handler: Handler, arity: number, sources: readonly KeySpec[]): CommandSpec {
	const keys = [...oneKey(KEY_OW | KEY_UPDATE), ...sources];
	return command(name, handler, arity, WRITE | DENYOOM, keys, CAT_SORTEDSET);
}

export function zsetCommands(): CommandSpec[] {
	const lastIsTimeout = keyRange(POPS, 1, -2);
	return [
		command('zadd', zaddCommand, -4, WRITE | DENYOOM | FAST, oneKey(KEY_RW | KEY_UPDATE), CAT_SORTEDSET),
		command(
			'zincrby',
			zincrbyCommand,
			4,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_SORTEDSET,
		),
		removeRow('zrem', zremCommand, -3, FAST),
		removeRow('zremrangebyrank', zremrangebyrankCommand, 4),
		removeRow('zremrangebyscore', zremrangebyscoreCommand, 4),
		removeRow('zremrangebylex', zremrangebylexCommand, 4),
		readRow('zcard', zcardCommand, 2, FAST, KEY_RO),
		readRow('zscore', zscoreCommand, 3, FAST),
		readRow('zmscore', zmscoreCommand, -3, FAST),
		readRow('zrank', zrankCommand, -3, FAST),
		readRow('zrevrank', zrevrankCommand, -3, FAST),
		readRow('zcount', zcountCommand, 4, FAST),
		readRow('zlexcount', zlexcountCommand, 4, FAST),
		readRow('zrange', zrangeCommand, -4),
		readRow('zrevrange', zrevrangeCommand, -4),
		readRow('zrangebyscore', zrangebyscoreCommand, -4),
		readRow('zrevrangebyscore', zrevrangebyscoreCommand, -4),
		readRow('zrangebylex', zrangebylexCommand, -4),
		readRow('zrevrangebylex', zrevrangebylexCommand, -4),
		storeRow('zrangestore', zrangestoreCommand, -5, oneKey(READS, 2)),
		combineRow('zunion', zunionCommand),
		combineRow('zinter', zinterCommand),
		combineRow('zdiff', zdiffCommand),
		combineRow('zintercard', zintercardCommand),
		storeRow('zunionstore', zunionstoreCommand, -4, keyNum(READS, 2)),
		storeRow('zinterstore', zinterstoreCommand, -4, keyNum(READS, 2)),
		storeRow('zdiffstore', zdiffstoreCommand, -4, keyNum(READS, 2)),
		popRow('zpopmin', zpopminCommand, -2, FAST, oneKey(POPS)),
		popRow('zpopmax', zpopmaxCommand, -2, FAST, oneKey(POPS)),
		popRow('bzpopmin', bzpopminCommand, -3, FAST | BLOCKING, lastIsTimeout),
		popRow('bzpopmax', bzpopmaxCommand, -3, FAST | BLOCKING, lastIsTimeout),
		popRow('zmpop', zmpopCommand, -4, 0, keyNum(POPS, 1)),
		popRow('bzmpop', bzmpopCommand, -5, BLOCKING, keyNum(POPS, 2)),
		command('zrandmember', zrandmemberCommand, -2, READONLY, oneKey(READS), CAT_SORTEDSET, {
			tips: ['nondeterministic_output'],
		}),
		command('zscan', zscanCommand, -3, READONLY, oneKey(READS), CAT_SORTEDSET, {
			tips: ['nondeterministic_output'],
		}),
	];
}
