/** The files that an `include` names: one, or those that match a pattern with `*`, `?` or `[…]`. */
import { readdirSync } from 'node:fs';
import { isAbsolute, join, parse, resolve, sep } from 'node:path';
import { globMatch } from '../../base/glob.js';
import { fromNative } from '../../base/native-text.js';

const WILDCARD = /[*?[]/;

export function hasWildcard(path: string): boolean {
	return WILDCARD.test(path);
}

/** The existing paths that match `pattern`, sorted; relative to `dir`. Native strings. */
export function expandPattern(pattern: string, dir: string): string[] {
	const root = isAbsolute(pattern) ? parse(pattern).root : resolve(dir);
	const segments = pattern.slice(isAbsolute(pattern) ? root.length : 0).split(sep);
	let paths = [root];
	for (const segment of segments) {
		if (segment === '') continue;
		paths = hasWildcard(segment)
			? paths.flatMap((path) => matchesIn(path, segment))
			: paths.map((path) => join(path, segment));
	}
	return paths.sort();
}

/** As glob(3), a leading dot is matched only by a dot. */
function matchesIn(folder: string, segment: string): string[] {
	let names: string[];
	try {
		names = readdirSync(folder);
	} catch {
		return [];
	}
	return names
		.filter((name) => segment.startsWith('.') || !name.startsWith('.'))
		.filter((name) => globMatch(fromNative(segment), fromNative(name)))
		.map((name) => join(folder, name));
}
