/**
 * Writes the origins (origins-format.ts). The serving path makes one call for each run of entries, which puts a few bytes
 * into a buffer; about once a second, and when it is full, the buffer goes to the file, on the thread pool. Origins are
 * never synced: a crash may take the last second of them, and the log is whole without.
 */
import { crc32 } from 'node:zlib';
import type { Env } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import type { AofFileInfo } from '../formats/aof-manifest.js';
import { removeIfThere } from './durable-steps.js';
import type { LogNames } from './log-folder.js';
import type { LogFs } from './log-fs.js';
import { historyPath } from './log-history.js';
import type { FileObserver } from './log-observer.js';
import { FRAME_HEADER_BYTES, FRAME_MAGIC, ORIGINS_SUFFIX, originsPath } from './origins-format.js';

const BUFFER_BYTES = 64 * 1024;
/** Room for one run and the end of the frame: six varints of at most eight bytes. */
const RUN_BYTES_MAX = 48;
const FLUSH_PERIOD_MS = 1000;
/** A longer address, name or user is cut. */
const TEXT_BYTES_MAX = 1024;
/** Frames that wait for a slow disk, at most; further ones are dropped. */
const WAITING_FRAMES_MAX = 64;

/** Who a client is, byte strings. */
export interface ClientOrigin {
	readonly address: string;
	readonly name: string;
	readonly user: string;
}

export interface OriginsOptions {
	readonly fs: LogFs;
	readonly env: Env;
	readonly logger: Logger;
	readonly names: LogNames;
	/** `log-origins`: whether to write any. */
	readonly enabled: boolean;
	/** The log position behind what has been appended. */
	readonly endOffset: () => number;
	/** Who the client with that ID is; undefined for one that is gone. */
	readonly describe: (clientId: number) => ClientOrigin | undefined;
}

/** A file of origins being written. */
interface Sidecar {
	path: string;
	/** Go on behind what is there, which an earlier start wrote. */
	readonly append: boolean;
	/** -1: not open yet; nothing is created before there is something to write. */
	fd: number;
	size: number;
}

/** A frame on its way to a file. */
interface WaitingFrame {
	readonly sidecar: Sidecar;
	readonly bytes: Buffer;
}

export class OriginsWriter implements FileObserver {
	private readonly options: OriginsOptions;
	private enabled: boolean;
	private sidecar: Sidecar | null = null;
	private begun = false;

	private buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
	/** Behind the last byte in `buffer`; 0 while there is no frame. */
	private at = 0;
	private lastOffset = 0;
	private lastMs = 0;
	private lastWho = 0;
	/** The entries that follow belong to the last run, if they have its time and its writer. */
	private inRun = false;
	/** Clients that the file describes. */
	private known = new Set<number>();
	private flushedMs = 0;

	private spare: Buffer[] = [];
	private waiting: WaitingFrame[] = [];
	private writing: Promise<void> | null = null;
	private failed = false;

	constructor(options: OriginsOptions) {
		this.options = options;
		this.enabled = options.enabled;
	}

	/** failed: the present file's can't be written, and the reason is in the server's log. */
	get state(): 'on' | 'off' | 'failed' {
		if (!this.enabled) return 'off';
		return this.failed ? 'failed' : 'on';
	}

	/** Switches `log-origins`. */
	setEnabled(enabled: boolean): void {
		if (!enabled) this.flush();
		this.enabled = enabled;
	}

	/** The entries from log position `offset` on are written at `nowMs` by `who` (see origins-format.ts). */
	note(offset: number, who: number, nowMs: number): void {
		if (this.inRun && who === this.lastWho && nowMs === this.lastMs) return;
		if (this.sidecar === null || !this.enabled) return;
		if (this.at > BUFFER_BYTES - RUN_BYTES_MAX) this.endFrame(offset);
		if (who > 1) {
			const clientId = Math.floor(who / 2);
			if (!this.known.has(clientId)) this.describe(clientId, offset);
		}
		if (this.at === 0) this.beginFrame(offset, nowMs);
		const step = offset - this.lastOffset + 1;
		const msStep = nowMs - this.lastMs;
		const whoStep = who - this.lastWho;
		if (step < 128 && msStep >= 0 && msStep < 64 && whoStep > -64 && whoStep < 64) {
			// As below: the usual case, in a third of the time.
			const { buffer, at } = this;
			buffer[at] = step;
			buffer[at + 1] = 2 * msStep;
			buffer[at + 2] = whoStep < 0 ? -2 * whoStep - 1 : 2 * whoStep;
			this.at = at + 3;
		} else {
			this.putVarint(step);
			this.putZigzag(msStep);
			this.putZigzag(whoStep);
		}
		this.lastOffset = offset;
		this.lastMs = nowMs;
		this.lastWho = who;
		this.inRun = true;
	}

	/** What is known of a client is not true any more: it has changed its name or user, or is gone. */
	clientChanged(clientId: number): void {
		if (!this.known.delete(clientId)) return;
		if (this.inRun && Math.floor(this.lastWho / 2) === clientId) this.endFrame(this.options.endOffset());
	}

	// ---- FileObserver ---------------------------------------------------------------------------

	fileBegan(info: AofFileInfo, offset: number): void {
		this.flush();
		this.release();
		if (!this.begun) this.removeOrphans();
		this.sidecar = {
			path: this.pathOf(info.name),
			append: !this.begun && offset > info.startOffset,
			fd: -1,
			size: 0,
		};
		this.begun = true;
		this.failed = false;
		this.known.clear();
	}

	fileCut(): void {}

	fileRemoved(name: string): void {
		removeIfThere(this.options.fs, this.pathOf(name));
	}

	fileMoved(from: string, to: string): void {
		const { fs } = this.options;
		const oldPath = this.pathOf(from);
		const newPath = this.pathOf(to);
		if (this.sidecar?.path === oldPath) this.sidecar.path = newPath;
		for (const { sidecar } of this.waiting) if (sidecar.path === oldPath) sidecar.path = newPath;
		try {
			if (fs.kindSync(oldPath) === 'file') fs.renameSync(oldPath, newPath);
		} catch (error) {
			this.options.logger.log('warning', `Can't move the origins ${oldPath}: ${errorText(error)}`);
		}
	}

	baseBegan(): void {}

	stopped(): void {
		this.flush();
		this.release();
	}

	tick(nowMs: number): void {
		if (this.at === 0) this.flushedMs = nowMs;
		else if (nowMs - this.flushedMs >= FLUSH_PERIOD_MS) {
			this.flushedMs = nowMs;
			this.flush();
		}
	}

	/** Writes what there is and closes the file. */
	async close(): Promise<void> {
		this.stopped();
		while (this.writing !== null) await this.writing;
	}

	// ---- frames ---------------------------------------------------------------------------------

	private flush(): void {
		if (this.at > 0) this.endFrame(this.options.endOffset());
	}

	private beginFrame(offset: number, nowMs: number): void {
		this.at = FRAME_HEADER_BYTES;
		this.putVarint(offset);
		this.putVarint(nowMs);
		this.lastOffset = offset;
		this.lastMs = nowMs;
		this.lastWho = 0;
	}

	private describe(clientId: number, offset: number): void {
		this.known.add(clientId);
		const client = this.options.describe(clientId);
		if (client === undefined) return;
		const texts = [client.address, client.name, client.user].map((text) => text.slice(0, TEXT_BYTES_MAX));
		const size = texts.reduce((sum, text) => sum + text.length + 8, 2 * RUN_BYTES_MAX);
		if (this.at > BUFFER_BYTES - size) this.endFrame(offset);
		if (this.at === 0) this.beginFrame(offset, this.lastMs);
		this.putVarint(0);
		this.putVarint(clientId);
		for (const text of texts) {
			this.putVarint(text.length);
			this.at += this.buffer.latin1Write(text, this.at);
		}
	}

	/** Ends the frame, whose runs end at log position `endOffset`, and sends it to the file. */
	private endFrame(endOffset: number): void {
		if (this.at === 0) return;
		this.putVarint(0);
		this.putVarint(0);
		this.putVarint(endOffset - this.lastOffset);
		const bytes = this.buffer.subarray(0, this.at);
		bytes.writeUInt32LE(FRAME_MAGIC, 0);
		bytes.writeUInt32LE(this.at - FRAME_HEADER_BYTES, 4);
		bytes.writeUInt32LE(crc32(bytes.subarray(FRAME_HEADER_BYTES)), 8);
		this.at = 0;
		this.inRun = false;
		const { sidecar } = this;
		if (sidecar === null || this.failed || this.waiting.length >= WAITING_FRAMES_MAX) {
			// The frame is lost, and with it the descriptions in it.
			this.known.clear();
			return;
		}
		this.waiting.push({ sidecar, bytes });
		this.buffer = this.spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
		this.startWriting();
	}

	/** Nothing more will be written to the present file. */
	private release(): void {
		const { sidecar } = this;
		this.sidecar = null;
		this.inRun = false;
		if (sidecar === null) return;
		this.waiting.push({ sidecar, bytes: Buffer.alloc(0) });
		this.startWriting();
	}

	private startWriting(): void {
		this.writing ??= this.write().finally(() => {
			this.writing = null;
			if (this.waiting.length > 0) this.startWriting();
		});
	}

	/** Writes the frames that wait, in order. An empty one closes its file. */
	private async write(): Promise<void> {
		const { fs, logger } = this.options;
		for (let frame = this.waiting.shift(); frame !== undefined; frame = this.waiting.shift()) {
			const { sidecar, bytes } = frame;
			try {
				if (bytes.length === 0) {
					if (sidecar.fd >= 0) fs.closeSync(sidecar.fd);
					continue;
				}
				if (sidecar.fd < 0) this.open(sidecar);
				for (let done = 0; done < bytes.length; ) {
					done += await this.writePart(sidecar.fd, bytes, done, sidecar.size + done);
				}
				sidecar.size += bytes.length;
				if (this.spare.length < 2) this.spare.push(Buffer.from(bytes.buffer));
			} catch (error) {
				if (!this.failed) {
					logger.log(
						'warning',
						`Can't write the origins of the log to ${sidecar.path}: ${errorText(error)}. None are written until ` +
							'the next file begins. The log itself is not affected.',
					);
				}
				if (sidecar === this.sidecar) this.failed = true;
			}
		}
	}

	/** Path of the origins of a file of the log. */
	private pathOf(name: string): string {
		const { names } = this.options;
		return originsPath(`${names.dir}/${names.folderName}/${name}`);
	}

	/** Removes the origins of files that are gone: a crash may have come between the removal of the two. */
	private removeOrphans(): void {
		const { fs, names } = this.options;
		for (const folder of [`${names.dir}/${names.folderName}`, historyPath(names)]) {
			if (fs.kindSync(folder) !== 'folder') continue;
			const all = fs.listSync(folder);
			for (const name of all) {
				if (!name.replace(/^temp-/, '').startsWith(names.fileName) || !name.endsWith(ORIGINS_SUFFIX))
					continue;
				if (!all.includes(name.slice(0, -ORIGINS_SUFFIX.length))) removeIfThere(fs, `${folder}/${name}`);
			}
		}
	}

	private open(sidecar: Sidecar): void {
		const { fs } = this.options;
		const goesOn = sidecar.append && fs.kindSync(sidecar.path) === 'file';
		sidecar.fd = fs.openSync(sidecar.path, goesOn ? 'r+' : 'w');
		sidecar.size = goesOn ? fs.fileSizeSync(sidecar.fd) : 0;
	}

	private writePart(fd: number, bytes: Buffer, from: number, position: number): Promise<number> {
		return new Promise((resolve, reject) => {
			this.options.fs.write(fd, bytes, from, bytes.length - from, position, (error, size) => {
				if (error === null) resolve(size);
				else reject(error);
			});
		});
	}

	private putVarint(value: number): void {
		const { buffer } = this;
		let at = this.at;
		let rest = value;
		while (rest > 0x7fff_ffff) {
			buffer[at++] = (rest % 128) | 0x80;
			rest = Math.floor(rest / 128);
		}
		while (rest > 127) {
			buffer[at++] = (rest & 127) | 0x80;
			rest >>>= 7;
		}
		buffer[at++] = rest;
		this.at = at;
	}

	private putZigzag(value: number): void {
		this.putVarint(value < 0 ? -2 * value - 1 : 2 * value);
	}
}
