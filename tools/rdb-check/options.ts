/** The arguments of tsredis-check-rdb. */

export interface CheckRdbOptions {
	readonly file: string;
	/** A line for each key. */
	readonly keys: boolean;
	/** Sums by type and database. */
	readonly stats: boolean;
	/** Where to write what can be read; '' for nowhere. */
	readonly salvage: string;
}

export const USAGE = `Usage: tsredis-check-rdb [--keys] [--stats] [--salvage OUT] <rdb-file-name>
  --keys         print type, encoding, size and expiry of every key
  --stats        print sums by type and by database
  --salvage OUT  write what can be read to the new file OUT, and list what can't
  -v, --version  print the version
`;

/** The options; 'usage' if they make no sense, 'version' if only that is asked for. */
export function parseOptions(args: readonly string[]): CheckRdbOptions | 'usage' | 'version' {
	let keys = false;
	let stats = false;
	let salvage = '';
	const files: string[] = [];
	for (let i = 0; i < args.length; i++) {
		const arg = args[i]!;
		if (arg === '-v' || arg === '--version') return 'version';
		if (arg === '--keys') keys = true;
		else if (arg === '--stats') stats = true;
		else if (arg === '--salvage') {
			salvage = args[++i] ?? '';
			if (salvage === '') return 'usage';
		} else if (arg.startsWith('--')) return 'usage';
		else files.push(arg);
	}
	return files.length === 1 ? { file: files[0]!, keys, stats, salvage } : 'usage';
}
