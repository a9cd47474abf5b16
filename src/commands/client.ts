/** CLIENT (redis.io: the group "connection"). Tracking comes with ACL and client-side caching. */
import { parseInt64 } from '../base/numbers.js';
import { type Client, REPLY_OFF, REPLY_ON, REPLY_SKIP_NEXT } from '../engine/client.js';
import { type ClientKind, clientInfoLine, clientKind, parseClientKind } from '../engine/client-info.js';
import {
	ADMIN,
	CAT_CONNECTION,
	type CommandSpec,
	command,
	type Handler,
	LOADING,
	NO_KEYS,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import { isValidClientName } from './client-names.js';
import { parsePauseTimeout } from './client-pause-timeout.js';

const ERR_CLIENT_ID = 'ERR Invalid client ID';

function idCommand(ctx: CommandContext): void {
	ctx.reply.integer(ctx.client.id);
}

function infoCommand(ctx: CommandContext): void {
	ctx.reply.verbatim(`${clientInfoLine(ctx.client, ctx.nowMs)}\n`, 'txt');
}

function listCommand(ctx: CommandContext): void {
	const { args, engine } = ctx;
	let clients: Iterable<Client> = engine.clients.values();
	const word = args[2]?.toLowerCase();
	if (args.length === 4 && word === 'type') {
		const kind = parseClientKind(args[3]!);
		if (kind === undefined) return ctx.replyError(`ERR Unknown client type '${args[3]!}'`);
		clients = [...clients].filter((client) => clientKind(client) === kind);
	} else if (args.length > 3 && word === 'id') {
		const wanted: Client[] = [];
		for (const text of args.slice(3)) {
			const id = parseInt64(text);
			if (id === undefined || id < 1) return ctx.replyError(ERR_CLIENT_ID);
			const client = engine.clients.get(Number(id));
			if (client !== undefined) wanted.push(client);
		}
		clients = wanted;
	} else if (args.length !== 2) {
		return ctx.replyError(ERR_SYNTAX);
	}
	let text = '';
	for (const client of clients) text += `${clientInfoLine(client, ctx.nowMs)}\n`;
	ctx.reply.verbatim(text, 'txt');
}

function setnameCommand(ctx: CommandContext): void {
	const name = ctx.args[2]!;
	if (!isValidClientName(name))
		return ctx.replyError('ERR Client names cannot contain spaces, newlines or special characters.');
	ctx.client.name = name;
	ctx.engine.clientRenamed(ctx.client);
	ctx.reply.ok();
}

function getnameCommand(ctx: CommandContext): void {
	if (ctx.client.name === '') ctx.reply.nil();
	else ctx.reply.bulk(ctx.client.name);
}

function setinfoCommand(ctx: CommandContext): void {
	const attribute = ctx.args[2]!.toLowerCase();
	const value = ctx.args[3]!;
	if (attribute !== 'lib-name' && attribute !== 'lib-ver')
		return ctx.replyError(`ERR Unrecognized option '${ctx.args[2]!}'`);
	if (!isValidClientName(value))
		return ctx.replyError(`ERR ${attribute} cannot contain spaces, newlines or special characters.`);
	if (attribute === 'lib-name') ctx.client.libName = value;
	else ctx.client.libVersion = value;
	ctx.reply.ok();
}

function replyCommand(ctx: CommandContext): void {
	const { client } = ctx;
	switch (ctx.args[2]!.toLowerCase()) {
		case 'on':
			client.replyMode = REPLY_ON;
			return ctx.reply.ok();
		case 'off':
			client.replyMode = REPLY_OFF;
			return;
		case 'skip':
			if (client.replyMode !== REPLY_OFF) client.replyMode = REPLY_SKIP_NEXT;
			return;
		default:
			return ctx.replyError(ERR_SYNTAX);
	}
}

/** A handler for `ON|OFF` that sets a flag of the client. */
function switchHandler(set: (client: Client, on: boolean) => void): Handler {
	return (ctx) => {
		const word = ctx.args[2]!.toLowerCase();
		if (word !== 'on' && word !== 'off') return ctx.replyError(ERR_SYNTAX);
		set(ctx.client, word === 'on');
		ctx.reply.ok();
	};
}

interface KillFilter {
	id: number;
	kind: ClientKind | undefined;
	address: string;
	localAddress: string;
	user: string;
	skipMe: boolean;
}

/** The filters of CLIENT KILL in its new form; undefined after an error reply. */
function parseKillFilter(ctx: CommandContext): KillFilter | undefined {
	const { args } = ctx;
	const filter: KillFilter = {
		id: 0,
		kind: undefined,
		address: '',
		localAddress: '',
		user: '',
		skipMe: true,
	};
	const fail = (text: string): undefined => {
		ctx.replyError(text);
		return undefined;
	};
	for (let i = 2; i < args.length; i += 2) {
		const value = args[i + 1];
		if (value === undefined) return fail(ERR_SYNTAX);
		switch (args[i]!.toLowerCase()) {
			case 'id': {
				const id = parseInt64(value);
				if (id === undefined || id < 1) return fail('ERR client-id should be greater than 0');
				filter.id = Number(id);
				break;
			}
			case 'type':
				filter.kind = parseClientKind(value);
				if (filter.kind === undefined) return fail(`ERR Unknown client type '${value}'`);
				break;
			case 'addr':
				filter.address = value;
				break;
			case 'laddr':
				filter.localAddress = value;
				break;
			case 'user':
				if (value !== 'default') return fail(`ERR No such user '${value}'`);
				filter.user = value;
				break;
			case 'skipme': {
				const word = value.toLowerCase();
				if (word !== 'yes' && word !== 'no') return fail(ERR_SYNTAX);
				filter.skipMe = word === 'yes';
				break;
			}
			default:
				return fail(ERR_SYNTAX);
		}
	}
	return filter;
}

function killCommand(ctx: CommandContext): void {
	const { args } = ctx;
	const oldForm = args.length === 3;
	const filter: KillFilter | undefined = oldForm
		? { id: 0, kind: undefined, address: args[2]!, localAddress: '', user: '', skipMe: false }
		: parseKillFilter(ctx);
	if (filter === undefined) return;
	let killed = 0;
	let killsSelf = false;
	for (const client of [...ctx.engine.clients.values()]) {
		const { transport } = client;
		if (filter.address !== '' && transport.remoteAddress !== filter.address) continue;
		if (filter.localAddress !== '' && transport.localAddress !== filter.localAddress) continue;
		if (filter.kind !== undefined && clientKind(client) !== filter.kind) continue;
		if (filter.id !== 0 && client.id !== filter.id) continue;
		if (filter.user !== '' && client.user !== filter.user) continue;
		if (client === ctx.client && filter.skipMe) continue;
		if (client === ctx.client) killsSelf = true;
		else transport.closeNow();
		killed++;
	}
	// The link to our master is no client of ours: it is known by its type or its address.
	const mayBeMaster = filter.kind === 'master' || (filter.kind === undefined && filter.address !== '');
	const hasOthers = filter.id !== 0 || filter.user !== '' || filter.localAddress !== '';
	if (mayBeMaster && !hasOthers && ctx.engine.dropMaster?.(filter.address)) killed++;
	if (!oldForm) ctx.reply.integer(killed);
	else if (killed === 0) ctx.replyError('ERR No such client');
	else ctx.reply.ok();
	if (killsSelf) ctx.client.transport.closeAfterReply();
}

function unblockCommand(ctx: CommandContext): void {
	const { args, engine } = ctx;
	const id = parseInt64(args[2]!);
	let withError = false;
	if (args.length > 4) return ctx.replyError(ERR_SYNTAX);
	if (args.length === 4) {
		const word = args[3]!.toLowerCase();
		if (word !== 'timeout' && word !== 'error')
			return ctx.replyError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
		withError = word === 'error';
	}
	if (id === undefined) return ctx.replyError(ERR_NOT_INTEGER);
	const target = engine.clients.get(Number(id));
	if (target === undefined || !engine.isWaiting(target)) return ctx.reply.integer(0);
	if (withError) engine.unblockWithError(target, 'UNBLOCKED client unblocked via CLIENT UNBLOCK');
	else engine.unblockAsTimeout(target);
	ctx.reply.integer(1);
}

function pauseCommand(ctx: CommandContext): void {
	const { args } = ctx;
	if (args.length > 4) return ctx.replyError(ERR_SYNTAX);
	let all = true;
	if (args.length === 4) {
		const word = args[3]!.toLowerCase();
		if (word !== 'write' && word !== 'all')
			return ctx.replyError('ERR CLIENT PAUSE mode must be WRITE or ALL');
		all = word === 'all';
	}
	const untilMs = parsePauseTimeout(ctx, args[2]!);
	if (untilMs === undefined) return;
	ctx.engine.pause.start(untilMs, all);
	ctx.reply.ok();
}

function unpauseCommand(ctx: CommandContext): void {
	ctx.engine.pause.end();
	ctx.reply.ok();
}

const HELP: readonly string[] = [
	'GETNAME',
	'    Return the name of the current connection.',
	'ID',
	'    Return the ID of the current connection.',
	'INFO',
	'    Return information about the current client connection.',
	'KILL <ip:port>',
	'    Kill connection made from <ip:port>.',
	'KILL <option> <value> [<option> <value> [...]]',
	'    Kill connections. Options are:',
	'    * ADDR (<ip:port>|<unixsocket>:0)',
	'      Kill connections made from the specified address',
	'    * LADDR (<ip:port>|<unixsocket>:0)',
	'      Kill connections made to specified local address',
	'    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
	'      Kill connections by type.',
	'    * USER <username>',
	'      Kill connections authenticated by <username>.',
	'    * SKIPME (YES|NO)',
	'      Skip killing current connection (default: yes).',
	'LIST [options ...]',
	'    Return information about client connections. Options:',
	'    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)',
	'      Return clients of specified type.',
	'UNPAUSE',
	'    Stop the current client pause, resuming traffic.',
	'PAUSE <timeout> [WRITE|ALL]',
	'    Suspend all, or just write, clients for <timeout> milliseconds.',
	'REPLY (ON|OFF|SKIP)',
	'    Control the replies sent to the current connection.',
	'SETNAME <name>',
	'    Assign the name <name> to the current connection.',
	'SETINFO <option> <value>',
	'    Set client meta attr. Options are:',
	'    * LIB-NAME: the client lib name.',
	'    * LIB-VER: the client lib version.',
	'UNBLOCK <clientid> [TIMEOUT|ERROR]',
	'    Unblock the specified blocked client.',
	'NO-EVICT (ON|OFF)',
	'    Protect current client connection from eviction.',
	'NO-TOUCH (ON|OFF)',
	'    Will not touch LRU/LFU stats when this mode is on.',
];

export function clientCommands(): CommandSpec[] {
	const own = NOSCRIPT | LOADING | STALE;
	const admin = ADMIN | own;
	const sub = (name: string, handler: Handler, arity: number, flags: number, tips?: readonly string[]) =>
		command(`client|${name}`, handler, arity, flags, NO_KEYS, CAT_CONNECTION, tips ? { tips } : {});
	return [
		command('client', (ctx) => ctx.replyWrongArity(), -2, 0, NO_KEYS, 0, {
			subcommands: [
				sub('id', idCommand, 2, own),
				sub('info', infoCommand, 2, own, ['nondeterministic_output']),
				sub('list', listCommand, -2, admin, ['nondeterministic_output']),
				sub('setname', setnameCommand, 3, own, ['request_policy:all_nodes', 'response_policy:all_succeeded']),
				sub('getname', getnameCommand, 2, own),
				sub('setinfo', setinfoCommand, 4, own, ['request_policy:all_nodes', 'response_policy:all_succeeded']),
				sub('reply', replyCommand, 3, own),
				sub('kill', killCommand, -3, admin),
				sub('unblock', unblockCommand, -3, admin),
				sub('pause', pauseCommand, -3, admin),
				sub('unpause', unpauseCommand, 2, admin),
				sub(
					'no-evict',
					switchHandler((client, on) => {
						client.noEvict = on;
					}),
					3,
					admin,
				),
				sub(
					'no-touch',
					switchHandler((client, on) => {
						client.noTouch = on;
					}),
					3,
					own,
				),
				sub('help', (ctx) => ctx.replyHelp(HELP), 2, LOADING | STALE),
			],
		}),
	];
}
