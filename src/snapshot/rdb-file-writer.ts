/** Writes an RDB file of version 10 from its header to its checksum. */
import type { Int64 } from '../base/numbers.js';
import {
	RDB_OPCODE_AUX,
	RDB_OPCODE_EOF,
	RDB_OPCODE_EXPIRETIME_MS,
	RDB_OPCODE_FREQ,
	RDB_OPCODE_FUNCTION2,
	RDB_OPCODE_IDLE,
	RDB_OPCODE_RESIZEDB,
	RDB_OPCODE_SELECTDB,
	RDB_VERSION_WRITTEN,
} from '../formats/rdb-codes.js';
import { type ChunkSink, RdbOutput } from '../formats/rdb-output.js';
import type { Value } from '../types/value.js';
import { rdbTypeOf, writeRdbValue } from './rdb-value-writer.js';

export interface RdbWriteOptions {
	/** `rdbcompression`: long strings by LZF. */
	readonly rdbcompression: boolean;
	/** `rdbchecksum`: a CRC-64 at the end; else 8 zero bytes. */
	readonly rdbchecksum: boolean;
}

/** When a key was accessed, as far as the eviction policy asks for it. */
export interface AccessInfo {
	/** Seconds since the last access (lru policies), or -1. */
	readonly idleSeconds: number;
	/** The counter of accesses (lfu policies), 0 to 255, or -1. */
	readonly frequency: number;
}

export class RdbFileWriter {
	private readonly output: RdbOutput;

	/** `sink` owns the pieces it is given, 256 KB each or as large as a value's string. */
	constructor(sink: ChunkSink, options: RdbWriteOptions) {
		this.output = new RdbOutput(sink, options.rdbcompression, options.rdbchecksum);
	}

	/** How many bytes have been written. */
	get position(): number {
		return this.output.position;
	}

	/** The magic and the auxiliary fields. */
	header(aux: Iterable<readonly [name: string, value: string]>): void {
		this.output.writeRawText(`REDIS${String(RDB_VERSION_WRITTEN).padStart(4, '0')}`);
		for (const [name, value] of aux) this.aux(name, value);
	}

	aux(name: string, value: string): void {
		this.output.writeByte(RDB_OPCODE_AUX);
		this.output.writeString(name);
		this.output.writeString(value);
	}

	/** A library of functions, by its code. */
	functionLibrary(code: string): void {
		this.output.writeByte(RDB_OPCODE_FUNCTION2);
		this.output.writeString(code);
	}

	selectDb(id: number): void {
		this.output.writeByte(RDB_OPCODE_SELECTDB);
		this.output.writeLength(id);
	}

	/** A hint of how many keys follow and how many of them expire. */
	resizeDb(size: Int64, expiresSize: Int64): void {
		this.output.writeByte(RDB_OPCODE_RESIZEDB);
		this.output.writeLength(size);
		this.output.writeLength(expiresSize);
	}

	/** `expireAtMs` -1: the key does not expire. */
	entry(key: string, value: Value, expireAtMs: number, access: AccessInfo | undefined): void {
		const { output } = this;
		if (expireAtMs !== -1) {
			output.writeByte(RDB_OPCODE_EXPIRETIME_MS);
			output.writeInt64(expireAtMs);
		}
		if (access !== undefined && access.idleSeconds >= 0) {
			output.writeByte(RDB_OPCODE_IDLE);
			output.writeLength(access.idleSeconds);
		}
		if (access !== undefined && access.frequency >= 0) {
			output.writeByte(RDB_OPCODE_FREQ);
			output.writeByte(access.frequency);
		}
		output.writeByte(rdbTypeOf(value));
		output.writeString(key);
		writeRdbValue(output, value);
	}

	/** An entry as it was read, `RdbFileReader.rawEntry`, if it is `isCopyable`. */
	rawEntry(bytes: Buffer): void {
		this.output.writeRaw(bytes, 0, bytes.length);
	}

	/** The end and the checksum; everything is with the sink then. */
	end(): void {
		this.output.writeByte(RDB_OPCODE_EOF);
		this.output.writeChecksum();
		this.output.flush();
	}
}
