/** The command line of `tsredis-replay`. */
import { type LogPosition, parsePosition } from './position.js';

export const FORMATS = ['text', 'json', 'pb'] as const;
export type ListFormat = (typeof FORMATS)[number];

export interface ListOptions {
	readonly command: 'list';
	/** The folder of a log, or its manifest: a native path. */
	readonly log: string;
	/** null: from the oldest entry that is kept. */
	readonly from: LogPosition | null;
	/** null: to the end. */
	readonly to: LogPosition | null;
	readonly format: ListFormat;
}

export interface ExportOptions {
	readonly command: 'export';
	readonly log: string;
	readonly at: LogPosition;
	/** The file to write, a native path. */
	readonly rdbPath: string;
}

export const HELP = `Usage: tsredis-replay list LOG [--from OFFSET|TIME] [--to OFFSET|TIME] [--format text|json|pb]
       tsredis-replay export LOG --at OFFSET|TIME|end --rdb FILE

Shows what is in the log of a server, and what the dataset was at any place of it. LOG is the folder of the log
(appendonlydir), the folder above it, or the manifest. A server may be running on it: nothing is written there.
What is kept of the log's history (log-history-size) can be listed and exported, too.

  list    prints the entries from one place up to another (the entry there not included), oldest first, each with
          its log position, its time, the client that caused it, its database and the command
            text  one line an entry, arguments quoted; a time marked ~ is that of the stretch around it
            json  one object a line; arguments that are not UTF-8 are objects {"base64": …}
            pb    messages LogEntry of proto/replay.proto, each behind its size as a varint
  export  writes the dataset as it was to a new RDB file, which any server from Redis 7.0 on loads

  OFFSET  a log position in bytes, as in INFO (master_repl_offset) and in the lists. Within an entry or a
          transaction it stands for the place before that.
  TIME    2026-01-31T23:59:59.5Z (ISO 8601; local time without Z or +hh:mm), or @1767225599 (unix time in seconds,
          or in milliseconds from 12 digits on). For --from the first entry written at that time or later; for
          --to and --at everything written up to then.

Exit code: 0 done; 1 wrong arguments; 2 the log can't be read or is damaged; 3 the log does not reach to the place;
4 the file can't be written.
`;

/** The options; 'help'; or a message that says what is wrong. */
export function parseReplayOptions(
	args: readonly string[],
): ListOptions | ExportOptions | 'help' | { readonly message: string } {
	if (args.includes('--help') || args.includes('-h')) return 'help';
	const words: string[] = [];
	const values = new Map<string, string>();
	for (let i = 0; i < args.length; i++) {
		const arg = args[i]!;
		if (!arg.startsWith('--')) {
			words.push(arg);
			continue;
		}
		const equals = arg.indexOf('=');
		const name = equals < 0 ? arg : arg.slice(0, equals);
		const value = equals < 0 ? args[++i] : arg.slice(equals + 1);
		if (value === undefined) return { message: `${name} needs a value` };
		values.set(name, value);
	}
	const [command, log, ...rest] = words;
	if (command !== 'list' && command !== 'export') return { message: 'list or export?' };
	if (log === undefined || rest.length > 0) return { message: `${command} needs one LOG` };
	const allowed = command === 'list' ? ['--from', '--to', '--format'] : ['--at', '--rdb'];
	for (const name of values.keys()) {
		if (!allowed.includes(name)) return { message: `${command} has no option ${name}` };
	}
	const positions = new Map<string, LogPosition>();
	for (const name of ['--from', '--to', '--at']) {
		const text = values.get(name);
		if (text === undefined) continue;
		const position = parsePosition(text);
		if (position === undefined) return { message: `${name} ${text} is neither a log position nor a time` };
		positions.set(name, position);
	}
	if (command === 'export') {
		const at = positions.get('--at');
		const rdbPath = values.get('--rdb');
		if (at === undefined || rdbPath === undefined) return { message: 'export needs --at and --rdb' };
		return { command, log, at, rdbPath };
	}
	const format = (values.get('--format') ?? 'text') as ListFormat;
	if (!FORMATS.includes(format)) return { message: `--format is one of ${FORMATS.join(', ')}` };
	return { command, log, from: positions.get('--from') ?? null, to: positions.get('--to') ?? null, format };
}
