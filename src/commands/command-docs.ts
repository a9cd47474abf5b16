/**
 * The documentation of the commands, as COMMAND DOCS gives it: read from data/commands, one JSON file a
 * group, named like the group. In a file, by full name (`container|sub`): `summary`, `since`,
 * `complexity`, `docFlags`, `deprecatedSince`, `replacedBy`, `history` (pairs of a version and what
 * changed in it), and `arguments` in the notation of `command-docs-syntax.ts`.
 *
 * Read when first asked for: about 50 KB, which start-up need not wait for.
 */
import { readFileSync } from 'node:fs';
import { type ArgumentDoc, parseArgumentSyntax } from './command-docs-syntax.js';

export const COMMAND_GROUPS = [
	'generic',
	'string',
	'bitmap',
	'list',
	'hash',
	'set',
	'sorted-set',
	'pubsub',
	'transactions',
	'connection',
	'server',
] as const;

export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** One command's entry in its group's file. */
interface CommandEntry {
	readonly summary: string;
	readonly since: string;
	readonly complexity?: string;
	readonly docFlags?: readonly string[];
	readonly deprecatedSince?: string;
	readonly replacedBy?: string;
	readonly history?: ReadonlyArray<readonly [version: string, change: string]>;
	readonly arguments?: string;
}

export interface CommandDoc {
	readonly group: CommandGroup;
	readonly summary: string;
	/** The version of Redis that brought the command. */
	readonly since: string;
	readonly complexity: string | undefined;
	readonly docFlags: readonly string[];
	readonly deprecatedSince: string | undefined;
	readonly replacedBy: string | undefined;
	readonly history: ReadonlyArray<readonly [version: string, change: string]>;
	readonly arguments: readonly ArgumentDoc[];
}

/** From the compiled file at dist/src/commands. */
const DATA_FOLDER = new URL('../../../data/commands/', import.meta.url);

/** Reads all documentation, by full name of the command. Throws if a file is missing or malformed. */
export function loadCommandDocs(): ReadonlyMap<string, CommandDoc> {
	const docs = new Map<string, CommandDoc>();
	for (const group of COMMAND_GROUPS) {
		const text = readFileSync(new URL(`${group}.json`, DATA_FOLDER), 'utf8');
		const entries = JSON.parse(text) as Record<string, CommandEntry>;
		for (const [name, entry] of Object.entries(entries)) {
			docs.set(name, {
				group,
				summary: entry.summary,
				since: entry.since,
				complexity: entry.complexity,
				docFlags: entry.docFlags ?? [],
				deprecatedSince: entry.deprecatedSince,
				replacedBy: entry.replacedBy,
				history: entry.history ?? [],
				arguments: entry.arguments === undefined ? [] : parseArgumentSyntax(entry.arguments),
			});
		}
	}
	return docs;
}
