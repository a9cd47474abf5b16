/**
 * The catalog for programs that look at a log from outside, of a running server perhaps. LevelDB lets one process open a
 * database, so these open a copy in a temporary folder; nothing is written to the folder of the log.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AofFileInfo, AofManifest } from '../formats/aof-manifest.js';
import type { BlockList } from './block-check.js';
import { nativeCatalogFolder } from './catalog-names.js';
import {
	blockKeyOfTime,
	blocksFrom,
	type CatalogBlock,
	type CatalogFile,
	keyAfter,
	timesFrom,
} from './catalog-record.js';
import { CatalogStore } from './catalog-store.js';
import { isKnownAs, type LogVerifier, readBlockList, readVerifier } from './catalog-verify.js';
import type { LogNames } from './log-folder.js';

/** A running server may change the files while they are copied. */
const COPY_TRIES_MAX = 5;

/** A place in the log where reading may begin: an entry starts there. */
export interface CatalogPlace {
	readonly fileName: string;
	/** Position in the file. */
	readonly position: number;
	/** The log position of that place. */
	readonly offset: number;
	/** The database that is selected there. */
	readonly db: number;
	/** When the entry was written, milliseconds since 1970; see `CatalogBlock`. */
	readonly timeMs: number;
	readonly timeEstimated: boolean;
}

/** Methods reject with a CatalogStoreError when the records can't be read. */
export class CatalogReader {
	private readonly store: CatalogStore;
	private readonly files: ReadonlyMap<number, CatalogFile>;
	private readonly temporaryFolder: string;

	/** `temporaryFolder`: removed by `close`. */
	constructor(store: CatalogStore, files: readonly CatalogFile[], temporaryFolder: string) {
		this.store = store;
		this.files = new Map(files.map((file) => [file.id, file]));
		this.temporaryFolder = temporaryFolder;
	}

	/** The record of a file of the manifest; undefined when the catalog knows none. */
	fileOf(info: AofFileInfo): CatalogFile | undefined {
		for (const file of this.files.values()) if (isKnownAs(info, file)) return file;
		return undefined;
	}

	/** The blocks of a file, in order. */
	blocksOf(file: CatalogFile): AsyncIterable<CatalogBlock> {
		return this.store.blocksOf(file);
	}

	/** What is needed to check the bytes of a file. */
	blockList(file: CatalogFile): Promise<BlockList> {
		return readBlockList(this.store, file);
	}

	/** The checks for all files that the manifest names, history included. */
	verifier(manifest: AofManifest): Promise<LogVerifier> {
		return readVerifier(this.store, manifest, true);
	}

	/** The last place at or before a log position from which reading may begin; undefined if there is none. */
	seekOffset(offset: number): Promise<CatalogPlace | undefined> {
		return this.lastPlace(keyAfter(blocksFrom(offset)), (block) => block.offset <= offset);
	}

	/**
	 * The last place from which reading may begin and at which the log was before or at a time, in milliseconds since
	 * 1970; undefined if the log begins later. Where the clock was set back, one of the places that qualify.
	 */
	async seekTime(timeMs: number): Promise<CatalogPlace | undefined> {
		const last = await this.store.last('t', keyAfter(timesFrom(timeMs)));
		if (last === undefined) return undefined;
		const key = blockKeyOfTime(last[0]);
		let to = keyAfter('b');
		search: for await (const entries of this.store.entries(key, keyAfter('b'))) {
			for (const [entryKey, value] of entries) {
				const block = this.store.codec.decodeBlock(entryKey, value);
				if (block === undefined || block.timeMs <= timeMs) continue;
				to = entryKey;
				break search;
			}
		}
		return this.lastPlace(to, (block) => block.timeMs <= timeMs);
	}

	/** Closes the copy and removes it. */
	async close(): Promise<void> {
		await this.store.close();
		rmSync(this.temporaryFolder, { recursive: true, force: true });
	}

	/** The last block before the key `to` that begins with an entry, and that `isWanted`. */
	private async lastPlace(
		to: string,
		isWanted: (block: CatalogBlock) => boolean,
	): Promise<CatalogPlace | undefined> {
		for (let end = to; ; ) {
			const entry = await this.store.last('b', end);
			if (entry === undefined) return undefined;
			const [key, value] = entry;
			const block = this.store.codec.decodeBlock(key, value);
			const file = block === undefined ? undefined : this.files.get(block.fileId);
			if (block !== undefined && file !== undefined && block.db >= 0 && isWanted(block)) {
				const { position, offset, db, timeMs, timeEstimated } = block;
				return { fileName: file.name, position, offset, db, timeMs, timeEstimated };
			}
			end = key;
		}
	}
}

/**
 * Opens a copy of the catalog of a log; undefined when there is none, or it can't be read: then whoever asks reads the
 * files from their start. The caller has to `close` it.
 */
export async function openCatalogCopy(names: LogNames): Promise<CatalogReader | undefined> {
	const source = nativeCatalogFolder(names);
	for (let tries = 0; tries < COPY_TRIES_MAX; tries++) {
		const namesBefore = listFolder(source);
		if (namesBefore === undefined) return undefined;
		const folder = mkdtempSync(join(tmpdir(), 'tsredis-catalog-'));
		let store: CatalogStore | undefined;
		try {
			for (const name of namesBefore) copyFileSync(join(source, name), join(folder, name));
			// Another list of files: the log of LevelDB may have become a table between two copies.
			if (listFolder(source)?.join('/') !== namesBefore.join('/')) throw new Error('changed meanwhile');
			store = await CatalogStore.open(folder, true);
			return new CatalogReader(store, await store.files(), folder);
		} catch {
			await store?.close();
			rmSync(folder, { recursive: true, force: true });
		}
	}
	return undefined;
}

/** The files of a LevelDB but its lock and its diary; undefined if there is no such folder. */
function listFolder(folder: string): string[] | undefined {
	try {
		return readdirSync(folder)
			.filter((name) => name !== 'LOCK' && !name.startsWith('LOG'))
			.sort();
	} catch {
		return undefined;
	}
}
