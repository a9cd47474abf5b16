/**
 * The compact notation in which data/commands gives the arguments of a command, and its reading into the
 * tree that COMMAND DOCS replies with.
 *
 *   key:key value [condition(NX | XX)] [GET] [expiration(EX seconds:integer | KEEPTTL)]
 *
 *   name              an argument of type string; `name:type` of another: integer, double, key, pattern,
 *                     unix-time
 *   NAME              a pure token, named as its lower case; `name=NAME` names it otherwise
 *   NAME name:type    an argument preceded by a token (write `NAME,` where a pure token comes before an
 *                     argument of its own)
 *   name(a | b)       one of several, `name(a b)` a block; either may have a token before it
 *   [ … ]             optional
 *   …                 after an argument: may be given several times; `+…`: with its token each time
 *   ~text ^version !version #index   after an argument: its display text, the version that brought it,
 *                     the version that deprecated it, the index of its key spec (0 for a key if not given,
 *                     `#-` for none)
 *
 * A token is in upper case or in double quotes, everything else is not. Written `...` in the files.
 */

export type ArgumentType =
	| 'string'
	| 'integer'
	| 'double'
	| 'key'
	| 'pattern'
	| 'unix-time'
	| 'pure-token'
	| 'oneof'
	| 'block';

/** An argument as COMMAND DOCS describes it; absent fields are undefined. */
export interface ArgumentDoc {
	name: string;
	type: ArgumentType;
	/** Undefined for `oneof` and `block`. */
	displayText: string | undefined;
	keySpecIndex: number | undefined;
	token: string | undefined;
	since: string | undefined;
	deprecatedSince: string | undefined;
	optional: boolean;
	multiple: boolean;
	multipleToken: boolean;
	/** Of `oneof` and `block`. */
	arguments: ArgumentDoc[] | undefined;
}

const SCALAR_TYPES: readonly string[] = ['string', 'integer', 'double', 'key', 'pattern', 'unix-time'];
/** Copied for each use: a sticky expression carries its position. */
const LEXEME = /\s*(\.\.\.|\+\.\.\.|"[^"]*"|[[\]()|,=]|~[\w.:+-]+|[!#:^][\w.+-]+|[\w+-]+)/y;

/** Reads the notation; throws if `text` is not in it, which is a mistake in our own data. */
export function parseArgumentSyntax(text: string): ArgumentDoc[] {
	const parser = new SyntaxParser(text);
	const list = parser.list('');
	if (list.alternatives) throw new Error(`alternatives without a name: ${text}`);
	return list.items;
}

class SyntaxParser {
	readonly #text: string;
	readonly #lexemes: string[] = [];
	#at = 0;

	constructor(text: string) {
		this.#text = text;
		const lexeme = new RegExp(LEXEME);
		const end = text.trimEnd().length;
		let position = 0;
		while (position < end) {
			const match = lexeme.exec(text);
			if (match === null) throw new Error(`unreadable at ${position}: ${text}`);
			this.#lexemes.push(match[1]!);
			position = lexeme.lastIndex;
		}
	}

	/** Arguments up to `close`, which is consumed; '' is the end of the text. */
	list(close: string): { items: ArgumentDoc[]; alternatives: boolean } {
		const items: ArgumentDoc[] = [];
		let alternatives = false;
		for (;;) {
			const next = this.#peek();
			if (next === close) {
				this.#at++;
				return { items, alternatives };
			}
			if (next === '|') {
				alternatives = true;
				this.#at++;
			} else {
				items.push(this.#argument());
			}
		}
	}

	#argument(): ArgumentDoc {
		if (this.#peek() !== '[') return this.#plain();
		this.#at++;
		const doc = this.#plain();
		doc.optional = true;
		this.#expect(']');
		return doc;
	}

	#plain(): ArgumentDoc {
		let word = this.#take();
		let token: string | undefined;
		let name = word;
		let pure = false;
		if (isToken(word)) {
			token = unquoted(word);
			name = token.toLowerCase();
			const next = this.#peek();
			pure = !isName(next);
			if (next === ',') this.#at++;
			if (!pure) {
				word = this.#take();
				name = word;
			}
		} else if (this.#peek() === '=') {
			this.#at++;
			token = unquoted(this.#take());
			pure = true;
		}
		if (!pure && !isName(word)) throw new Error(`a name is expected, not ${word}: ${this.#text}`);
		const doc = emptyArgument(name, token, pure ? 'pure-token' : 'string');
		if (this.#peek() === '(') {
			this.#at++;
			const inner = this.list(')');
			doc.type = inner.alternatives ? 'oneof' : 'block';
			doc.arguments = inner.items;
			doc.displayText = undefined;
		}
		this.#suffixes(doc);
		return doc;
	}

	#suffixes(doc: ArgumentDoc): void {
		for (;;) {
			const lexeme = this.#peek();
			const rest = lexeme.slice(1);
			if (lexeme === '...') doc.multiple = true;
			else if (lexeme === '+...') doc.multiple = doc.multipleToken = true;
			else if (lexeme.startsWith(':')) {
				if (!SCALAR_TYPES.includes(rest)) throw new Error(`no such type: ${rest}: ${this.#text}`);
				doc.type = rest as ArgumentType;
				if (rest === 'key') doc.keySpecIndex = 0;
			} else if (lexeme.startsWith('~')) doc.displayText = rest;
			else if (lexeme.startsWith('^')) doc.since = rest;
			else if (lexeme.startsWith('!')) doc.deprecatedSince = rest;
			else if (lexeme.startsWith('#')) doc.keySpecIndex = rest === '-' ? undefined : Number(rest);
			else return;
			this.#at++;
		}
	}

	#peek(): string {
		return this.#lexemes[this.#at] ?? '';
	}

	#take(): string {
		const lexeme = this.#lexemes[this.#at++];
		if (lexeme === undefined) throw new Error(`ends too early: ${this.#text}`);
		return lexeme;
	}

	#expect(lexeme: string): void {
		if (this.#take() !== lexeme) throw new Error(`${lexeme} is expected: ${this.#text}`);
	}
}

function emptyArgument(name: string, token: string | undefined, type: ArgumentType): ArgumentDoc {
	return {
		name,
		type,
		displayText: name,
		keySpecIndex: undefined,
		token,
		since: undefined,
		deprecatedSince: undefined,
		optional: false,
		multiple: false,
		multipleToken: false,
		arguments: undefined,
	};
}

function isToken(lexeme: string): boolean {
	return lexeme.startsWith('"') || /^[A-Z]/.test(lexeme);
}

function isName(lexeme: string): boolean {
	return /^[a-z0-9]/.test(lexeme);
}

function unquoted(lexeme: string): string {
	return lexeme.startsWith('"') ? lexeme.slice(1, -1) : lexeme;
}
