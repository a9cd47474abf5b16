/**
 * Quoting and splitting of arguments as redis.conf, inline commands, CLIENT LIST and MONITOR have it
 * (`sdscatrepr` and `sdssplitargs` in Redis's sds.c). The two are inverse: splitting what was quoted
 * gives the same bytes.
 */

const NUL = 0;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;

/** `s` between double quotes, with `\n \r \t \a \b \\ \"` and `\xHH` for what is not printable ASCII. */
export function quoteRepr(s: string): string {
	let out = '"';
	let plainFrom = 0;
	for (let i = 0; i < s.length; i++) {
		const c = s.charCodeAt(i);
		if (c >= 32 && c < 127 && c !== QUOTE && c !== BACKSLASH) continue;
		out += s.slice(plainFrom, i) + escapeOf(c);
		plainFrom = i + 1;
	}
	return out + s.slice(plainFrom) + '"';
}

function escapeOf(c: number): string {
	switch (c) {
		case QUOTE:
			return '\\"';
		case BACKSLASH:
			return '\\\\';
		case 10:
			return '\\n';
		case 13:
			return '\\r';
		case 9:
			return '\\t';
		case 7:
			return '\\a';
		case 8:
			return '\\b';
		default:
			return '\\x' + (c < 16 ? '0' : '') + c.toString(16);
	}
}

/**
 * The arguments of a line: separated by white space; `"…"` with escapes, `'…'` with `\'` only. A
 * closing quote must be followed by white space or the end. A NUL byte ends the line. null if the
 * quotes are not balanced.
 */
export function splitArgs(line: string): string[] | null {
	const args: string[] = [];
	let i = 0;
	for (;;) {
		while (isSpace(line.charCodeAt(i))) i++;
		if (atEnd(line, i)) return args;
		let arg = '';
		for (;;) {
			const c = line.charCodeAt(i);
			if (atEnd(line, i) || c === 32 || c === 9 || c === 10 || c === 13) break;
			if (c !== QUOTE && c !== APOSTROPHE) {
				const start = i++;
				while (i < line.length && !endsPlain(line.charCodeAt(i))) i++;
				arg += line.slice(start, i);
				continue;
			}
			const close = findClose(line, i + 1, c);
			if (close < 0 || !(atEnd(line, close + 1) || isSpace(line.charCodeAt(close + 1)))) return null;
			const body = line.slice(i + 1, close);
			arg += c === QUOTE ? unescapeDouble(body) : body.replaceAll("\\'", "'");
			i = close + 1;
			break;
		}
		args.push(arg);
	}
}

function atEnd(line: string, i: number): boolean {
	return i >= line.length || line.charCodeAt(i) === NUL;
}

/** C's isspace in the C locale. */
function isSpace(c: number): boolean {
	return c === 32 || (c >= 9 && c <= 13);
}

function endsPlain(c: number): boolean {
	return c === NUL || c === 32 || c === 9 || c === 10 || c === 13 || c === QUOTE || c === APOSTROPHE;
}

/** The position of the quote that closes the one before `from`; -1 if there is none. */
function findClose(line: string, from: number, quote: number): number {
	for (let i = from; !atEnd(line, i); i++) {
		const c = line.charCodeAt(i);
		if (c === quote) return i;
		// Between apostrophes a backslash escapes nothing but an apostrophe.
		if (c === BACKSLASH && !atEnd(line, i + 1) && (quote === QUOTE || line.charCodeAt(i + 1) === quote)) i++;
	}
	return -1;
}

function unescapeDouble(body: string): string {
	if (!body.includes('\\')) return body;
	let out = '';
	for (let i = 0; i < body.length; i++) {
		if (body.charCodeAt(i) !== BACKSLASH || i + 1 >= body.length) {
			out += body.charAt(i);
			continue;
		}
		const next = body.charAt(++i);
		const hex = next === 'x' ? body.slice(i + 1, i + 3) : '';
		if (/^[0-9a-fA-F]{2}$/.test(hex)) {
			out += String.fromCharCode(Number.parseInt(hex, 16));
			i += 2;
		} else {
			out += ESCAPES.get(next) ?? next;
		}
	}
	return out;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
	['n', '\n'],
	['r', '\r'],
	['t', '\t'],
	['b', '\b'],
	['a', '\x07'],
]);
