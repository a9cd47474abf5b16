/**
 * Between the two forms of text: byte strings (one latin1 character a byte), which configuration and
 * commands use, and JavaScript's own, which the file system, DNS and the process arguments use.
 */

/** What the operating system calls by the bytes `s`; bytes that are not UTF-8 become U+FFFD. */
export function toNative(s: string): string {
	return isAscii(s) ? s : Buffer.from(s, 'latin1').toString('utf8');
}

/** The UTF-8 bytes of `s` as a byte string. */
export function fromNative(s: string): string {
	return isAscii(s) ? s : Buffer.from(s, 'utf8').toString('latin1');
}

function isAscii(s: string): boolean {
	for (let i = 0; i < s.length; i++) {
		if (s.charCodeAt(i) > 127) return false;
	}
	return true;
}
