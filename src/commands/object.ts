/** OBJECT: encoding, references, idle time and access frequency of a value. */
import {
	CAT_KEYSPACE,
	type CommandSpec,
	command,
	KEY_RO,
	LOADING,
	NO_KEYS,
	oneKey,
	READONLY,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { isLfuPolicy } from '../engine/eviction.js';
import { frequencyAt, lfuStampOfNew } from '../keyspace/access-clock.js';
import { encodingOf, type Value } from '../types/value.js';

/** Redis shares the integers below this; OBJECT REFCOUNT shows the largest int for them. */
const SHARED_INTEGER_COUNT = 10000;
const SHARED_REFCOUNT = 2147483647;

const SWITCHING_NOTE =
	'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.';

/** The value at `args[2]`; undefined after a nil reply. */
function lookupObject(ctx: CommandContext): Value | undefined {
	const value = ctx.peekCounted(ctx.args[2]!);
	if (value === undefined) ctx.reply.nil();
	return value;
}

function encodingCommand(ctx: CommandContext): void {
	const value = lookupObject(ctx);
	if (value !== undefined) ctx.reply.bulk(encodingOf(value));
}

function refcountCommand(ctx: CommandContext): void {
	const value = lookupObject(ctx);
	if (value === undefined) return;
	const { maxmemory, maxmemoryPolicy } = ctx.settings;
	// Redis cannot share values where each has to have an access clock of its own.
	const sharesIntegers =
		maxmemory === 0 || !(maxmemoryPolicy.endsWith('-lru') || isLfuPolicy(maxmemoryPolicy));
	const isShared = typeof value === 'number' && value >= 0 && value < SHARED_INTEGER_COUNT && sharesIntegers;
	ctx.reply.integer(isShared ? SHARED_REFCOUNT : 1);
}

function idletimeCommand(ctx: CommandContext): void {
	if (lookupObject(ctx) === undefined) return;
	if (isLfuPolicy(ctx.settings.maxmemoryPolicy))
		return ctx.replyError(
			`ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING_NOTE}`,
		);
	ctx.reply.integer(Math.max(0, Math.floor(ctx.nowMs / 1000) - ctx.db.accessClock(ctx.args[2]!)));
}

function freqCommand(ctx: CommandContext): void {
	if (lookupObject(ctx) === undefined) return;
	if (!isLfuPolicy(ctx.settings.maxmemoryPolicy))
		return ctx.replyError(
			`ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING_NOTE}`,
		);
	const stamp = ctx.db.accessClock(ctx.args[2]!);
	ctx.reply.integer(frequencyAt(stamp, lfuStampOfNew(ctx.nowMs), ctx.settings.lfuDecayTime));
}

function helpCommand(ctx: CommandContext): void {
	ctx.replyHelp([
		'ENCODING <key>',
		'    Return the kind of internal representation used in order to store the value',
		'    associated with a <key>.',
		'FREQ <key>',
		'    Return the access frequency index of the <key>. The returned integer is',
		'    proportional to the logarithm of the recent access frequency of the key.',
		'IDLETIME <key>',
		'    Return the idle time of the <key>, that is the approximated number of',
		'    seconds elapsed since the last access to the key.',
		'REFCOUNT <key>',
		'    Return the number of references of the value associated with the specified',
		'    <key>.',
	]);
}

/** Never run: the container's arity leaves a request without a subcommand to the error about it. */
function objectCommand(ctx: CommandContext): void {
	ctx.replyWrongArity();
}

export function objectCommands(): CommandSpec[] {
	const key = oneKey(KEY_RO, 2);
	const random = { tips: ['nondeterministic_output'] };
	return [
		command('object', objectCommand, -2, 0, NO_KEYS, 0, {
			subcommands: [
				command('object|encoding', encodingCommand, 3, READONLY, key, CAT_KEYSPACE, random),
				command('object|freq', freqCommand, 3, READONLY, key, CAT_KEYSPACE, random),
				command('object|help', helpCommand, 2, LOADING | STALE, NO_KEYS, CAT_KEYSPACE),
				command('object|idletime', idletimeCommand, 3, READONLY, key, CAT_KEYSPACE, random),
				command('object|refcount', refcountCommand, 3, READONLY, key, CAT_KEYSPACE, random),
			],
		}),
	];
}
