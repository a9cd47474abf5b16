/** The file that a fold writes, in either format, with the same calls. */
import { aofEntrySize, writeAofEntry } from '../formats/aof-entry.js';
import { CHUNK_IS_FREE } from '../formats/rdb-output.js';
import { writeAllSync } from '../log/durable-steps.js';
import type { LogFs } from '../log/log-fs.js';
import type { Value } from '../types/value.js';
import { valueCommands } from './dataset-commands.js';
import type { FoldSettings, SnapshotFormat } from './fold-job.js';
import { type AccessInfo, RdbFileWriter } from './rdb-file-writer.js';

/** Redis's REDIS_AUTOSYNC_BYTES: so that the fsync at the end does not find a gigabyte to write. */
const SYNC_BYTES = 4 * 1024 * 1024;
const AOF_CHUNK_BYTES = 256 * 1024;

/** A file written from its start to its end. Methods throw the system error. */
export class FileSink {
	/** Bytes written. */
	size = 0;
	readonly #fs: LogFs;
	readonly #fd: number;
	readonly #syncEarly: boolean;
	#syncedSize = 0;

	/** `syncEarly`: make it durable every 4 MB (`rdb-save-incremental-fsync`). */
	constructor(fs: LogFs, path: string, syncEarly: boolean) {
		this.#fs = fs;
		this.#fd = fs.openSync(path, 'w');
		this.#syncEarly = syncEarly;
	}

	write(chunk: Buffer): void {
		writeAllSync(this.#fs, this.#fd, chunk, this.size);
		this.size += chunk.length;
		if (this.#syncEarly && this.size - this.#syncedSize >= SYNC_BYTES) {
			this.#fs.fdatasyncSync(this.#fd);
			this.#syncedSize = this.size;
		}
	}

	/** Makes all of it durable and closes the file. */
	finish(): void {
		try {
			this.#fs.fdatasyncSync(this.#fd);
		} finally {
			this.#fs.closeSync(this.#fd);
		}
	}

	/** Closes the file, which nobody will use. */
	abandon(): void {
		this.#fs.closeSync(this.#fd);
	}
}

/** The order: `begin`, libraries, then for each key `selectDb` and an entry, `end`. */
export interface FoldOutput {
	begin(aux: FoldAux): void;
	/** A library of functions, by its code. */
	functionLibrary(code: string): void;
	/** What follows is of that database; `size` and `expiresSize` are hints. */
	selectDb(id: number, size: number, expiresSize: number): void;
	entry(key: string, value: Value, expireAtMs: number, access: AccessInfo | undefined): void;
	end(): void;
}

type FoldAux = readonly (readonly [name: string, value: string])[];

export function foldOutput(
	format: SnapshotFormat,
	sink: FileSink,
	settings: FoldSettings,
): RdbFoldOutput | AofFoldOutput {
	return format === 'rdb' ? new RdbFoldOutput(sink, settings) : new AofFoldOutput(sink);
}

export class RdbFoldOutput implements FoldOutput {
	readonly format = 'rdb';
	readonly #writer: RdbFileWriter;

	constructor(sink: FileSink, settings: FoldSettings) {
		this.#writer = new RdbFileWriter((chunk) => {
			sink.write(chunk);
			return CHUNK_IS_FREE;
		}, settings);
	}

	begin(aux: FoldAux): void {
		this.#writer.header(aux);
	}

	functionLibrary(code: string): void {
		this.#writer.functionLibrary(code);
	}

	selectDb(id: number, size: number, expiresSize: number): void {
		this.#writer.selectDb(id);
		if (size > 0) this.#writer.resizeDb(size, expiresSize);
	}

	entry(key: string, value: Value, expireAtMs: number, access: AccessInfo | undefined): void {
		this.#writer.entry(key, value, expireAtMs, access);
	}

	/** An entry as it stands in another RDB file. */
	rawEntry(bytes: Buffer): void {
		this.#writer.rawEntry(bytes);
	}

	end(): void {
		this.#writer.end();
	}
}

export class AofFoldOutput implements FoldOutput {
	readonly format = 'aof';
	readonly #sink: FileSink;
	#chunk = Buffer.allocUnsafe(AOF_CHUNK_BYTES);
	#at = 0;

	constructor(sink: FileSink) {
		this.#sink = sink;
	}

	begin(): void {}

	functionLibrary(code: string): void {
		this.#append(['FUNCTION', 'LOAD', code]);
	}

	selectDb(id: number): void {
		this.#append(['SELECT', String(id)]);
	}

	entry(key: string, value: Value, expireAtMs: number): void {
		for (const args of valueCommands(key, value)) this.#append(args);
		if (expireAtMs >= 0) this.#append(['PEXPIREAT', key, String(expireAtMs)]);
	}

	end(): void {
		this.#flush();
	}

	#append(args: readonly string[]): void {
		const size = aofEntrySize(args);
		if (this.#at + size > this.#chunk.length) this.#flush();
		if (size > this.#chunk.length) {
			const large = Buffer.allocUnsafe(size);
			writeAofEntry(large, 0, args);
			this.#sink.write(large);
			return;
		}
		this.#at = writeAofEntry(this.#chunk, this.#at, args);
	}

	#flush(): void {
		if (this.#at > 0) this.#sink.write(this.#chunk.subarray(0, this.#at));
		this.#at = 0;
	}
}
