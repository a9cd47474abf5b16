/**
 * `--salvage OUT`: what is good of a log, in one new append-only file, which Redis and this server load as an
 * `appendonly.aof` of old: the base in RDB format, if there is one, then commands. The files of the log are not
 * changed; a byte that the catalog locates is put right on the way.
 */
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { errorText } from '../../src/base/error-text.js';
import { quoteRepr } from '../../src/base/quote.js';
import { Registry } from '../../src/engine/registry.js';
import { aofEntryBytes } from '../../src/formats/aof-entry.js';
import { isManifestError } from '../../src/formats/aof-manifest.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import type { ChangedByte } from '../../src/log/block-damage.js';
import { dataCommands } from '../../src/snapshot/data-commands.js';
import { isWithoutEffect } from '../../src/snapshot/fold-keys.js';
import { findFlippedBit } from '../rdb-check/flipped-bit.js';
import { RdbBytes } from '../rdb-check/rdb-bytes.js';
import { salvageRdb } from '../rdb-check/salvage.js';
import { type InputFile, openInputFile, readRange } from '../support/input-file.js';
import { besideManifest, isManifestFile, isRdbFile, readManifest, shownPath } from '../support/log-path.js';
import type { ProgressBar } from '../support/progress-bar.js';
import type { Terminal } from '../support/terminal.js';
import type { RecordedLog } from './check-log.js';
import { checkPreamble } from './rdb-preamble.js';
import { type FileRange, type SalvagedEntries, salvageEntries } from './salvage-entries.js';
import { type BadBlock, NO_BLOCKS, verifyBlocks } from './verify-blocks.js';

const COPY_BYTES = 1024 * 1024;

export interface SalvageOptions {
	/** A new file, by its native path. */
	readonly outPath: string;
	readonly terminal: Terminal;
	readonly catalog: RecordedLog;
	readonly progress: ProgressBar;
}

/** complete: nothing was lost. lossy: written, not all of it. failed: not written. */
export type SalvageOutcome = 'complete' | 'lossy' | 'failed';

export class Salvage {
	private readonly options: SalvageOptions;
	private readonly isCommand: (name: string) => boolean;
	private outFd = -1;
	private outSize = 0;
	private keptSize = 0;
	private lostSize = 0;
	private commandCount = 0;
	private isDoubtful = false;

	constructor(options: SalvageOptions) {
		this.options = options;
		const registry = new Registry();
		registry.add(dataCommands());
		this.isCommand = (name) => isWithoutEffect(name) || registry.original(name) !== undefined;
	}

	/** Salvages the log of a manifest, or a single file, given by its native path. */
	run(path: string): SalvageOutcome {
		const { outPath } = this.options;
		try {
			const names = this.filesOf(path);
			if (names === null) return 'failed';
			this.outFd = openSync(outPath, 'wx');
			try {
				for (const name of names) this.salvageFile(name.shown, name.path);
				fdatasyncSync(this.outFd);
			} finally {
				closeSync(this.outFd);
			}
		} catch (error) {
			this.print(`Cannot salvage: ${errorText(error)}\n`);
			if (this.outFd >= 0) unlinkSync(outPath);
			return 'failed';
		}
		this.print(
			`Salvaged to ${shownPath(outPath)}: ${this.commandCount} commands, ` +
				`${this.keptSize} bytes kept, ${this.lostSize} bytes lost\n`,
		);
		return this.lostSize === 0 && !this.isDoubtful ? 'complete' : 'lossy';
	}

	/** The files in the order of the log. Throws the system error. */
	private filesOf(path: string): readonly { readonly shown: string; readonly path: string }[] | null {
		const file = openInputFile(path);
		const isManifest = isManifestFile(file);
		file.close();
		if (!isManifest) return [{ shown: shownPath(path), path }];
		const manifest = readManifest(path);
		if (isManifestError(manifest)) {
			this.print(`The manifest is damaged: ${manifest.message}. Salvage its files one by one\n`);
			return null;
		}
		const { base, incrementals } = manifest;
		return [...(base === null ? [] : [base]), ...incrementals].map(({ name }) => ({
			shown: name,
			path: besideManifest(path, name),
		}));
	}

	private salvageFile(shown: string, path: string): void {
		this.print(`Salvaging ${shown}\n`);
		let file: InputFile;
		try {
			file = openInputFile(path);
		} catch (error) {
			this.print(`  lost: the whole file, ${errorText(error)}\n`);
			this.isDoubtful = true;
			return;
		}
		try {
			this.salvageContent(shown, path, file);
		} finally {
			file.close();
		}
	}

	private salvageContent(shown: string, path: string, original: InputFile): void {
		const { catalog, progress } = this.options;
		const name = shown.slice(shown.lastIndexOf('/') + 1);
		const onProgress = (position: number): void => progress.update(position, original.size, name);
		const { bad } = verifyBlocks(original, catalog.blocks.get(name) ?? NO_BLOCKS, onProgress);
		const changes = bad.flatMap(({ changed }) => (changed === undefined ? [] : [changed]));
		const file = patched(original, changes);
		for (const { index, mask } of changes) {
			this.print(`  put right: the byte at ${index}, whose bits differed by 0x${hexByte(mask)}\n`);
		}
		let from = 0;
		if (isRdbFile(file)) {
			from = this.salvageBase(path, file);
			if (from < 0) return;
		}
		// Every file begins with database 0 selected.
		if (this.outSize > 0 && from === 0 && file.size > 0) this.write(aofEntryBytes(['SELECT', '0']));
		const dbAt = catalog.dbAt.get(name) ?? new Map<number, number>();
		const salvaged = salvageEntries({ file, from, isCommand: this.isCommand, dbAt, onProgress });
		for (const range of salvaged.kept) {
			this.write(range.prefix);
			this.copy(file, range);
			this.commandCount += range.commandCount;
		}
		this.tell(salvaged, bad);
	}

	/** The part in RDB format, or what can be read of it; the position behind it, -1 if nothing behind it is known. */
	private salvageBase(path: string, file: InputFile): number {
		const end = checkPreamble(path, () => {});
		if (this.outSize > 0) {
			this.lostSize += file.size;
			this.print('  lost: all of it, as a part in RDB format can only stand at the start\n');
			return -1;
		}
		if (end >= 0) {
			this.copy(file, { from: 0, to: end });
			this.print(`  kept: 0 to ${end}, in RDB format\n`);
			return end;
		}
		this.salvageDamagedBase(path, file);
		return -1;
	}

	private salvageDamagedBase(path: string, file: InputFile): void {
		const partPath = `${this.options.outPath}.base`;
		const bytes = new RdbBytes(path);
		try {
			const flipped = findFlippedBit(bytes);
			if (flipped !== undefined) {
				bytes.repair = flipped;
				this.print(`  put right: bit ${flipped.bit} of the byte at ${flipped.offset}\n`);
			}
			const { keysKept, lost } = salvageRdb(bytes, partPath);
			const part = openInputFile(partPath);
			this.copy(part, { from: 0, to: part.size });
			part.close();
			unlinkSync(partPath);
			this.print(`  kept: ${keysKept} keys, in RDB format\n`);
			for (const { from, to, key, message } of lost) {
				this.lostSize += to - from;
				const what = key === undefined ? '' : ` with the key ${quoteRepr(key)}`;
				this.print(`  lost: ${from} to ${to}, ${to - from} bytes${what}. ${message}\n`);
			}
			if (flipped === undefined) this.isDoubtful = true;
		} catch (error) {
			if (!(error instanceof RdbFault)) throw error;
			this.lostSize += file.size;
			this.print(`  lost: all of it. ${error.message}\n`);
		} finally {
			bytes.close();
		}
	}

	private tell({ kept, lost }: SalvagedEntries, bad: readonly BadBlock[]): void {
		const lines: { readonly from: number; readonly text: string }[] = [];
		for (const { from, to, commandCount } of kept) {
			lines.push({ from, text: `kept: ${from} to ${to}, ${commandCount} commands` });
		}
		for (const { from, to, reason, database } of lost) {
			this.lostSize += to - from;
			const text = `lost: ${from} to ${to}, ${to - from} bytes. ${reason}`;
			lines.push({ from, text: database === '' ? text : `${text}; ${database}` });
		}
		for (const { position, size, missingSize, changed } of bad) {
			if (changed !== undefined) continue;
			this.isDoubtful = true;
			const to = position + size;
			const text =
				missingSize > 0
					? `missing: ${missingSize} bytes before ${to}, which the catalog says were written`
					: `doubtful: ${position} to ${to} is not what was written; what of it looks right is kept`;
			lines.push({ from: position, text });
		}
		lines.sort((a, b) => a.from - b.from);
		for (const { text } of lines) this.print(`  ${text}\n`);
	}

	private copy(file: InputFile, { from, to }: FileRange): void {
		for (let at = from; at < to; at += COPY_BYTES)
			this.write(readRange(file, at, Math.min(to, at + COPY_BYTES)));
		this.keptSize += to - from;
	}

	private write(bytes: Buffer): void {
		for (let at = 0; at < bytes.length; ) at += writeSync(this.outFd, bytes, at);
		this.outSize += bytes.length;
	}

	private print(text: string): void {
		this.options.progress.clear();
		this.options.terminal.print(text);
	}
}

/** A file with some bytes put right. */
function patched(file: InputFile, changes: readonly ChangedByte[]): InputFile {
	if (changes.length === 0) return file;
	return {
		size: file.size,
		read: (target, at, size, position) => {
			const got = file.read(target, at, size, position);
			for (const { index, mask } of changes) {
				if (index >= position && index < position + got) target[at + index - position]! ^= mask;
			}
			return got;
		},
		close: () => file.close(),
	};
}

function hexByte(value: number): string {
	return value.toString(16).padStart(2, '0');
}
