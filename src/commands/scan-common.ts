/**
 * What SCAN, HSCAN, SSCAN and ZSCAN share: cursor, options, and the shape of the reply.
 *
 * Order of the checks in Redis 7.2 (db.c, scanGenericCommand): the cursor, the key (a missing one gives an
 * empty reply whatever the options say), its type, the options.
 */
import { globMatch } from '../base/glob.js';
import { parseInt64, parseScanCursor } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';

export interface ScanOptions {
	/** About how many elements a step visits; at least 1. */
	count: number;
	/** The glob of MATCH; undefined where everything matches. */
	pattern: string | undefined;
	/** The word after TYPE in lower case; undefined if not given. */
	type: string | undefined;
}

const DEFAULT_COUNT = 10;

/** The cursor in `text`; undefined after an error reply. Beyond 2^53 only its magnitude is kept: we give out none. */
export function parseCursor(ctx: CommandContext, text: string): number | undefined {
	const cursor = parseScanCursor(text);
	if (cursor !== undefined) return Number(cursor);
	ctx.replyError('ERR invalid cursor');
	return undefined;
}

/** The options from `args[from]`; undefined after an error reply. TYPE is for SCAN only. */
export function parseScanOptions(
	ctx: CommandContext,
	from: number,
	withType: boolean,
): ScanOptions | undefined {
	const { args } = ctx;
	const options: ScanOptions = { count: DEFAULT_COUNT, pattern: undefined, type: undefined };
	for (let i = from; i < args.length; i += 2) {
		const word = args[i]!.toLowerCase();
		const value = args[i + 1];
		if (value === undefined) {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
		if (word === 'count') {
			const count = parseInt64(value);
			if (count === undefined || count < 1) {
				ctx.replyError(count === undefined ? ERR_NOT_INTEGER : ERR_SYNTAX);
				return undefined;
			}
			options.count = Number(count);
		} else if (word === 'match') {
			options.pattern = value === '*' ? undefined : value;
		} else if (word === 'type' && withType) {
			options.type = value.toLowerCase();
		} else {
			ctx.replyError(ERR_SYNTAX);
			return undefined;
		}
	}
	return options;
}

/** Whether MATCH lets the element through. */
export function scanMatches(options: ScanOptions, element: string): boolean {
	return options.pattern === undefined || globMatch(options.pattern, element);
}

/** Replies with the next cursor and the elements (of a hash or sorted set: each followed by its value). */
export function replyScan(ctx: CommandContext, cursor: number, elements: readonly string[]): void {
	ctx.reply.array(2);
	ctx.reply.bulk(String(cursor));
	ctx.replyBulks(elements);
}

/** The reply for a key that does not exist. */
export function replyEmptyScan(ctx: CommandContext): void {
	ctx.reply.raw('*2\r\n$1\r\n0\r\n*0\r\n');
}
