/**
 * MIGRATE. Redis stops until the other server has answered; here the client waits, and with it only those who want to
 * change the keys under way. Inside a transaction nobody can wait: there it is refused.
 */
import { type Int64, parseInt64 } from '../base/numbers.js';
import { BLOCKED_BY_MIGRATE, BLOCKED_NOT } from '../engine/client.js';
import {
	CAT_DANGEROUS,
	CAT_KEYSPACE,
	type CommandSpec,
	command,
	KEY_ACCESS,
	KEY_DELETE,
	KEY_INCOMPLETE,
	KEY_RW,
	type KeyPosition,
	type KeySpec,
	WRITE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import type { Engine } from '../engine/engine.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import type { PeerConnector } from '../engine/peer.js';
import { MigrateLinks } from './migrate-link.js';
import { MigrateTransfer } from './migrate-transfer.js';

const FIRST_OPTION = 6;
const TIMEOUT_MS_DEFAULT = 1000;
const KEY_FLAGS = KEY_RW | KEY_ACCESS | KEY_DELETE;
const ERR_KEYS_WITH_KEY =
	'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string';
const ERR_IN_TRANSACTION = 'ERR MIGRATE waits for another server, which is not possible inside a transaction';

/** The transfers of a server and the connections it keeps for them. */
export class Migrator {
	private readonly engine: Engine;
	private readonly links: MigrateLinks;
	private readonly transfers = new Set<MigrateTransfer>();

	constructor(engine: Engine, connect: PeerConnector) {
		this.engine = engine;
		this.links = new MigrateLinks(engine.env, connect);
	}

	/** Connections that are kept (INFO, `migrate_cached_sockets`). */
	get cachedSocketCount(): number {
		return this.links.idleCount;
	}

	/** The rows of the commands. */
	commands(): CommandSpec[] {
		return [
			command(
				'migrate',
				(ctx) => this.migrateCommand(ctx),
				-6,
				WRITE,
				migrateKeySpecs(),
				CAT_KEYSPACE | CAT_DANGEROUS,
				{ tips: ['nondeterministic_output'], getKeys: migrateGetKeys },
			),
		];
	}

	/** Breaks off what is under way, and closes the connections. */
	stop(): void {
		for (const transfer of [...this.transfers]) transfer.stop();
		this.links.stop();
	}

	private migrateCommand(ctx: CommandContext): void {
		const options = parseOptions(ctx.args);
		if (typeof options === 'string') return ctx.replyError(options);
		const timeoutMs = parseInt64(ctx.args[5]!);
		const targetDb = parseInt64(ctx.args[4]!);
		if (timeoutMs === undefined || targetDb === undefined) return ctx.replyError(ERR_NOT_INTEGER);
		const keys = options.keys.filter((key) => ctx.lookupRead(key) !== undefined);
		if (keys.length === 0) return ctx.reply.simple('NOKEY');
		if (ctx.denyBlocking) return ctx.replyError(ERR_IN_TRANSACTION);
		this.begin(ctx, options, [...new Set(keys)], targetDb, timeoutMs);
	}

	private begin(
		ctx: CommandContext,
		options: MigrateOptions,
		keys: readonly string[],
		targetDb: Int64,
		timeoutMs: Int64,
	): void {
		const { client, spec, db, args } = ctx;
		const { dispatcher, stats } = this.engine;
		const request = {
			client,
			db,
			host: args[1]!,
			port: portOf(args[2]!),
			targetDb,
			timeoutMs: timeoutMs > 0 ? Number(timeoutMs) : TIMEOUT_MS_DEFAULT,
			credentials: options.credentials,
			copy: options.copy,
			replace: options.replace,
			keys,
		};
		client.blocked = BLOCKED_BY_MIGRATE;
		const transfer = new MigrateTransfer(this.engine, this.links, request, (error) => {
			this.transfers.delete(transfer);
			if (client.closing) return;
			client.blocked = BLOCKED_NOT;
			if (error !== undefined) stats.countError(error);
			dispatcher.endWait(
				{ client, spec },
				(reply) => (error === undefined ? reply.ok() : reply.error(error)),
				error !== undefined,
			);
		});
		this.transfers.add(transfer);
		transfer.start();
	}
}

interface MigrateOptions {
	readonly copy: boolean;
	readonly replace: boolean;
	readonly credentials: readonly string[];
	readonly keys: readonly string[];
}

/** The options, or an error reply. */
function parseOptions(args: readonly string[]): MigrateOptions | string {
	let copy = false;
	let replace = false;
	let credentials: readonly string[] = [];
	for (let i = FIRST_OPTION; i < args.length; i++) {
		const left = args.length - 1 - i;
		switch (args[i]!.toUpperCase()) {
			case 'COPY':
				copy = true;
				break;
			case 'REPLACE':
				replace = true;
				break;
			case 'AUTH':
				if (left < 1) return ERR_SYNTAX;
				credentials = [args[++i]!];
				break;
			case 'AUTH2':
				if (left < 2) return ERR_SYNTAX;
				credentials = [args[++i]!, args[++i]!];
				break;
			case 'KEYS':
				if (args[3] !== '') return ERR_KEYS_WITH_KEY;
				return { copy, replace, credentials, keys: args.slice(i + 1) };
			default:
				return ERR_SYNTAX;
		}
	}
	return { copy, replace, credentials, keys: [args[3]!] };
}

/** The number at the start of `text`, as C's `atoi` reads it; 0, which no connection can be made to, without one. */
function portOf(text: string): number {
	return Number.parseInt(text, 10) || 0;
}

function migrateKeySpecs(): readonly KeySpec[] {
	return [
		{
			flags: KEY_FLAGS,
			begin: { kind: 'index', index: 3 },
			find: { kind: 'range', lastKey: 0, step: 1, limit: 0 },
			notes: '',
		},
		{
			flags: KEY_FLAGS | KEY_INCOMPLETE,
			begin: { kind: 'keyword', keyword: 'KEYS', startFrom: -2 },
			find: { kind: 'range', lastKey: -1, step: 1, limit: 0 },
			notes: '',
		},
	];
}

/** The key in its place, or those behind KEYS; none where both are given, which is an error. */
function migrateGetKeys(args: readonly string[]): KeyPosition[] {
	for (let i = FIRST_OPTION; i < args.length; i++) {
		const word = args[i]!.toUpperCase();
		if (word === 'KEYS') {
			if (args[3] !== '') return [];
			return args.slice(i + 1).map((_, at) => ({ index: i + 1 + at, flags: KEY_FLAGS }));
		}
		if (word === 'AUTH') i++;
		else if (word === 'AUTH2') i += 2;
	}
	return [{ index: 3, flags: KEY_FLAGS }];
}
