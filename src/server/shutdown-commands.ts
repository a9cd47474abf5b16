/** SHUTDOWN. Source of the texts: Redis 7.2.6, db.c (shutdownCommand). */
import {
	ADMIN,
	ALLOW_BUSY,
	type CommandSpec,
	command,
	LOADING,
	NO_KEYS,
	NO_MULTI,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import type { Server } from './server.js';
import { prepareShutdown } from './shutdown.js';

const WORDS: ReadonlySet<string> = new Set(['SAVE', 'NOSAVE', 'NOW', 'FORCE', 'ABORT']);

export function shutdownCommands(server: Server): CommandSpec[] {
	const handler = (ctx: CommandContext) => {
		const words = ctx.args.slice(1).map((word) => word.toUpperCase());
		const has = (word: string) => words.includes(word);
		const known = words.every((word) => WORDS.has(word));
		if (!known || (has('SAVE') && has('NOSAVE')) || (has('ABORT') && words.some((word) => word !== 'ABORT')))
			return ctx.replyError(ERR_SYNTAX);
		// A shutdown ends within the command that asks for it, one way or the other.
		if (has('ABORT')) return ctx.replyError('ERR No shutdown in progress.');
		const save = has('SAVE') ? true : has('NOSAVE') ? false : undefined;
		if (prepareShutdown(server, { save, force: has('FORCE') })) server.requestShutdown(0);
		else ctx.replyError('ERR Errors trying to SHUTDOWN. Check logs.');
	};
	return [
		command('shutdown', handler, -1, ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY, NO_KEYS, 0),
	];
}
