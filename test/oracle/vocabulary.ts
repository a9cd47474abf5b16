import { SeededRandom } from '../support/random.js';

const WORDS = ['a', 'b', 'c', 'foo', 'bar', 'baz', 'Foo', 'hello world', '', ' ', 'x'];
const BINARY = ['\x00', '\xff\xfe', 'a\x00b', '\r\n', '\xc3\xa9', '"quoted"', 'tab\there', '\x80'];
const INTEGERS = [
	'0',
	'1',
	'-1',
	'2',
	'3',
	'5',
	'7',
	'10',
	'42',
	'100',
	'127',
	'128',
	'-128',
	'255',
	'32767',
	'-32769',
];
const EDGES = [
	'9223372036854775807',
	'9223372036854775806',
	'-9223372036854775808',
	'-9223372036854775807',
	'9223372036854775808',
	'-9223372036854775809',
	'9007199254740991',
	'9007199254740992',
	'9007199254740993',
	'-9007199254740993',
	'18446744073709551615',
	'2147483647',
	'2147483648',
	'-2147483648',
	'4294967296',
];
const ODD_NUMBERS = [
	'+1',
	'01',
	'-0',
	' 1',
	'1 ',
	'1.0',
	'0x10',
	'1e3',
	'00',
	'--1',
	'1a',
	'nan',
	'inf',
	'-inf',
	'+inf',
];
// No number outside the range of normal doubles: strtod then leaves ERANGE behind, and SORT, which does not
// clear it first, refuses whatever it sorts next.
const FLOATS = [
	'0.1',
	'0.2',
	'-0.5',
	'1.5',
	'3.0',
	'3.14159',
	'1e3',
	'1e-7',
	'1e17',
	'1.7e308',
	'-1.7e308',
	'2.2250738585072014e-308',
	'123456789.12345679',
	'1e21',
	'-2.5e-3',
	'17179869184.00001',
	'0.30000000000000004',
	'inf',
	'-inf',
	'+Inf',
	'infinity',
];
const BAD_FLOATS = ['nan', '', ' 1', '1 ', 'abc', '0x1p3', '1,5', '--1'];
const JUNK = [
	'',
	'junk',
	'\x00',
	'-1',
	'0',
	'9223372036854775807',
	'9223372036854775808',
	'1.5',
	'NX',
	'LIMIT',
	'(',
	'[',
];
/** Junk that cannot make a key live for a few seconds by chance. */
const UNTIMED_JUNK = [
	'',
	'junk',
	'\x00',
	'9223372036854775807',
	'9223372036854775808',
	'abc',
	'NX',
	'GT',
	'1.5',
	'-5',
];

export type Family = 's' | 'l' | 'h' | 'e' | 'z';
const FAMILIES: readonly Family[] = ['s', 'l', 'h', 'e', 'z'];
const KEYS_PER_FAMILY = 4;
const ODD_KEYS = ['', '\xff\x00', '__proto__', 'constructor', 'a{b}c', 'key with space'];

/** A far moment, seconds since 1970: 2100. Times to live reach nearly there, so that nothing expires by itself. */
export const FAR_SECONDS = 4_102_444_800;

/** The random words of a program. Everything comes from one seed. */
export class Vocabulary {
	readonly random: SeededRandom;

	constructor(seed: number) {
		this.random = new SeededRandom(seed);
	}

	/** A key that mostly holds values of `family`, and sometimes does not. */
	key(family?: Family): string {
		const { random } = this;
		if (random.chance(0.02)) return random.pick(ODD_KEYS);
		const chosen = family === undefined || random.chance(0.08) ? random.pick(FAMILIES) : family;
		return `${chosen}${random.below(KEYS_PER_FAMILY)}`;
	}

	keys(family: Family | undefined, min: number, max: number): string[] {
		return this.random.times(this.random.between(min, max), () => this.key(family));
	}

	/** Any string value. */
	value(): string {
		const { random } = this;
		const kind = random.below(20);
		if (kind < 6) return random.pick(WORDS);
		if (kind < 11) return random.pick(INTEGERS);
		if (kind < 13) return random.pick(EDGES);
		if (kind < 14) return random.pick(ODD_NUMBERS);
		if (kind < 15) return random.pick(FLOATS);
		if (kind < 17) return random.pick(BINARY);
		if (kind < 19) return 'v' + random.below(1000);
		return random.pick(['x', 'ab', '\xe9']).repeat(random.pick([12, 22, 33, 44, 45, 64, 65, 700]));
	}

	values(min: number, max: number): string[] {
		return this.random.times(this.random.between(min, max), () => this.value());
	}

	/** A member of a set, hash or sorted set: few enough to meet again. */
	member(): string {
		const { random } = this;
		const kind = random.below(12);
		if (kind < 4) return String(random.below(12));
		if (kind < 8) return 'm' + random.below(12);
		if (kind < 10) return random.pick(['a', 'b', 'c', 'd', 'e']);
		return this.value();
	}

	members(min: number, max: number): string[] {
		return this.random.times(this.random.between(min, max), () => this.member());
	}

	/** An integer argument, now and then one that is none. */
	integer(): string {
		const { random } = this;
		const kind = random.below(20);
		if (kind < 14) return random.pick(INTEGERS);
		if (kind < 18) return random.pick(EDGES);
		return random.pick(ODD_NUMBERS);
	}

	/** A small index or count, mostly within range of small collections. */
	index(): string {
		const { random } = this;
		const kind = random.below(40);
		if (kind < 37) return String(random.between(-6, 9));
		if (kind < 39) return random.pick(EDGES);
		return random.pick(ODD_NUMBERS);
	}

	/** A count of 0 to 6, rarely negative or senseless. */
	count(): string {
		return this.random.chance(0.9) ? String(this.random.below(7)) : this.index();
	}

	/** A count for a command with a random result: never so negative that the reply would be endless. */
	randomCount(): string {
		if (this.random.chance(0.05))
			return this.random.pick(['x', '', '-9223372036854775808', '9223372036854775808', '1.5']);
		return String(this.random.between(-8, 9));
	}

	/** A floating point argument, now and then one that is none. */
	float(): string {
		const { random } = this;
		const kind = random.below(20);
		if (kind < 9) return random.pick(INTEGERS);
		if (kind < 18) return random.pick(FLOATS);
		if (kind < 19) return String((random.float() - 0.5) * 10 ** random.between(-9, 20));
		return random.pick(BAD_FLOATS);
	}

	/** A bound of a score range. */
	scoreBound(): string {
		const { random } = this;
		if (random.chance(0.2)) return random.pick(['-inf', '+inf', 'inf', '(inf', '(-inf']);
		return (
			(random.chance(0.25) ? '(' : '') + (random.chance(0.7) ? String(random.between(-3, 12)) : this.float())
		);
	}

	/** A bound of a lexicographic range. */
	lexBound(): string {
		const { random } = this;
		if (random.chance(0.25)) return random.pick(['-', '+']);
		if (random.chance(0.05)) return this.value();
		return random.pick(['[', '(']) + this.member();
	}

	/** A glob pattern. */
	pattern(): string {
		return this.random.pick([
			'*',
			'm*',
			'*1*',
			'?',
			'[a-c]',
			'[^a]*',
			's?',
			'l[0-2]',
			'\\*',
			'k',
			'',
			'*\x00*',
			'h[',
			'[z',
		]);
	}

	/** An argument that fits nowhere. */
	junk(isTimed: boolean): string {
		return this.random.pick(isTimed ? UNTIMED_JUNK : JUNK);
	}

	/** A time to live that ends long after the test, in seconds, with some that are errors or already over. */
	ttlSeconds(): string {
		const { random } = this;
		if (random.chance(0.1))
			return random.pick(['0', '-1', '-100', ...EDGES, ...ODD_NUMBERS.filter((n) => Number(n) > 1e6)]);
		return String(random.between(100_000, 1_000_000_000));
	}

	ttlMillis(): string {
		return this.random.chance(0.1)
			? this.ttlSeconds()
			: String(this.random.between(100_000_000, 1_000_000_000_000));
	}

	/** A far moment in seconds, or one that is past or an error. */
	atSeconds(): string {
		const { random } = this;
		if (random.chance(0.1)) return random.pick(['0', '1', '-1', '1000000', ...EDGES.slice(0, 11)]);
		return String(FAR_SECONDS + random.below(1_000_000));
	}

	atMillis(): string {
		const { random } = this;
		if (random.chance(0.1)) return random.pick(['0', '1', '-1', '1000000000', ...EDGES.slice(0, 11)]);
		return String(FAR_SECONDS * 1000 + random.below(1_000_000_000));
	}

	/** Each of the option groups with the given probability, in random order. */
	options(probability: number, groups: readonly (readonly string[])[]): string[] {
		const chosen = groups.filter(() => this.random.chance(probability));
		for (let index = chosen.length - 1; index > 0; index--) {
			const other = this.random.below(index + 1);
			[chosen[index], chosen[other]] = [chosen[other]!, chosen[index]!];
		}
		return chosen.flat();
	}
}
