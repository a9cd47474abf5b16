/** RPOPLPUSH and LMOVE, and those that wait for an element to move: BRPOPLPUSH and BLMOVE. */
import type { CommandContext } from '../engine/context.js';
import { NOTIFY_LIST } from '../engine/settings.js';
import { ListValue } from '../types/list-value.js';
import { parseTimeout } from './blocking-timeout.js';
import { elementsPopped, parseEnd, popElement, writeList } from './list-common.js';

/**
 * Moves an element from `args[1]`, which holds `source`, to `args[2]`, and replies with it. False if the
 * destination is no list, after the error reply.
 */
function moveElement(ctx: CommandContext, source: ListValue, fromHead: boolean, toHead: boolean): boolean {
	const sourceKey = ctx.args[1]!;
	const targetKey = ctx.args[2]!;
	const found = writeList(ctx, targetKey);
	if (found === null) return false;
	const element = popElement(ctx, source, fromHead);
	let target = found;
	if (target === undefined) {
		target = new ListValue();
		ctx.addKey(targetKey, target);
	}
	ctx.signalModified(targetKey);
	if (toHead) target.pushHead(element, ctx.settings);
	else target.pushTail(element, ctx.settings);
	ctx.notify(NOTIFY_LIST, toHead ? 'lpush' : 'rpush', targetKey);
	ctx.reply.bulk(element);
	elementsPopped(ctx, sourceKey, source, fromHead, 1);
	return true;
}

function moveOrNil(ctx: CommandContext, fromHead: boolean, toHead: boolean): void {
	const source = writeList(ctx, ctx.args[1]!);
	if (source === null) return;
	if (source === undefined) ctx.reply.nil();
	else moveElement(ctx, source, fromHead, toHead);
}

/** True if an element was moved; false if the command replied otherwise or waits. */
function moveOrWait(ctx: CommandContext, fromHead: boolean, toHead: boolean, timeoutMs: number): boolean {
	const source = writeList(ctx, ctx.args[1]!);
	if (source === null) return false;
	if (source !== undefined) return moveElement(ctx, source, fromHead, toHead);
	// Only the time-out of a wait is a nil array, as it is for every blocking command.
	if (ctx.denyBlocking || ctx.client.isReplay) ctx.reply.nil();
	else ctx.blockOnKeys([ctx.args[1]!], 'list', timeoutMs, true);
	return false;
}

export function rpoplpushCommand(ctx: CommandContext): void {
	moveOrNil(ctx, false, true);
}

export function lmoveCommand(ctx: CommandContext): void {
	const fromHead = parseEnd(ctx, ctx.args[3]!);
	if (fromHead === undefined) return;
	const toHead = parseEnd(ctx, ctx.args[4]!);
	if (toHead === undefined) return;
	moveOrNil(ctx, fromHead, toHead);
}

export function brpoplpushCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const timeoutMs = parseTimeout(ctx, args[3]!);
	if (timeoutMs === undefined) return;
	if (moveOrWait(ctx, false, true, timeoutMs)) ctx.replaceEffect(['RPOPLPUSH', args[1]!, args[2]!]);
}

export function blmoveCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const fromHead = parseEnd(ctx, args[3]!);
	if (fromHead === undefined) return;
	const toHead = parseEnd(ctx, args[4]!);
	if (toHead === undefined) return;
	const timeoutMs = parseTimeout(ctx, args[5]!);
	if (timeoutMs === undefined) return;
	if (moveOrWait(ctx, fromHead, toHead, timeoutMs))
		ctx.replaceEffect(['LMOVE', args[1]!, args[2]!, args[3]!, args[4]!]);
}
