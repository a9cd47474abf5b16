/** What of the log's files makes up the dataset at an offset. */
import { resolveOffsets } from '../formats/aof-manifest.js';
import { type LogFolder, startsAsRdb } from './log-folder.js';
import type { FoldSource, LogSection } from './log-options.js';

/**
 * The base and the sections of the incremental files before `endOffset`, a log position up to which they have been
 * written. Throws the system error if a file can't be read.
 */
export function foldSourceUpTo(folder: LogFolder, endOffset: number, db: number): FoldSource {
	const { base, incrementals } = resolveOffsets(folder.manifest, (name) => folder.sizeSync(name));
	const sections: LogSection[] = [];
	for (const [i, file] of incrementals.entries()) {
		const sectionEnd = Math.min(endOffset, incrementals[i + 1]?.startOffset ?? endOffset);
		// The prefix belongs to it: it selects the database.
		if (file.startOffset >= endOffset || sectionEnd <= file.startOffset) continue;
		sections.push({
			path: folder.filePath(file.name),
			from: 0,
			to: sectionEnd - file.startOffset + file.prefixSize,
			endOffset: sectionEnd,
		});
	}
	return { base: base === null ? null : describeBase(folder, base.name), sections, endOffset, db };
}

function describeBase(folder: LogFolder, name: string): NonNullable<FoldSource['base']> {
	const path = folder.filePath(name);
	const fd = folder.fs.openSync(path, 'r');
	try {
		const isRdb = startsAsRdb(folder.fs, fd);
		return { path, format: isRdb ? 'rdb' : 'aof', preamble: isRdb && !name.endsWith('.base.rdb') };
	} finally {
		folder.fs.closeSync(fd);
	}
}

/** For a change of the files of a log that is switched off: what another start has left is what counts. */
export function prepareFolder(folder: LogFolder): void {
	folder.createSync();
	const damage = folder.readManifest();
	if (damage !== null) throw new Error(`Can't read the AOF manifest: ${damage.message}`);
}
