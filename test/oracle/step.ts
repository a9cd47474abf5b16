/**
 * What an oracle program is made of. A program is fixed before it runs: no step depends on a reply, so any
 * part of a program is a program too, and a failing one can be cut down.
 */

/**
 * How the two replies of a command are compared.
 *
 * - `exact`: byte for byte.
 * - `unordered`: the same elements in any order, where Redis leaves the order open.
 * - `pairs`: as `unordered`, for a flat list of pairs.
 * - `seconds`, `millis`: a time to live; the two servers are asked at slightly different moments.
 * - `ignored`: not at all.
 */
export type CompareMode = 'exact' | 'unordered' | 'pairs' | 'seconds' | 'millis' | 'ignored';

/** One command. */
export interface CommandStep {
	readonly kind: 'command';
	readonly args: readonly string[];
	readonly mode: CompareMode;
}

/**
 * A read whose order is open only when the value is a hashtable: compared exactly while Redis's encoding of
 * `key` is a compact one, else by `mode`.
 */
export interface OrderedReadStep {
	readonly kind: 'ordered-read';
	readonly key: string;
	readonly args: readonly string[];
	readonly mode: CompareMode;
}

/** MULTI, the commands, EXEC or DISCARD; with `watch`, that key is watched and `meanwhile` done by another client. */
export interface TransactionStep {
	readonly kind: 'transaction';
	readonly commands: readonly CommandStep[];
	readonly end: 'EXEC' | 'DISCARD';
	readonly watch: string | null;
	readonly meanwhile: readonly string[] | null;
}

/** A command with a random result: checked for what must hold, then `key` is deleted if the command writes. */
export interface RandomStep {
	readonly kind: 'random';
	readonly args: readonly string[];
	readonly key: string | null;
}

/** A full iteration of SCAN, SSCAN, HSCAN or ZSCAN: `args` with the cursor left out at `cursorIndex`. */
export interface IterateStep {
	readonly kind: 'iterate';
	readonly args: readonly string[];
	readonly cursorIndex: number;
	readonly isPairs: boolean;
}

/** A blocking command, and what another client does once it waits. */
export interface BlockedStep {
	readonly kind: 'blocked';
	readonly args: readonly string[];
	readonly meanwhile: readonly string[];
}

/** A key that is given a millisecond to live, and is gone a few milliseconds later. */
export interface ExpireStep {
	readonly kind: 'expire';
	readonly key: string;
}

export type Step =
	| CommandStep
	| OrderedReadStep
	| TransactionStep
	| RandomStep
	| IterateStep
	| BlockedStep
	| ExpireStep;

/** The step as text to paste: one command a line, quoted as redis-cli reads it. */
export function describeStep(step: Step): string {
	switch (step.kind) {
		case 'command':
		case 'ordered-read':
		case 'random':
			return quoteCommand(step.args);
		case 'iterate':
			return `${quoteCommand(step.args)}  # full iteration, cursor at argument ${step.cursorIndex}`;
		case 'expire':
			return `PEXPIRE ${quoteArg(step.key)} 1  # and wait`;
		case 'blocked':
			return `${quoteCommand(step.args)}  # meanwhile: ${quoteCommand(step.meanwhile)}`;
		case 'transaction': {
			const lines = step.commands.map((command) => quoteCommand(command.args));
			if (step.watch !== null) lines.unshift(`WATCH ${quoteArg(step.watch)}`, 'MULTI');
			else lines.unshift('MULTI');
			if (step.meanwhile !== null) lines.push(`# meanwhile: ${quoteCommand(step.meanwhile)}`);
			return [...lines, step.end].join('\n');
		}
	}
}

function quoteCommand(args: readonly string[]): string {
	return args.map(quoteArg).join(' ');
}

function quoteArg(arg: string): string {
	if (/^[\w.:*{}()[\]+-]+$/.test(arg)) return arg;
	return `"${arg.replace(/["\\]|[^ -~]/g, (c) =>
		c === '"' || c === '\\' ? `\\${c}` : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
	)}"`;
}
