/** SETBIT and GETBIT: single bits of a string, the most significant bit of byte 0 first. */
import { parseInt64 } from '../base/numbers.js';
import {
	CAT_BITMAP,
	type CommandSpec,
	command,
	DENYOOM,
	FAST,
	KEY_ACCESS,
	KEY_RO,
	KEY_RW,
	KEY_UPDATE,
	oneKey,
	READONLY,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { NOTIFY_STRING } from '../engine/settings.js';
import { RawString } from '../types/raw-string.js';
import { stringOf } from '../types/value.js';
import { mutableString, readString, writeString } from './string-common.js';

/** The bit offset, or undefined after an error reply: bytes beyond `proto-max-bulk-len` have no bits. */
function parseBitOffset(ctx: CommandContext): number | undefined {
	const offset = parseInt64(ctx.args[2]!);
	if (typeof offset === 'number' && offset >= 0 && Math.floor(offset / 8) < ctx.settings.protoMaxBulkLen)
		return offset;
	ctx.replyError('ERR bit offset is not an integer or out of range');
	return undefined;
}

function setbitCommand(ctx: CommandContext): void {
	const key = ctx.args[1]!;
	const offset = parseBitOffset(ctx);
	if (offset === undefined) return;
	const bit = ctx.args[3]!;
	if (bit !== '0' && bit !== '1') return ctx.replyError('ERR bit is not an integer or out of range');
	const value = writeString(ctx, key);
	if (value === null) return;
	let raw: RawString;
	if (value === undefined) {
		raw = RawString.from('');
		ctx.addKey(key, raw);
	} else {
		raw = mutableString(ctx, key, value);
	}
	const byteIndex = Math.floor(offset / 8);
	const mask = 0x80 >> (offset & 7);
	const grows = byteIndex >= raw.length;
	if (grows) raw.growTo(byteIndex + 1);
	const byte = raw.byteAt(byteIndex);
	const old = (byte & mask) !== 0;
	const wanted = bit === '1';
	if (old !== wanted) raw.setByteAt(byteIndex, byte ^ mask);
	if (grows || old !== wanted) {
		ctx.signalModified(key);
		ctx.notify(NOTIFY_STRING, 'setbit', key);
		ctx.dirty++;
	}
	ctx.reply.integer(old ? 1 : 0);
}

function getbitCommand(ctx: CommandContext): void {
	const offset = parseBitOffset(ctx);
	if (offset === undefined) return;
	const value = readString(ctx, ctx.args[1]!);
	if (value === null) return;
	const byteIndex = Math.floor(offset / 8);
	let byte = 0;
	if (value instanceof RawString) byte = byteIndex < value.length ? value.byteAt(byteIndex) : 0;
	else if (value !== undefined) byte = stringOf(value).charCodeAt(byteIndex) || 0;
	ctx.reply.integer((byte >> (7 - (offset & 7))) & 1);
}

export function bitmapCommands(): CommandSpec[] {
	return [
		command(
			'setbit',
			setbitCommand,
			4,
			WRITE | DENYOOM,
			oneKey(KEY_RW | KEY_ACCESS | KEY_UPDATE),
			CAT_BITMAP,
		),
		command('getbit', getbitCommand, 3, READONLY | FAST, oneKey(KEY_RO | KEY_ACCESS), CAT_BITMAP),
	];
}
