/** Reads the origins (origins-format.ts): which client wrote an entry of the log, and when. */
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { toNative } from '../base/native-text.js';
import type { AofFileInfo, AofManifest } from '../formats/aof-manifest.js';
import type { LogNames } from './log-folder.js';
import {
	FRAME_HEADER_BYTES,
	FRAME_MAGIC,
	ORIGIN_EVICT,
	ORIGIN_EXPIRE,
	ORIGIN_MASTER,
	ORIGIN_SERVER,
	originsPath,
} from './origins-format.js';

/** Frames are made from buffers of 64 KB. */
const PAYLOAD_BYTES_MAX = 128 * 1024;

/** What caused an entry: a command of a client, a script that a client ran, or one of what needs no client. */
export type OriginKind = 'client' | 'script' | 'expire' | 'evict' | 'master' | 'server';

/** Who wrote an entry, and when. */
export interface EntryOrigin {
	/** Milliseconds since 1970. */
	readonly timeMs: number;
	readonly kind: OriginKind;
	/** The client's ID (CLIENT ID), 0 for none. IDs start again with each start of the server. */
	readonly clientId: number;
	/** `ip:port`, or `path:0` of a Unix socket; '' for no client, or one of which no more is known. */
	readonly address: string;
	/** CLIENT SETNAME, '' for none. */
	readonly name: string;
	/** The ACL user, '' for no client. */
	readonly user: string;
}

/** A client's description. */
type Who = Omit<EntryOrigin, 'timeMs'>;

const KINDS: ReadonlyMap<number, OriginKind> = new Map([
	[ORIGIN_EXPIRE, 'expire'],
	[ORIGIN_EVICT, 'evict'],
	[ORIGIN_MASTER, 'master'],
	[ORIGIN_SERVER, 'server'],
]);

export class OriginsReader {
	/** The runs, by log position: where they begin, when they were written, by whom (an index; -1: nobody knows). */
	private readonly offsets: number[] = [];
	private readonly times: number[] = [];
	private readonly whoIndexes: number[] = [];
	private readonly whos: Who[] = [];
	/** Bytes that are no valid frame. */
	damagedBytes = 0;

	/** Adds the content of a file of origins, behind those of the files before it. What is damaged is skipped. */
	add(content: Buffer): void {
		const session = new Session(this.whos);
		let at = 0;
		while (at < content.length) {
			const size = frameSize(content, at);
			if (size > 0) {
				this.addFrame(content, at + FRAME_HEADER_BYTES, at + size, session);
				at += size;
				continue;
			}
			const next = content.indexOf(MAGIC_BYTES, at + 1);
			this.damagedBytes += (next < 0 ? content.length : next) - at;
			at = next < 0 ? content.length : next;
		}
	}

	/** The origin of the entry that begins at a log position; undefined if it is not known. */
	at(offset: number): EntryOrigin | undefined {
		const { offsets } = this;
		let low = 0;
		let high = offsets.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (offsets[middle]! <= offset) low = middle + 1;
			else high = middle;
		}
		const who = low === 0 ? undefined : this.whos[this.whoIndexes[low - 1]!];
		return who === undefined ? undefined : { timeMs: this.times[low - 1]!, ...who };
	}

	/** The log position of the first entry written at a time or later; undefined if there is none. */
	firstOffsetSince(timeMs: number): number | undefined {
		// The clock may have been set back, so that the times need not rise.
		const index = this.times.findIndex((time, i) => time >= timeMs && this.whoIndexes[i]! >= 0);
		return index < 0 ? undefined : this.offsets[index];
	}

	private addFrame(content: Buffer, from: number, to: number, session: Session): void {
		const cursor = new Cursor(content, from, to);
		let offset = cursor.varint();
		let timeMs = cursor.varint();
		let who = 0;
		while (!cursor.ended) {
			const step = cursor.varint();
			if (step > 0) {
				offset += step - 1;
				timeMs += cursor.zigzag();
				who += cursor.zigzag();
				this.push(offset, timeMs, session.indexOf(who));
				continue;
			}
			const clientId = cursor.varint();
			if (clientId === 0) this.push(offset + cursor.varint(), timeMs, -1);
			else session.describe(clientId, cursor.text(), cursor.text(), cursor.text());
		}
	}

	/** A later run counts: after a crash the log may have gone on before the place that was noted last. */
	private push(offset: number, timeMs: number, whoIndex: number): void {
		const { offsets, times, whoIndexes } = this;
		while (offsets.length > 0 && offsets[offsets.length - 1]! >= offset) {
			offsets.pop();
			times.pop();
			whoIndexes.pop();
		}
		offsets.push(offset);
		times.push(timeMs);
		whoIndexes.push(whoIndex);
	}
}

/**
 * Reads the origins of the entries from log position `from` up to `to`: those of the files that the manifest names, as
 * far as they are there.
 */
export function readOrigins(names: LogNames, manifest: AofManifest, from: number, to: number): OriginsReader {
	const reader = new OriginsReader();
	const files = [...manifest.history, ...manifest.incrementals].filter(isIncremental);
	for (let i = 0; i < files.length; i++) {
		const { name, startOffset } = files[i]!;
		// What was appended while a file was begun is noted beside the one before.
		const nextButOne = files[i + 2]?.startOffset ?? Number.POSITIVE_INFINITY;
		if (nextButOne <= from || startOffset >= to) continue;
		const content = readIfThere(originsPath(`${names.dir}/${names.folderName}/${name}`));
		if (content !== undefined) reader.add(content);
	}
	return reader;
}

function isIncremental(file: AofFileInfo): boolean {
	return file.name.includes('.incr.');
}

function readIfThere(path: string): Buffer | undefined {
	try {
		return readFileSync(toNative(path));
	} catch {
		return undefined;
	}
}

const MAGIC_BYTES = Buffer.from([0x54, 0x53, 0x6f, 0x31]);

/** The size of the valid frame at `at`, 0 if there is none. */
function frameSize(content: Buffer, at: number): number {
	if (content.length - at < FRAME_HEADER_BYTES || content.readUInt32LE(at) !== FRAME_MAGIC) return 0;
	const size = content.readUInt32LE(at + 4);
	const start = at + FRAME_HEADER_BYTES;
	if (size > PAYLOAD_BYTES_MAX || start + size > content.length) return 0;
	const crc = crc32(content.subarray(start, start + size));
	return crc === content.readUInt32LE(at + 8) ? FRAME_HEADER_BYTES + size : 0;
}

/** The clients as the frames read so far describe them. */
class Session {
	private readonly whos: Who[];
	private readonly descriptions = new Map<number, Who>();
	private readonly indexes = new Map<number, number>();

	constructor(whos: Who[]) {
		this.whos = whos;
	}

	describe(clientId: number, address: string, name: string, user: string): void {
		this.descriptions.set(clientId, { kind: 'client', clientId, address, name, user });
		this.indexes.delete(2 * clientId);
		this.indexes.delete(2 * clientId + 1);
	}

	/** Index in the list of all of whom a run names; -1 for nobody. */
	indexOf(who: number): number {
		const known = this.indexes.get(who);
		if (known !== undefined) return known;
		const kind = who > 0 ? (who % 2 === 1 ? 'script' : 'client') : KINDS.get(who);
		if (kind === undefined) return -1;
		const clientId = who > 0 ? Math.floor(who / 2) : 0;
		const nobody: Who = { kind, clientId, address: '', name: '', user: '' };
		this.whos.push({ ...(this.descriptions.get(clientId) ?? nobody), kind });
		this.indexes.set(who, this.whos.length - 1);
		return this.whos.length - 1;
	}
}

/** Reads the payload of a frame whose CRC is right; never beyond its end. */
class Cursor {
	private readonly bytes: Buffer;
	private at: number;
	private readonly end: number;

	constructor(bytes: Buffer, from: number, to: number) {
		this.bytes = bytes;
		this.at = from;
		this.end = to;
	}

	get ended(): boolean {
		return this.at >= this.end;
	}

	varint(): number {
		let value = 0;
		let scale = 1;
		while (this.at < this.end) {
			const byte = this.bytes[this.at++]!;
			value += (byte & 127) * scale;
			if (byte < 128) break;
			scale *= 128;
		}
		return value;
	}

	zigzag(): number {
		const value = this.varint();
		return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
	}

	text(): string {
		const size = Math.min(this.varint(), this.end - this.at);
		this.at += size;
		return this.bytes.latin1Slice(this.at - size, this.at);
	}
}
