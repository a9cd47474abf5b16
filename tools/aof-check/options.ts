/** The command line of `tsredis-check-aof`. */

export interface CheckAofOptions {
	/** A file, a manifest or a folder: a native path. */
	readonly path: string;
	readonly fix: boolean;
	/** Unix seconds, 0 for no truncation. */
	readonly toTimestamp: number;
	/** Where to write what can be salvaged, a native path; '' for not at all. */
	readonly salvagePath: string;
}

export const PROGRAM = 'tsredis-check-aof';
/** The line that redis-check-aof prints. */
export const USAGE_LINE = `Usage: ${PROGRAM} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>`;

export const HELP = `${USAGE_LINE}
       ${PROGRAM} --salvage OUT <file.manifest|file.aof>

Checks the append-only files of a manifest, of the manifest in a folder, or one file by itself: the framing of
every command, transactions, the checksum of a base in RDB format, and, where the server has left its catalog,
the CRC-32 of every block of 64 KB. Without --fix or --truncate-to-timestamp no file is changed.

  --fix                       asks, keeps a copy as <file>.before-fix, and then puts a byte back that the catalog
                              locates, or cuts the last file where it stops being good
  --truncate-to-timestamp T   cuts the last file before the first annotation #TS:N with N > T (unix seconds),
                              and keeps a copy
  --salvage OUT               writes what is good, before and behind damage, to the new file OUT, and lists what
                              was kept and what was lost; OUT is one append-only file that any server loads
  --help                      this text

Exit code: 0 if everything is good or was mended, 1 if not; with --salvage 0 if nothing was lost, 2 if OUT was
written with losses, 1 if it was not written.
`;

/** The options; 'help'; or the line that says what is wrong with the arguments. */
export function parseCheckAofOptions(
	args: readonly string[],
): CheckAofOptions | { readonly message: string } | 'help' {
	let fix = false;
	let toTimestamp = 0;
	let salvagePath = '';
	const paths: string[] = [];
	for (let i = 0; i < args.length; i++) {
		const arg = args[i]!;
		if (arg === '--help' || arg === '-h') return 'help';
		if (arg === '--fix') {
			fix = true;
		} else if (arg === '--truncate-to-timestamp' || arg === '--salvage') {
			const value = args[++i];
			if (value === undefined) return { message: USAGE_LINE };
			if (arg === '--salvage') salvagePath = value;
			else if (!/^\s*[+-]?\d{1,15}$/.test(value)) return { message: 'Invalid timestamp, aborting...' };
			else toTimestamp = Number(value);
		} else if (arg.startsWith('--')) {
			return { message: USAGE_LINE };
		} else {
			paths.push(arg);
		}
	}
	const path = paths[0];
	if (paths.length !== 1 || path === undefined || path === '') return { message: USAGE_LINE };
	if (salvagePath !== '' && (fix || toTimestamp !== 0)) return { message: USAGE_LINE };
	return { path, fix, toTimestamp, salvagePath };
}
