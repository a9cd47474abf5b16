/** The part in RDB format that a base, or an old append-only file, may begin with. */

import { checkRdb } from '../rdb-check/check.js';
import { findFlippedBit } from '../rdb-check/flipped-bit.js';
import { Printer } from '../rdb-check/printer.js';
import { RdbBytes } from '../rdb-check/rdb-bytes.js';
import { shownPath } from '../support/log-path.js';

/**
 * Checks it in the words of redis-check-rdb, printed by `print`; the position behind it, or -1 if it is damaged. The file
 * is given by its native path. Throws the system error.
 */
export function checkPreamble(path: string, print: (text: string) => void): number {
	const bytes = new RdbBytes(path);
	try {
		const printer = new Printer(print);
		printer.info(0, `Checking RDB file ${shownPath(path)}`);
		const wishes = { keys: false, stats: false, isPreamble: true };
		const outcome = checkRdb(bytes, printer, wishes, Date.now());
		printer.flush();
		if (!outcome.ok) {
			const flipped = findFlippedBit(bytes);
			if (flipped !== undefined)
				print(`  One changed bit explains that: bit ${flipped.bit} of the byte at ${flipped.offset}\n`);
			print('  tsredis-check-rdb tells more, and --salvage writes what can be read\n');
		}
		return outcome.ok ? bytes.size - outcome.bytesBehind : -1;
	} finally {
		bytes.close();
	}
}
