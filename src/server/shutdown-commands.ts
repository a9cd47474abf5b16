/** SHUTDOWN. Snapshots do not exist yet, so there is nothing to save; the log is made durable in any case. */
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

export function shutdownCommands(server: Server): CommandSpec[] {
	const handler = (ctx: CommandContext) => {
		const words = ctx.args.slice(1).map((word) => word.toUpperCase());
		const has = (word: string) => words.includes(word);
		const known = words.every((word) => ['SAVE', 'NOSAVE', 'NOW', 'FORCE', 'ABORT'].includes(word));
		if (!known || (has('SAVE') && has('NOSAVE')) || (has('ABORT') && words.length > 1))
			return ctx.replyError(ERR_SYNTAX);
		if (has('ABORT')) return ctx.replyError('ERR No shutdown in progress.');
		if (has('SAVE'))
			return ctx.replyError('ERR Errors trying to SHUTDOWN. RDB files can not be written yet.');
		server.requestShutdown(0);
	};
	return [
		command('shutdown', handler, -1, ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY, NO_KEYS, 0),
	];
}
