/**
 * Reads redis.conf and what follows it (standard input, the options of the command line) into
 * `Settings`. Syntax, order and error texts are those of `loadServerConfig` in Redis 7.2.6's
 * config.c; beyond it, includes have a greatest depth.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText } from '../../base/error-text.js';
import { toNative } from '../../base/native-text.js';
import { splitArgs } from '../../base/quote.js';
import { REDIS_VERSION } from '../../base/version.js';
import { Settings } from '../../engine/settings.js';
import { MULTI_ARG } from './directive.js';
import { DIRECTIVES, DIRECTIVES_BY_NAME, FILE_ONLY_DIRECTIVES } from './directive-table.js';
import { expandPattern, hasWildcard } from './include-paths.js';

const INCLUDE_DEPTH_MAX = 16;
export const HZ_MIN = 1;
export const HZ_MAX = 500;

export interface ConfigSource {
	/** Path of the file, a byte string; '' if none. */
	readonly configFile: string;
	readonly readStdin: boolean;
	/** Lines that are read last. */
	readonly options: string;
}

/** What is not known here. */
export interface LoadContext {
	/** The folder that relative paths start from. */
	readonly dir: string;
	/** The names of all commands, lower case; asked for only by `rename-command`. */
	readonly commandNames: () => Iterable<string>;
	readonly readStdin: () => string;
}

/** Why a configuration can't be used: `block` goes to standard error, `line` to the log. */
export interface ConfigFailure {
	readonly block?: string;
	readonly line?: string;
}

export type LoadResult =
	| { readonly ok: true; readonly settings: Settings }
	| { readonly ok: false; readonly failure: ConfigFailure };

export function loadConfig(source: ConfigSource, context: LoadContext): LoadResult {
	const loader = new Loader(context);
	let text = '';
	if (source.configFile !== '') {
		const content = loader.readFiles(source.configFile);
		if (typeof content !== 'string') return { ok: false, failure: content };
		text += content;
	}
	if (source.readStdin) text += context.readStdin();
	text += `\n${source.options}`;
	const failure = loader.loadText(text, 0);
	return failure === undefined ? { ok: true, settings: loader.settings } : { ok: false, failure };
}

/** Remarks on what was set and has no effect, for the log at start-up. */
export function settingsWithoutEffect(settings: Settings): string[] {
	const remarks: string[] = [];
	for (const directive of DIRECTIVES) {
		if (directive.support.level !== 'no effect') continue;
		if (directive.get(settings) === directive.defaultText) continue;
		remarks.push(`Setting '${directive.name}' has no effect: ${directive.support.why}.`);
	}
	return remarks;
}

class Loader {
	readonly settings = new Settings();
	readonly #context: LoadContext;
	#saveSeen = false;
	#commandNames: Set<string> | undefined = undefined;

	constructor(context: LoadContext) {
		this.#context = context;
		this.settings.dir = context.dir;
	}

	/** The text of a file, or of all that match if the name has wildcards. */
	readFiles(name: string): string | ConfigFailure {
		const dir = toNative(this.settings.dir);
		const native = toNative(name);
		const paths = hasWildcard(native) ? expandPattern(native, dir) : [resolve(dir, native)];
		let text = '';
		for (const path of paths) {
			try {
				text += readFileSync(path, 'latin1');
			} catch (error) {
				return { line: `Fatal error, can't open config file '${native}': ${errorText(error)}` };
			}
		}
		return text;
	}

	loadText(text: string, depth: number): ConfigFailure | undefined {
		const lines = text.split('\n');
		for (let index = 0; index < lines.length; index++) {
			const line = trimLine(lines[index]!);
			const failure = this.#loadLine(line, depth);
			if (failure === undefined) continue;
			if (typeof failure !== 'string') return failure;
			return {
				block: fatalBlock(`Reading the configuration file, at line ${index + 1}\n>>> '${line}'\n${failure}`),
			};
		}
		return this.#checkWhole();
	}

	/** A text is what is wrong with this line; a failure was found in an included file. */
	#loadLine(line: string, depth: number): string | ConfigFailure | undefined {
		if (line === '' || line.startsWith('#')) return undefined;
		const args = splitArgs(line);
		if (args === null) return 'Unbalanced quotes in configuration line';
		if (args.length === 0) return undefined;
		const name = args[0]!.toLowerCase();
		if (DIRECTIVES_BY_NAME.has(name)) return this.#setDirective(name, args.slice(1));
		return this.#fileOnly(name, args, depth);
	}

	#setDirective(name: string, values: readonly string[]): string | undefined {
		const { directive } = DIRECTIVES_BY_NAME.get(name)!;
		let args = values;
		if (!directive.has(MULTI_ARG)) {
			if (args.length !== 1) return 'wrong number of arguments';
		} else if (args.length === 1 && args[0] !== '') {
			// One quoted argument may hold them all.
			args = splitArgs(args[0]!) ?? [];
		}
		const firstInFile = name !== 'save' || !this.#saveSeen;
		if (name === 'save') this.#saveSeen = true;
		return directive.set(this.settings, args, { firstInFile, fromFile: true });
	}

	#fileOnly(name: string, args: readonly string[], depth: number): string | ConfigFailure | undefined {
		const row = FILE_ONLY_DIRECTIVES.find((candidate) => candidate.name === name);
		if (name === 'include' && args.length === 2) return this.#include(args[1]!, depth);
		if (name === 'rename-command' && args.length === 3) return this.#rename(args[1]!, args[2]!);
		if (row?.support.level === 'refused' && args.length >= 2) {
			return name === 'sentinel' ? 'sentinel directive while not in sentinel mode' : row.support.why;
		}
		if (row?.support.level === 'no effect' && args.length === 2) return undefined;
		return 'Bad directive or wrong number of arguments';
	}

	#include(name: string, depth: number): string | ConfigFailure | undefined {
		if (depth >= INCLUDE_DEPTH_MAX) return 'Includes are nested too deeply';
		const text = this.readFiles(name);
		return typeof text === 'string' ? this.loadText(text, depth + 1) : text;
	}

	#rename(from: string, to: string): string | undefined {
		this.#commandNames ??= new Set(this.#context.commandNames());
		const names = this.#commandNames;
		if (!names.delete(from.toLowerCase())) return 'No such command in rename-command';
		if (to !== '') {
			if (names.has(to.toLowerCase())) return 'Target command name already exists';
			names.add(to.toLowerCase());
		}
		this.settings.renameCommand = [...this.settings.renameCommand, { from, to }];
		return undefined;
	}

	/** What can be judged only when all lines are read. */
	#checkWhole(): ConfigFailure | undefined {
		const { settings } = this;
		if (settings.logfile !== '') {
			try {
				closeSync(openSync(resolve(toNative(settings.dir), toNative(settings.logfile)), 'a'));
			} catch (error) {
				return { block: fatalBlock(`Can't open the log file: ${errorText(error)}`) };
			}
		}
		settings.hz = Math.min(Math.max(settings.hz, HZ_MIN), HZ_MAX);
		return undefined;
	}
}

/** Redis trims spaces, tabs and line ends, and no other white space. */
function trimLine(line: string): string {
	return line.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

function fatalBlock(text: string): string {
	return `\n*** FATAL CONFIG FILE ERROR (Redis ${REDIS_VERSION}) ***\n${text}\n`;
}
