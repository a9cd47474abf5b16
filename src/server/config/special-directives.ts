/** The kinds of single directives whose syntax is their own. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDouble } from '../../base/doubles.js';
import { errorText } from '../../base/error-text.js';
import { fromNative, toNative } from '../../base/native-text.js';
import { quoteRepr } from '../../base/quote.js';
import {
	NOTIFY_ALL,
	NOTIFY_EVICTED,
	NOTIFY_EXPIRED,
	NOTIFY_GENERIC,
	NOTIFY_HASH,
	NOTIFY_KEY_MISS,
	NOTIFY_KEYEVENT,
	NOTIFY_KEYSPACE,
	NOTIFY_LIST,
	NOTIFY_MODULE,
	NOTIFY_NEW,
	NOTIFY_SET,
	NOTIFY_STREAM,
	NOTIFY_STRING,
	NOTIFY_ZSET,
	type OutputBufferLimit,
	type OutputBufferLimits,
	type SavePoint,
	type Settings,
} from '../../engine/settings.js';
import type { DirectiveKind, RewriteLine } from './directive.js';
import { DEFAULTS, lineUnlessDefault } from './directive-kinds.js';
import { formatMemory, parseMemory } from './memory-text.js';

const WRONG_NUMBER = 'wrong number of arguments';
const BIND_ADDRESSES_MAX = 16;

/** What C's strtoll reads from the whole of `text`; undefined if something is left over. */
function parseCInt(text: string): number | undefined {
	return /^[ \t]*[+-]?\d{1,18}$/.test(text) ? Number(text.trim()) : undefined;
}

function isNone(args: readonly string[]): boolean {
	return args.length === 0 || (args.length === 1 && args[0] === '');
}

/** The working folder, held as an absolute path; what is relative is so to the folder before. */
export const dirKind: DirectiveKind = {
	type: 'path',
	set: (settings, args) => {
		if (args.length !== 1) return WRONG_NUMBER;
		const path = resolve(toNative(settings.dir), toNative(args[0]!));
		try {
			if (!statSync(path).isDirectory()) return 'Not a directory';
			accessSync(path, constants.X_OK);
		} catch (error) {
			return errorText(error);
		}
		settings.dir = fromNative(path);
		return undefined;
	},
	get: absoluteDir,
	rewrite: (settings) => [{ text: `dir ${quoteRepr(absoluteDir(settings))}`, force: true }],
};

function absoluteDir(settings: Settings): string {
	return fromNative(resolve(toNative(settings.dir)));
}

export const saveKind: DirectiveKind = {
	type: 'pairs of seconds and changes',
	set: (settings, args, mode) => {
		const numbers = isNone(args) ? [] : args.map(parseCInt);
		if (numbers.length % 2 !== 0) return 'Invalid save parameters';
		const points: SavePoint[] = isNone(args) || mode.firstInFile ? [] : [...settings.save];
		for (let i = 0; i < numbers.length; i += 2) {
			const seconds = numbers[i];
			const changes = numbers[i + 1];
			if (seconds === undefined || changes === undefined || seconds < 1 || changes < 0) {
				return 'Invalid save parameters';
			}
			points.push({ seconds, changes });
		}
		settings.save = points;
		return undefined;
	},
	get: (settings) => settings.save.map((point) => `${point.seconds} ${point.changes}`).join(' '),
	rewrite: (settings) =>
		settings.save.length === 0
			? [{ text: 'save ""', force: true }]
			: settings.save.map((point) => ({ text: `save ${point.seconds} ${point.changes}`, force: true })),
};

export const clientOutputBufferLimitKind: DirectiveKind = {
	type: 'class, hard limit, soft limit, seconds; for each class',
	set: (settings, args) => {
		if (args.length % 4 !== 0) return 'Wrong number of arguments in buffer limit configuration.';
		const limits: { -readonly [K in keyof OutputBufferLimits]: OutputBufferLimit } = {
			...settings.clientOutputBufferLimit,
		};
		for (let i = 0; i < args.length; i += 4) {
			const name = args[i]!.toLowerCase();
			const kind = name === 'slave' ? 'replica' : name;
			if (kind !== 'normal' && kind !== 'replica' && kind !== 'pubsub') {
				return 'Invalid client class specified in buffer limit configuration.';
			}
			const hard = parseMemory(args[i + 1]!);
			const soft = parseMemory(args[i + 2]!);
			const softSeconds = parseCInt(args[i + 3]!);
			if (hard === undefined || soft === undefined || softSeconds === undefined || softSeconds < 0) {
				return 'Error in hard, soft or soft_seconds setting in buffer limit configuration.';
			}
			limits[kind] = { hardBytes: Number(hard), softBytes: Number(soft), softSeconds };
		}
		settings.clientOutputBufferLimit = limits;
		return undefined;
	},
	get: (settings) => {
		const { normal, replica, pubsub } = settings.clientOutputBufferLimit;
		const text = (name: string, limit: OutputBufferLimit) =>
			`${name} ${BigInt(limit.hardBytes)} ${BigInt(limit.softBytes)} ${limit.softSeconds}`;
		return `${text('normal', normal)} ${text('slave', replica)} ${text('pubsub', pubsub)}`;
	},
	rewrite: (settings) => {
		const lines: RewriteLine[] = [];
		for (const kind of ['normal', 'replica', 'pubsub'] as const) {
			const { hardBytes, softBytes, softSeconds } = settings.clientOutputBufferLimit[kind];
			const initial = DEFAULTS.clientOutputBufferLimit[kind];
			const force =
				hardBytes !== initial.hardBytes ||
				softBytes !== initial.softBytes ||
				softSeconds !== initial.softSeconds;
			const amounts = `${formatMemory(hardBytes)} ${formatMemory(softBytes)} ${softSeconds}`;
			lines.push({ text: `client-output-buffer-limit ${kind} ${amounts}`, force });
		}
		return lines;
	},
};

const oomText = (settings: Settings) => settings.oomScoreAdjValues.join(' ');

export const oomScoreAdjValuesKind: DirectiveKind = {
	type: 'three numbers, -2000 to 2000',
	set: (settings, args) => {
		if (args.length !== 3) return WRONG_NUMBER;
		const values = args.map(parseCInt);
		for (const value of values) {
			if (value === undefined || value < -2000 || value > 2000) {
				return 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.';
			}
		}
		settings.oomScoreAdjValues = [values[0]!, values[1]!, values[2]!];
		return undefined;
	},
	get: oomText,
	rewrite: lineUnlessDefault('oom-score-adj-values', oomText),
};

/** The letters in the order in which CONFIG GET shows them; `A` stands for those of NOTIFY_ALL. */
const NOTIFY_LETTERS: ReadonlyArray<readonly [string, number]> = [
	['g', NOTIFY_GENERIC],
	['$', NOTIFY_STRING],
	['l', NOTIFY_LIST],
	['s', NOTIFY_SET],
	['h', NOTIFY_HASH],
	['z', NOTIFY_ZSET],
	['x', NOTIFY_EXPIRED],
	['e', NOTIFY_EVICTED],
	['t', NOTIFY_STREAM],
	['d', NOTIFY_MODULE],
	['n', NOTIFY_NEW],
	['K', NOTIFY_KEYSPACE],
	['E', NOTIFY_KEYEVENT],
	['m', NOTIFY_KEY_MISS],
];

/**
 * Redis 7.2 drops `n` from what it shows when all of `A` is set, and so loses it at CONFIG REWRITE
 * (keyspaceEventsFlagsToString in notify.c); here it is kept.
 */
function notifyText(settings: Settings): string {
	const flags = settings.notifyKeyspaceEvents;
	const all = (flags & NOTIFY_ALL) === NOTIFY_ALL;
	let text = all ? 'A' : '';
	for (const [letter, flag] of NOTIFY_LETTERS) {
		if ((flags & flag) === 0 || (all && (NOTIFY_ALL & flag) !== 0)) continue;
		text += letter;
	}
	return text;
}

export const notifyKeyspaceEventsKind: DirectiveKind = {
	type: 'letters of Ag$lshzxeKEtmdn',
	set: (settings, args) => {
		if (args.length !== 1) return WRONG_NUMBER;
		let flags = 0;
		for (const letter of args[0]!) {
			const flag = letter === 'A' ? NOTIFY_ALL : NOTIFY_LETTERS.find(([name]) => name === letter)?.[1];
			if (flag === undefined) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
			flags |= flag;
		}
		settings.notifyKeyspaceEvents = flags;
		return undefined;
	},
	get: notifyText,
	rewrite: (settings) => [
		{
			text: `notify-keyspace-events ${quoteRepr(notifyText(settings))}`,
			force: settings.notifyKeyspaceEvents !== 0,
		},
	],
};

export const bindKind: DirectiveKind = {
	type: 'addresses',
	set: (settings, args) => {
		if (args.length > BIND_ADDRESSES_MAX) return 'Too many bind addresses specified.';
		settings.bind = isNone(args) ? [] : [...args];
		return undefined;
	},
	get: (settings) => settings.bind.join(' '),
	rewrite: (settings) => {
		const text = settings.bind.join(' ');
		if (text === DEFAULTS.bind.join(' ')) return [];
		return [{ text: `bind ${text === '' ? '""' : text}`, force: true }];
	},
};

export const replicaofKind: DirectiveKind = {
	type: 'host and port, or no one',
	set: (settings, args) => {
		if (args.length !== 2) return WRONG_NUMBER;
		const [host, portText] = args as [string, string];
		if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one') {
			settings.replicaof = undefined;
			return undefined;
		}
		const port = parseCInt(portText);
		if (port === undefined || port < 0 || port > 65535) return 'Invalid master port';
		settings.replicaof = { host, port };
		return undefined;
	},
	get: (settings) => (settings.replicaof ? `${settings.replicaof.host} ${settings.replicaof.port}` : ''),
	rewrite: (settings) =>
		settings.replicaof
			? [{ text: `replicaof ${settings.replicaof.host} ${settings.replicaof.port}`, force: true }]
			: [],
};

/** C's `%f` without trailing zeros. */
function percentilesText(settings: Settings): string {
	return settings.latencyTrackingInfoPercentiles.map((p) => String(Number(p.toFixed(6)))).join(' ');
}

export const latencyTrackingInfoPercentilesKind: DirectiveKind = {
	type: 'numbers, 0 to 100',
	set: (settings, args) => {
		const percentiles: number[] = [];
		for (const arg of isNone(args) ? [] : args) {
			const percentile = parseDouble(arg);
			if (percentile === undefined) return 'Invalid latency-tracking-info-percentiles parameters';
			if (percentile > 100 || percentile < 0) {
				return 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]';
			}
			percentiles.push(percentile);
		}
		settings.latencyTrackingInfoPercentiles = percentiles;
		return undefined;
	},
	get: percentilesText,
	rewrite: (settings) => {
		const text = percentilesText(settings);
		return [{ text: `latency-tracking-info-percentiles ${text === '' ? '""' : text}`, force: true }];
	},
};
