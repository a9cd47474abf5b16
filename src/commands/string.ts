/** SET, GET and their kin (redis.io: the group "string"). */
import { parseInt64 } from '../base/numbers.js';
import {
	BRIEF,
	CAT_STRING,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	type GetKeys,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_INSERT,
	KEY_OW,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	KEY_VARIABLE_FLAGS,
	keyRange,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_WRONGTYPE, wrongArity } from '../engine/errors.js';
import { NOTIFY_GENERIC, NOTIFY_STRING } from '../engine/settings.js';
import { RawString } from '../types/raw-string.js';
import { isStringValue, stringLength, stringOf, stringValueOf } from '../types/value.js';
import { parseExpiry, parseSetOptions, readString, resolveExpiry, writeString } from './string-common.js';
import { longestCommonSubsequenceCommand } from './string-lcs.js';
import {
	appendCommand,
	decrbyCommand,
	decrCommand,
	incrbyCommand,
	incrbyfloatCommand,
	incrCommand,
	setrangeCommand,
} from './string-modify.js';

function getCommand(ctx: CommandContext): void {
	const value = ctx.lookupRead(ctx.args[1]!);
	if (value === undefined) ctx.reply.nil();
	else if (typeof value === 'string') ctx.reply.bulk(value);
	else if (isStringValue(value)) ctx.replyString(value);
	else ctx.replyError(ERR_WRONGTYPE);
}

function setCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	if (args.length === 3) {
		ctx.setKey(key, stringValueOf(args[2]!));
		ctx.dirty++;
		ctx.notify(NOTIFY_STRING, 'set', key);
		ctx.reply.ok();
		return;
	}
	const options = parseSetOptions(ctx, 3, false);
	if (options === undefined || !resolveExpiry(ctx, options)) return;
	const { nx, xx, get, keepTtl, expireAtMs } = options;
	const old = nx || xx || get ? ctx.lookupWrite(key) : undefined;
	if (get) {
		if (old !== undefined && !isStringValue(old)) return ctx.replyError(ERR_WRONGTYPE);
		if (old === undefined) ctx.reply.nil();
		else ctx.replyString(old);
	}
	if ((nx && old !== undefined) || (xx && old === undefined)) {
		if (!get) ctx.reply.nil();
		return;
	}
	ctx.setKey(key, stringValueOf(args[2]!), keepTtl);
	ctx.dirty++;
	ctx.notify(NOTIFY_STRING, 'set', key);
	if (expireAtMs >= 0) {
		ctx.db.setExpiry(key, expireAtMs);
		ctx.notify(NOTIFY_GENERIC, 'expire', key);
		// A request with nothing but an absolute time is its own effect.
		if (options.unit !== 'PXAT' || get || nx || xx)
			ctx.replaceEffect(['SET', key, args[2]!, 'PXAT', String(expireAtMs)]);
	} else if (get || nx || xx) {
		ctx.replaceEffect(keepTtl ? ['SET', key, args[2]!, 'KEEPTTL'] : ['SET', key, args[2]!]);
	}
	if (!get) ctx.reply.ok();
}

/** The keys of SET: read as well only where GET is given. */
const setGetKeys: GetKeys = (args) => {
	const reads = args.slice(3).some((word) => word.toUpperCase() === 'GET');
	return [{ index: 1, flags: reads ? KEY_RW | KEY_ACCESS | KEY_UPDATE : KEY_OW | KEY_UPDATE }];
};

function setnxCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	if (ctx.lookupWrite(key) !== undefined) return ctx.reply.integer(0);
	ctx.setKey(key, stringValueOf(ctx.args[2]!));
	ctx.dirty++;
	ctx.notify(NOTIFY_STRING, 'set', key);
	ctx.reply.integer(1);
}

function setWithTtl(ctx: CommandContext, unit: 'EX' | 'PX'): void {
	const key = ctx.args[1]!;
	const atMs = parseExpiry(ctx, unit, ctx.args[2]!);
	if (atMs === undefined) return;
	ctx.setKey(key, stringValueOf(ctx.args[3]!));
	ctx.db.setExpiry(key, atMs);
	ctx.dirty++;
	ctx.notify(NOTIFY_STRING, 'set', key);
	ctx.notify(NOTIFY_GENERIC, 'expire', key);
	ctx.replaceEffect(['SET', key, ctx.args[3]!, 'PXAT', String(atMs)]);
	ctx.reply.ok();
}

function setexCommand(ctx: CommandContext): void {
	setWithTtl(ctx, 'EX');
}

function psetexCommand(ctx: CommandContext): void {
	setWithTtl(ctx, 'PX');
}

function getdelCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const value = readString(ctx, key);
	if (value === null) return;
	if (value === undefined) return ctx.reply.nil();
	ctx.replyString(value);
	ctx.deleteKey(key);
	ctx.notify(NOTIFY_GENERIC, 'del', key);
	ctx.dirty++;
	ctx.replaceEffect(['DEL', key]);
}

function getexCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const options = parseSetOptions(ctx, 2, true);
	if (options === undefined) return;
	const value = readString(ctx, key);
	if (value === null) return;
	if (value === undefined) return ctx.reply.nil();
	if (!resolveExpiry(ctx, options)) return;
	ctx.replyString(value);
	const { expireAtMs } = options;
	if (expireAtMs >= 0 && expireAtMs <= ctx.nowMs && !ctx.client.isReplay) {
		ctx.deleteKey(key);
		ctx.dirty++;
		ctx.replaceEffect(['DEL', key]);
		ctx.notify(NOTIFY_GENERIC, 'del', key);
	} else if (expireAtMs >= 0) {
		ctx.db.setExpiry(key, expireAtMs);
		ctx.signalModified(key);
		ctx.dirty++;
		ctx.replaceEffect(['PEXPIREAT', key, String(expireAtMs)]);
		ctx.notify(NOTIFY_GENERIC, 'expire', key);
	} else if (options.persist && ctx.db.removeExpiry(key)) {
		ctx.signalModified(key);
		ctx.dirty++;
		ctx.replaceEffect(['PERSIST', key]);
		ctx.notify(NOTIFY_GENERIC, 'persist', key);
	}
}

function getsetCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const old = writeString(ctx, key);
	if (old === null) return;
	if (old === undefined) ctx.reply.nil();
	else ctx.replyString(old);
	ctx.setKey(key, stringValueOf(ctx.args[2]!));
	ctx.dirty++;
	ctx.notify(NOTIFY_STRING, 'set', key);
	ctx.replaceEffect(['SET', key, ctx.args[2]!]);
}

function mgetCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	reply.array(args.length - 1);
	for (let i = 1; i < args.length; i++) {
		const value = ctx.lookupRead(args[i]!);
		if (value === undefined || !isStringValue(value)) reply.nil();
		else ctx.replyString(value);
	}
}

function setPairs(ctx: CommandContext): void {
	const { args } = ctx;
	for (let i = 1; i < args.length; i += 2) {
		ctx.setKey(args[i]!, stringValueOf(args[i + 1]!));
		ctx.notify(NOTIFY_STRING, 'set', args[i]!);
	}
	ctx.dirty += (args.length - 1) / 2;
}

function msetCommand(ctx: CommandContext): void {
	if (ctx.args.length % 2 === 0) return ctx.replyError(wrongArity('mset'));
	setPairs(ctx);
	ctx.reply.ok();
}

function msetnxCommand(ctx: CommandContext): void {
	const { args } = ctx;
	if (args.length % 2 === 0) return ctx.replyError(wrongArity('msetnx'));
	for (let i = 1; i < args.length; i += 2) {
		if (ctx.lookupWrite(args[i]!) !== undefined) return ctx.reply.integer(0);
	}
	setPairs(ctx);
	ctx.reply.integer(1);
}

function strlenCommand(ctx: CommandContext): void {
	const value = readString(ctx, ctx.args[1]!);
	if (value === null) return;
	ctx.reply.integer(value === undefined ? 0 : stringLength(value));
}

function getrangeCommand(ctx: CommandContext): void {
	const start64 = parseInt64(ctx.args[2]!);
	const end64 = parseInt64(ctx.args[3]!);
	if (start64 === undefined || end64 === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const value = readString(ctx, ctx.args[1]!);
	if (value === null) return;
	if (value === undefined) return ctx.reply.bulk('');
	const length = stringLength(value);
	let start = Number(start64);
	let end = Number(end64);
	if (start < 0 && end < 0 && start64 > end64) return ctx.reply.bulk('');
	if (start < 0) start = Math.max(0, length + start);
	if (end < 0) end = Math.max(0, length + end);
	if (end >= length) end = length - 1;
	if (start > end || length === 0) return ctx.reply.bulk('');
	if (value instanceof RawString) ctx.reply.bulk(value.slice(start, end + 1));
	else ctx.reply.bulk(stringOf(value).substring(start, end + 1));
}

export function stringCommands(): CommandSpec[] {
	return [
		command('get', getCommand, 2, READONLY | FAST, oneKey(KEY_RO | KEY_ACCESS), CAT_STRING),
		command(
			'set',
			setCommand,
			-3,
			WRITE | DENYOOM | BRIEF,
			oneKey(
				KEY_RW | KEY_ACCESS | KEY_UPDATE | KEY_VARIABLE_FLAGS,
				1,
				'RW and ACCESS due to the optional `GET` argument',
			),
			CAT_STRING,
			{ getKeys: setGetKeys },
		),
		command('setnx', setnxCommand, 3, WRITE | DENYOOM | FAST, oneKey(KEY_OW | KEY_INSERT), CAT_STRING),
		command('setex', setexCommand, 4, WRITE | DENYOOM, oneKey(KEY_OW | KEY_UPDATE), CAT_STRING),
		command('psetex', psetexCommand, 4, WRITE | DENYOOM, oneKey(KEY_OW | KEY_UPDATE), CAT_STRING),
		command('getdel', getdelCommand, 2, WRITE | FAST, oneKey(KEY_RW | KEY_ACCESS | KEY_DELETE), CAT_STRING),
		command(
			'getex',
			getexCommand,
			-2,
			WRITE | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE, 1, 'RW and UPDATE because it changes the TTL'),
			CAT_STRING,
		),
		command(
			'getset',
			getsetCommand,
			3,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command('mget', mgetCommand, -2, READONLY | FAST, keyRange(KEY_RO | KEY_ACCESS, 1, -1), CAT_STRING, {
			tips: ['request_policy:multi_shard'],
		}),
		command('mset', msetCommand, -3, WRITE | DENYOOM, keyRange(KEY_OW | KEY_UPDATE, 1, -1, 2), CAT_STRING, {
			tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
		}),
		command(
			'msetnx',
			msetnxCommand,
			-3,
			WRITE | DENYOOM,
			keyRange(KEY_OW | KEY_INSERT, 1, -1, 2),
			CAT_STRING,
		),
		command('strlen', strlenCommand, 2, READONLY | FAST, oneKey(KEY_RO), CAT_STRING),
		command('getrange', getrangeCommand, 4, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_STRING),
		command('substr', getrangeCommand, 4, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_STRING),
		command('append', appendCommand, 3, WRITE | DENYOOM | FAST, oneKey(KEY_RW | KEY_INSERT), CAT_STRING),
		command('setrange', setrangeCommand, 4, WRITE | DENYOOM, oneKey(KEY_RW | KEY_UPDATE), CAT_STRING),
		command(
			'incr',
			incrCommand,
			2,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command(
			'decr',
			decrCommand,
			2,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command(
			'incrby',
			incrbyCommand,
			3,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command(
			'decrby',
			decrbyCommand,
			3,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command(
			'incrbyfloat',
			incrbyfloatCommand,
			3,
			WRITE | DENYOOM | FAST,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_STRING,
		),
		command(
			'lcs',
			longestCommonSubsequenceCommand,
			-3,
			READONLY,
			keyRange(KEY_RO | KEY_ACCESS, 1, 1),
			CAT_STRING,
		),
	];
}
