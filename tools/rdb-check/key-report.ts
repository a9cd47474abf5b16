/** What `--keys` and `--stats` print. */
import { quoteRepr } from '../../src/base/quote.js';
import { RDB_TYPE_NAMES } from '../../src/formats/rdb-codes.js';
import type { RdbFileReader } from '../../src/snapshot/rdb-file-reader.js';
import { encodingOf, isStringValue, stringLength, typeName, type Value } from '../../src/types/value.js';

/** Keys, their sizes and bytes of one kind. */
interface Sum {
	keys: number;
	/** Elements; of strings, bytes. */
	size: number;
	fileBytes: number;
	largestBytes: number;
	/** Quoted. */
	largestKey: string;
}

/** An entry that has been read; `value` is undefined for a module's, and for an aggregate without elements. */
interface Entry {
	readonly db: number;
	readonly key: string;
	readonly valueType: number;
	readonly value: Value | undefined;
	readonly expireAtMs: number;
	/** Bytes in the file, from its first opcode to the end of the value. */
	readonly fileBytes: number;
}

/** The line of `--keys`. Sizes are elements, or the bytes of a string; the encoding is the one that it gets loaded. */
export function keyLine(entry: Entry): string {
	const { value, expireAtMs } = entry;
	const stored = RDB_TYPE_NAMES[entry.valueType]!;
	const what =
		value === undefined
			? `type=${stored === 'module-value' ? 'module size=unknown' : 'none size=0'}`
			: `type=${typeName(value)} encoding=${encodingOf(value)} size=${sizeOf(value)}`;
	const expires = expireAtMs === -1 ? 'never' : timeText(expireAtMs);
	const { db, fileBytes } = entry;
	return `[key] db=${db} key=${quoteRepr(entry.key)} ${what} stored=${stored} bytes=${fileBytes} expires=${expires}`;
}

/** The entry that `reader` has come to, its value read already. */
export function entryOf(reader: RdbFileReader, value: Value | undefined): Entry {
	const { db, key, valueType, expireAtMs } = reader;
	return { db, key, valueType, value, expireAtMs, fileBytes: reader.position - reader.itemStart };
}

/** Sums for `--stats`. Memory does not grow with the number of keys. */
export class KeySums {
	private readonly byType = new Map<string, Sum>();
	private readonly byDb = new Map<number, { keys: number; expires: number; fileBytes: number }>();
	private functions = 0;
	private emptyKeys = 0;

	add(entry: Entry): void {
		const { db, key, value, fileBytes } = entry;
		const stored = RDB_TYPE_NAMES[entry.valueType]!;
		if (value === undefined && stored !== 'module-value') this.emptyKeys++;
		const name =
			value === undefined ? stored : `${typeName(value)} (${encodingOf(value)}, stored as ${stored})`;
		let sum = this.byType.get(name);
		if (sum === undefined) {
			sum = { keys: 0, size: 0, fileBytes: 0, largestBytes: -1, largestKey: '' };
			this.byType.set(name, sum);
		}
		sum.keys++;
		if (value !== undefined) sum.size += sizeOf(value);
		sum.fileBytes += fileBytes;
		if (fileBytes > sum.largestBytes) {
			sum.largestBytes = fileBytes;
			sum.largestKey = quoteRepr(key);
		}
		let dbSum = this.byDb.get(db);
		if (dbSum === undefined) {
			dbSum = { keys: 0, expires: 0, fileBytes: 0 };
			this.byDb.set(db, dbSum);
		}
		dbSum.keys++;
		if (entry.expireAtMs !== -1) dbSum.expires++;
		dbSum.fileBytes += fileBytes;
	}

	addFunction(): void {
		this.functions++;
	}

	lines(): string[] {
		const lines: string[] = [];
		for (const [id, db] of [...this.byDb].sort(([a], [b]) => a - b)) {
			lines.push(`[stats] db ${id}: ${db.keys} keys, ${db.expires} expires, ${db.fileBytes} bytes`);
		}
		for (const [name, sum] of [...this.byType].sort(([, a], [, b]) => b.fileBytes - a.fileBytes)) {
			const unit = name.startsWith('string') ? 'bytes long' : 'elements';
			lines.push(
				`[stats] ${name}: ${sum.keys} keys, ${sum.size} ${unit}, ${sum.fileBytes} bytes in the file, ` +
					`largest ${sum.largestKey} with ${sum.largestBytes}`,
			);
		}
		if (this.functions > 0) lines.push(`[stats] ${this.functions} function libraries`);
		if (this.emptyKeys > 0)
			lines.push(`[stats] ${this.emptyKeys} keys without elements: servers leave them out`);
		return lines;
	}
}

function sizeOf(value: Value): number {
	if (isStringValue(value)) return stringLength(value);
	return value.type === 'list' || value.type === 'stream' ? value.length : value.size;
}

/** As ISO 8601 where that reaches, else milliseconds since 1970. */
function timeText(ms: number): string {
	const date = new Date(ms);
	return Number.isNaN(date.getTime()) ? `${ms}ms` : date.toISOString();
}
