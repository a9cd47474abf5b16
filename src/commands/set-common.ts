/** What the commands on sets share: typed lookups. */
import type { CommandContext } from '../engine/context.js';
import { ERR_WRONGTYPE } from '../engine/errors.js';
import { SetValue } from '../types/set-value.js';

/** A key's set for reading; undefined if there is none; null after an error reply about its type. */
export function readSet(ctx: CommandContext, key: string): SetValue | undefined | null {
	const value = ctx.lookupRead(key);
	if (value === undefined || value instanceof SetValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** As `readSet`, for writing. */
export function writeSet(ctx: CommandContext, key: string): SetValue | undefined | null {
	const value = ctx.lookupWrite(key);
	if (value === undefined || value instanceof SetValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** Every member, in the order of iteration, as a set (RESP3) or an array. */
export function replyMembers(ctx: CommandContext, set: SetValue): void {
	const { reply } = ctx;
	const { size } = set;
	reply.set(size);
	for (let i = 0; i < size; i++) reply.bulk(set.memberAt(i));
}
