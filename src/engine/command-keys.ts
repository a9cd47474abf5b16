/**
 * The keys of a request, from its row: key specs first, the row's own `getKeys` where those cannot say
 * (unknown, incomplete, or flags that depend on options). COMMAND GETKEYS, ACLs, cluster routing and
 * whoever follows keys through the log all ask here. Rules of getKeysFromCommandWithSpecs in Redis 7.2's
 * db.c.
 */
import { parseSafeInt } from '../base/numbers.js';
import {
	type CommandSpec,
	KEY_INCOMPLETE,
	KEY_NOT_KEY,
	KEY_VARIABLE_FLAGS,
	type KeyPosition,
	type KeySpec,
	MOVABLEKEYS,
} from './command-spec.js';

/** Whether requests of this command can have keys at all. */
export function hasKeys(spec: CommandSpec): boolean {
	return spec.getKeys !== undefined || spec.keySpecs.some((keySpec) => (keySpec.flags & KEY_NOT_KEY) === 0);
}

/**
 * The keys of the request `args` (the name included, `args[1]` being the subcommand's if there is one),
 * with the flags of their use. Undefined if the arguments do not allow to tell; an empty array if there
 * are none. `includeNotKeys` adds what only routes like a key: the channels of SPUBLISH and SSUBSCRIBE.
 */
export function findKeys(
	spec: CommandSpec,
	args: readonly string[],
	includeNotKeys = false,
): KeyPosition[] | undefined {
	let trusted = false;
	for (const keySpec of spec.keySpecs) {
		if (keySpec.flags & KEY_VARIABLE_FLAGS) {
			trusted = false;
			break;
		}
		if (includeNotKeys || (keySpec.flags & KEY_NOT_KEY) === 0) trusted = true;
	}
	if (trusted) {
		const positions: KeyPosition[] = [];
		if (spec.keySpecs.every((keySpec) => addPositions(keySpec, args, includeNotKeys, positions))) {
			return positions;
		}
	}
	if (spec.getKeys !== undefined) return spec.getKeys(args);
	return trusted ? undefined : [];
}

/** Adds the positions of one key spec; false if the arguments do not fit it or it does not tell all. */
function addPositions(
	keySpec: KeySpec,
	args: readonly string[],
	includeNotKeys: boolean,
	positions: KeyPosition[],
): boolean {
	const { flags, find } = keySpec;
	if (flags & KEY_NOT_KEY && !includeNotKeys) return true;
	if (keySpec.begin.kind === 'unknown' || find.kind === 'unknown') return false;
	const argc = args.length;
	let first = beginIndex(keySpec, args);
	if (first === 0) return true; // the keyword is not there, so the option is not used
	let last: number;
	if (find.kind === 'range') {
		if (find.lastKey >= 0) last = first + find.lastKey;
		else if (find.limit === 0) last = argc + find.lastKey;
		else last = first + Math.trunc((argc - first) / find.limit) + find.lastKey;
	} else {
		const countText = args[first + find.keyNumIndex];
		const count = countText === undefined ? undefined : parseSafeInt(countText);
		if (count === undefined || count < 0) return false;
		first += find.firstKey;
		last = first + count - 1;
	}
	if (last >= argc || last < first || first >= argc) return false;
	for (let index = first; index <= last; index += find.step) positions.push({ index, flags });
	return (flags & KEY_INCOMPLETE) === 0;
}

/** Index of the first key, or of what counts the keys; 0 if a keyword is absent. */
function beginIndex(keySpec: KeySpec, args: readonly string[]): number {
	const { begin } = keySpec;
	if (begin.kind === 'index') return begin.index;
	if (begin.kind === 'unknown') return 0;
	const forward = begin.startFrom > 0;
	const start = forward ? begin.startFrom : args.length + begin.startFrom;
	const step = forward ? 1 : -1;
	for (let i = start; i >= 1 && i < args.length; i += step) {
		if (args[i]!.toUpperCase() === begin.keyword) return i + 1;
	}
	return 0;
}

/** First key, last key (negative: from the end) and step, as the old columns of COMMAND INFO give them. */
export interface LegacyKeyRange {
	readonly first: number;
	readonly last: number;
	readonly step: number;
}

const NO_RANGE: LegacyKeyRange = { first: 0, last: 0, step: 0 };

/**
 * The one range of keys that comes nearest to the key specs, and whether it misses some, which is what
 * the flag `movablekeys` says (populateCommandLegacyRangeSpec in Redis's server.c).
 */
export function legacyKeyRange(spec: CommandSpec): { range: LegacyKeyRange; movable: boolean } {
	const { keySpecs } = spec;
	let movable = (spec.flags & MOVABLEKEYS) !== 0;
	if (keySpecs.length === 0) return { range: NO_RANGE, movable };
	const only = keySpecs.length === 1 ? keySpecs[0]! : undefined;
	if (only?.begin.kind === 'index' && only.find.kind === 'range') {
		const first = only.begin.index;
		const last = only.find.lastKey >= 0 ? first + only.find.lastKey : only.find.lastKey;
		movable ||= (only.flags & KEY_INCOMPLETE) !== 0;
		return { range: { first, last, step: only.find.step }, movable };
	}
	let first = 0;
	let last = 0;
	for (const { begin, find, flags } of keySpecs) {
		const consecutive =
			begin.kind === 'index' &&
			find.kind === 'range' &&
			find.step === 1 &&
			(last === 0 || last === begin.index - 1);
		if (!consecutive) {
			movable = true;
			continue;
		}
		movable ||= (flags & KEY_INCOMPLETE) !== 0;
		if (first === 0) first = begin.index;
		const end = find.lastKey >= 0 ? find.lastKey + begin.index : find.lastKey;
		// A negative end lies beyond any fixed one.
		if (last >= 0 && (end < 0 || end > last)) last = end;
	}
	if (first === 0) return { range: NO_RANGE, movable: true };
	return { range: { first, last, step: 1 }, movable };
}
