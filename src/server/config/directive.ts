/**
 * A directive of redis.conf as the table has it: its name, how its text is read and written, and
 * whether it has an effect here. One directive sets one field of `Settings`.
 *
 * Texts of errors, and the rules of CONFIG SET and REWRITE, are those of Redis 7.2.6's config.c.
 */
import type { Settings } from '../../engine/settings.js';

/** Can't be set at run time. */
export const IMMUTABLE = 1 << 0;
/** CONFIG GET shows it only by its exact name. */
export const HIDDEN = 1 << 1;
/** Its value is kept out of MONITOR, SLOWLOG and the log. */
export const SENSITIVE = 1 << 2;
/** CONFIG SET needs `enable-protected-configs`. */
export const PROTECTED = 1 << 3;
/** CONFIG SET is refused while the dataset is loading. */
export const DENY_LOADING = 1 << 4;
/** Takes several arguments (CONFIG SET: one, divided at spaces). */
export const MULTI_ARG = 1 << 5;
/** Setting it to the value that it has applies it again (files that may have changed). */
export const VOLATILE = 1 << 6;

/**
 * Whether a directive has an effect. `refused`: only the value that asks for nothing (the default) is
 * accepted, because accepting another would promise what is not kept. `why` completes the remark.
 */
export interface Support {
	readonly level: 'works' | 'no effect' | 'refused';
	readonly why: string;
}

/** A line that CONFIG REWRITE wants to have; `force`: even if the file had none for the directive. */
export interface RewriteLine {
	readonly text: string;
	readonly force: boolean;
}

/** How a directive's arguments are read: from a file (repeated lines add up) or by CONFIG SET. */
export interface SetMode {
	/** The first line of its name in this file and its includes: what it adds to is cleared first. */
	readonly firstInFile: boolean;
	readonly fromFile: boolean;
}

export const SET_AT_RUN_TIME: SetMode = { firstInFile: true, fromFile: false };

/** The part of a directive that depends on its kind. */
export interface DirectiveKind {
	/** For people: `yes or no`, `bytes`, … */
	readonly type: string;
	/** Sets the field from the arguments; gives the error text if they are not valid (nothing is set then). */
	readonly set: (settings: Settings, args: readonly string[], mode: SetMode) => string | undefined;
	/** The value as CONFIG GET shows it. */
	readonly get: (settings: Settings) => string;
	/** The lines for CONFIG REWRITE; none if the directive must not be in the file. */
	readonly rewrite: (settings: Settings) => RewriteLine[];
}

export class Directive {
	readonly name: string;
	/** Another name for the same, '' if none. */
	readonly alias: string;
	readonly field: keyof Settings;
	readonly flags: number;
	readonly support: Support;
	/** The hook that is run after CONFIG SET; several directives may share one. */
	readonly hook: string;
	readonly type: string;
	readonly get: (settings: Settings) => string;
	readonly rewrite: (settings: Settings) => RewriteLine[];
	readonly #set: DirectiveKind['set'];
	/** The default as CONFIG GET shows it. */
	readonly defaultText: string;

	constructor(options: {
		readonly name: string;
		readonly alias: string;
		readonly flags: number;
		readonly support: Support;
		readonly hook: string;
		readonly kind: DirectiveKind;
		readonly defaults: Settings;
	}) {
		this.name = options.name;
		this.alias = options.alias;
		this.field = fieldName(options.name) as keyof Settings;
		this.flags = options.flags;
		this.support = options.support;
		this.hook = options.hook;
		this.type = options.kind.type;
		this.get = options.kind.get;
		this.rewrite = options.kind.rewrite;
		this.#set = options.kind.set;
		this.defaultText = options.kind.get(options.defaults);
	}

	has(flag: number): boolean {
		return (this.flags & flag) !== 0;
	}

	/** Sets the field from the arguments, or gives the error text and sets nothing. */
	set(settings: Settings, args: readonly string[], mode: SetMode): string | undefined {
		const before = settings[this.field];
		const error = this.#set(settings, args, mode);
		if (error !== undefined) return error;
		if (this.support.level === 'refused' && this.get(settings) !== this.defaultText) {
			assignField(settings, this.field, before);
			return this.support.why;
		}
		return undefined;
	}
}

/** Sets a field whose type is known only at run time: `value` was taken from the same field. */
export function assignField(settings: Settings, field: keyof Settings, value: unknown): void {
	(settings as unknown as Record<string, unknown>)[field] = value;
}

/** The field of `Settings` for a directive: `tcp-backlog` is `tcpBacklog`. */
export function fieldName(directive: string): string {
	return directive.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `fieldName` as a type. */
export type FieldName<S extends string> = S extends `${infer Head}-${infer Tail}`
	? `${Head}${Capitalize<FieldName<Tail>>}`
	: S extends `${infer Head}_${infer Tail}`
		? `${Head}${Capitalize<FieldName<Tail>>}`
		: S;

/** The fields of `Settings` whose type is within `V`. */
export type FieldsOf<V> = { [K in keyof Settings]: Settings[K] extends V ? K : never }[keyof Settings];

/** `N` if the directive of that name has a field within `V`; otherwise nothing fits. */
export type DirectiveNameOf<N extends string, V> = FieldName<N> extends FieldsOf<V> ? N : never;
