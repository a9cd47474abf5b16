/**
 * The check of a log, file by file in the order in which it is loaded: the lines, the questions and the outcome
 * of redis-check-aof 7.2. What goes beyond it stands on lines of its own that begin with two blanks: the first
 * byte that is wrong, the command before it, blocks that are not what was written, copies that were kept.
 *
 * Where it judges otherwise than redis-check-aof: a command with no arguments, a number with a sign or blanks, or
 * an annotation that is cut off is damage (no server of ours loads it), and so are an empty base whose name ends in
 * `.rdb`, and what the catalog's CRC-32 shows.
 *
 * Source of the messages: Redis 7.2.6, redis-check-aof.c.
 */
import { errorText } from '../../src/base/error-text.js';
import { type AofFileInfo, isManifestError, manifestErrorLines } from '../../src/formats/aof-manifest.js';
import type { BlockList } from '../../src/log/block-check.js';
import type { ChangedByte } from '../../src/log/block-damage.js';
import { commandText } from '../support/command-text.js';
import { type InputFile, openInputFile } from '../support/input-file.js';
import { besideManifest, isManifestFile, isRdbFile, readManifest, shownPath } from '../support/log-path.js';
import type { ProgressBar } from '../support/progress-bar.js';
import type { Terminal } from '../support/terminal.js';
import { changeBytes, keepCopy, truncateFile } from './change-file.js';
import { errorLine } from './element-diagnosis.js';
import { checkPreamble } from './rdb-preamble.js';
import { type ScanResult, scanEntries } from './scan-entries.js';
import { type BadBlock, NO_BLOCKS, verifyBlocks } from './verify-blocks.js';

/** Lines about blocks of one file; more of them are only counted. */
const BLOCK_LINES_MAX = 10;

/** What the catalog beside a log knows. */
export interface RecordedLog {
	/** By the name of the file in the folder of the log. */
	readonly blocks: ReadonlyMap<string, BlockList>;
	/** By the same names: the databases that are selected at some positions where a command begins. */
	readonly dbAt: ReadonlyMap<string, ReadonlyMap<number, number>>;
	/** Removes the catalog, which a server makes anew from the files: what was cut off is no part of the log any more. */
	forget(): void;
}

export const NO_CATALOG: RecordedLog = { blocks: new Map(), dbAt: new Map(), forget: () => {} };

export interface LogCheckOptions {
	readonly fix: boolean;
	/** Unix seconds, 0 for no truncation. */
	readonly toTimestamp: number;
	readonly terminal: Terminal;
	readonly catalog: RecordedLog;
	readonly progress: ProgressBar;
}

type FileVerdict = 'valid' | 'empty' | 'truncated' | 'timestamp' | 'failed';

/** One file of the log. */
interface CheckedFile {
	/** As the messages call it. */
	readonly name: string;
	/** Native path. */
	readonly path: string;
	/** No other file of the log comes behind it. */
	readonly isLast: boolean;
	readonly blocks: BlockList;
}

export class LogCheck {
	private readonly options: LogCheckOptions;
	/** Lines counted so far, of all files. */
	private line = 1;
	/** Where the last file that was changed is kept as it was; '' for none. */
	private copyPath = '';

	constructor(options: LogCheckOptions) {
		this.options = options;
	}

	/** Checks what is at a native path, a file or a manifest; whether all is good in the end. */
	check(path: string): boolean {
		const file = this.open(path, shownPath(path), '');
		if (file === null) return false;
		const isManifest = isManifestFile(file);
		file.close();
		return isManifest ? this.checkManifest(path) : this.checkSingleFile(path);
	}

	private checkSingleFile(path: string): boolean {
		this.print('Start checking Old-Style AOF\n');
		const name = shownPath(path);
		const blocks = this.options.catalog.blocks.get(name.slice(name.lastIndexOf('/') + 1)) ?? NO_BLOCKS;
		return this.report(this.checkFile({ name, path, isLast: true, blocks }), 'AOF', name);
	}

	private checkManifest(path: string): boolean {
		this.print('Start checking Multi Part AOF\n');
		const manifest = readManifest(path);
		if (isManifestError(manifest)) {
			for (const line of manifestErrorLines(manifest)) this.print(line + '\n');
			return false;
		}
		const { base, incrementals } = manifest;
		if (base !== null) {
			const filePath = besideManifest(path, base.name);
			const file = this.open(filePath, shownPath(filePath), '');
			if (file === null) return false;
			const format = isRdbFile(file) ? 'RDB' : 'RESP';
			file.close();
			this.print(`Start to check BASE AOF (${format} format).\n`);
			if (!this.checkNamed(path, base, 'BASE AOF', incrementals.length === 0)) return false;
		}
		if (incrementals.length > 0) this.print('Start to check INCR files.\n');
		for (const file of incrementals) {
			if (!this.checkNamed(path, file, 'INCR AOF', file === incrementals.at(-1))) return false;
		}
		this.print('All AOF files and manifest are valid\n');
		return true;
	}

	private checkNamed(manifestPath: string, file: AofFileInfo, type: string, isLast: boolean): boolean {
		const { name } = file;
		const path = besideManifest(manifestPath, name);
		const blocks = this.options.catalog.blocks.get(name) ?? NO_BLOCKS;
		return this.report(this.checkFile({ name, path, isLast, blocks }), type, name);
	}

	private report(verdict: FileVerdict, type: string, name: string): boolean {
		if (verdict === 'valid') {
			this.print(`${type} ${name} is valid\n`);
		} else if (verdict === 'empty') {
			this.print(`${type} ${name} is empty\n`);
		} else if (verdict === 'timestamp') {
			this.print(`Successfully truncated AOF ${name} to timestamp ${this.options.toTimestamp}\n`);
		} else if (verdict === 'truncated') {
			this.print(`Successfully truncated AOF ${name}\n`);
		}
		if (this.copyPath !== '') this.print(`  The file as it was is kept as ${shownPath(this.copyPath)}\n`);
		this.copyPath = '';
		return verdict !== 'failed';
	}

	private checkFile(checked: CheckedFile): FileVerdict {
		const file = this.open(checked.path, shownPath(checked.path), ', aborting...');
		if (file === null) return 'failed';
		try {
			if (file.size === 0 && checked.name.endsWith('.rdb')) {
				return this.fail(`AOF ${checked.name} is not valid. A file in RDB format is never empty`);
			}
			if (file.size === 0 && checked.blocks.positions.length === 0) return 'empty';
			return this.checkContent(checked, file);
		} finally {
			file.close();
		}
	}

	private checkContent(checked: CheckedFile, file: InputFile): FileVerdict {
		let from = 0;
		if (isRdbFile(file)) {
			from = checkPreamble(checked.path, (text) => this.print(text));
			if (from < 0) {
				this.print('RDB preamble of AOF file is not sane, aborting.\n');
				return 'failed';
			}
			this.print('RDB preamble is OK, proceeding with AOF tail...\n');
		}
		let verdict = verifyBlocks(file, checked.blocks, this.watch(checked, file));
		const changes = verdict.bad.flatMap(({ changed }) => (changed === undefined ? [] : [changed]));
		if (changes.length > 0 && this.options.fix) {
			if (!this.putBack(checked, changes)) return 'failed';
			verdict = verifyBlocks(file, checked.blocks, this.watch(checked, file));
		}
		if (verdict.isOtherFile) {
			this.print(`  The catalog knows another file under the name ${checked.name}: not compared with it\n`);
		}
		return this.judge(checked, file, from, verdict.bad);
	}

	private judge(checked: CheckedFile, file: InputFile, from: number, bad: readonly BadBlock[]): FileVerdict {
		const { name } = checked;
		const { toTimestamp, fix } = this.options;
		const changed = bad.find(({ missingSize }) => missingSize === 0);
		const missing = bad.some(({ missingSize }) => missingSize > 0);
		const scan = scanEntries(file, {
			from,
			line: this.line,
			path: shownPath(checked.path),
			toTimestamp,
			suspectFrom: changed === undefined ? -1 : (changed.changed?.index ?? changed.position),
			suspectMessage: changed === undefined ? '' : changedText(changed),
			onProgress: this.watch(checked, file),
		});
		this.line = scan.line;
		if (scan.hasBadTimestamp) return this.fail('Invalid timestamp annotation');
		if (scan.timestampPosition >= 0) return this.cutAtTimestamp(checked, scan.timestampPosition);
		if (scan.isForeign) this.print(`AOF ${name} format error\n`);
		const size = file.size;
		const diff = size - scan.okUpTo;
		const isShort = diff === 0 && missing;
		if (scan.error !== '') this.print(scan.error + '\n');
		else if (isShort) this.print(errorLine(size, missingText(bad)) + '\n');
		if (diff === 0 && !isShort && toTimestamp !== 0) {
			this.print(`Truncate nothing in AOF ${name} to timestamp ${toTimestamp}\n`);
			return 'valid';
		}
		this.print(
			`AOF analyzed: filename=${name}, size=${size}, ok_up_to=${scan.okUpTo}, ` +
				`ok_up_to_line=${scan.line}, diff=${diff}\n`,
		);
		if (diff === 0 && !isShort) return 'valid';
		this.explain(scan, bad, diff > 0);
		if (!fix) return this.fail(`AOF ${name} is not valid. Use the --fix option to try fixing it.`);
		return isShort ? this.acceptLoss(name) : this.cutTail(checked, size, scan.okUpTo);
	}

	/** The lines that redis-check-aof has no counterpart of. */
	private explain(scan: ScanResult, bad: readonly BadBlock[], isDamaged: boolean): void {
		const { firstBadPosition, commandBefore } = scan;
		if (isDamaged && firstBadPosition >= 0) {
			this.print(`  First bad offset: ${firstBadPosition}\n`);
			if (commandBefore === null) this.print('  No command stands before it\n');
			else {
				const { position, args } = commandBefore;
				this.print(`  The command before it, at ${position}: ${commandText(args)}\n`);
			}
		}
		for (const block of bad.slice(0, BLOCK_LINES_MAX)) {
			this.print(`  ${block.missingSize > 0 ? missingText([block]) : changedText(block)}\n`);
			if (block.changed !== undefined) {
				this.print(
					`  One changed byte explains that: ${changedByteText(block.changed)}; --fix puts it back\n`,
				);
			}
		}
		if (bad.length > BLOCK_LINES_MAX) {
			this.print(`  ${bad.length - BLOCK_LINES_MAX} more blocks are not what was written\n`);
		}
		if (isDamaged)
			this.print('  --salvage OUT writes what is good before and behind the damage to a new file\n');
	}

	private cutTail(checked: CheckedFile, size: number, okUpTo: number): FileVerdict {
		const { name, path } = checked;
		if (!checked.isLast) {
			return this.fail(`Failed to truncate AOF ${name} because it is not the last file`);
		}
		const confirmed = this.confirm(
			`This will shrink the AOF ${name} from ${size} bytes, with ${size - okUpTo} bytes, to ${okUpTo} bytes`,
		);
		if (!confirmed || !this.copy(path)) return 'failed';
		return this.truncate(path, okUpTo) ? 'truncated' : this.fail(`Failed to truncate AOF ${name}`);
	}

	private cutAtTimestamp(checked: CheckedFile, position: number): FileVerdict {
		const { name, path } = checked;
		const { toTimestamp } = this.options;
		const shown = shownPath(path);
		if (position === 0) {
			return this.fail(`AOF ${shown} has nothing before timestamp ${toTimestamp}, aborting...`);
		}
		if (!checked.isLast) {
			this.print(
				`Failed to truncate AOF ${shown} to timestamp ${toTimestamp} to offset ${position} ` +
					'because it is not the last file.\n',
			);
			return this.fail(
				'If you insist, please delete all files after this file according to the manifest ' +
					'file and delete the corresponding records in manifest file manually. Then re-run redis-check-aof.',
			);
		}
		if (!this.copy(path)) return 'failed';
		if (this.truncate(path, position)) return 'timestamp';
		return this.fail(`Failed to truncate AOF ${name} to timestamp ${toTimestamp}`);
	}

	/** Bytes at the end are gone, and nothing of them is left to repair. */
	private acceptLoss(name: string): FileVerdict {
		if (!this.confirm(`The end of the AOF ${name} is gone. This will make what is left of it count as whole`))
			return 'failed';
		this.options.catalog.forget();
		return 'valid';
	}

	private putBack(checked: CheckedFile, changes: readonly ChangedByte[]): boolean {
		const { name, path } = checked;
		for (const change of changes) this.print(`  Not what was written: ${changedByteText(change)}\n`);
		const count = changes.length === 1 ? '1 byte' : `${changes.length} bytes`;
		if (!this.confirm(`This will put ${count} of the AOF ${name} back`) || !this.copy(path)) return false;
		try {
			changeBytes(path, changes);
			return true;
		} catch (error) {
			this.print(`Failed to write AOF ${name}: ${errorText(error)}\n`);
			return false;
		}
	}

	private confirm(what: string): boolean {
		this.options.progress.clear();
		if (this.options.terminal.confirm(`${what}\nContinue? [y/N]: `)) return true;
		this.print('Aborting...\n');
		return false;
	}

	private copy(path: string): boolean {
		const copy = keepCopy(path);
		if ('error' in copy) {
			this.print(`${copy.error}, aborting...\n`);
			return false;
		}
		this.copyPath = copy.path;
		return true;
	}

	private truncate(path: string, size: number): boolean {
		try {
			truncateFile(path, size);
			this.options.catalog.forget();
			return true;
		} catch (error) {
			this.print(`  ${errorText(error)}\n`);
			return false;
		}
	}

	private open(path: string, shown: string, ending: string): InputFile | null {
		try {
			return openInputFile(path);
		} catch (error) {
			this.print(`Cannot open file ${shown}: ${errorText(error)}${ending}\n`);
			return null;
		}
	}

	private fail(message: string): 'failed' {
		this.print(message + '\n');
		return 'failed';
	}

	private print(text: string): void {
		this.options.progress.clear();
		this.options.terminal.print(text);
	}

	private watch(checked: CheckedFile, file: InputFile): (position: number) => void {
		const { progress } = this.options;
		return (position) => progress.update(position, file.size, checked.name);
	}
}

function changedText({ position, size, crc, actualCrc }: BadBlock): string {
	return (
		`Bytes ${position} to ${position + size} are not what was written: ` +
		`CRC-32 is ${hex(actualCrc)}, the catalog has ${hex(crc)}`
	);
}

function changedByteText({ index, mask }: ChangedByte): string {
	return `the byte at ${index}, whose bits differ by 0x${mask.toString(16).padStart(2, '0')}`;
}

function missingText(bad: readonly BadBlock[]): string {
	let size = 0;
	for (const { missingSize } of bad) size += missingSize;
	return `Expected ${size} bytes more, which the catalog says were written`;
}

function hex(crc: number): string {
	return crc.toString(16).padStart(8, '0');
}
