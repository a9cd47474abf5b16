/**
 * DEBUG, as far as Redis's own suite and people who look into a server use it. What depends on the
 * inside of Redis (its allocator, its hash tables) tells what corresponds to it here.
 */

import { blockThread } from '../base/block-thread.js';
import { parseInt64 } from '../base/numbers.js';
import { REDIS_VERSION } from '../base/version.js';
import {
	ADMIN,
	type CommandSpec,
	command,
	LOADING,
	NO_KEYS,
	NOSCRIPT,
	PROTECTED,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NO_SUCH_KEY, ERR_NOT_POSITIVE } from '../engine/errors.js';
import { datasetDigest, valueDigest } from '../keyspace/digest.js';
import { HashValue } from '../types/hash-value.js';
import { ListValue } from '../types/list-value.js';
import { estimateBytes } from '../types/memory-size.js';
import { SetValue } from '../types/set-value.js';
import { encodingOf, stringValueOf } from '../types/value.js';
import { ZSetValue } from '../types/zset-value.js';
import { parseMemory } from './config/memory-text.js';
import { type CrashSignal, RequestedCrash } from './crash-report.js';
import { DEBUG_HELP } from './debug-help.js';
import type { Server } from './server.js';

/** POPULATE hands its effects to the log in lots of this size. */
const POPULATE_LOT = 1024;
const ELEMENTS_SAMPLED = 5;

type Subcommand = (ctx: CommandContext, server: Server) => void;

function digestSubcommand(ctx: CommandContext): void {
	ctx.reply.simple(datasetDigest(ctx.engine.dbs));
}

function digestValueSubcommand(ctx: CommandContext): void {
	const keys = ctx.args.slice(2);
	ctx.reply.array(keys.length);
	for (const key of keys) ctx.reply.simple(valueDigest(ctx.db.get(key), ctx.db.expireAt(key) >= 0));
}

function reloadSubcommand(ctx: CommandContext, server: Server): void {
	const options = new Set(ctx.args.slice(2).map((word) => word.toUpperCase()));
	for (const option of options) {
		if (option !== 'NOSAVE' && option !== 'MERGE' && option !== 'NOFLUSH')
			return ctx.replyError('ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.');
	}
	const { persistence } = server;
	const error = persistence.reload(!options.has('NOSAVE'), !options.has('NOFLUSH'), options.has('MERGE'));
	if (error === undefined) ctx.reply.ok();
	else ctx.replyError(error);
}

function loadaofSubcommand(ctx: CommandContext, server: Server): void {
	const error = server.persistence.reloadFromLog();
	if (error === undefined) ctx.reply.ok();
	else ctx.replyError(error);
}

function changeReplIdSubcommand(ctx: CommandContext, server: Server): void {
	server.logger.log('notice', 'Changing replication IDs after receiving change-repl-id');
	server.backlog.forgetHistory();
	ctx.reply.ok();
}

/** Where a value is: the same for as long as the key exists and is changed in place. */
function addressOf(ctx: CommandContext, key: string): string {
	let hash = ctx.db.id + 1;
	for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
	return `0x${(hash >>> 0).toString(16).padStart(12, '7f')}`;
}

function objectSubcommand(ctx: CommandContext): void {
	const key = ctx.args[2]!;
	const value = ctx.db.get(key);
	if (value === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	const clock = ctx.db.accessClock(key);
	let text =
		`Value at:${addressOf(ctx, key)} refcount:1 encoding:${encodingOf(value)} ` +
		`serializedlength:${estimateBytes(value, ELEMENTS_SAMPLED)} lru:${clock & 0xffffff} ` +
		`lru_seconds_idle:${Math.max(0, ctx.accessClock - clock)}`;
	if (value instanceof ListValue && value.encoding === 'quicklist') {
		text +=
			` ql_nodes:${value.nodes} ql_avg_node:${(value.length / value.nodes).toFixed(2)}` +
			` ql_listpack_max:${ctx.settings.listMaxListpackSize} ql_compressed:0` +
			` ql_uncompressed_size:${value.listpackBytes}`;
	}
	ctx.reply.simple(text);
}

function listpackSubcommand(ctx: CommandContext): void {
	const value = ctx.peek(ctx.args[2]!);
	if (value === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	if (encodingOf(value) !== 'listpack') return ctx.replyError('ERR Not a listpack encoded object.');
	ctx.reply.simple('Listpack structure printed on stdout');
}

function quicklistSubcommand(ctx: CommandContext): void {
	const value = ctx.peek(ctx.args[2]!);
	if (value === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	if (encodingOf(value) !== 'quicklist') return ctx.replyError('ERR Not a quicklist encoded object.');
	ctx.reply.simple('Quicklist structure printed on stdout');
}

function populateSubcommand(ctx: CommandContext): void {
	const { args, engine } = ctx;
	const count = parseInt64(args[2]!);
	const size = args.length === 5 ? parseInt64(args[4]!) : 0;
	if (typeof count !== 'number' || typeof size !== 'number' || count < 0 || size < 0)
		return ctx.replyError(ERR_NOT_POSITIVE);
	const prefix = args[3] ?? 'key';
	for (let i = 0; i < count; i++) {
		const key = `${prefix}:${i}`;
		if (ctx.lookupWrite(key) !== undefined) continue;
		let text = `value:${i}`;
		if (size > 0) text = text.slice(0, size).padEnd(size, '\0');
		ctx.addKey(key, stringValueOf(text));
		ctx.signalModified(key);
		ctx.addEffect(['SET', key, text]);
		engine.dirty++;
		if (i % POPULATE_LOT === POPULATE_LOT - 1 && !ctx.denyBlocking) engine.effects.commit(true);
	}
	ctx.reply.ok();
}

function protocolSubcommand(ctx: CommandContext): void {
	const { reply } = ctx;
	const integers = () => {
		for (let i = 0; i < 3; i++) reply.integer(i);
	};
	switch (ctx.args[2]!.toLowerCase()) {
		case 'string':
			return reply.bulk('Hello World');
		case 'integer':
			return reply.integer(12345);
		case 'double':
			return reply.double(3.141);
		case 'bignum':
			return reply.bigNumber('1234567999999999999999999999999999999');
		case 'null':
			return reply.nil();
		case 'array':
			reply.array(3);
			return integers();
		case 'set':
			reply.set(3);
			return integers();
		case 'map':
			reply.map(3);
			for (let i = 0; i < 3; i++) {
				reply.integer(i);
				reply.bool(i === 1);
			}
			return;
		case 'attrib':
			if (reply.resp === 3) {
				reply.attribute(1);
				reply.bulk('key-popularity');
				reply.array(2);
				reply.bulk('key:123');
				reply.integer(90);
			}
			return reply.bulk('Some real reply following the attribute');
		case 'push':
			if (reply.resp === 2) return ctx.replyError('ERR RESP2 is not supported by this command');
			reply.push(2);
			reply.bulk('server-cpu-usage');
			reply.integer(42);
			return reply.bulk('Some real reply following the push reply');
		case 'true':
			return reply.bool(true);
		case 'false':
			return reply.bool(false);
		case 'verbatim':
			return reply.verbatim('This is a verbatim\nstring', 'txt');
		default:
			return ctx.replyError(
				'ERR Wrong protocol type name. Please use one of the following: ' +
					'string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false',
			);
	}
}

function sleepSubcommand(ctx: CommandContext): void {
	const seconds = Number.parseFloat(ctx.args[2]!);
	if (seconds > 0) blockThread(seconds * 1000);
	ctx.reply.ok();
}

function aofFlushSleepSubcommand(ctx: CommandContext, server: Server): void {
	const micros = parseInt64(ctx.args[2]!);
	server.log.flushSleepMs = typeof micros === 'number' && micros > 0 ? micros / 1000 : 0;
	ctx.reply.ok();
}

function setActiveExpireSubcommand(ctx: CommandContext): void {
	ctx.engine.expiry.activeEnabled = ctx.args[2] !== '0';
	ctx.reply.ok();
}

function setSkipChecksumValidationSubcommand(ctx: CommandContext): void {
	ctx.engine.skipChecksums = parseInt64(ctx.args[2]!) !== 0;
	ctx.reply.ok();
}

/** Elements are never kept apart by size here, so the threshold is checked and has nothing to act on. */
function packedThresholdSubcommand(ctx: CommandContext): void {
	const bytes = parseMemory(ctx.args[2]!);
	if (bytes === undefined || bytes < 0n || bytes > 4n * 1024n ** 3n)
		return ctx.replyError('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
	ctx.reply.ok();
}

function logSubcommand(ctx: CommandContext): void {
	ctx.engine.logger.log('warning', `DEBUG LOG: ${ctx.args[2]!}`);
	ctx.reply.ok();
}

function errorSubcommand(ctx: CommandContext): void {
	ctx.replyError(ctx.args[2]!);
}

function sizeOfCollection(ctx: CommandContext, key: string): number | undefined {
	const value = ctx.peek(key);
	if (value instanceof HashValue && value.encoding === 'hashtable') return value.size;
	if (value instanceof SetValue && value.encoding === 'hashtable') return value.size;
	if (value instanceof ZSetValue && value.encoding === 'skiplist') return value.size;
	return undefined;
}

function htstatsSubcommand(ctx: CommandContext): void {
	const db = ctx.engine.dbs[Number(parseInt64(ctx.args[2]!) ?? -1)];
	if (db === undefined) return ctx.replyError('ERR Out of range database');
	ctx.reply.verbatim(
		`[Dictionary HT]\nHash table main stats:\n number of elements: ${db.size}\n` +
			`[Expires HT]\nHash table main stats:\n number of elements: ${db.expires.size}\n`,
		'txt',
	);
}

function htstatsKeySubcommand(ctx: CommandContext): void {
	const key = ctx.args[2]!;
	if (ctx.peek(key) === undefined) return ctx.replyError(ERR_NO_SUCH_KEY);
	const size = sizeOfCollection(ctx, key);
	if (size === undefined)
		return ctx.replyError('ERR The value stored at the specified key is not represented using an hash table');
	ctx.reply.verbatim(`Hash table main stats:\n number of elements: ${size}\n`, 'txt');
}

function pauseCronSubcommand(ctx: CommandContext, server: Server): void {
	if (ctx.args[2] === '0') server.cron.start();
	else server.cron.stop();
	ctx.reply.ok();
}

function forceRewriteSubcommand(ctx: CommandContext, server: Server): void {
	const error = server.config.rewrite(true);
	if (error === undefined) ctx.reply.ok();
	else ctx.replyError(error);
}

function crashSubcommand(): void {
	crash(undefined);
}

function segfaultSubcommand(): void {
	crash('SIGSEGV');
}

/** Outside of the dispatcher's guard: the process ends as it does for a bug of ours. */
function crash(signal: CrashSignal | undefined): void {
	setImmediate(() => {
		throw new RequestedCrash(signal);
	});
}

function structsizeSubcommand(ctx: CommandContext): void {
	ctx.reply.simple(
		`bits:${process.arch.includes('64') ? 64 : 32} v8:${process.versions.v8} redis:${REDIS_VERSION}`,
	);
}

interface Row {
	readonly run: Subcommand;
	/** Number of arguments, `DEBUG` and the subcommand's name included. */
	readonly argc: readonly [min: number, max: number];
}

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
	['digest', { run: digestSubcommand, argc: [2, 2] }],
	['digest-value', { run: digestValueSubcommand, argc: [2, Number.POSITIVE_INFINITY] }],
	['reload', { run: reloadSubcommand, argc: [2, Number.POSITIVE_INFINITY] }],
	['loadaof', { run: loadaofSubcommand, argc: [2, 2] }],
	['object', { run: objectSubcommand, argc: [3, 3] }],
	['listpack', { run: listpackSubcommand, argc: [3, 3] }],
	['quicklist', { run: quicklistSubcommand, argc: [3, 4] }],
	['populate', { run: populateSubcommand, argc: [3, 5] }],
	['protocol', { run: protocolSubcommand, argc: [3, 3] }],
	['sleep', { run: sleepSubcommand, argc: [3, 3] }],
	['aof-flush-sleep', { run: aofFlushSleepSubcommand, argc: [3, 3] }],
	['set-active-expire', { run: setActiveExpireSubcommand, argc: [3, 3] }],
	['set-skip-checksum-validation', { run: setSkipChecksumValidationSubcommand, argc: [3, 3] }],
	['quicklist-packed-threshold', { run: packedThresholdSubcommand, argc: [3, 3] }],
	['log', { run: logSubcommand, argc: [3, 3] }],
	['error', { run: errorSubcommand, argc: [3, 3] }],
	['change-repl-id', { run: changeReplIdSubcommand, argc: [2, 2] }],
	['htstats', { run: htstatsSubcommand, argc: [3, 4] }],
	['htstats-key', { run: htstatsKeySubcommand, argc: [3, 4] }],
	['pause-cron', { run: pauseCronSubcommand, argc: [3, 3] }],
	['config-rewrite-force-all', { run: forceRewriteSubcommand, argc: [2, 2] }],
	['structsize', { run: structsizeSubcommand, argc: [2, 2] }],
	['segfault', { run: segfaultSubcommand, argc: [2, 2] }],
	['panic', { run: crashSubcommand, argc: [2, 2] }],
	['assert', { run: crashSubcommand, argc: [2, 2] }],
	['help', { run: (ctx) => ctx.replyHelp(DEBUG_HELP), argc: [2, 2] }],
]);

export function debugCommands(server: Server): CommandSpec[] {
	const handler = (ctx: CommandContext) => {
		const row = ROWS.get(ctx.args[1]!.toLowerCase());
		const { length } = ctx.args;
		if (row === undefined || length < row.argc[0] || length > row.argc[1])
			return ctx.replyError(
				`ERR unknown subcommand or wrong number of arguments for '${ctx.args[1]!.slice(0, 128)}'. Try DEBUG HELP.`,
			);
		row.run(ctx, server);
	};
	return [command('debug', handler, -2, ADMIN | NOSCRIPT | LOADING | STALE | PROTECTED, NO_KEYS, 0)];
}
