/** SHUTDOWN. Source of the texts: Redis 7.2.6, db.c (shutdownCommand). */
import { BLOCKED_BY_SHUTDOWN, BLOCKED_NOT } from '../engine/client.js';
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

const ERR_SHUTDOWN = 'ERR Errors trying to SHUTDOWN. Check logs.';
const WORDS: ReadonlySet<string> = new Set(['SAVE', 'NOSAVE', 'NOW', 'FORCE', 'ABORT']);

export function shutdownCommands(server: Server): CommandSpec[] {
	const handler = (ctx: CommandContext) => {
		const words = ctx.args.slice(1).map((word) => word.toUpperCase());
		const has = (word: string) => words.includes(word);
		const known = words.every((word) => WORDS.has(word));
		if (!known || (has('SAVE') && has('NOSAVE')) || (has('ABORT') && words.some((word) => word !== 'ABORT')))
			return ctx.replyError(ERR_SYNTAX);
		if (has('ABORT'))
			return server.shutdown.abort() ? ctx.reply.ok() : ctx.replyError('ERR No shutdown in progress.');
		const save = has('SAVE') ? true : has('NOSAVE') ? false : undefined;
		if (!has('NOW') && ctx.denyBlocking)
			return ctx.replyError("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client");
		// No reply if all goes well: the connection ends.
		const { client, engine, spec } = ctx;
		client.blocked = BLOCKED_BY_SHUTDOWN;
		void server.shutdown.run({ save, force: has('FORCE'), now: has('NOW') }).then((isDone) => {
			if (isDone || client.closing) return;
			client.blocked = BLOCKED_NOT;
			engine.stats.countError(ERR_SHUTDOWN);
			engine.dispatcher.endWait({ client, spec }, (reply) => reply.error(ERR_SHUTDOWN), true);
		});
	};
	return [
		command('shutdown', handler, -1, ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY, NO_KEYS, 0),
	];
}
