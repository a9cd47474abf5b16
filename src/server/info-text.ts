/** How values are written in INFO. */

/** A line of INFO: name and value. */
export type InfoField = readonly [name: string, value: string | number];

/** Bytes for people: `1018.16K`, `23.54G` (server.c, bytesToHuman). */
export function humanBytes(bytes: number): string {
	if (bytes < 1024) return `${bytes}B`;
	const units = ['K', 'M', 'G', 'T', 'P'];
	let value = bytes / 1024;
	let unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${value.toFixed(2)}${units[unit]}`;
}

/** `part` of `whole` in per cent, with two digits. */
export function percent(part: number, whole: number): string {
	return `${((part / whole) * 100).toFixed(2)}%`;
}
