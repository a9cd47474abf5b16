/** What the commands on hashes share: typed lookups. */
import type { CommandContext } from '../engine/context.js';
import { ERR_WRONGTYPE } from '../engine/errors.js';
import { HashValue } from '../types/hash-value.js';

/** A key's hash for reading; undefined if there is none; null after an error reply about its type. */
export function readHash(ctx: CommandContext, key: string): HashValue | undefined | null {
	const value = ctx.lookupRead(key);
	if (value === undefined || value instanceof HashValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** As `readHash`, for writing. */
export function writeHash(ctx: CommandContext, key: string): HashValue | undefined | null {
	const value = ctx.lookupWrite(key);
	if (value === undefined || value instanceof HashValue) return value;
	ctx.replyError(ERR_WRONGTYPE);
	return null;
}

/** A key's hash for writing, created if there is none; null after an error reply about its type. */
export function writeOrCreateHash(ctx: CommandContext, key: string): HashValue | null {
	const value = ctx.lookupWrite(key);
	if (value instanceof HashValue) return value;
	if (value !== undefined) {
		ctx.replyError(ERR_WRONGTYPE);
		return null;
	}
	const created = new HashValue();
	ctx.addKey(key, created);
	return created;
}
