/**
 * Taking over the single `appendonly.aof` of Redis before 7: it becomes the base of a multi-part log, by its own name.
 * First the manifest, then the file is moved: a crash in between leaves a manifest that names a file which is not in the
 * folder yet, and the next start moves it. As Redis 7.2.6 does it (aof.c, aofUpgradePrepare).
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import { type AofManifest, aofFile } from '../formats/aof-manifest.js';
import { runStepsNow } from './durable-steps.js';
import type { LogFolder } from './log-folder.js';

/**
 * Moves a bare AOF file into the folder, if there is one and the folder has no log of its own. Returns null, or the reason
 * why that can't be done.
 */
export function upgradeBareFile(folder: LogFolder, logger: Logger): string | null {
	const { fs, names } = folder;
	const barePath = `${names.dir}/${names.fileName}`;
	if (fs.kindSync(barePath) !== 'file' || !isNeeded(folder)) return null;
	try {
		folder.createSync();
		const manifest: AofManifest = {
			base: aofFile(names.fileName, 1, 'b'),
			history: [],
			incrementals: [],
		};
		runStepsNow(fs, folder.replaceManifestSteps(manifest));
		fs.renameSync(barePath, folder.filePath(names.fileName));
		fs.syncFolderSync(folder.path);
		fs.syncFolderSync(names.dir);
	} catch (error) {
		return (
			`Error trying to move the old AOF file ${names.fileName} into dir ${names.folderName}: ` +
			errorText(error)
		);
	}
	logger.log(
		'notice',
		`Successfully migrated an old-style AOF file (${names.fileName}) into the AOF directory (${names.folderName}).`,
	);
	return null;
}

function isNeeded(folder: LogFolder): boolean {
	const { base, incrementals } = folder.manifest;
	if (incrementals.length > 0) return false;
	if (base === null) return true;
	const { fileName } = folder.names;
	return base.name === fileName && folder.fs.kindSync(folder.filePath(fileName)) === 'none';
}
