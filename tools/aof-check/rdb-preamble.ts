/**
 * The part in RDB format that a base, or an old append-only file, may begin with: the lines that redis-check-aof
 * prints of it, which are those of redis-check-rdb. Source: Redis 7.2.6, redis-check-rdb.c.
 */
import { Settings } from '../../src/engine/settings.js';
import { RdbFault } from '../../src/formats/rdb-fault.js';
import { RdbFileReader } from '../../src/snapshot/rdb-file-reader.js';
import type { InputFile } from '../support/input-file.js';

export interface PreambleHooks {
	readonly print: (text: string) => void;
	readonly onProgress: (position: number) => void;
	/** Milliseconds since 1970: keys whose time has come before are counted as expired. */
	readonly nowMs: number;
}

const ENTRIES_PER_REPORT = 256;

/** Checks it to its end; the position behind it, or -1 if it is damaged. */
export function checkPreamble(file: InputFile, shownName: string, hooks: PreambleHooks): number {
	let at = 0;
	const source = {
		read: (target: Buffer, targetAt: number, size: number) => {
			const got = file.read(target, targetAt, size, at);
			at += got;
			return got;
		},
	};
	return new PreambleCheck(new RdbFileReader(source, { withChecksum: true, keepRaw: false }), hooks).run(
		shownName,
	);
}

class PreambleCheck {
	private readonly reader: RdbFileReader;
	private readonly hooks: PreambleHooks;
	private readonly limits = new Settings();
	private keyCount = 0;
	private expiresCount = 0;
	private expiredCount = 0;
	private isInValue = false;

	constructor(reader: RdbFileReader, hooks: PreambleHooks) {
		this.reader = reader;
		this.hooks = hooks;
	}

	run(shownName: string): number {
		const { reader } = this;
		this.info(`Checking RDB file ${shownName}`);
		try {
			while (this.item()) {
				if (this.keyCount % ENTRIES_PER_REPORT === 0) this.hooks.onProgress(reader.position);
			}
		} catch (error) {
			if (!(error instanceof RdbFault)) throw error;
			this.error(error);
			return -1;
		}
		if (reader.checksum === 'wrong') {
			this.fail('RDB CRC error', reader.position);
			return -1;
		}
		if (reader.checksum === 'missing') {
			this.info('RDB file was saved with checksum disabled: no check performed.');
		} else if (reader.checksum === 'right') {
			this.info('Checksum OK');
		}
		this.info('\\o/ RDB looks OK! \\o/');
		this.counts();
		return reader.position;
	}

	/** Reads an item; false at the end. */
	private item(): boolean {
		const { reader } = this;
		this.isInValue = false;
		switch (reader.next()) {
			case 'aux':
				this.info(`AUX FIELD ${reader.auxName} = '${reader.auxValue}'`);
				return true;
			case 'module-aux':
				this.info(`MODULE AUX for: ${reader.moduleName}`);
				return true;
			case 'select-db':
				this.info(`Selecting DB ID ${reader.db}`);
				return true;
			case 'entry':
				this.isInValue = true;
				this.keyCount++;
				reader.readValue(this.limits);
				if (reader.expireAtMs >= 0) {
					this.expiresCount++;
					if (reader.expireAtMs < this.hooks.nowMs) this.expiredCount++;
				}
				return true;
			case 'end':
				return false;
			default:
				return true;
		}
	}

	private error(fault: RdbFault): void {
		const message = fault.kind === 'short' ? 'Unexpected EOF reading RDB file' : fault.message;
		this.fail(message, fault.position);
	}

	private fail(message: string, position: number): void {
		this.hooks.print(`--- RDB ERROR DETECTED ---\n[offset ${position}] ${message}\n`);
		if (this.isInValue) {
			this.hooks.print(`[additional info] Reading key '${this.reader.key}'\n`);
			this.hooks.print(`[additional info] Reading type ${this.reader.valueType}\n`);
		}
		this.counts();
	}

	private info(text: string): void {
		this.hooks.print(`[offset ${this.reader.position}] ${text}\n`);
	}

	private counts(): void {
		const { keyCount, expiresCount, expiredCount } = this;
		this.hooks.print(
			`[info] ${keyCount} keys read\n[info] ${expiresCount} expires\n[info] ${expiredCount} already expired\n`,
		);
	}
}
