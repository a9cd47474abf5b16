/**
 * The arguments of `tsredis-server`, by the rules of Redis 7 (main() in server.c): a configuration
 * file first, `-` for standard input, then `--option value…`; what follows a `--` is turned into
 * lines of redis.conf that are read after the file.
 */
import { quoteRepr, splitArgs } from '../../base/quote.js';

export type CommandLine =
	| {
			readonly kind: 'run';
			/** '' if none. */
			readonly configFile: string;
			readonly readStdin: boolean;
			/** Lines of redis.conf. */
			readonly options: string;
	  }
	| { readonly kind: 'version' | 'help' | 'check-system' | 'sentinel' }
	| { readonly kind: 'test-memory'; readonly megabytes: string | undefined };

/** `args` are byte strings, without the names of the interpreter and the program. */
export function parseCommandLine(args: readonly string[]): CommandLine {
	const first = args[0];
	if (args.some((arg) => arg === '--sentinel')) return { kind: 'sentinel' };
	switch (first) {
		case '-v':
		case '--version':
			return { kind: 'version' };
		case '-h':
		case '--help':
			return { kind: 'help' };
		case '--test-memory':
			return { kind: 'test-memory', megabytes: args.length === 2 ? args[1] : undefined };
		case '--check-system':
			return { kind: 'check-system' };
	}
	const configFile = first !== undefined && !first.startsWith('-') ? first : '';
	const rest = configFile === '' ? args : args.slice(1);
	const last = args[args.length - 1];
	return {
		kind: 'run',
		configFile,
		readStdin: first === '-' || last === '-',
		options: optionLines(rest),
	};
}

/** A `--name` takes the next argument as a value whatever it looks like; from the second on, `--` begins a name. */
function optionLines(args: readonly string[]): string {
	let text = '';
	let nameHasValue = true;
	args.forEach((arg, index) => {
		const next = args[index + 1];
		// A dash alone asks for standard input, at either end of the command line.
		if (arg === '-' && (index === 0 || next === undefined)) return;
		if (!nameHasValue || !arg.startsWith('--')) {
			text += `${quoteRepr(arg)} `;
			nameHasValue = true;
			return;
		}
		if (text !== '') text += '\n';
		text += `${arg.slice(2)} `;
		nameHasValue = splitArgs(arg)?.length !== 1;
		// Programs that build a command line from a list write `--save` alone for an empty one.
		if (arg.toLowerCase() === '--save' && (next === undefined || next.startsWith('--'))) {
			text += '""';
			nameHasValue = true;
		}
	});
	return text;
}
