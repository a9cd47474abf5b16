/** COMMAND and its subcommands: the registry's rows, told to clients. */
import { globMatch } from '../base/glob.js';
import { findKeys, hasKeys, legacyKeyRange } from '../engine/command-keys.js';
import {
	CAT_CONNECTION,
	CATEGORY_NAMES,
	type CommandSpec,
	command,
	FLAG_NAMES,
	KEY_FLAG_NAMES,
	type KeySpec,
	LOADING,
	MOVABLEKEYS,
	NO_KEYS,
	NO_MANDATORY_KEYS,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_SYNTAX } from '../engine/errors.js';
import type { Registry } from '../engine/registry.js';
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import { type CommandDoc, loadCommandDocs } from './command-docs.js';
import { replyCommandDocs, replyStatuses } from './command-docs-reply.js';

const HELP_LINES = [
	'(no subcommand)',
	'    Return details about all Redis commands.',
	'COUNT',
	'    Return the total number of commands in this Redis server.',
	'LIST',
	'    Return a list of all commands in this Redis server.',
	'INFO [<command-name> ...]',
	'    Return details about multiple Redis commands.',
	'    If no command names are given, documentation details for all',
	'    commands are returned.',
	'DOCS [<command-name> ...]',
	'    Return documentation details about multiple Redis commands.',
	'    If no command names are given, documentation details for all',
	'    commands are returned.',
	'GETKEYS <full-command>',
	'    Return the keys from a full Redis command.',
	'GETKEYSANDFLAGS <full-command>',
	'    Return the keys and the access flags from a full Redis command.',
];

function commandCommand(ctx: CommandContext): void {
	const { registry } = ctx.engine;
	ctx.reply.array(registry.size);
	for (const spec of registry.commands()) replyInfo(ctx.reply, spec);
}

function commandCountCommand(ctx: CommandContext): void {
	ctx.reply.integer(ctx.engine.registry.size);
}

function commandInfoCommand(ctx: CommandContext): void {
	if (ctx.args.length === 2) {
		commandCommand(ctx);
		return;
	}
	ctx.reply.array(ctx.args.length - 2);
	for (let i = 2; i < ctx.args.length; i++) {
		const spec = ctx.engine.registry.lookupFull(ctx.args[i]!);
		if (spec === undefined) ctx.reply.nil();
		else replyInfo(ctx.reply, spec);
	}
}

function commandHelpCommand(ctx: CommandContext): void {
	ctx.replyHelp(HELP_LINES);
}

// ---- LIST -----------------------------------------------------------------------------------------

type NameFilter = (spec: CommandSpec) => boolean;

/** The filter that FILTERBY asks for; undefined if it is not one. */
function nameFilter(kind: string, argument: string): NameFilter | undefined {
	switch (kind.toLowerCase()) {
		case 'module':
			return () => false; // there are no modules
		case 'aclcat': {
			const index = CATEGORY_NAMES.indexOf(argument.toLowerCase());
			return (spec) => index >= 0 && (spec.categories & (1 << index)) !== 0;
		}
		case 'pattern':
			return (spec) => globMatch(argument, spec.name, true);
		default:
			return undefined;
	}
}

function commandListCommand(ctx: CommandContext): void {
	const { args, reply } = ctx;
	let filter: NameFilter | undefined = () => true;
	if (args.length > 2) {
		filter =
			args.length === 5 && args[2]!.toLowerCase() === 'filterby' ? nameFilter(args[3]!, args[4]!) : undefined;
		if (filter === undefined) return ctx.replyError(ERR_SYNTAX);
	}
	const names = matchingNames(ctx.engine.registry, filter);
	reply.array(names.length);
	for (const name of names) reply.bulk(name);
}

function matchingNames(registry: Registry, filter: NameFilter): string[] {
	const names: string[] = [];
	for (const spec of registry.commands()) {
		if (filter(spec)) names.push(spec.name);
		for (const subcommand of spec.subcommands?.values() ?? []) {
			if (filter(subcommand)) names.push(subcommand.name);
		}
	}
	return names;
}

// ---- INFO -----------------------------------------------------------------------------------------

/** The ten columns of COMMAND INFO. */
function replyInfo(reply: ReplyBuffer, spec: CommandSpec): void {
	const { range, movable } = legacyKeyRange(spec);
	reply.array(10);
	reply.bulk(spec.name);
	reply.integer(spec.arity);
	replyStatuses(reply, namesOf(movable ? spec.flags | MOVABLEKEYS : spec.flags, FLAG_NAMES));
	reply.integer(range.first);
	reply.integer(range.last);
	reply.integer(range.step);
	replyStatuses(
		reply,
		CATEGORY_NAMES.filter((_, i) => spec.categories & (1 << i)).map((name) => `@${name}`),
	);
	reply.set(spec.tips.length);
	for (const tip of spec.tips) reply.bulk(tip);
	reply.set(spec.keySpecs.length);
	for (const keySpec of spec.keySpecs) replyKeySpec(reply, keySpec);
	if (spec.subcommands === undefined) {
		reply.set(0);
		return;
	}
	reply.array(spec.subcommands.size);
	for (const subcommand of spec.subcommands.values()) replyInfo(reply, subcommand);
}

function namesOf(flags: number, table: ReadonlyArray<readonly [number, string]>): string[] {
	const names: string[] = [];
	for (const [flag, name] of table) {
		if (flags & flag) names.push(name);
	}
	return names;
}

function replyKeySpec(reply: ReplyBuffer, keySpec: KeySpec): void {
	reply.map(keySpec.notes === '' ? 3 : 4);
	if (keySpec.notes !== '') {
		reply.bulk('notes');
		reply.bulk(keySpec.notes);
	}
	reply.bulk('flags');
	replyStatuses(reply, namesOf(keySpec.flags, KEY_FLAG_NAMES));
	reply.bulk('begin_search');
	const { begin, find } = keySpec;
	if (begin.kind === 'index') replySearch(reply, 'index', [['index', begin.index]]);
	else if (begin.kind === 'keyword') {
		replySearch(reply, 'keyword', [
			['keyword', begin.keyword],
			['startfrom', begin.startFrom],
		]);
	} else replySearch(reply, 'unknown', []);
	reply.bulk('find_keys');
	if (find.kind === 'range') {
		replySearch(reply, 'range', [
			['lastkey', find.lastKey],
			['keystep', find.step],
			['limit', find.limit],
		]);
	} else if (find.kind === 'keynum') {
		replySearch(reply, 'keynum', [
			['keynumidx', find.keyNumIndex],
			['firstkey', find.firstKey],
			['keystep', find.step],
		]);
	} else replySearch(reply, 'unknown', []);
}

function replySearch(
	reply: ReplyBuffer,
	type: string,
	fields: ReadonlyArray<readonly [string, string | number]>,
): void {
	reply.map(2);
	reply.bulk('type');
	reply.bulk(type);
	reply.bulk('spec');
	reply.map(fields.length);
	for (const [name, value] of fields) {
		reply.bulk(name);
		if (typeof value === 'number') reply.integer(value);
		else reply.bulk(value);
	}
}

// ---- GETKEYS --------------------------------------------------------------------------------------

function commandGetkeysCommand(ctx: CommandContext): void {
	replyKeys(ctx, false);
}

function commandGetkeysandflagsCommand(ctx: CommandContext): void {
	replyKeys(ctx, true);
}

function replyKeys(ctx: CommandContext, withFlags: boolean): void {
	const { reply } = ctx;
	const args = ctx.args.slice(2);
	const spec = lookupRequest(ctx.engine.registry, args);
	if (spec === undefined) return ctx.replyError('ERR Invalid command specified');
	if (!hasKeys(spec)) return ctx.replyError('ERR The command has no key arguments');
	if (!spec.arityOk(args.length)) {
		return ctx.replyError('ERR Invalid number of arguments specified for command');
	}
	const keys = findKeys(spec, args) ?? [];
	if (keys.length === 0 && !(spec.flags & NO_MANDATORY_KEYS)) {
		return ctx.replyError('ERR Invalid arguments specified for command');
	}
	reply.array(keys.length);
	for (const { index, flags } of keys) {
		if (withFlags) reply.array(2);
		reply.bulk(args[index]!);
		if (withFlags) replyStatuses(reply, namesOf(flags, KEY_FLAG_NAMES));
	}
}

/** The row that a request would be executed by: the subcommand's where there is a word for one. */
function lookupRequest(registry: Registry, args: readonly string[]): CommandSpec | undefined {
	const spec = registry.lookup(args[0]!);
	if (spec?.subcommands === undefined || args.length === 1) return spec;
	return spec.subcommands.get(args[1]!.toLowerCase());
}

// ---- the table ------------------------------------------------------------------------------------

const NONDETERMINISTIC_ORDER = { tips: ['nondeterministic_output_order'] };

/** The rows of COMMAND. The documentation is read at the first COMMAND DOCS, and kept by the rows. */
export function commandCommands(): CommandSpec[] {
	let docs: ReadonlyMap<string, CommandDoc> | undefined;

	function commandDocsCommand(ctx: CommandContext): void {
		const { registry } = ctx.engine;
		docs ??= loadCommandDocs();
		const specs =
			ctx.args.length === 2
				? [...registry.commands()]
				: ctx.args.slice(2).map((name) => registry.lookupFull(name));
		const known = specs.filter((spec) => spec !== undefined);
		ctx.reply.map(known.length);
		for (const spec of known) replyCommandDocs(ctx.reply, spec, docs);
	}

	const flags = LOADING | STALE;
	return [
		command('command', commandCommand, -1, flags, NO_KEYS, CAT_CONNECTION, {
			tips: NONDETERMINISTIC_ORDER.tips,
			subcommands: [
				command('command|count', commandCountCommand, 2, flags, NO_KEYS, CAT_CONNECTION),
				command(
					'command|docs',
					commandDocsCommand,
					-2,
					flags,
					NO_KEYS,
					CAT_CONNECTION,
					NONDETERMINISTIC_ORDER,
				),
				command('command|getkeys', commandGetkeysCommand, -3, flags, NO_KEYS, CAT_CONNECTION),
				command('command|getkeysandflags', commandGetkeysandflagsCommand, -3, flags, NO_KEYS, CAT_CONNECTION),
				command('command|help', commandHelpCommand, 2, flags, NO_KEYS, CAT_CONNECTION),
				command(
					'command|info',
					commandInfoCommand,
					-2,
					flags,
					NO_KEYS,
					CAT_CONNECTION,
					NONDETERMINISTIC_ORDER,
				),
				command(
					'command|list',
					commandListCommand,
					-2,
					flags,
					NO_KEYS,
					CAT_CONNECTION,
					NONDETERMINISTIC_ORDER,
				),
			],
		}),
	];
}
