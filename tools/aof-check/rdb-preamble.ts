/** The part in RDB format that a base, or an old append-only file, may begin with. */

import { checkRdb } from '../rdb-check/check.js';
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
		return outcome.ok ? bytes.size - outcome.bytesBehind : -1;
	} finally {
		bytes.close();
	}
}
