import type { LogNames } from './log-folder.js';

/** Path of the catalog of a log. */
export function catalogFolder(names: LogNames): string {
	return `${names.dir}/${names.folderName}/${names.fileName}.catalog`;
}
