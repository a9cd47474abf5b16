/** The timeout of CLIENT PAUSE: a count of milliseconds from now (timeout.c, getTimeoutFromObjectOrReply). */
import { parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';

/** The absolute time meant, in ms; undefined after an error reply. */
export function parsePauseTimeout(ctx: CommandContext, text: string): number | undefined {
	const timeoutMs = parseInt64(text);
	if (timeoutMs === undefined) {
		ctx.replyError('ERR timeout is not an integer or out of range');
		return undefined;
	}
	if (timeoutMs < 0) {
		ctx.replyError('ERR timeout is negative');
		return undefined;
	}
	return ctx.nowMs + Number(timeoutMs);
}
