/**
 * The LevelDB of the catalog. The package `level` is loaded when a store is first opened: it takes some 30 ms, which a
 * start must not wait for.
 */
import { rmSync } from 'node:fs';
import type { Level } from 'level';
import { errorCode } from '../base/error-text.js';
import { blockKeyRange, type CatalogBlock, CatalogCodec, type CatalogFile } from './catalog-record.js';

type Db = Level<string, Buffer>;

/** Records read at a time: about two milliseconds' work. */
const READ_COUNT = 1000;

/** A key and its value. */
export type CatalogEntry = readonly [key: string, value: Buffer];

/** `busy`: another process has it open. `damaged`: it can't be read, and may be removed. */
export class CatalogStoreError extends Error {
	readonly kind: 'busy' | 'damaged';

	constructor(kind: 'busy' | 'damaged', message: string) {
		super(message);
		this.kind = kind;
	}
}

export class CatalogStore {
	readonly codec: CatalogCodec;
	private readonly db: Db;

	private constructor(db: Db, codec: CatalogCodec) {
		this.db = db;
		this.codec = codec;
	}

	/**
	 * Opens the LevelDB in `folder`, and creates it unless `mustExist`.
	 * @throws CatalogStoreError
	 */
	static async open(folder: string, mustExist: boolean): Promise<CatalogStore> {
		// One after the other, so that the event loop has its turn in between.
		const { Level } = await import('level');
		const codec = await CatalogCodec.load();
		const db: Db = new Level<string, Buffer>(folder, {
			valueEncoding: 'buffer',
			createIfMissing: !mustExist,
		});
		try {
			await db.open();
			return new CatalogStore(db, codec);
		} catch (error) {
			throw storeError(error);
		}
	}

	/** Removes the LevelDB in `folder`, which nobody may have open. Throws the system error. */
	static remove(folder: string): void {
		rmSync(folder, { recursive: true, force: true });
	}

	/** The records with from <= key < to, in order, in pieces. Rejects with a CatalogStoreError. */
	async *entries(from: string, to: string): AsyncGenerator<CatalogEntry[]> {
		const iterator = this.db.iterator({ gte: from, lt: to });
		try {
			for (;;) {
				const entries = await iterator.nextv(READ_COUNT);
				if (entries.length === 0) return;
				yield entries;
			}
		} catch (error) {
			throw storeError(error);
		} finally {
			await iterator.close();
		}
	}

	/** The last record with from <= key < to. Rejects with a CatalogStoreError. */
	async last(from: string, to: string): Promise<CatalogEntry | undefined> {
		const iterator = this.db.iterator({ gte: from, lt: to, reverse: true, limit: 1 });
		try {
			return await iterator.next();
		} catch (error) {
			throw storeError(error);
		} finally {
			await iterator.close();
		}
	}

	/** Undefined if there is none. Rejects with a CatalogStoreError. */
	async get(key: string): Promise<Buffer | undefined> {
		try {
			return await this.db.get(key);
		} catch (error) {
			throw storeError(error);
		}
	}

	/** Writes and removes records, all or none; unless `durable`, a power cut may take it back. */
	async write(puts: readonly CatalogEntry[], deletes: readonly string[], durable = false): Promise<void> {
		if (puts.length === 0 && deletes.length === 0) return;
		try {
			await this.db.batch(
				[
					...deletes.map((key) => ({ type: 'del' as const, key })),
					...puts.map(([key, value]) => ({ type: 'put' as const, key, value })),
				],
				// An option of LevelDB that the type of `level`, which also runs in browsers, does not know.
				{ sync: durable } as object,
			);
		} catch (error) {
			throw storeError(error);
		}
	}

	/** All files that have a record. */
	async files(): Promise<CatalogFile[]> {
		const files: CatalogFile[] = [];
		for await (const entries of this.entries('f', 'g')) {
			for (const [key, value] of entries) {
				const file = this.codec.decodeFile(key, value);
				if (file !== undefined) files.push(file);
			}
		}
		return files;
	}

	/**
	 * The sound blocks of a file in order, from key `from` on if it is given. Rejects with a CatalogStoreError.
	 */
	async *blocksOf(file: CatalogFile, from?: string): AsyncGenerator<CatalogBlock> {
		const [first, to] = blockKeyRange(file);
		let found = false;
		for await (const entries of this.entries(from ?? first, to)) {
			let foundHere = false;
			for (const [key, value] of entries) {
				const block = this.codec.decodeBlock(key, value);
				if (block === undefined || block.fileId !== file.id) continue;
				foundHere = true;
				yield block;
			}
			// A file's blocks stand together: behind them come those of the next.
			if (found && !foundHere) return;
			found ||= foundHere;
		}
	}

	/** The block under a key; undefined where there is no sound record. */
	async block(key: string): Promise<CatalogBlock | undefined> {
		const value = await this.get(key);
		return value === undefined ? undefined : this.codec.decodeBlock(key, value);
	}

	async close(): Promise<void> {
		await this.db.close();
	}
}

function storeError(error: unknown): CatalogStoreError {
	const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
	const kind = errorCode(cause) === 'LEVEL_LOCKED' ? 'busy' : 'damaged';
	return new CatalogStoreError(kind, cause instanceof Error ? cause.message : String(cause));
}
