/** CONFIG and its subcommands, for one server's configuration. */
import { BLOCKED_BY_CONFIG, BLOCKED_NOT, type Client } from '../../engine/client.js';
import {
	ADMIN,
	type CommandSpec,
	command,
	LOADING,
	NO_KEYS,
	NOSCRIPT,
	STALE,
} from '../../engine/command-spec.js';
import type { CommandContext } from '../../engine/context.js';
import type { Engine } from '../../engine/engine.js';
import { unknownSubcommand } from '../../engine/errors.js';
import type { ProtectedAction } from '../../engine/settings.js';
import type { Config } from './config.js';

const FLAGS = ADMIN | NOSCRIPT | LOADING | STALE;
const EVERYWHERE = { tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'] };

/**
 * The CONFIG command. `resetStatistics` clears what CONFIG RESETSTAT clears.
 */
export function configCommands(config: Config, resetStatistics: () => void): CommandSpec[] {
	const get = (ctx: CommandContext) => configGetCommand(ctx, config);
	const set = (ctx: CommandContext) => configSetCommand(ctx, config);
	const rewrite = (ctx: CommandContext) => {
		const error = config.rewrite();
		if (error === undefined) ctx.reply.ok();
		else ctx.replyError(error);
	};
	const resetStat = (ctx: CommandContext) => {
		resetStatistics();
		ctx.reply.ok();
	};
	return [
		command('config', configCommand, -2, 0, NO_KEYS, 0, {
			subcommands: [
				command('config|get', get, -3, FLAGS, NO_KEYS, 0),
				command('config|set', set, -4, FLAGS, NO_KEYS, 0, EVERYWHERE),
				command('config|rewrite', rewrite, 2, FLAGS, NO_KEYS, 0, EVERYWHERE),
				command('config|resetstat', resetStat, 2, FLAGS, NO_KEYS, 0, EVERYWHERE),
				command('config|help', configHelpCommand, 2, LOADING | STALE, NO_KEYS, 0),
			],
		}),
	];
}

/** The container is never run by itself: its arity asks for a subcommand. */
function configCommand(ctx: CommandContext): void {
	ctx.replyError(unknownSubcommand(ctx.args[1] ?? '', 'config'));
}

function configGetCommand(ctx: CommandContext, config: Config): void {
	const found = config.get(ctx.args.slice(2));
	ctx.reply.map(found.size);
	for (const [name, value] of found) {
		ctx.reply.bulk(name);
		ctx.reply.bulk(value);
	}
}

function configSetCommand(ctx: CommandContext, config: Config): void {
	const { client, engine } = ctx;
	const outcome = config.set(ctx.args.slice(2), {
		protectedAllowed: isAllowed(ctx.settings.enableProtectedConfigs, client),
		loading: engine.loading || engine.isAsyncLoading,
	});
	if (!(outcome instanceof Promise)) {
		if (outcome === undefined) ctx.reply.ok();
		else ctx.replyError(outcome);
		return;
	}
	if (ctx.denyBlocking) {
		// A transaction can't wait: should the listener fail to open, the log says so.
		ctx.reply.ok();
		return;
	}
	client.blocked = BLOCKED_BY_CONFIG;
	void outcome.then((error) => {
		if (client.closing) return;
		client.blocked = BLOCKED_NOT;
		replyOutcome(engine, client, error);
		engine.clientProgressed(client);
	});
}

function replyOutcome(engine: Engine, client: Client, error: string | undefined): void {
	if (error === undefined) {
		client.reply.ok();
		return;
	}
	engine.stats.countError(error);
	client.reply.error(error);
}

function configHelpCommand(ctx: CommandContext): void {
	ctx.replyHelp([
		'GET <pattern>',
		'    Return parameters matching the glob-like <pattern> and their values.',
		'SET <directive> <value>',
		'    Set the configuration <directive> to <value>.',
		'RESETSTAT',
		'    Reset statistics reported by the INFO command.',
		'REWRITE',
		'    Rewrite the configuration file.',
	]);
}

/** Whether a setting such as `enable-protected-configs` allows it to this client. */
function isAllowed(action: ProtectedAction, client: Client): boolean {
	return action === 'yes' || (action === 'local' && isLocal(client.transport.remoteAddress));
}

/** Loopback, or a Unix socket, whose address is its path. */
function isLocal(address: string): boolean {
	return address.startsWith('127.') || address.startsWith('[::1]') || address.startsWith('/');
}
