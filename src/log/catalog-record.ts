/**
 * Records of the catalog: protobuf messages (proto/catalog.proto) under keys of LevelDB.
 *
 *     f<id>                  CatalogFile: a file; ids count up and are not used again
 *     b<offset><id><position>        CatalogBlock of an incremental file, in the order of the log
 *     a<id><position>                CatalogBlock of a base in AOF format
 *     t<time><offset><id><position>  no value: the block b<offset><id><position> began at that time
 *
 * Numbers in keys are hexadecimal, 14 digits (ids: 8), so that keys sort as numbers do.
 *
 * A block's value ends with the field `check`, the CRC-32 of its key and of the bytes before the field: LevelDB does not
 * notice every flipped bit, and a damaged catalog must not accuse a sound log. A record that does not pass is treated
 * as absent, and rebuilt.
 */
import { crc32 } from 'node:zlib';
import type { Type } from 'protobufjs';
import { loadProtoSchema } from '../formats/proto-schema.js';

/** A block holds no more than this. */
export const BLOCK_BYTES_MAX = 64 * 1024;
/** Tag of field 15 (`check`), of four bytes. */
const CHECK_TAG = 0x7d;
const CHECK_FIELD_BYTES = 5;

const OFFSET_DIGITS = 14;
const ID_DIGITS = 8;

/** A file that the catalog knows. */
export interface CatalogFile {
	readonly id: number;
	/** Name within the folder of the log, a byte string. */
	readonly name: string;
	/** Log position of the first byte behind the prefix; 0 for a base. */
	readonly startOffset: number;
	/** Bytes at the start of the file that are not part of the log. */
	readonly prefixSize: number;
	/** As in the manifest, '' for none. */
	readonly replid: string;
	/** A base in AOF format: `offset` of its blocks is the position in the file. */
	readonly isBase: boolean;
}

/** A stretch of a file. */
export interface CatalogBlock {
	readonly fileId: number;
	/** Log position of the first byte. Bytes of a prefix count as lying at the file's start offset. */
	readonly offset: number;
	/** Position of the first byte in the file. */
	readonly position: number;
	/** Bytes, at least 1. */
	readonly size: number;
	/** Wall clock when the first byte was written, milliseconds since 1970. */
	readonly timeMs: number;
	/** The time was worked out afterwards, from the times of the file. */
	readonly timeEstimated: boolean;
	/** CRC-32, as zlib's, of the bytes. */
	readonly crc32: number;
	/** The database that is selected where the block starts, if an entry begins there; -1 if that is not known. */
	readonly db: number;
}

function hex(value: number, digits: number): string {
	return value.toString(16).padStart(digits, '0');
}

export function fileKey(id: number): string {
	return `f${hex(id, ID_DIGITS)}`;
}

/** Key of a block; `isBase` as in its file. */
export function blockKey(block: CatalogBlock, isBase: boolean): string {
	return isBase ? baseBlocksFrom(block.fileId, block.position) : `${blocksFrom(block.offset)}${place(block)}`;
}

function place(block: CatalogBlock): string {
	return hex(block.fileId, ID_DIGITS) + hex(block.position, OFFSET_DIGITS);
}

/** The least key of a block of an incremental file at `offset` or behind. */
export function blocksFrom(offset: number): string {
	return `b${hex(offset, OFFSET_DIGITS)}`;
}

function baseBlocksFrom(fileId: number, position: number): string {
	return `a${hex(fileId, ID_DIGITS)}${hex(position, OFFSET_DIGITS)}`;
}

/** The key behind all keys that begin with these characters. */
export function keyAfter(prefix: string): string {
	return `${prefix}~`;
}

/** The keys under which the blocks of a file stand, those of other files perhaps in between. */
export function blockKeyRange(file: CatalogFile): readonly [from: string, to: string] {
	if (!file.isBase) return [blocksFrom(file.startOffset), keyAfter('b')];
	const prefix = `a${hex(file.id, ID_DIGITS)}`;
	return [prefix, keyAfter(prefix)];
}

export function timeKey(block: CatalogBlock): string {
	return `${timesFrom(block.timeMs)}${hex(block.offset, OFFSET_DIGITS)}${place(block)}`;
}

/** The least key of the index of times for blocks that began at `timeMs` or later. */
export function timesFrom(timeMs: number): string {
	return `t${hex(Math.max(0, Math.floor(timeMs)), OFFSET_DIGITS)}`;
}

/** The key of the block that a key of the index stands for. */
export function blockKeyOfTime(key: string): string {
	return `b${key.slice(1 + OFFSET_DIGITS)}`;
}

/** Encodes and decodes; made once the schema has been read. */
export class CatalogCodec {
	private readonly fileType: Type;
	private readonly blockType: Type;

	private constructor(fileType: Type, blockType: Type) {
		this.fileType = fileType;
		this.blockType = blockType;
	}

	/** Rejects when the schema can't be read. */
	static async load(): Promise<CatalogCodec> {
		const root = await loadProtoSchema('catalog');
		return new CatalogCodec(root.lookupType('tsredis.CatalogFile'), root.lookupType('tsredis.CatalogBlock'));
	}

	encodeFile(file: CatalogFile): Buffer {
		const message = {
			name: Buffer.from(file.name, 'latin1'),
			startOffset: file.startOffset,
			prefixSize: file.prefixSize,
			replid: file.replid,
			base: file.isBase,
		};
		return Buffer.from(this.fileType.encode(message).finish());
	}

	/** Undefined for what is no such record. */
	decodeFile(key: string, value: Uint8Array): CatalogFile | undefined {
		const fields = this.decode(this.fileType, value);
		if (fields === undefined || !/^f[0-9a-f]{8}$/.test(key)) return undefined;
		return {
			id: Number.parseInt(key.slice(1), 16),
			name: Buffer.from((fields.name as Uint8Array | undefined) ?? []).latin1Slice(),
			startOffset: Number(fields.startOffset ?? 0),
			prefixSize: Number(fields.prefixSize ?? 0),
			replid: String(fields.replid ?? ''),
			isBase: fields.base === true,
		};
	}

	encodeBlock(key: string, block: CatalogBlock): Buffer {
		const body = this.blockType
			.encode({
				file: block.fileId,
				offset: block.offset,
				position: block.position,
				size: block.size,
				timeMs: block.timeMs,
				timeEstimated: block.timeEstimated,
				crc32: block.crc32,
				db: block.db + 1,
			})
			.finish();
		const value = Buffer.allocUnsafe(body.length + CHECK_FIELD_BYTES);
		value.set(body);
		value[body.length] = CHECK_TAG;
		value.writeUInt32LE(crc32(body, crc32(key)), body.length + 1);
		return value;
	}

	/** Undefined for what is no sound record. */
	decodeBlock(key: string, value: Buffer): CatalogBlock | undefined {
		const bodySize = value.length - CHECK_FIELD_BYTES;
		if (bodySize <= 0 || value[bodySize] !== CHECK_TAG) return undefined;
		const body = value.subarray(0, bodySize);
		if (value.readUInt32LE(bodySize + 1) !== crc32(body, crc32(key))) return undefined;
		const fields = this.decode(this.blockType, body);
		if (fields === undefined) return undefined;
		const block: CatalogBlock = {
			fileId: Number(fields.file ?? 0),
			offset: Number(fields.offset ?? 0),
			position: Number(fields.position ?? 0),
			size: Number(fields.size ?? 0),
			timeMs: Number(fields.timeMs ?? 0),
			timeEstimated: fields.timeEstimated === true,
			crc32: Number(fields.crc32 ?? 0),
			db: Number(fields.db ?? 0) - 1,
		};
		return block.size > 0 ? block : undefined;
	}

	private decode(type: Type, value: Uint8Array): Record<string, unknown> | undefined {
		try {
			return type.toObject(type.decode(value), { longs: Number });
		} catch {
			return undefined;
		}
	}
}
