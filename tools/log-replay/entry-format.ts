/** Entries as lines of text, as JSON, as protobuf. */
import type { Type } from 'protobufjs';
import { quoteRepr } from '../../src/base/quote.js';
import { loadProtoSchema } from '../../src/formats/proto-schema.js';
import type { EntryOrigin } from '../../src/log/origins-reader.js';
import type { EntryTime } from './log-times.js';
import type { LogEntry } from './log-walk.js';
import type { ListFormat } from './options.js';

/** The bytes that an entry is printed as. */
export type EntryFormatter = (entry: LogEntry, time: EntryTime, origin: EntryOrigin | undefined) => Buffer;

export async function entryFormatter(format: ListFormat): Promise<EntryFormatter> {
	if (format === 'text') return asText;
	if (format === 'json') return asJson;
	const root = await loadProtoSchema('replay');
	return protobufFormatter(root.lookupType('tsredis.LogEntry'));
}

/** `1234 2026-01-31T23:59:59.500Z 127.0.0.1:4711 id=5 name=worker db=0 "SET" "key" "value"`. */
function asText(entry: LogEntry, time: EntryTime, origin: EntryOrigin | undefined): Buffer {
	const words = [String(entry.offset), timeText(time), ...originWords(origin), `db=${entry.db}`];
	for (const arg of entry.args) words.push(quoteRepr(arg));
	return Buffer.from(words.join(' ') + '\n', 'latin1');
}

function timeText({ timeMs, isEstimated }: EntryTime): string {
	if (timeMs === 0) return '-';
	return (isEstimated ? '~' : '') + new Date(timeMs).toISOString();
}

function originWords(origin: EntryOrigin | undefined): string[] {
	if (origin === undefined) return ['-'];
	const { kind, clientId, address, name, user } = origin;
	const words: string[] = [kind];
	if (clientId !== 0) words.push(`id=${clientId}`);
	if (address !== '') words.push(`addr=${address}`);
	if (name !== '') words.push(`name=${quoteIfNeeded(name)}`);
	if (user !== '' && user !== 'default') words.push(`user=${quoteIfNeeded(user)}`);
	return words;
}

function quoteIfNeeded(text: string): string {
	return /^[\x21-\x7e]*$/.test(text) ? text : quoteRepr(text);
}

function asJson(entry: LogEntry, time: EntryTime, origin: EntryOrigin | undefined): Buffer {
	const line = {
		offset: entry.offset,
		size: entry.end - entry.offset,
		db: entry.db,
		time: time.timeMs === 0 ? null : new Date(time.timeMs).toISOString(),
		timeEstimated: time.isEstimated,
		origin:
			origin === undefined
				? null
				: {
						kind: origin.kind,
						id: origin.clientId,
						address: jsonBytes(origin.address),
						name: jsonBytes(origin.name),
						user: jsonBytes(origin.user),
					},
		command: entry.args.map(jsonBytes),
	};
	return Buffer.from(JSON.stringify(line) + '\n', 'utf8');
}

/** Bytes as text if they are UTF-8, else as an object that holds them in base64. */
function jsonBytes(bytes: string): string | { readonly base64: string } {
	if (/^[\x00-\x7f]*$/.test(bytes)) return bytes;
	const buffer = Buffer.from(bytes, 'latin1');
	const text = buffer.toString('utf8');
	return Buffer.from(text, 'utf8').equals(buffer) ? text : { base64: buffer.toString('base64') };
}

function protobufFormatter(type: Type): EntryFormatter {
	return (entry, time, origin) => {
		const message = {
			offset: entry.offset,
			size: entry.end - entry.offset,
			db: entry.db,
			timeMs: time.timeMs,
			timeEstimated: time.isEstimated,
			origin:
				origin === undefined
					? undefined
					: {
							kind: origin.kind,
							clientId: origin.clientId,
							address: Buffer.from(origin.address, 'latin1'),
							name: Buffer.from(origin.name, 'latin1'),
							user: Buffer.from(origin.user, 'latin1'),
						},
			command: entry.args.map((arg) => Buffer.from(arg, 'latin1')),
		};
		return Buffer.from(type.encodeDelimited(message).finish());
	};
}
