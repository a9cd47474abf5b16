/** PING, ECHO, AUTH, HELLO, QUIT, RESET, SELECT (redis.io: the group "connection"; CLIENT has its own file). */
import { parseInt64 } from '../base/numbers.js';
import { REDIS_VERSION } from '../base/version.js';
import { REPLY_ON } from '../engine/client.js';
import {
	ALLOW_BUSY,
	CAT_CONNECTION,
	type CommandSpec,
	command,
	FAST,
	LOADING,
	NO_AUTH,
	NO_KEYS,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_DB_INDEX, ERR_SYNTAX, wrongArity } from '../engine/errors.js';
import { isValidClientName } from './client-names.js';
import { parseInt32 } from './integer-args.js';

const ERR_WRONGPASS = 'WRONGPASS invalid username-password pair or user is disabled.';

function pingCommand(ctx: CommandContext): void {
	const { args, reply, client } = ctx;
	if (args.length > 2) return ctx.replyError(wrongArity('ping'));
	if (reply.resp === 2 && client.subscriptionCount > 0) {
		reply.array(2);
		reply.bulk('pong');
		reply.bulk(args[1] ?? '');
	} else if (args.length === 1) {
		reply.simple('PONG');
	} else {
		reply.bulk(args[1]!);
	}
}

function echoCommand(ctx: CommandContext): void {
	ctx.reply.bulk(ctx.args[1]!);
}

function selectCommand(ctx: CommandContext): void {
	const id = parseInt32(ctx, ctx.args[1]!);
	if (id === undefined) return;
	const db = ctx.engine.dbs[id];
	if (db === undefined) return ctx.replyError(ERR_DB_INDEX);
	ctx.client.db = db;
	ctx.reply.ok();
}

/** Whether the pair is that of the user `default`, the only one there is. */
function passwordOk(ctx: CommandContext, user: string, password: string): boolean {
	const { requirepass } = ctx.settings;
	return user === 'default' && (requirepass === '' || sameText(requirepass, password));
}

/** Compares in a time that depends on the lengths alone. */
function sameText(expected: string, given: string): boolean {
	let difference = expected.length ^ given.length;
	for (let i = 0; i < expected.length; i++)
		difference |= expected.charCodeAt(i) ^ (i < given.length ? given.charCodeAt(i) : 0);
	return difference === 0;
}

function authCommand(ctx: CommandContext): void {
	const { args } = ctx;
	if (args.length > 3) return ctx.replyError(ERR_SYNTAX);
	if (args.length === 2 && ctx.settings.requirepass === '') {
		return ctx.replyError(
			'ERR AUTH <password> called without any password configured for the default user. ' +
				'Are you sure your configuration is correct?',
		);
	}
	const user = args.length === 2 ? 'default' : args[1]!;
	if (!passwordOk(ctx, user, args[args.length - 1]!)) return ctx.replyError(ERR_WRONGPASS);
	authenticate(ctx, user);
	ctx.reply.ok();
}

function authenticate(ctx: CommandContext, user: string): void {
	const { client } = ctx;
	client.authenticated = true;
	if (client.user === user) return;
	client.user = user;
	ctx.engine.clientRenamed(client);
}

function helloCommand(ctx: CommandContext): void {
	const { args, client, reply } = ctx;
	let version = 0;
	let next = 1;
	if (args.length > 1) {
		const given = parseInt64(args[1]!);
		if (given === undefined) return ctx.replyError('ERR Protocol version is not an integer or out of range');
		version = Number(given);
		if (version !== 2 && version !== 3) return ctx.replyError('NOPROTO unsupported protocol version');
		next = 2;
	}
	let user: string | undefined;
	let password = '';
	let name: string | undefined;
	for (; next < args.length; next++) {
		const word = args[next]!.toUpperCase();
		const left = args.length - next - 1;
		if (word === 'AUTH' && left >= 2) {
			user = args[++next]!;
			password = args[++next]!;
		} else if (word === 'SETNAME' && left >= 1) {
			name = args[++next]!;
			if (!isValidClientName(name))
				return ctx.replyError('ERR Client names cannot contain spaces, newlines or special characters.');
		} else {
			return ctx.replyError(`ERR Syntax error in HELLO option '${args[next]!}'`);
		}
	}
	if (user !== undefined) {
		if (!passwordOk(ctx, user, password)) return ctx.replyError(ERR_WRONGPASS);
		authenticate(ctx, user);
	}
	if (!client.authenticated)
		return ctx.replyError(
			'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH ' +
				'<user> <pass> option can be used to authenticate the client and select the RESP protocol version at ' +
				'the same time',
		);
	if (name !== undefined) {
		client.name = name;
		ctx.engine.clientRenamed(client);
	}
	if (version !== 0) reply.resp = version as 2 | 3;
	reply.map(7);
	reply.bulk('server');
	reply.bulk('redis');
	reply.bulk('version');
	reply.bulk(REDIS_VERSION);
	reply.bulk('proto');
	reply.integer(reply.resp);
	reply.bulk('id');
	reply.integer(client.id);
	reply.bulk('mode');
	reply.bulk('standalone');
	reply.bulk('role');
	reply.bulk('master');
	reply.bulk('modules');
	reply.array(0);
}

function quitCommand(ctx: CommandContext): void {
	ctx.reply.ok();
	ctx.client.transport.closeAfterReply();
}

function resetCommand(ctx: CommandContext): void {
	const { client, engine } = ctx;
	engine.dispatcher.discardTransaction(client);
	engine.publisher.forget(client);
	client.isMonitor = false;
	client.reply.resp = 2;
	client.db = engine.dbs[0]!;
	client.name = '';
	client.replyMode = REPLY_ON;
	client.noEvict = false;
	client.noTouch = false;
	client.authenticated = ctx.settings.requirepass === '';
	client.user = 'default';
	engine.clientRenamed(client);
	ctx.reply.simple('RESET');
}

export function connectionCommands(): CommandSpec[] {
	const early = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY;
	return [
		command('ping', pingCommand, -1, FAST, NO_KEYS, CAT_CONNECTION, {
			tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
		}),
		command('echo', echoCommand, 2, LOADING | STALE | FAST, NO_KEYS, CAT_CONNECTION),
		command('select', selectCommand, 2, LOADING | STALE | FAST, NO_KEYS, CAT_CONNECTION),
		command('auth', authCommand, -2, early, NO_KEYS, CAT_CONNECTION),
		command('hello', helloCommand, -1, early, NO_KEYS, CAT_CONNECTION),
		command('quit', quitCommand, -1, early, NO_KEYS, CAT_CONNECTION),
		command('reset', resetCommand, 1, early, NO_KEYS, CAT_CONNECTION),
	];
}
