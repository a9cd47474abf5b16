/** What lies at an offset of an RDB file. */
import { quoteRepr } from '../../src/base/quote.js';
import { RDB_VERSION_WITH_CHECKSUM } from '../../src/formats/rdb-codes.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import { RdbFileReader } from '../../src/snapshot/rdb-file-reader.js';
import type { RdbBytes } from './rdb-bytes.js';

const HEADER_SIZE = 9;

/** The item that the byte at `offset` belongs to, in words. */
export function itemAt(bytes: RdbBytes, offset: number): string {
	if (offset < HEADER_SIZE) return 'the header';
	const reader = new RdbFileReader(bytes.sourceFrom(0), { withChecksum: false, keepRaw: false });
	try {
		for (;;) {
			const item = reader.next();
			if (item === 'entry') reader.skipValue();
			if (reader.position <= offset && item !== 'end') continue;
			switch (item) {
				case 'entry':
					return `the key ${quoteRepr(reader.key)} of database ${reader.db}`;
				case 'aux':
					return `the auxiliary field ${quoteRepr(reader.auxName)}`;
				case 'function':
					return 'a function library';
				case 'end':
					return reader.version >= RDB_VERSION_WITH_CHECKSUM ? 'the checksum' : 'the end';
				default:
					return `the item ${item} at offset ${reader.itemStart}`;
			}
		}
	} catch (error) {
		if (error instanceof RdbFault) return 'a part that cannot be read';
		throw error;
	}
}
