/**
 * Quoting of byte strings and splitting of a line into arguments: one syntax, used by inline commands,
 * the configuration file, MONITOR, error messages and logs (sdscatrepr, sdssplitargs in Redis's sds.c).
 *
 * Within double quotes `\n \r \t \b \a`, `\xhh` and backslash with any other byte (that byte) are
 * escapes; within single quotes only `\'` is. A closing quote must be followed by white space or the end.
 */

const PLAIN = /^[ !#-[\]-~]*$/;
const PLAIN_TOKEN = /^[!#-&(-[\]-~]*$/;

/** `s` in double quotes, every byte that is not printable ASCII escaped; `splitArgs` reads it back. */
export function quoteRepr(s: string): string {
	if (PLAIN.test(s)) return `"${s}"`;
	let out = '"';
	for (let i = 0; i < s.length; i++) out += escapeByte(s.charCodeAt(i));
	return out + '"';
}

/** Whether `s` has a byte that cannot stand unquoted: a quote of either kind, a backslash, white space, not printable. */
export function needsQuotes(s: string): boolean {
	return !PLAIN_TOKEN.test(s);
}

/** `s` as one argument of a line: as it is where it can stand so, else quoted. */
export function quoteArg(s: string): string {
	return s === '' || needsQuotes(s) ? quoteRepr(s) : s;
}

function escapeByte(c: number): string {
	switch (c) {
		case 0x5c:
			return '\\\\';
		case 0x22:
			return '\\"';
		case 0x0a:
			return '\\n';
		case 0x0d:
			return '\\r';
		case 0x09:
			return '\\t';
		case 0x07:
			return '\\a';
		case 0x08:
			return '\\b';
		default:
			if (c >= 0x20 && c <= 0x7e) return String.fromCharCode(c);
			return (c < 16 ? '\\x0' : '\\x') + c.toString(16);
	}
}

/**
 * The arguments on `line`; null if a quote is not closed or is followed by something other than white
 * space. A NUL byte ends the line.
 */
export function splitArgs(line: string): string[] | null {
	const args: string[] = [];
	let index = 0;
	for (;;) {
		while (isSpace(line.charCodeAt(index))) index++;
		if (isEnd(line, index)) return args;
		let arg = '';
		let start = index;
		for (;;) {
			const c = line.charCodeAt(index);
			if (isEnd(line, index) || isDelimiter(c)) {
				args.push(arg + line.slice(start, index));
				break;
			}
			if (c === 0x22 || c === 0x27) {
				// A quote may open in the middle of an argument, but its close always ends it.
				arg += line.slice(start, index);
				const end = c === 0x22 ? endOfDoubleQuoted(line, index + 1) : endOfSingleQuoted(line, index + 1);
				if (end < 0 || !(isEnd(line, end + 1) || isSpace(line.charCodeAt(end + 1)))) return null;
				const inner = line.slice(index + 1, end);
				args.push(arg + (c === 0x22 ? unescapeBytes(inner) : inner.replaceAll("\\'", "'")));
				index = end + 1;
				start = index;
				break;
			}
			index++;
		}
	}
}

/** Index of the closing double quote, or -1. */
function endOfDoubleQuoted(line: string, start: number): number {
	for (let index = start; !isEnd(line, index); index++) {
		const c = line.charCodeAt(index);
		if (c === 0x22) return index;
		if (c === 0x5c && !isEnd(line, index + 1)) index++;
	}
	return -1;
}

/** Index of the closing single quote, or -1. */
function endOfSingleQuoted(line: string, start: number): number {
	for (let index = start; !isEnd(line, index); index++) {
		const c = line.charCodeAt(index);
		if (c === 0x27) return index;
		if (c === 0x5c && line.charCodeAt(index + 1) === 0x27) index++;
	}
	return -1;
}

function unescapeBytes(s: string): string {
	let backslash = s.indexOf('\\');
	if (backslash < 0) return s;
	let out = '';
	let start = 0;
	while (backslash >= 0 && backslash + 1 < s.length) {
		out += s.slice(start, backslash);
		const next = s.charCodeAt(backslash + 1);
		const high = next === 0x78 ? hexValue(s.charCodeAt(backslash + 2)) : -1;
		const low = high < 0 ? -1 : hexValue(s.charCodeAt(backslash + 3));
		if (low >= 0) {
			out += String.fromCharCode(high * 16 + low);
			start = backslash + 4;
		} else {
			out += unescapedByte(next);
			start = backslash + 2;
		}
		backslash = s.indexOf('\\', start);
	}
	return out + s.slice(start);
}

function unescapedByte(c: number): string {
	switch (c) {
		case 0x6e:
			return '\n';
		case 0x72:
			return '\r';
		case 0x74:
			return '\t';
		case 0x62:
			return '\b';
		case 0x61:
			return '\x07';
		default:
			return String.fromCharCode(c);
	}
}

function hexValue(c: number): number {
	if (c >= 0x30 && c <= 0x39) return c - 0x30;
	const lower = c | 0x20;
	return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isEnd(line: string, index: number): boolean {
	return index >= line.length || line.charCodeAt(index) === 0;
}

/** White space between arguments, as C's isspace has it. */
function isSpace(c: number): boolean {
	return c === 0x20 || (c >= 0x09 && c <= 0x0d);
}

/** What ends an unquoted argument: vertical tab and form feed do not. */
function isDelimiter(c: number): boolean {
	return c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09;
}
