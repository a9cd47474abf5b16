/**
 * tsredis-check-rdb: is an RDB file sound, what is in it, and what of it can be saved?
 *
 *     tsredis-check-rdb [--keys] [--stats] [--salvage OUT] <rdb-file-name>
 *
 * Report and exit codes are those of redis-check-rdb 7.2.6: 0 for a sound file, 1 for anything else. A file that is
 * damaged is never changed.
 */
import { fromNative } from '../../src/base/native-text.js';
import { REDIS_VERSION, TSREDIS_VERSION } from '../../src/base/version.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import { type CheckOutcome, checkRdb, shown } from './check.js';
import { findFlippedBit } from './flipped-bit.js';
import { itemAt } from './item-at.js';
import { type CheckRdbOptions, parseOptions, USAGE } from './options.js';
import { Printer } from './printer.js';
import { type FileBit, RdbBytes } from './rdb-bytes.js';
import { salvageRdb } from './salvage.js';

/** Runs the program; the exit code. What is printed are byte strings; errors and the usage go to `printError`. */
export function main(
	args: readonly string[],
	print: (text: string) => void,
	printError: (text: string) => void,
): number {
	const options = parseOptions(args);
	if (options === 'version') {
		print(`tsredis-check-rdb ${TSREDIS_VERSION} (as redis-check-rdb ${REDIS_VERSION})\n`);
		return 0;
	}
	if (options === 'usage') {
		printError(USAGE);
		return 1;
	}
	const printer = new Printer(print);
	printer.info(0, `Checking RDB file ${fromNative(options.file)}`);
	try {
		return checkFile(options, printer);
	} catch (error) {
		printer.flush();
		printError(`${fromNative(error instanceof Error ? error.message : String(error))}\n`);
		return 1;
	} finally {
		printer.flush();
	}
}

function checkFile(options: CheckRdbOptions, printer: Printer): number {
	const bytes = new RdbBytes(options.file);
	try {
		const outcome = checkRdb(bytes, printer, options, Date.now());
		printer.flush();
		if (!outcome.ok) {
			const flipped = findFlippedBit(bytes);
			if (flipped !== undefined) printFlippedBit(bytes, flipped, printer);
			else if (outcome.badItemStart >= 0) {
				printer.line(`[additional info] Everything before offset ${outcome.badItemStart} could be read`);
			}
		}
		if (options.salvage !== '') salvage(bytes, outcome, options.salvage, printer);
		return outcome.ok ? 0 : 1;
	} finally {
		bytes.close();
	}
}

/** Says which bit it is; from here on the file is read without the mistake. */
function printFlippedBit(bytes: RdbBytes, flipped: FileBit, printer: Printer): void {
	const byte = Buffer.alloc(1);
	bytes.readAt(flipped.offset, byte, 0, 1);
	const hex = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;
	bytes.repair = flipped;
	const place = itemAt(bytes, flipped.offset);
	printer.line(
		`[additional info] The checksum is that of a file with one bit different: the byte at offset ${flipped.offset} ` +
			`is ${hex(byte[0]!)} and was ${hex(byte[0]! ^ (1 << flipped.bit))}, in ${place}`,
	);
}

function salvage(bytes: RdbBytes, outcome: CheckOutcome, path: string, printer: Printer): void {
	const name = fromNative(path);
	try {
		const { keysKept, lost } = salvageRdb(bytes, path);
		if (bytes.repair !== null) printer.line(`[salvage] Repaired the bit at offset ${bytes.repair.offset}`);
		else if (!outcome.ok && lost.length === 0) {
			printer.line('[salvage] What is damaged is not known: values may differ from what they were');
		}
		for (const { from, to, key, message } of lost) {
			const what = key === undefined ? '' : `, the key '${shown(key)}'`;
			printer.line(`[salvage] Lost the ${to - from} bytes from offset ${from} to ${to}${what}: ${message}`);
		}
		printer.line(`[salvage] ${keysKept} keys written to ${name}`);
	} catch (error) {
		if (!(error instanceof RdbFault)) throw error;
		printer.line(`[salvage] Nothing can be read: ${error.message}`);
	}
}
