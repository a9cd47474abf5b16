/**
 * Amounts of memory as redis.conf writes them: `100`, `100b`, `1k` (1000), `1kb` (1024), `1m`, `1mb`,
 * `1g`, `1gb`, in any case (`memtoull` in Redis's util.c).
 */

const UNITS: ReadonlyMap<string, bigint> = new Map([
	['', 1n],
	['b', 1n],
	['k', 1000n],
	['kb', 1024n],
	['m', 1000_000n],
	['mb', 1048_576n],
	['g', 1000_000_000n],
	['gb', 1073_741_824n],
]);

/** The bytes that `text` denotes; undefined if it denotes no amount. May exceed 64 bits. */
export function parseMemory(text: string): bigint | undefined {
	let digits = 0;
	while (digits < text.length && text.charCodeAt(digits) >= 48 && text.charCodeAt(digits) <= 57) digits++;
	if (digits > 127) return undefined;
	const unit = UNITS.get(text.slice(digits).toLowerCase());
	if (unit === undefined) return undefined;
	// Redis reads a unit without digits as 0.
	return digits === 0 ? 0n : BigInt(text.slice(0, digits)) * unit;
}

/** The shortest form that `parseMemory` reads as `bytes`, as CONFIG REWRITE writes it. */
export function formatMemory(bytes: number): string {
	if (bytes !== 0) {
		if (bytes % 1073_741_824 === 0) return `${BigInt(bytes / 1073_741_824)}gb`;
		if (bytes % 1048_576 === 0) return `${BigInt(bytes / 1048_576)}mb`;
		if (bytes % 1024 === 0) return `${BigInt(bytes / 1024)}kb`;
	}
	return `${BigInt(bytes)}`;
}
