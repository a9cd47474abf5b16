/** TIME: the wall clock of the server. */
import { type CommandSpec, command, FAST, LOADING, NO_KEYS, STALE } from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';

function timeCommand(ctx: CommandContext): void {
	const us = ctx.engine.env.clock.nowUs();
	ctx.reply.array(2);
	ctx.reply.bulk(String(Math.floor(us / 1_000_000)));
	ctx.reply.bulk(String(us % 1_000_000));
}

export function timeCommands(): CommandSpec[] {
	const tips = ['nondeterministic_output'];
	return [command('time', timeCommand, 1, LOADING | STALE | FAST, NO_KEYS, 0, { tips })];
}
