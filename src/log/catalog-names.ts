import { toNative } from '../base/native-text.js';
import type { LogNames } from './log-folder.js';

/** Path of the catalog of a log, a byte string. */
export function catalogFolder(names: LogNames): string {
	return `${names.dir}/${names.folderName}/${names.fileName}.catalog`;
}

/** The same as the operating system calls it, for LevelDB. */
export function nativeCatalogFolder(names: LogNames): string {
	return toNative(catalogFolder(names));
}
