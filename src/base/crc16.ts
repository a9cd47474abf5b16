/**
 * The hash slot of a key: CRC16 (XMODEM: polynomial 0x1021, initial value 0, no reflection) modulo
 * 16384, over the hash tag if there is one (Redis Cluster specification, "Key distribution model" and
 * "Hash tags").
 */

export const SLOT_COUNT = 16384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
	let crc = byte << 8;
	for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
	return crc;
});

/** CRC16 of the bytes of `s` in [start, end). */
export function crc16(s: string, start = 0, end = s.length): number {
	let crc = 0;
	for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ s.charCodeAt(i)]!;
	return crc;
}

/**
 * The slot of `key`, 0 to 16383. The hash tag is what stands between the first `{` and the first `}`
 * after it, if that is not empty; otherwise the whole key is hashed.
 */
export function keySlot(key: string): number {
	const open = key.indexOf('{');
	if (open >= 0) {
		const close = key.indexOf('}', open + 1);
		if (close > open + 1) return crc16(key, open + 1, close) & (SLOT_COUNT - 1);
	}
	return crc16(key) & (SLOT_COUNT - 1);
}
