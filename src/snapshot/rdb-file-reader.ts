/**
 * Reads an RDB file item by item. Whoever uses it decides about each entry: read its value, pass over it, or take its
 * bytes as they are. Faults are thrown as RdbFault.
 *
 * Layout of an entry: any of the opcodes EXPIRETIME (seconds, 4 bytes), EXPIRETIME_MS (8 bytes), IDLE (length: seconds
 * since the last access) and FREQ (1 byte: the LFU counter); then the type of the value, the key as a string, the value.
 */
import { INT64_DOUBLE_MAX, type Int64 } from '../base/numbers.js';
import {
	RDB_MODULE_OPCODE_UINT,
	RDB_OPCODE_AUX,
	RDB_OPCODE_EOF,
	RDB_OPCODE_EXPIRETIME,
	RDB_OPCODE_EXPIRETIME_MS,
	RDB_OPCODE_FREQ,
	RDB_OPCODE_FUNCTION_PRE_GA,
	RDB_OPCODE_FUNCTION2,
	RDB_OPCODE_IDLE,
	RDB_OPCODE_MODULE_AUX,
	RDB_OPCODE_RESIZEDB,
	RDB_OPCODE_SELECTDB,
	RDB_TYPE_STREAM_LISTPACKS_2,
	RDB_VERSION_MAX,
	RDB_VERSION_WITH_CHECKSUM,
} from '../formats/rdb-codes.js';
import { type ByteSource, RdbInput } from '../formats/rdb-input.js';
import type { Value } from '../types/value.js';
import { isRdbValueType, moduleName, type RdbValueLimits, readRdbValue } from './rdb-value-reader.js';
import { skipRdbValue } from './rdb-value-skip.js';

/**
 * What `next` has found, and which fields it has set:
 *
 *   aux         auxName, auxValue
 *   module-aux  moduleName: data of a module that belong to no key; they have been passed over
 *   select-db   db
 *   resize-db   dbSize, expiresSize
 *   function    functionCode
 *   entry       key, valueType, expireAtMs, idleSeconds, frequency; the value is next, to be read, skipped or copied
 *   end         checksum; nothing follows
 */
export type RdbItem = 'aux' | 'module-aux' | 'select-db' | 'resize-db' | 'function' | 'entry' | 'end';

/** What the reader is doing, in the words of redis-check-rdb. */
export type RdbStage =
	| 'start'
	| 'read-type'
	| 'read-expire'
	| 'read-key'
	| 'read-object-value'
	| 'check-sum'
	| 'read-len'
	| 'read-aux'
	| 'read-module-aux'
	| 'read-functions';

export interface RdbReadOptions {
	/** Keep the sum of the file and compare it with the one at its end (`rdbchecksum`). */
	readonly withChecksum: boolean;
	/** Keep the bytes of each entry in memory until the next one, for `rawEntry`. */
	readonly keepRaw: boolean;
}

export class RdbFileReader {
	readonly input: RdbInput;
	/** The version of the format, once the header has been read, by the first `next`. */
	version = 0;
	/** The database selected. */
	db = 0;
	dbSize = 0;
	expiresSize = 0;
	auxName = '';
	auxValue = '';
	moduleName = '';
	functionCode = '';
	key = '';
	/** The type of the entry's value, a number of `rdb-codes.ts`. */
	valueType = 0;
	/** When the entry expires, ms since 1970; -1: never. */
	expireAtMs = -1;
	/** Seconds since the last access, or -1. */
	idleSeconds = -1;
	/** The LFU counter, 0 to 255, or -1. */
	frequency = -1;
	/** What is being done: after a fault, what could not be. */
	stage: RdbStage = 'start';
	/** Where the item began, in bytes from the start of the file. */
	itemStart = 0;
	/** At the end: what came of comparing the sum; unchecked: the version has none, or `withChecksum` is off. */
	checksum: 'right' | 'wrong' | 'missing' | 'unchecked' = 'unchecked';
	private readonly options: RdbReadOptions;
	private valueIsNext = false;

	constructor(source: ByteSource | Buffer, options: RdbReadOptions) {
		this.options = options;
		this.input = new RdbInput(source, options.withChecksum);
	}

	/** How many bytes of the file have been read. */
	get position(): number {
		return this.input.position;
	}

	/** Goes on to the next item. A value that has not been read is passed over. @throws RdbFault */
	next(): RdbItem {
		const { input } = this;
		if (this.valueIsNext) this.skipValue();
		if (this.version === 0) this.readHeader();
		this.itemStart = input.position;
		if (this.options.keepRaw) input.startCapture();
		this.expireAtMs = -1;
		this.idleSeconds = -1;
		this.frequency = -1;
		for (;;) {
			this.stage = 'read-type';
			const code = input.readByte();
			switch (code) {
				case RDB_OPCODE_EXPIRETIME_MS:
					this.stage = 'read-expire';
					this.expireAtMs = expiryOf(input.readInt64());
					break;
				case RDB_OPCODE_EXPIRETIME:
					this.stage = 'read-expire';
					this.expireAtMs = input.readInt32() * 1000;
					break;
				case RDB_OPCODE_IDLE:
					this.idleSeconds = Number(input.readLength());
					break;
				case RDB_OPCODE_FREQ:
					this.frequency = input.readByte();
					break;
				case RDB_OPCODE_SELECTDB:
					this.stage = 'read-len';
					this.db = input.readCount();
					return 'select-db';
				case RDB_OPCODE_RESIZEDB:
					this.stage = 'read-len';
					this.dbSize = input.readCount();
					this.expiresSize = input.readCount();
					return 'resize-db';
				case RDB_OPCODE_AUX:
					this.stage = 'read-aux';
					this.auxName = input.readString();
					this.auxValue = input.readString();
					return 'aux';
				case RDB_OPCODE_MODULE_AUX:
					this.stage = 'read-module-aux';
					this.readModuleAux();
					return 'module-aux';
				case RDB_OPCODE_FUNCTION2:
					this.stage = 'read-functions';
					this.functionCode = input.readString();
					return 'function';
				case RDB_OPCODE_FUNCTION_PRE_GA:
					input.fail('unsupported', 'Pre-release function format not supported.');
					break;
				case RDB_OPCODE_EOF:
					this.readEnd();
					return 'end';
				default:
					this.valueType = code;
					if (!isRdbValueType(code)) input.fail('unsupported', `Unknown RDB encoding type ${code}`);
					this.stage = 'read-key';
					this.key = input.readString();
					this.stage = 'read-object-value';
					this.valueIsNext = true;
					return 'entry';
			}
		}
	}

	/**
	 * The value of the entry, in the encoding that the limits ask for; undefined for an aggregate without elements, which
	 * Redis passes over (old versions could write such). @throws RdbFault
	 */
	readValue(limits: RdbValueLimits): Value | undefined {
		this.valueIsNext = false;
		return readRdbValue(this.input, this.valueType, limits);
	}

	/** Passes over the value, looking no deeper than needed to find its end. @throws RdbFault */
	skipValue(): void {
		this.valueIsNext = false;
		skipRdbValue(this.input, this.valueType);
	}

	/** Whether the entry can stand in a file of the version that we write, as it is; else it has to be read and written. */
	get isCopyable(): boolean {
		return this.valueType <= RDB_TYPE_STREAM_LISTPACKS_2;
	}

	/**
	 * With `keepRaw`: the bytes of the entry, its opcodes included; the value is passed over first unless it has been
	 * read. A view that is valid until the next call. @throws RdbFault
	 */
	rawEntry(): Buffer {
		if (this.valueIsNext) this.skipValue();
		return this.input.captured();
	}

	private readHeader(): void {
		const { input } = this;
		const magic = input.readBytes(9);
		if (!magic.startsWith('REDIS')) input.fail('unsupported', 'Wrong signature trying to load DB from file');
		const version = /^\d+/.exec(magic.slice(5));
		this.version = version === null ? 0 : Number(version[0]);
		if (this.version < 1 || this.version > RDB_VERSION_MAX)
			input.fail('unsupported', `Can't handle RDB format version ${this.version}`);
	}

	private readModuleAux(): void {
		const { input } = this;
		this.moduleName = moduleName(input.readLength());
		if (input.readLength() !== RDB_MODULE_OPCODE_UINT) input.damaged('bad when_opcode');
		input.readLength();
		input.skipModuleValue();
	}

	private readEnd(): void {
		if (this.version < RDB_VERSION_WITH_CHECKSUM) return;
		this.stage = 'check-sum';
		const found = this.input.readChecksum();
		this.checksum = this.options.withChecksum ? found : 'unchecked';
	}
}

/** Times beyond the safe integers are as good as never, and before 1970 as good as at its start. */
function expiryOf(ms: Int64): number {
	if (typeof ms === 'bigint') return ms < 0n ? 0 : Math.min(Number(ms), INT64_DOUBLE_MAX);
	return ms;
}
