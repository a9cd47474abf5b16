/**
 * The configuration of a running server: its settings, the file they came from, and what has to be
 * told when one changes. CONFIG GET, SET and REWRITE are made of it.
 */
import { errorText } from '../../base/error-text.js';
import { globMatch } from '../../base/glob.js';
import type { Logger } from '../../base/logger.js';
import { ERR_LOADING, ERR_SYNTAX } from '../../engine/errors.js';
import type { Settings } from '../../engine/settings.js';
import { HZ_MAX, HZ_MIN } from './config-loader.js';
import { rewriteConfigFile } from './config-rewrite.js';
import {
	assignField,
	DENY_LOADING,
	type Directive,
	HIDDEN,
	IMMUTABLE,
	MULTI_ARG,
	PROTECTED,
	SENSITIVE,
	SET_AT_RUN_TIME,
	VOLATILE,
} from './directive.js';
import { DIRECTIVES_BY_NAME, type NamedDirective } from './directive-table.js';

/**
 * Puts changed settings into effect; they are in `Settings` already. Gives the reason if that is not
 * possible: everything is then set back, and the hooks run again. May take its time (a listener).
 */
export type ApplyHook = () => string | undefined | Promise<string | undefined>;

export interface SetRights {
	/** `enable-protected-configs` allows it to this client. */
	readonly protectedAllowed: boolean;
	readonly loading: boolean;
}

interface Assignment {
	readonly named: NamedDirective;
	readonly value: string;
	/** The field before. */
	readonly before: unknown;
	readonly beforeText: string;
}

interface PendingHook {
	readonly run: ApplyHook;
	/** The directive that made it necessary. */
	readonly name: string;
}

export class Config {
	readonly settings: Settings;
	/** Absolute native path; '' if the server runs without a file. */
	readonly file: string;
	readonly #logger: Logger;
	readonly #hooks = new Map<string, ApplyHook[]>();
	/** The last CONFIG SET whose hooks take their time: the next one waits for it. */
	#busy: Promise<unknown> | undefined = undefined;

	constructor(settings: Settings, file: string, logger: Logger) {
		this.settings = settings;
		this.file = file;
		this.#logger = logger;
		this.onApply('hz', () => {
			settings.hz = Math.min(Math.max(settings.hz, HZ_MIN), HZ_MAX);
			return undefined;
		});
	}

	/**
	 * Runs `hook` after a CONFIG SET that changed a directive of that hook name (the table's; mostly
	 * the directive's own name). Several for one name run in the order of registration.
	 */
	onApply(name: string, hook: ApplyHook): void {
		const hooks = this.#hooks.get(name);
		if (hooks === undefined) this.#hooks.set(name, [hook]);
		else hooks.push(hook);
	}

	/** Names and values that match; a name without wildcards is shown as it was asked for. */
	get(patterns: readonly string[]): Map<string, string> {
		const found = new Map<string, NamedDirective & { shown: string }>();
		for (const pattern of patterns) {
			if (!/[[*?]/.test(pattern)) {
				const key = pattern.toLowerCase();
				const named = DIRECTIVES_BY_NAME.get(key);
				if (named !== undefined && !found.has(key)) found.set(key, { ...named, shown: pattern });
				continue;
			}
			for (const [key, named] of DIRECTIVES_BY_NAME) {
				if (named.directive.has(HIDDEN) || found.has(key) || !globMatch(pattern, key, true)) continue;
				found.set(key, { ...named, shown: key });
			}
		}
		return new Map([...found.values()].map((row) => [row.shown, row.directive.get(this.settings)]));
	}

	/**
	 * Sets all of `pairs` (name, value, …) or none. An error reply's text, undefined if all is well;
	 * a promise of it if a hook takes its time.
	 */
	set(pairs: readonly string[], rights: SetRights): string | undefined | Promise<string | undefined> {
		if (this.#busy !== undefined) return this.#busy.then(() => this.set(pairs, rights));
		const rows = findRows(pairs, rights);
		if (typeof rows === 'string') return rows;
		const { settings } = this;
		const done: Assignment[] = [];
		for (const [index, named] of rows.entries()) {
			const { directive } = named;
			const value = pairs[index * 2 + 1]!;
			const assignment: Assignment = {
				named,
				value,
				before: settings[directive.field],
				beforeText: directive.get(settings),
			};
			const args = directive.has(MULTI_ARG) ? value.split(' ') : [value];
			const error = directive.set(settings, args, SET_AT_RUN_TIME);
			if (error !== undefined) {
				this.#restore(done);
				return failedText(named.name, error);
			}
			done.push(assignment);
		}
		return this.#apply(done);
	}

	#restore(assignments: readonly Assignment[]): void {
		for (const { named, before } of assignments) assignField(this.settings, named.directive.field, before);
	}

	#apply(assignments: readonly Assignment[]): string | undefined | Promise<string | undefined> {
		const hooks: PendingHook[] = [];
		const seen = new Set<string>();
		for (const { named, beforeText } of assignments) {
			const { directive } = named;
			if (directive.get(this.settings) === beforeText && !directive.has(VOLATILE)) continue;
			if (seen.has(directive.hook)) continue;
			seen.add(directive.hook);
			for (const run of this.#hooks.get(directive.hook) ?? []) hooks.push({ run, name: named.name });
		}
		return this.#runFrom(hooks, 0, assignments);
	}

	/** Runs the hooks one after the other, and turns to promises only at one that needs it. */
	#runFrom(
		hooks: readonly PendingHook[],
		from: number,
		assignments: readonly Assignment[],
	): string | undefined | Promise<string | undefined> {
		for (let index = from; index < hooks.length; index++) {
			const hook = hooks[index]!;
			const outcome = hook.run();
			if (outcome instanceof Promise) {
				const rest = outcome.then(async (error) =>
					error === undefined
						? this.#runFrom(hooks, index + 1, assignments)
						: this.#rollBack(hooks, hook, error, assignments),
				);
				const busy = rest.finally(() => {
					if (this.#busy === busy) this.#busy = undefined;
				});
				this.#busy ??= busy;
				return busy;
			}
			if (outcome !== undefined) return this.#rollBack(hooks, hook, outcome, assignments);
		}
		return undefined;
	}

	#rollBack(
		hooks: readonly PendingHook[],
		failed: PendingHook,
		error: string,
		assignments: readonly Assignment[],
	): string | Promise<string> {
		this.#logger.log(
			'warning',
			`Failed applying new configuration. Possibly related to new ${failed.name} setting. Restoring previous settings.`,
		);
		this.#restore(assignments);
		const text = failedText(failed.name, error);
		const pending: Array<Promise<unknown>> = [];
		for (const { run } of hooks) {
			const outcome = run();
			if (outcome instanceof Promise) pending.push(outcome.then((again) => this.#logRestored(again)));
			else this.#logRestored(outcome);
		}
		return pending.length === 0 ? text : Promise.all(pending).then(() => text);
	}

	#logRestored(error: string | undefined): void {
		if (error === undefined) return;
		this.#logger.log('warning', `Failed applying restored failed CONFIG SET command: ${error}`);
	}

	/** Writes the settings into the file; an error reply's text, or undefined. */
	rewrite(force = false): string | undefined {
		if (this.file === '') return 'ERR The server is running without a config file';
		try {
			rewriteConfigFile(this.file, this.settings, force);
		} catch (error) {
			const reason = errorText(error);
			this.#logger.log('warning', `CONFIG REWRITE failed: ${reason}`);
			return `ERR Rewriting config file: ${reason}`;
		}
		this.#logger.log('notice', 'CONFIG REWRITE executed with success.');
		return undefined;
	}
}

/** The rows that CONFIG SET names, if it may set each of them, and each once. */
function findRows(pairs: readonly string[], rights: SetRights): NamedDirective[] | string {
	if (pairs.length % 2 !== 0) return ERR_SYNTAX;
	const rows: NamedDirective[] = [];
	const seen = new Set<Directive>();
	for (let i = 0; i < pairs.length; i += 2) {
		const name = pairs[i]!;
		const named = DIRECTIVES_BY_NAME.get(name.toLowerCase());
		if (named === undefined) {
			return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
		}
		const { directive } = named;
		if (directive.has(IMMUTABLE)) return failedText(name, "can't set immutable config");
		if (directive.has(PROTECTED) && !rights.protectedAllowed) {
			return failedText(name, "can't set protected config");
		}
		if (directive.has(DENY_LOADING) && rights.loading) return ERR_LOADING;
		if (seen.has(directive)) return failedText(name, 'duplicate parameter');
		seen.add(directive);
		rows.push(named);
	}
	return rows;
}

function failedText(name: string, reason: string): string {
	return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}

/** Whether the value of the directive `name` is to be kept out of logs. */
export function isSensitive(name: string): boolean {
	return DIRECTIVES_BY_NAME.get(name.toLowerCase())?.directive.has(SENSITIVE) ?? false;
}
