/**
 * Methods that every Buffer of Node.js has and that its type package leaves out. They are the direct way to the
 * native code: `toString('latin1')` and `write(…, 'latin1')` look the encoding up first.
 */
interface Buffer {
	/** The bytes [start, end) as a byte string; throws beyond the longest string. */
	latin1Slice(start?: number, end?: number): string;
	/** Writes as many characters of `text` as fit into `size` bytes at `at`; returns their number. */
	latin1Write(text: string, at?: number, size?: number): number;
}
