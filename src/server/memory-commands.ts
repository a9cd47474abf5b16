/**
 * MEMORY: what keys and the server take. A key's size is an estimate from V8's object layout
 * (`types/memory-size.ts`); `allocator.*` tells of V8's heap.
 */
import { parseInt64 } from '../base/numbers.js';
import { clientMemoryBytes } from '../engine/client-info.js';
import {
	type CommandSpec,
	command,
	KEY_RO,
	LOADING,
	NO_KEYS,
	oneKey,
	READONLY,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from '../engine/errors.js';
import { BASE_BYTES } from '../engine/memory.js';
import { collectGarbage } from './garbage.js';
import { humanBytes } from './info-text.js';
import type { Server } from './server.js';

const SAMPLES_DEFAULT = 5;
/** DOCTOR has nothing to say of a server that uses less. */
const DOCTOR_BYTES_MIN = 5 * 1024 * 1024;
/** The runtime and the program themselves; what is resident beyond it and the data is garbage or free space. */
const RUNTIME_BYTES = 64 * 1024 * 1024;
const CLIENT_BYTES_LARGE = 200 * 1024;

function usageCommand(ctx: CommandContext): void {
	const { args, db } = ctx;
	let samples = SAMPLES_DEFAULT;
	for (let i = 3; i < args.length; i += 2) {
		if (args[i]!.toLowerCase() !== 'samples' || i + 1 === args.length) return ctx.replyError(ERR_SYNTAX);
		const count = parseInt64(args[i + 1]!);
		if (count === undefined) return ctx.replyError(ERR_NOT_INTEGER);
		if (count < 0) return ctx.replyError(ERR_SYNTAX);
		samples = Number(count);
	}
	const bytes = db.entryBytesOf(args[2]!, samples);
	if (bytes === undefined) ctx.reply.nil();
	else ctx.reply.integer(bytes);
}

interface Figures {
	readonly usedBytes: number;
	readonly peakBytes: number;
	readonly clientBytes: number;
	readonly clientBytesMax: number;
	readonly usage: NodeJS.MemoryUsage;
}

function measure(server: Server): Figures {
	const { engine } = server;
	const usedBytes = engine.memory.usedBytes();
	engine.stats.peakMemoryBytes = Math.max(engine.stats.peakMemoryBytes, usedBytes);
	let clientBytes = 0;
	let clientBytesMax = 0;
	for (const client of engine.clients.values()) {
		const bytes = clientMemoryBytes(client);
		clientBytes += bytes;
		clientBytesMax = Math.max(clientBytesMax, bytes);
	}
	return {
		usedBytes,
		peakBytes: engine.stats.peakMemoryBytes,
		clientBytes,
		clientBytesMax,
		usage: process.memoryUsage(),
	};
}

type Entry = readonly [name: string, value: number];

/** Replies entries of a map whose values are integers, or doubles. */
function replyEntries(ctx: CommandContext, entries: readonly Entry[], kind: 'integer' | 'double'): void {
	for (const [name, value] of entries) {
		ctx.reply.bulk(name);
		if (kind === 'integer') ctx.reply.integer(value);
		else ctx.reply.double(value);
	}
}

function ratioEntries(name: string, whole: number, part: number): [ratio: Entry[], bytes: Entry[]] {
	return [[[`${name}.ratio`, whole / part]], [[`${name}.bytes`, whole - part]]];
}

function statsCommand(ctx: CommandContext, server: Server): void {
	const { engine, log } = server;
	const { usedBytes, peakBytes, clientBytes, usage } = measure(server);
	const aofBytes = log.stats().memoryBytes;
	const dbs = engine.dbs.filter((db) => db.size > 0);
	let keyCount = 0;
	let tableBytes = 0;
	for (const db of dbs) {
		keyCount += db.size;
		tableBytes += db.tableBytes() + db.expiryBytes();
	}
	const overheadBytes = Math.min(usedBytes, BASE_BYTES + clientBytes + tableBytes);
	const datasetBytes = usedBytes - overheadBytes;
	const netBytes = Math.max(1, usedBytes - BASE_BYTES);
	ctx.reply.map(27 + dbs.length);
	const before: Entry[] = [
		['peak.allocated', peakBytes],
		['total.allocated', usedBytes],
		['startup.allocated', BASE_BYTES],
		['replication.backlog', 0],
		['clients.slaves', 0],
		['clients.normal', clientBytes],
		['cluster.links', 0],
		['aof.buffer', aofBytes],
		['lua.caches', 0],
		['functions.caches', 0],
	];
	replyEntries(ctx, before, 'integer');
	for (const db of dbs) {
		ctx.reply.bulk(`db.${db.id}`);
		ctx.reply.map(3);
		const tables: Entry[] = [
			['overhead.hashtable.main', db.tableBytes()],
			['overhead.hashtable.expires', db.expiryBytes()],
			['overhead.hashtable.slot-to-keys', 0],
		];
		replyEntries(ctx, tables, 'integer');
	}
	const totals: Entry[] = [
		['overhead.total', overheadBytes],
		['keys.count', keyCount],
		['keys.bytes-per-key', keyCount === 0 ? 0 : Math.floor(netBytes / keyCount)],
		['dataset.bytes', datasetBytes],
	];
	replyEntries(ctx, totals, 'integer');
	const shares: Entry[] = [
		['dataset.percentage', (datasetBytes * 100) / netBytes],
		['peak.percentage', (usedBytes * 100) / peakBytes],
	];
	replyEntries(ctx, shares, 'double');
	const { heapUsed, heapTotal, rss } = usage;
	const allocator: Entry[] = [
		['allocator.allocated', heapUsed],
		['allocator.active', heapTotal],
		['allocator.resident', rss],
	];
	replyEntries(ctx, allocator, 'integer');
	const overheads: Array<readonly [string, number, number]> = [
		['allocator-fragmentation', heapTotal, heapUsed],
		['allocator-rss', rss, heapTotal],
		['rss-overhead', rss, rss],
	];
	for (const [name, whole, part] of overheads) {
		const [ratio, bytes] = ratioEntries(name, whole, part);
		replyEntries(ctx, ratio, 'double');
		replyEntries(ctx, bytes, 'integer');
	}
	replyEntries(ctx, [['fragmentation', rss / usedBytes]], 'double');
	replyEntries(ctx, [['fragmentation.bytes', rss - usedBytes]], 'integer');
}

function doctorCommand(ctx: CommandContext, server: Server): void {
	const { usedBytes, peakBytes, clientBytesMax, usage } = measure(server);
	const findings: string[] = [];
	if (usedBytes < DOCTOR_BYTES_MIN) {
		ctx.reply.verbatim('There is too little data to say anything about the use of memory.\n', 'txt');
		return;
	}
	if (peakBytes > usedBytes * 1.5)
		findings.push(
			`Peak: it used ${humanBytes(peakBytes)} once, ${humanBytes(usedBytes)} now. The process may keep the rest.`,
		);
	if (usage.rss - RUNTIME_BYTES > usedBytes * 2)
		findings.push(
			`Garbage: ${humanBytes(usage.rss)} are resident for ${humanBytes(usedBytes)} of data. The next full ` +
				'garbage collection frees what is not in use; MEMORY PURGE makes one at once.',
		);
	if (clientBytesMax > CLIENT_BYTES_LARGE)
		findings.push(
			`Client buffers: a client has ${humanBytes(clientBytesMax)} waiting. CLIENT LIST shows which one (tot-mem).`,
		);
	const text = findings.length === 0 ? 'No problem found.\n' : findings.map((line) => `* ${line}\n`).join('');
	ctx.reply.verbatim(text, 'txt');
}

function mallocStatsCommand(ctx: CommandContext): void {
	ctx.reply.bulk('Stats not supported for the current allocator');
}

function purgeCommand(ctx: CommandContext): void {
	collectGarbage();
	ctx.reply.ok();
}

function helpCommand(ctx: CommandContext): void {
	ctx.replyHelp([
		'DOCTOR',
		'    Return memory problems reports.',
		'MALLOC-STATS',
		'    Return internal statistics report from the memory allocator.',
		'PURGE',
		'    Attempt to purge dirty pages for reclamation by the allocator.',
		'STATS',
		'    Return information about the memory usage of the server.',
		'USAGE <key> [SAMPLES <count>]',
		'    Return memory in bytes used by <key> and its value. Nested values are',
		'    sampled up to <count> times (default: 5, 0 means sample all).',
	]);
}

/** Never run: the container's arity leaves a request without a subcommand to the error about it. */
function memoryCommand(ctx: CommandContext): void {
	ctx.replyWrongArity();
}

export function memoryCommands(server: Server): CommandSpec[] {
	const report = {
		tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
	};
	const everywhere = { tips: ['request_policy:all_shards', 'response_policy:all_succeeded'] };
	const stats = (ctx: CommandContext) => statsCommand(ctx, server);
	const doctor = (ctx: CommandContext) => doctorCommand(ctx, server);
	return [
		command('memory', memoryCommand, -2, 0, NO_KEYS, 0, {
			subcommands: [
				command('memory|doctor', doctor, 2, 0, NO_KEYS, 0, report),
				command('memory|help', helpCommand, 2, LOADING | STALE, NO_KEYS, 0),
				command('memory|malloc-stats', mallocStatsCommand, 2, 0, NO_KEYS, 0, report),
				command('memory|purge', purgeCommand, 2, 0, NO_KEYS, 0, everywhere),
				command('memory|stats', stats, 2, 0, NO_KEYS, 0, report),
				command('memory|usage', usageCommand, -3, READONLY, oneKey(KEY_RO, 2), 0),
			],
		}),
	];
}
