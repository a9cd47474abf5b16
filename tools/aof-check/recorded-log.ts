/** The catalog's side of the check. */
import { errorCode } from '../../src/base/error-text.js';
import { type AofManifest, isManifestError } from '../../src/formats/aof-manifest.js';
import type { BlockList } from '../../src/log/block-check.js';
import { nativeCatalogFolder } from '../../src/log/catalog-names.js';
import { type CatalogReader, openCatalogCopy } from '../../src/log/catalog-reader.js';
import { CatalogStore, CatalogStoreError } from '../../src/log/catalog-store.js';
import { openInputFile } from '../support/input-file.js';
import { isManifestFile, logNamesOf, manifestNaming, readManifest } from '../support/log-path.js';
import { NO_CATALOG, type RecordedLog } from './check-log.js';

/** What the catalog beside a manifest, or beside the manifest that names a file, has of the files of the log. */
export async function recordedLog(path: string): Promise<RecordedLog> {
	try {
		const manifestPath = isManifestPath(path) ? path : manifestNaming(path);
		if (manifestPath === null) return NO_CATALOG;
		const manifest = readManifest(manifestPath);
		if (isManifestError(manifest)) return NO_CATALOG;
		const names = logNamesOf(manifestPath);
		const catalog = await openCatalogCopy(names);
		if (catalog === undefined) return NO_CATALOG;
		try {
			const forget = (): void => CatalogStore.remove(nativeCatalogFolder(names));
			return { ...(await recordsOf(catalog, manifest)), forget };
		} finally {
			await catalog.close();
		}
	} catch (error) {
		// A file that is missing is found by the check; a catalog that can't be read is as good as none.
		if (!(error instanceof CatalogStoreError) && errorCode(error) === '') throw error;
		return NO_CATALOG;
	}
}

async function recordsOf(
	catalog: CatalogReader,
	manifest: AofManifest,
): Promise<Pick<RecordedLog, 'blocks' | 'dbAt'>> {
	const blocks = new Map<string, BlockList>();
	const dbAt = new Map<string, ReadonlyMap<number, number>>();
	const { base, incrementals } = manifest;
	let replid = '';
	for (const info of [...(base === null ? [] : [base]), ...incrementals]) {
		// Of a file that was just begun the manifest does not say it yet.
		if (info.replid !== '') replid = info.replid;
		const file = catalog.fileOf({ ...info, replid });
		if (file === undefined) continue;
		blocks.set(info.name, await catalog.blockList(file));
		const databases = new Map<number, number>();
		for await (const { position, db } of catalog.blocksOf(file)) if (db >= 0) databases.set(position, db);
		dbAt.set(info.name, databases);
	}
	return { blocks, dbAt };
}

function isManifestPath(path: string): boolean {
	const file = openInputFile(path);
	try {
		return isManifestFile(file);
	} finally {
		file.close();
	}
}
