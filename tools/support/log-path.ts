/** What a path on the command line of a tool names: one append-only file, a manifest, or the folder of one. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fromNative, toNative } from '../../src/base/native-text.js';
import {
	type AofManifest,
	isManifestError,
	type ManifestError,
	parseAofManifest,
} from '../../src/formats/aof-manifest.js';
import type { LogNames } from '../../src/log/log-folder.js';
import { type InputFile, openInputFile, readRange } from './input-file.js';

const MANIFEST_SUFFIX = '.manifest';
/** `appenddirname` if nobody has changed it. */
const USUAL_FOLDER = 'appendonlydir';
const LOOK_BYTES = 64 * 1024;

/** The manifest of a folder, or of its `appendonlydir`; a message if there is none, or more than one. */
export function manifestOfFolder(folder: string): { readonly path: string } | { readonly error: string } {
	for (const place of [folder, join(folder, USUAL_FOLDER)]) {
		if (!isFolder(place)) continue;
		const found = readdirSync(place).filter(
			(name) => name.endsWith(MANIFEST_SUFFIX) && !name.startsWith('temp-'),
		);
		if (found.length === 1) return { path: join(place, found[0]!) };
		if (found.length > 1) {
			return { error: `${place} holds several manifests: ${found.sort().join(', ')}. Name one of them` };
		}
	}
	return { error: `${folder} holds no manifest of an append-only log` };
}

export function isFolder(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether an open file is a manifest: its first line that is no comment begins with `file`. */
export function isManifestFile(file: InputFile): boolean {
	const text = readRange(file, 0, LOOK_BYTES).latin1Slice();
	let at = 0;
	while (text[at] === '#') {
		const newline = text.indexOf('\n', at);
		if (newline < 0) return false;
		at = newline + 1;
	}
	return text.startsWith('file', at);
}

/** Whether an open file is in RDB format, or begins with a preamble in that format. */
export function isRdbFile(file: InputFile): boolean {
	return file.size >= 8 && readRange(file, 0, 5).latin1Slice() === 'REDIS';
}

/** Reads a manifest by its native path. Throws the system error. */
export function readManifest(path: string): AofManifest | ManifestError {
	const file = openInputFile(path);
	try {
		return parseAofManifest(readRange(file, 0, file.size).latin1Slice());
	} finally {
		file.close();
	}
}

/** The native path of a file that a manifest names, beside the manifest. */
export function besideManifest(manifestPath: string, name: string): string {
	return `${dirname(manifestPath)}/${toNative(name)}`;
}

/** A native path as the byte string that is printed. */
export function shownPath(path: string): string {
	return fromNative(path);
}

/** The names of the log that a manifest belongs to. */
export function logNamesOf(manifestPath: string): LogNames {
	const path = resolve(manifestPath);
	const folder = dirname(path);
	const name = basename(path);
	const fileName = name.endsWith(MANIFEST_SUFFIX) ? name.slice(0, -MANIFEST_SUFFIX.length) : name;
	return {
		dir: fromNative(dirname(folder)),
		folderName: fromNative(basename(folder)),
		fileName: fromNative(fileName),
	};
}

/** The manifest, in the folder of a file, that names the file; null if there is none. */
export function manifestNaming(path: string): string | null {
	const folder = dirname(path);
	const name = fromNative(basename(path));
	for (const candidate of readdirSync(folder)) {
		if (!candidate.endsWith(MANIFEST_SUFFIX) || candidate.startsWith('temp-')) continue;
		const manifest = readManifest(join(folder, candidate));
		if (isManifestError(manifest)) continue;
		const { base, history, incrementals } = manifest;
		if ([base, ...history, ...incrementals].some((file) => file?.name === name))
			return join(folder, candidate);
	}
	return null;
}
