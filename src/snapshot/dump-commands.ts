/** DUMP and RESTORE: a key's value in serialized form, and a key from such a form (redis.io: the group "generic"). */
import { type Int64, parseInt64 } from '../base/numbers.js';
import {
	CAT_DANGEROUS,
	CAT_KEYSPACE,
	type CommandSpec,
	command,
	DENYOOM,
	KEY_ACCESS,
	KEY_OW,
	KEY_RO,
	KEY_UPDATE,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import { NOTIFY_GENERIC } from '../engine/settings.js';
import type { Value } from '../types/value.js';
import { dumpPayload, isSoundPayload, readPayload } from './dump-payload.js';

const ERR_BUSYKEY = 'BUSYKEY Target key name already exists.';

function dumpCommand(ctx: CommandContext): void {
	const value = ctx.lookupRead(ctx.args[1]!);
	if (value === undefined) return ctx.reply.nil();
	ctx.reply.bulkBuffer(dumpPayload(value, ctx.settings.rdbcompression));
}

interface RestoreOptions {
	readonly replace: boolean;
	readonly absoluteTtl: boolean;
	/** Seconds since the last access, or -1. */
	readonly idleSeconds: number;
	/** The LFU counter, or -1. */
	readonly frequency: number;
}

/** Undefined after an error reply. */
function parseOptions(ctx: CommandContext): RestoreOptions | undefined {
	const { args } = ctx;
	let replace = false;
	let absoluteTtl = false;
	let idleSeconds: Int64 = -1;
	let frequency: Int64 = -1;
	const fail = (text: string): undefined => void ctx.replyError(text);
	for (let i = 4; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		const hasNext = i + 1 < args.length;
		if (word === 'REPLACE') {
			replace = true;
		} else if (word === 'ABSTTL') {
			absoluteTtl = true;
		} else if (word === 'IDLETIME' && hasNext && frequency === -1) {
			idleSeconds = parseInt64(args[++i]!) ?? Number.NaN;
			if (Number.isNaN(idleSeconds)) return fail(ERR_NOT_INTEGER);
			if (idleSeconds < 0) return fail('ERR Invalid IDLETIME value, must be >= 0');
		} else if (word === 'FREQ' && hasNext && idleSeconds === -1) {
			frequency = parseInt64(args[++i]!) ?? Number.NaN;
			if (Number.isNaN(frequency)) return fail(ERR_NOT_INTEGER);
			if (frequency < 0 || frequency > 255) return fail('ERR Invalid FREQ value, must be >= 0 and <= 255');
		} else {
			return fail(ERR_SYNTAX);
		}
	}
	return { replace, absoluteTtl, idleSeconds: Number(idleSeconds), frequency: Number(frequency) };
}

/** The value in the payload; undefined after an error reply. */
function readValue(ctx: CommandContext, bytes: string): Value | undefined {
	const { engine, settings } = ctx;
	const payload = Buffer.from(bytes, 'latin1');
	// What the log has was accepted once, perhaps while checksums were not looked at: a fold comes to the same.
	if (!isSoundPayload(payload, engine.skipChecksums || ctx.client.isReplay)) {
		ctx.replyError('ERR DUMP payload version or checksum are wrong');
		return undefined;
	}
	const read = readPayload(payload, settings);
	engine.stats.dumpPayloadSanitizations += read.checkedCount;
	if (read.value !== undefined) return read.value;
	engine.logger.log('verbose', `RESTORE of key '${ctx.args[1]!}': ${read.fault}`);
	ctx.replyError('ERR Bad data format');
	return undefined;
}

function restoreCommand(ctx: CommandContext): void {
	const { args, db, engine } = ctx;
	const key = args[1]!;
	const options = parseOptions(ctx);
	if (options === undefined) return;
	if (!options.replace && ctx.lookupWrite(key) !== undefined) return ctx.replyError(ERR_BUSYKEY);
	const ttl = parseInt64(args[2]!);
	if (ttl === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	if (ttl < 0) return ctx.replyError('ERR Invalid TTL value, must be >= 0');
	const value = readValue(ctx, args[3]!);
	if (value === undefined) return;
	const deleted = options.replace && db.delete(key);
	const expireAtMs = expiryOf(ttl, options.absoluteTtl ? 0 : ctx.nowMs);
	if (expireAtMs !== -1 && expireAtMs <= ctx.nowMs && !engine.loading) {
		if (deleted) {
			ctx.replaceEffect([ctx.settings.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL', key]);
			ctx.signalModified(key);
			ctx.notify(NOTIFY_GENERIC, 'del', key);
			ctx.dirty++;
		}
		return ctx.reply.ok();
	}
	ctx.addKey(key, value);
	if (expireAtMs !== -1) {
		db.expires.set(key, expireAtMs);
		if (!options.absoluteTtl) {
			const effect = args.slice();
			effect[2] = String(expireAtMs);
			ctx.replaceEffect([...effect, 'ABSTTL']);
		}
	}
	const stamp = engine.eviction.stampOfLoaded(ctx.nowMs, options.idleSeconds, options.frequency);
	db.setAccessClock(key, stamp);
	ctx.signalModified(key);
	ctx.notify(NOTIFY_GENERIC, 'restore', key);
	ctx.reply.ok();
	ctx.dirty++;
}

/** When a key expires that has `ttl` from `startMs` on; -1: never. Beyond the safe integers is as good as never. */
function expiryOf(ttl: Int64, startMs: number): number {
	if (ttl === 0) return -1;
	return typeof ttl === 'number' ? Math.min(ttl + startMs, Number.MAX_SAFE_INTEGER) : Number.MAX_SAFE_INTEGER;
}

export function dumpCommands(): CommandSpec[] {
	return [
		command('dump', dumpCommand, 2, READONLY, oneKey(KEY_RO | KEY_ACCESS), CAT_KEYSPACE, {
			tips: ['nondeterministic_output'],
		}),
		command(
			'restore',
			restoreCommand,
			-4,
			WRITE | DENYOOM,
			oneKey(KEY_OW | KEY_UPDATE),
			CAT_KEYSPACE | CAT_DANGEROUS,
		),
	];
}
