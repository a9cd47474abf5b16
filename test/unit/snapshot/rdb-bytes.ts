/** RDB files by hand, for what our writer does not write. */

/** A string of up to 63 bytes. */
export function rdbString(text: string): Buffer {
	return Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1')]);
}

/** A string of up to 16383 bytes. */
export function rdbBlob(bytes: Buffer): Buffer {
	return Buffer.concat([Buffer.of(0x40 | (bytes.length >> 8), bytes.length & 0xff), bytes]);
}

/** A file of a version with those items, and without a checksum. */
export function rdbFile(version: number, ...items: readonly Buffer[]): Buffer {
	const end = version >= 5 ? Buffer.concat([Buffer.of(0xff), Buffer.alloc(8)]) : Buffer.of(0xff);
	return Buffer.concat([Buffer.from(`REDIS${String(version).padStart(4, '0')}`), ...items, end]);
}

/** An entry of a type whose value are those bytes. */
export function rdbEntry(type: number, key: string, value: Buffer): Buffer {
	return Buffer.concat([Buffer.of(type), rdbString(key), value]);
}

/** The opcode that selects a database. */
export function rdbSelect(id: number): Buffer {
	return Buffer.of(0xfe, id);
}

/** A ziplist of short strings. */
export function ziplist(...entries: readonly string[]): Buffer {
	const parts: Buffer[] = [];
	let previous = 0;
	let tail = 10;
	let at = 10;
	for (const entry of entries) {
		const part = Buffer.concat([Buffer.of(previous, entry.length), Buffer.from(entry, 'latin1')]);
		tail = at;
		at += part.length;
		previous = part.length;
		parts.push(part);
	}
	const head = Buffer.alloc(10);
	head.writeUInt32LE(at + 1, 0);
	head.writeUInt32LE(tail, 4);
	head.writeUInt16LE(entries.length, 8);
	return Buffer.concat([head, ...parts, Buffer.of(0xff)]);
}

/** A zipmap of short fields and values. */
export function zipmap(...pairs: readonly (readonly [field: string, value: string])[]): Buffer {
	const parts = pairs.map(([field, value]) =>
		Buffer.concat([rdbString(field), Buffer.of(value.length, 0), Buffer.from(value, 'latin1')]),
	);
	return Buffer.concat([Buffer.of(pairs.length), ...parts, Buffer.of(0xff)]);
}
