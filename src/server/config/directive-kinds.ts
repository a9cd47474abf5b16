/** The kinds that most directives are of: how each reads its text and writes it. */
import { INT64_MAX, parseInt64, UINT64_MAX } from '../../base/numbers.js';
import { quoteRepr } from '../../base/quote.js';
import { Settings } from '../../engine/settings.js';
import { assignField, type DirectiveKind, fieldName, type RewriteLine } from './directive.js';
import { formatMemory, parseMemory } from './memory-text.js';

export const INT_MAX = 2147483647n;
export const INT_MIN = -2147483648n;
export const UINT_MAX = 4294967295n;
/** C's LONG_MAX and LLONG_MAX on a 64-bit machine. */
export const LONG_MAX = INT64_MAX;
export const ULLONG_MAX = UINT64_MAX;

/** Redis's defaults, to compare with; nobody changes it. */
export const DEFAULTS: Settings = Object.freeze(new Settings());

/** What further condition a value must meet; gives the error text if it does not. */
export type Check<T> = (value: T) => string | undefined;

export function boolKind(name: string, check?: Check<boolean>): DirectiveKind {
	const read = reader<boolean>(name);
	const text = (settings: Settings) => (read(settings) ? 'yes' : 'no');
	return {
		type: 'yes or no',
		set: (settings, args) => {
			const word = args[0]?.toLowerCase();
			if (word !== 'yes' && word !== 'no') return "argument must be 'yes' or 'no'";
			const error = check?.(word === 'yes');
			if (error !== undefined) return error;
			return assign(settings, name, word === 'yes');
		},
		get: text,
		rewrite: lineUnlessDefault(name, text),
	};
}

/** `emptyIsUnset`: the empty string stands for no value, and is never written to the file. */
export function stringKind(name: string, emptyIsUnset: boolean, check?: Check<string>): DirectiveKind {
	const read = reader<string>(name);
	const defaultValue = read(DEFAULTS);
	return {
		type: 'string',
		set: (settings, args) => {
			const value = args[0] ?? '';
			const error = check?.(value);
			if (error !== undefined) return error;
			return assign(settings, name, value);
		},
		get: read,
		rewrite: (settings) => {
			const value = read(settings);
			if (emptyIsUnset && value === '') return [];
			return [{ text: `${name} ${quoteRepr(value)}`, force: emptyIsUnset || value !== defaultValue }];
		},
	};
}

export function enumKind(
	name: string,
	values: readonly string[],
	synonyms: ReadonlyMap<string, string> = new Map(),
): DirectiveKind {
	const read = reader<string>(name);
	return {
		type: values.join(', '),
		set: (settings, args) => {
			const word = args[0]?.toLowerCase() ?? '';
			if (args.length !== 1 || !values.includes(word)) return enumError(values);
			return assign(settings, name, synonyms.get(word) ?? word);
		},
		get: read,
		rewrite: lineUnlessDefault(name, read),
	};
}

/** Several words of a list, which are shown in the list's order. The first word stands for none. */
export function wordsKind(
	name: string,
	values: readonly string[],
	check: Check<readonly string[]>,
): DirectiveKind {
	const read = reader<readonly string[]>(name);
	const text = (settings: Settings) => read(settings).join(' ');
	const none = values[0]!;
	return {
		type: `words of: ${values.join(', ')}`,
		set: (settings, args) => {
			const words = args.map((word) => word.toLowerCase());
			if (words.length === 0 || words.some((word) => !values.includes(word))) return enumError(values);
			const kept = values.filter((value) => value !== none && words.includes(value));
			const error = check(kept);
			if (error !== undefined) return error;
			return assign(settings, name, kept.length === 0 ? [none] : kept);
		},
		get: text,
		rewrite: lineUnlessDefault(name, text),
	};
}

/**
 * An integer within [min, max]. A value beyond 2^53 is kept as the nearest double; the bounds
 * themselves are shown exactly.
 */
export function intKind(name: string, min: bigint, max: bigint): DirectiveKind {
	return numberKind(name, `${min} to ${max}`, {
		parse: (text) => {
			const n = parseInt64(text);
			return n === undefined ? undefined : BigInt(n);
		},
		error: "argument couldn't be parsed into an integer",
		check: (n) => rangeError(n, min, max),
		show: (n) => exactText(n, max),
		write: (n) => exactText(n, max),
	});
}

export function memoryKind(name: string, min: bigint, max: bigint): DirectiveKind {
	return numberKind(name, 'bytes', {
		parse: parseMemory,
		error: 'argument must be a memory value',
		check: (n) => rangeError(n, min, max),
		show: (n) => exactText(n, max),
		write: formatMemory,
	});
}

/** Bytes, or a percentage of `maxmemory` up to `percentMax`, which is stored as a negative number. */
export function memoryOrPercentKind(name: string, percentMax: bigint, max: bigint): DirectiveKind {
	return numberKind(name, 'bytes, or a percentage of maxmemory', {
		parse: (text) => {
			const bytes = parseMemory(text);
			if (bytes !== undefined) return bytes;
			const n = text.length > 1 && text.endsWith('%') ? parseInt64(text.slice(0, -1)) : undefined;
			return n !== undefined && n >= 0 ? -BigInt(n) : undefined;
		},
		error: 'argument must be a memory or percent value',
		check: (n) => {
			if (n >= 0n) return rangeError(n, -percentMax, max);
			return n < -percentMax ? `percentage argument must be less or equal to ${percentMax}` : undefined;
		},
		show: (n) => (n < 0 ? `${-n}%` : exactText(n, max)),
		write: (n) => (n < 0 ? `${-n}%` : formatMemory(n)),
	});
}

/** A file mode in octal digits. */
export function octalKind(name: string, max: bigint): DirectiveKind {
	return numberKind(name, 'octal', {
		parse: (text) => (/^[0-7]{1,21}$/.test(text) ? BigInt(`0o${text}`) : undefined),
		error: "argument couldn't be parsed as an octal number",
		check: (n) => (n > max ? `argument must be between 0 and ${max.toString(8)} inclusive` : undefined),
		show: (n) => n.toString(8),
		write: (n) => n.toString(8),
	});
}

interface NumberFormat {
	/** undefined if the text denotes no number of the kind. */
	readonly parse: (text: string) => bigint | undefined;
	/** What is said then. */
	readonly error: string;
	readonly check: Check<bigint>;
	readonly show: (n: number) => string;
	readonly write: (n: number) => string;
}

function numberKind(name: string, type: string, format: NumberFormat): DirectiveKind {
	const read = reader<number>(name);
	return {
		type,
		set: (settings, args) => {
			const n = format.parse(args[0] ?? '');
			if (n === undefined) return format.error;
			const error = format.check(n);
			if (error !== undefined) return error;
			return assign(settings, name, Number(n));
		},
		get: (settings) => format.show(read(settings)),
		rewrite: lineUnlessDefault(name, (settings) => format.write(read(settings))),
	};
}

function rangeError(n: bigint, min: bigint, max: bigint): string | undefined {
	return n < min || n > max ? `argument must be between ${min} and ${max} inclusive` : undefined;
}

function exactText(n: number, max: bigint): string {
	const exact = BigInt(n);
	return `${exact > max ? max : exact}`;
}

function enumError(values: readonly string[]): string {
	return `argument(s) must be one of the following: ${values.join(', ')}`;
}

/** The field's value, at the type that the caller knows it to have. */
export function reader<T>(name: string): (settings: Settings) => T {
	const field = fieldName(name) as keyof Settings;
	return (settings) => settings[field] as T;
}

/** Sets the field; always undefined, so that a setter can end with it. */
export function assign(settings: Settings, name: string, value: unknown): undefined {
	assignField(settings, fieldName(name) as keyof Settings, value);
	return undefined;
}

/** `<name> <value>`, forced if the value is not the default. */
export function lineUnlessDefault(
	name: string,
	text: (settings: Settings) => string,
): (settings: Settings) => RewriteLine[] {
	const defaultText = text(DEFAULTS);
	return (settings) => {
		const value = text(settings);
		return [{ text: `${name} ${value}`, force: value !== defaultText }];
	};
}
