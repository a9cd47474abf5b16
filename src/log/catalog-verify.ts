/**
 * What the loader asks the catalog: are the bytes that it reads those that were written? A log whose bytes have changed
 * still parses where the change lies inside of a value, and would be another dataset in silence.
 */
import { type AofFileInfo, type AofManifest, isAofFormatBase } from '../formats/aof-manifest.js';
import { BlockCheck, type BlockList, type WrongBlock } from './block-check.js';
import type { CatalogFile } from './catalog-record.js';
import type { CatalogStore } from './catalog-store.js';

/** Whether a line of the manifest and a record mean the same file, and not two of the same name. */
export function isKnownAs(info: AofFileInfo, record: CatalogFile): boolean {
	return (
		info.name === record.name &&
		info.replid !== '' &&
		info.replid === record.replid &&
		record.isBase === isAofFormatBase(info) &&
		// A manifest may say where a file begins only after a while.
		(record.isBase ||
			info.startOffset < 0 ||
			(info.startOffset === record.startOffset && info.prefixSize === record.prefixSize))
	);
}

/**
 * Reads what the catalog knows of the files that the manifest names, history included if asked for. Rejects with a
 * CatalogStoreError.
 */
export async function readVerifier(
	store: CatalogStore,
	manifest: AofManifest,
	withHistory: boolean,
): Promise<LogVerifier> {
	const { base, history, incrementals } = manifest;
	const infos = [...(base === null ? [] : [base]), ...incrementals, ...(withHistory ? history : [])];
	const files = new Map<string, RecordedFile>();
	for (const record of await store.files()) {
		if (!infos.some((info) => isKnownAs(info, record))) continue;
		files.set(record.name, { record, blocks: await readBlockList(store, record) });
	}
	return new LogVerifier(files);
}

/** The blocks of a file in order, without those that overlap. Rejects with a CatalogStoreError. */
export async function readBlockList(store: CatalogStore, file: CatalogFile): Promise<BlockList> {
	const positions: number[] = [];
	const sizes: number[] = [];
	const crcs: number[] = [];
	let end = 0;
	for await (const block of store.blocksOf(file)) {
		if (block.position < end) continue;
		positions.push(block.position);
		sizes.push(block.size);
		crcs.push(block.crc32);
		end = block.position + block.size;
	}
	return { positions, sizes, crcs };
}

/** What the catalog has of a file. */
export interface RecordedFile {
	readonly record: CatalogFile;
	readonly blocks: BlockList;
}

/** What the catalog has of the files of a log, and what came out when they were compared. */
export class LogVerifier {
	/** By name. */
	readonly files: ReadonlyMap<string, RecordedFile>;
	private readonly checks = new Map<string, BlockCheck>();

	constructor(files: ReadonlyMap<string, RecordedFile>) {
		this.files = files;
	}

	/** Begins to check a file; undefined when the catalog knows nothing of it. */
	begin(name: string): BlockCheck | undefined {
		const file = this.files.get(name);
		if (file === undefined) return undefined;
		const check = new BlockCheck(file.blocks);
		this.checks.set(name, check);
		return check;
	}

	/** Whether a file that was checked is another one than the catalog knows under its name. */
	isOtherFile(name: string): boolean {
		return this.checks.get(name)?.isOtherFile === true;
	}
}

/** What is wrong with a file, in words: "3 of 65536 bytes …". */
export function damageText(wrong: WrongBlock): string {
	const { position, size, changed } = wrong;
	const where = `the ${size} bytes from position ${position} on are not those that were written (CRC of the catalog)`;
	return changed === undefined
		? where
		: `${where}: the byte at position ${changed.index} has changed, its bits differ by 0x${changed.mask.toString(16).padStart(2, '0')}`;
}
