/** The constructors of a row of the table: they check its name against `Settings`, and build its kind. */
import type { Settings } from '../../engine/settings.js';
import {
	Directive,
	type DirectiveKind,
	type DirectiveNameOf,
	type FieldName,
	type Support,
} from './directive.js';
import {
	boolKind,
	type Check,
	DEFAULTS,
	enumKind,
	intKind,
	memoryKind,
	memoryOrPercentKind,
	octalKind,
	stringKind,
	wordsKind,
} from './directive-kinds.js';

/** What few rows have. */
export interface RowExtras<T = never> {
	readonly alias?: string;
	/** The hook shared with other rows; the row's own name if absent. */
	readonly hook?: string;
	readonly check?: Check<T>;
}

/** The values that the field of directive `N` may have. */
type ValueOf<N extends string> = Settings[FieldName<N> & keyof Settings];

export function special(
	name: string,
	flags: number,
	support: Support,
	kind: DirectiveKind,
	extras: { readonly alias?: string; readonly hook?: string } = {},
): Directive {
	const { alias = '', hook = name } = extras;
	return new Directive({ name, alias, flags, support, hook, kind, defaults: DEFAULTS });
}

export function bool<N extends string>(
	name: N & DirectiveNameOf<N, boolean>,
	flags: number,
	support: Support,
	extras: RowExtras<boolean> = {},
): Directive {
	return special(name, flags, support, boolKind(name, extras.check), extras);
}

/** A string that is not set when it is empty. */
export function string<N extends string>(
	name: N & DirectiveNameOf<N, string>,
	flags: number,
	support: Support,
	extras: RowExtras<string> = {},
): Directive {
	return special(name, flags, support, stringKind(name, true, extras.check), extras);
}

/** A string that may be empty. */
export function text<N extends string>(
	name: N & DirectiveNameOf<N, string>,
	flags: number,
	support: Support,
	extras: RowExtras<string> = {},
): Directive {
	return special(name, flags, support, stringKind(name, false, extras.check), extras);
}

export function oneOf<N extends string>(
	name: N & DirectiveNameOf<N, string>,
	flags: number,
	support: Support,
	values: ReadonlyArray<ValueOf<N>>,
	extras: RowExtras = {},
): Directive {
	return special(name, flags, support, enumKind(name, values as readonly string[]), extras);
}

export function words<N extends string>(
	name: N & DirectiveNameOf<N, readonly string[]>,
	flags: number,
	support: Support,
	values: ValueOf<N>,
	check: Check<readonly string[]>,
): Directive {
	return special(name, flags, support, wordsKind(name, values as readonly string[], check));
}

export function int<N extends string>(
	name: N & DirectiveNameOf<N, number>,
	flags: number,
	support: Support,
	min: bigint,
	max: bigint,
	extras: RowExtras = {},
): Directive {
	return special(name, flags, support, intKind(name, min, max), extras);
}

export function memory<N extends string>(
	name: N & DirectiveNameOf<N, number>,
	flags: number,
	support: Support,
	min: bigint,
	max: bigint,
	extras: RowExtras = {},
): Directive {
	return special(name, flags, support, memoryKind(name, min, max), extras);
}

export function memoryOrPercent<N extends string>(
	name: N & DirectiveNameOf<N, number>,
	flags: number,
	support: Support,
	percentMax: bigint,
	max: bigint,
): Directive {
	return special(name, flags, support, memoryOrPercentKind(name, percentMax, max));
}

export function octal<N extends string>(
	name: N & DirectiveNameOf<N, number>,
	flags: number,
	support: Support,
	max: bigint,
): Directive {
	return special(name, flags, support, octalKind(name, max));
}
