/**
 * The payload of DUMP and RESTORE: one byte of type, the value in RDB format, the version of the format (2 bytes, low
 * byte first) and a CRC-64 over all before it (8 bytes). MIGRATE sends the same.
 *
 * Source: Redis 7.2.6, cluster.c (createDumpPayload, verifyDumpPayload).
 */
import { Crc64 } from '../formats/crc64.js';
import { RDB_VERSION_MAX, RDB_VERSION_WRITTEN } from '../formats/rdb-codes.js';
import { RdbInput } from '../formats/rdb-input.js';
import { RdbOutput } from '../formats/rdb-output.js';
import type { Value } from '../types/value.js';
import { faultOf, type RdbValueLimits, readRdbValue } from './rdb-value-reader.js';
import { rdbTypeOf, writeRdbValue } from './rdb-value-writer.js';

const VERSION_BYTES = 2;
const CHECKSUM_BYTES = 8;
const FOOTER_BYTES = VERSION_BYTES + CHECKSUM_BYTES;
/** Most values are small: a payload grows from this. */
const CHUNK_BYTES = 1024;

/** The payload of a value; long strings in it are compressed with `rdbcompression`. */
export function dumpPayload(value: Value, rdbcompression: boolean): Buffer {
	const chunks: Buffer[] = [];
	const output = new RdbOutput((chunk) => chunks.push(chunk), rdbcompression, true, CHUNK_BYTES);
	output.writeByte(rdbTypeOf(value));
	writeRdbValue(output, value);
	output.writeByte(RDB_VERSION_WRITTEN & 0xff);
	output.writeByte(RDB_VERSION_WRITTEN >> 8);
	output.writeChecksum();
	output.flush();
	return Buffer.concat(chunks);
}

/** Is the payload of a version that we read, and does its checksum hold (unless that is not asked for)? */
export function isSoundPayload(payload: Buffer, skipChecksum: boolean): boolean {
	const { length } = payload;
	if (length < FOOTER_BYTES) return false;
	if (payload.readUInt16LE(length - FOOTER_BYTES) > RDB_VERSION_MAX) return false;
	if (skipChecksum) return true;
	const checksum = new Crc64();
	checksum.update(payload, 0, length - CHECKSUM_BYTES);
	return checksum.matches(payload, length - CHECKSUM_BYTES);
}

/** What `readPayload` gives: the value, or what is wrong (no error reply yet); and how many encodings were checked. */
export interface ReadPayload {
	readonly value: Value | undefined;
	readonly fault: string;
	readonly checkedCount: number;
}

/** The value in a sound payload. */
export function readPayload(payload: Buffer, limits: RdbValueLimits): ReadPayload {
	const input = new RdbInput(payload.subarray(0, payload.length - FOOTER_BYTES));
	let value: Value | undefined;
	let fault = 'an aggregate without elements';
	try {
		value = readRdbValue(input, input.readByte(), limits);
	} catch (error) {
		const { position, message } = faultOf(error);
		fault = `at byte ${position}: ${message}`;
	}
	return { value, fault, checkedCount: input.checkedCount };
}
