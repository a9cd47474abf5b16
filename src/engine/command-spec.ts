/**
 * The row of a command: everything about it that is not its code. COMMAND INFO, arity errors, ACL
 * categories, key extraction and routing are derived from it. Flags and their names are those of
 * Redis 7.2 (COMMAND INFO); a family's file builds its table with `command(...)` at its end.
 */
import type { CommandContext } from './context.js';
import type { LatencyHistogram } from './latency-histogram.js';

export const WRITE = 1 << 0;
export const READONLY = 1 << 1;
export const DENYOOM = 1 << 2;
export const MODULE = 1 << 3;
export const ADMIN = 1 << 4;
export const PUBSUB = 1 << 5;
export const NOSCRIPT = 1 << 6;
export const BLOCKING = 1 << 7;
export const LOADING = 1 << 8;
export const STALE = 1 << 9;
export const SKIP_MONITOR = 1 << 10;
export const SKIP_SLOWLOG = 1 << 11;
export const ASKING = 1 << 12;
export const FAST = 1 << 13;
export const NO_AUTH = 1 << 14;
/** Not shown: replicated though it does not change the dataset (PUBLISH). */
export const MAY_REPLICATE = 1 << 15;
export const NO_MULTI = 1 << 16;
export const MOVABLEKEYS = 1 << 17;
export const ALLOW_BUSY = 1 << 18;
export const NO_ASYNC_LOADING = 1 << 19;
/** Not shown by COMMAND INFO: refused unless `enable-debug-command`/`enable-module-command` permit it. */
export const PROTECTED = 1 << 20;
/** A command whose keys may be absent (such as EVAL with numkeys 0). */
export const NO_MANDATORY_KEYS = 1 << 21;
/** Not shown: may delete expired keys that it was not asked about, so its effects are no transaction. */
export const TOUCHES_ARBITRARY_KEYS = 1 << 22;
/** Not shown: takes constant time, though Redis does not call it fast. */
export const BRIEF = 1 << 23;

/** The names of the flags as COMMAND INFO gives them, in its order. */
export const FLAG_NAMES: ReadonlyArray<readonly [number, string]> = [
	[WRITE, 'write'],
	[READONLY, 'readonly'],
	[DENYOOM, 'denyoom'],
	[MODULE, 'module'],
	[ADMIN, 'admin'],
	[PUBSUB, 'pubsub'],
	[NOSCRIPT, 'noscript'],
	[BLOCKING, 'blocking'],
	[LOADING, 'loading'],
	[STALE, 'stale'],
	[SKIP_MONITOR, 'skip_monitor'],
	[SKIP_SLOWLOG, 'skip_slowlog'],
	[ASKING, 'asking'],
	[FAST, 'fast'],
	[NO_AUTH, 'no_auth'],
	[NO_MANDATORY_KEYS, 'no_mandatory_keys'],
	[NO_ASYNC_LOADING, 'no_async_loading'],
	[NO_MULTI, 'no_multi'],
	[MOVABLEKEYS, 'movablekeys'],
	[ALLOW_BUSY, 'allow_busy'],
];

export const CAT_KEYSPACE = 1 << 0;
export const CAT_READ = 1 << 1;
export const CAT_WRITE = 1 << 2;
export const CAT_SET = 1 << 3;
export const CAT_SORTEDSET = 1 << 4;
export const CAT_LIST = 1 << 5;
export const CAT_HASH = 1 << 6;
export const CAT_STRING = 1 << 7;
export const CAT_BITMAP = 1 << 8;
export const CAT_HYPERLOGLOG = 1 << 9;
export const CAT_GEO = 1 << 10;
export const CAT_STREAM = 1 << 11;
export const CAT_PUBSUB = 1 << 12;
export const CAT_ADMIN = 1 << 13;
export const CAT_FAST = 1 << 14;
export const CAT_SLOW = 1 << 15;
export const CAT_BLOCKING = 1 << 16;
export const CAT_DANGEROUS = 1 << 17;
export const CAT_CONNECTION = 1 << 18;
export const CAT_TRANSACTION = 1 << 19;
export const CAT_SCRIPTING = 1 << 20;

/** The names of the ACL categories in the order of Redis. */
export const CATEGORY_NAMES: readonly string[] = [
	'keyspace',
	'read',
	'write',
	'set',
	'sortedset',
	'list',
	'hash',
	'string',
	'bitmap',
	'hyperloglog',
	'geo',
	'stream',
	'pubsub',
	'admin',
	'fast',
	'slow',
	'blocking',
	'dangerous',
	'connection',
	'transaction',
	'scripting',
];

/** How a key is used: the flags of a key spec (COMMAND INFO, GETKEYSANDFLAGS). */
export const KEY_RO = 1 << 0;
export const KEY_RW = 1 << 1;
export const KEY_OW = 1 << 2;
export const KEY_RM = 1 << 3;
export const KEY_ACCESS = 1 << 4;
export const KEY_UPDATE = 1 << 5;
export const KEY_INSERT = 1 << 6;
export const KEY_DELETE = 1 << 7;
export const KEY_NOT_KEY = 1 << 8;
export const KEY_INCOMPLETE = 1 << 9;
export const KEY_VARIABLE_FLAGS = 1 << 10;

export const KEY_FLAG_NAMES: ReadonlyArray<readonly [number, string]> = [
	[KEY_RO, 'RO'],
	[KEY_RW, 'RW'],
	[KEY_OW, 'OW'],
	[KEY_RM, 'RM'],
	[KEY_ACCESS, 'access'],
	[KEY_UPDATE, 'update'],
	[KEY_INSERT, 'insert'],
	[KEY_DELETE, 'delete'],
	[KEY_NOT_KEY, 'not_key'],
	[KEY_INCOMPLETE, 'incomplete'],
	[KEY_VARIABLE_FLAGS, 'variable_flags'],
];

/** Where the keys of a command begin. */
export type BeginSearch =
	| { readonly kind: 'index'; readonly index: number }
	| { readonly kind: 'keyword'; readonly keyword: string; readonly startFrom: number }
	| { readonly kind: 'unknown' };

/** How the keys are found from there. */
export type FindKeys =
	| { readonly kind: 'range'; readonly lastKey: number; readonly step: number; readonly limit: number }
	| {
			readonly kind: 'keynum';
			readonly keyNumIndex: number;
			readonly firstKey: number;
			readonly step: number;
	  }
	| { readonly kind: 'unknown' };

export interface KeySpec {
	readonly flags: number;
	readonly begin: BeginSearch;
	readonly find: FindKeys;
	/** The remark that COMMAND INFO prints with the key spec, if any. */
	readonly notes: string;
}

/** A key's position in argv and the `KEY_*` flags of its use. */
export interface KeyPosition {
	readonly index: number;
	readonly flags: number;
}

/** Finds keys that no key spec can express; returns undefined where the arguments are invalid. */
export type GetKeys = (args: readonly string[]) => KeyPosition[] | undefined;

export type Handler = (ctx: CommandContext) => void;

/** What few rows need beyond the common columns. */
export interface CommandExtras {
	readonly tips?: readonly string[];
	readonly getKeys?: GetKeys;
	readonly subcommands?: readonly CommandSpec[];
}

export class CommandSpec {
	/** Full name in lower case; a subcommand's is `container|sub`. */
	readonly name: string;
	readonly handler: Handler;
	/** Number of arguments with the name: exact if positive, at least -arity if negative. */
	readonly arity: number;
	readonly flags: number;
	readonly keySpecs: readonly KeySpec[];
	/** ACL categories given in the row plus those implied by the flags. */
	readonly categories: number;
	readonly tips: readonly string[];
	readonly getKeys: GetKeys | undefined;
	/** By lower-case name without the container; undefined for a command without subcommands. */
	readonly subcommands: ReadonlyMap<string, CommandSpec> | undefined;
	/** The container of a subcommand. */
	parent: CommandSpec | undefined = undefined;

	// Statistics of the server that the row belongs to (INFO commandstats, latencystats).
	calls = 0;
	totalUs = 0;
	rejectedCalls = 0;
	failedCalls = 0;
	latency: LatencyHistogram | undefined = undefined;

	constructor(
		name: string,
		handler: Handler,
		arity: number,
		flags: number,
		keySpecs: readonly KeySpec[],
		categories: number,
		extras: CommandExtras,
	) {
		this.name = name;
		this.handler = handler;
		this.arity = arity;
		this.flags = flags;
		this.keySpecs = keySpecs;
		this.categories = categories | impliedCategories(flags);
		this.tips = extras.tips ?? [];
		this.getKeys = extras.getKeys;
		this.subcommands = extras.subcommands
			? new Map(extras.subcommands.map((sub) => [sub.name.slice(name.length + 1), sub]))
			: undefined;
		for (const sub of extras.subcommands ?? []) sub.parent = this;
	}

	/** Whether a request of `argc` arguments, name included, satisfies the arity. */
	arityOk(argc: number): boolean {
		return this.arity >= 0 ? argc === this.arity : argc >= -this.arity;
	}
}

/** The categories that follow from flags (setImplicitACLCategories in Redis's server.c). */
function impliedCategories(flags: number): number {
	let categories = 0;
	if (flags & WRITE) categories |= CAT_WRITE;
	if (flags & READONLY) categories |= CAT_READ;
	if (flags & ADMIN) categories |= CAT_ADMIN | CAT_DANGEROUS;
	if (flags & PUBSUB) categories |= CAT_PUBSUB;
	if (flags & FAST) categories |= CAT_FAST;
	if (flags & BLOCKING) categories |= CAT_BLOCKING;
	if (!(categories & CAT_FAST)) categories |= CAT_SLOW;
	return categories;
}

/** One row of a family's table. A subcommand's name is written `container|sub`. */
export function command(
	name: string,
	handler: Handler,
	arity: number,
	flags: number,
	keySpecs: readonly KeySpec[],
	categories: number,
	extras: CommandExtras = {},
): CommandSpec {
	if (flags & WRITE && flags & READONLY) throw new Error(`${name}: both write and readonly`);
	return new CommandSpec(name, handler, arity, flags, keySpecs, categories, extras);
}

export const NO_KEYS: readonly KeySpec[] = [];

/** One key at `index`. */
export function oneKey(flags: number, index = 1, notes = ''): readonly KeySpec[] {
	return keyRange(flags, index, 0, 1, notes);
}

/**
 * Keys from `first`; `lastKey` is relative to the first (0: just one, -1: up to the last argument,
 * -2: up to the last but one), every `step` arguments.
 */
export function keyRange(
	flags: number,
	first: number,
	lastKey: number,
	step = 1,
	notes = '',
): readonly KeySpec[] {
	return [
		{
			flags,
			begin: { kind: 'index', index: first },
			find: { kind: 'range', lastKey, step, limit: 0 },
			notes,
		},
	];
}

/** A count of keys at `countIndex`, directly followed by that many keys. */
export function keyNum(flags: number, countIndex: number, notes = ''): readonly KeySpec[] {
	return [
		{
			flags,
			begin: { kind: 'index', index: countIndex },
			find: { kind: 'keynum', keyNumIndex: 0, firstKey: 1, step: 1 },
			notes,
		},
	];
}
