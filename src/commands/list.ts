/** LPUSH, LRANGE and their kin (redis.io: the group "list"), and the table of the family. */
import {
	BLOCKING,
	CAT_LIST,
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
	type KeySpec,
	keyNum,
	keyRange,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NO_SUCH_KEY, ERR_NOT_POSITIVE, ERR_OUT_OF_RANGE } from '../engine/errors.js';
import { NOTIFY_LIST } from '../engine/settings.js';
import { ListValue } from '../types/list-value.js';
import {
	elementsPopped,
	parseLong,
	parseLongFrom,
	popElement,
	popRangeAndReply,
	readList,
	writeList,
} from './list-common.js';
import { blmoveCommand, brpoplpushCommand, lmoveCommand, rpoplpushCommand } from './list-move.js';
import { blmpopCommand, blpopCommand, brpopCommand, lmpopCommand } from './list-multi-pop.js';
import { linsertCommand, lposCommand, lremCommand } from './list-search.js';

function push(ctx: CommandContext, atHead: boolean, onlyIfExists: boolean): void {
	const { args, settings } = ctx;
	const key = args[1]!;
	let list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) {
		if (onlyIfExists) return ctx.reply.integer(0);
		list = new ListValue();
		ctx.addKey(key, list);
	}
	const last = args.length - 1;
	if (last > 2) list.pushAll(args, 2, last, atHead, settings);
	else if (atHead) list.pushHead(args[2]!, settings);
	else list.pushTail(args[2]!, settings);
	ctx.dirty += last - 1;
	ctx.reply.integer(list.length);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_LIST, atHead ? 'lpush' : 'rpush', key);
}

function lpushCommand(ctx: CommandContext): void {
	push(ctx, true, false);
}

function rpushCommand(ctx: CommandContext): void {
	push(ctx, false, false);
}

function lpushxCommand(ctx: CommandContext): void {
	push(ctx, true, true);
}

function rpushxCommand(ctx: CommandContext): void {
	push(ctx, false, true);
}

function pop(ctx: CommandContext, atHead: boolean): void {
	const { args } = ctx;
	const key = args[1]!;
	if (args.length > 2) return popCounted(ctx, atHead);
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.reply.nil();
	ctx.reply.bulk(popElement(ctx, list, atHead));
	elementsPopped(ctx, key, list, atHead, 1);
}

function popCounted(ctx: CommandContext, atHead: boolean): void {
	const { args } = ctx;
	const key = args[1]!;
	if (args.length > 3) return ctx.replyWrongArity();
	const count = parseLongFrom(ctx, args[2]!, 0, ERR_NOT_POSITIVE);
	if (count === undefined) return;
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.reply.nilArray();
	if (count === 0) return ctx.reply.array(0);
	const popCount = popRangeAndReply(ctx, list, atHead, count);
	elementsPopped(ctx, key, list, atHead, popCount);
}

function lpopCommand(ctx: CommandContext): void {
	pop(ctx, true);
}

function rpopCommand(ctx: CommandContext): void {
	pop(ctx, false);
}

function llenCommand(ctx: CommandContext): void {
	const list = readList(ctx, ctx.args[1]!);
	if (list === null) return;
	ctx.reply.integer(list === undefined ? 0 : list.length);
}

function lindexCommand(ctx: CommandContext): void {
	const list = readList(ctx, ctx.args[1]!);
	if (list === null) return;
	if (list === undefined) return ctx.reply.nil();
	const index = parseLong(ctx, ctx.args[2]!);
	if (index === undefined) return;
	const element = list.get(index);
	if (element === undefined) ctx.reply.nil();
	else ctx.reply.bulk(element);
}

function lsetCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	const element = args[3]!;
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	const index = parseLong(ctx, args[2]!);
	if (index === undefined) return;
	// Redis makes room before it looks at the index: the encoding shows it even if that is out of range.
	list.prepareToGrow(1, element.length, ctx.settings);
	if (!list.set(index, element, ctx.settings)) return ctx.replyError(ERR_OUT_OF_RANGE);
	ctx.reply.ok();
	ctx.signalModified(key);
	ctx.notify(NOTIFY_LIST, 'lset', key);
	ctx.dirty++;
}

function lrangeCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	let start = parseLong(ctx, args[2]!);
	if (start === undefined) return;
	let end = parseLong(ctx, args[3]!);
	if (end === undefined) return;
	const list = readList(ctx, args[1]!);
	if (list === null) return;
	if (list === undefined) return reply.array(0);
	const { length } = list;
	if (start < 0) start = Math.max(0, length + start);
	if (end < 0) end += length;
	else if (end >= length) end = length - 1;
	if (start > end) return reply.array(0);
	reply.bulkArray(end - start + 1, list.cursorAt(start));
}

function ltrimCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const key = args[1]!;
	let start = parseLong(ctx, args[2]!);
	if (start === undefined) return;
	let end = parseLong(ctx, args[3]!);
	if (end === undefined) return;
	const list = writeList(ctx, key);
	if (list === null) return;
	if (list === undefined) return ctx.reply.ok();
	const { length } = list;
	if (start < 0) start = Math.max(0, length + start);
	if (end < 0) end += length;
	else if (end >= length) end = length - 1;
	list.trim(start, end, ctx.settings);
	ctx.notify(NOTIFY_LIST, 'ltrim', key);
	if (list.length === 0) ctx.deleteEmptied(key);
	ctx.signalModified(key);
	ctx.dirty += length - list.length;
	ctx.reply.ok();
}

/** The keys of the commands that move an element: the first is popped from, the second pushed to. */
function moveKeys(): readonly KeySpec[] {
	return [...oneKey(KEY_RW | KEY_ACCESS | KEY_DELETE), ...oneKey(KEY_RW | KEY_INSERT, 2)];
}

export function listCommands(): CommandSpec[] {
	const inserts = oneKey(KEY_RW | KEY_INSERT);
	const popped = KEY_RW | KEY_ACCESS | KEY_DELETE;
	return [
		command('lpush', lpushCommand, -3, WRITE | DENYOOM | FAST, inserts, CAT_LIST),
		command('rpush', rpushCommand, -3, WRITE | DENYOOM | FAST, inserts, CAT_LIST),
		command('lpushx', lpushxCommand, -3, WRITE | DENYOOM | FAST, inserts, CAT_LIST),
		command('rpushx', rpushxCommand, -3, WRITE | DENYOOM | FAST, inserts, CAT_LIST),
		command('lpop', lpopCommand, -2, WRITE | FAST, oneKey(popped), CAT_LIST),
		command('rpop', rpopCommand, -2, WRITE | FAST, oneKey(popped), CAT_LIST),
		command('llen', llenCommand, 2, READONLY | FAST, oneKey(KEY_RO), CAT_LIST),
		command('lindex', lindexCommand, 3, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_LIST),
		command('lset', lsetCommand, 4, WRITE | DENYOOM, oneKey(KEY_RW | KEY_UPDATE), CAT_LIST),
		command('linsert', linsertCommand, 5, WRITE | DENYOOM, inserts, CAT_LIST),
		command('lrange', lrangeCommand, 4, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_LIST),
		command('ltrim', ltrimCommand, 4, WRITE, oneKey(KEY_RW | KEY_DELETE), CAT_LIST),
		command('lrem', lremCommand, 4, WRITE, oneKey(KEY_RW | KEY_DELETE), CAT_LIST),
		command('lpos', lposCommand, -3, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_LIST),
		command('rpoplpush', rpoplpushCommand, 3, WRITE | DENYOOM, moveKeys(), CAT_LIST),
		command('lmove', lmoveCommand, 5, WRITE | DENYOOM, moveKeys(), CAT_LIST),
		command('lmpop', lmpopCommand, -4, WRITE, keyNum(popped, 1), CAT_LIST),
		command('blpop', blpopCommand, -3, WRITE | BLOCKING, keyRange(popped, 1, -2), CAT_LIST),
		command('brpop', brpopCommand, -3, WRITE | BLOCKING, keyRange(popped, 1, -2), CAT_LIST),
		command('brpoplpush', brpoplpushCommand, 4, WRITE | DENYOOM | BLOCKING, moveKeys(), CAT_LIST),
		command('blmove', blmoveCommand, 6, WRITE | DENYOOM | BLOCKING, moveKeys(), CAT_LIST),
		command('blmpop', blmpopCommand, -5, WRITE | BLOCKING, keyNum(popped, 2), CAT_LIST),
	];
}
