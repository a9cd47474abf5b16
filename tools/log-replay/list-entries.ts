/** `tsredis-replay list`. */
import { entryFormatter } from './entry-format.js';
import type { LogView } from './log-view.js';
import type { ListOptions } from './options.js';

const CHUNK_BYTES = 64 * 1024;

/**
 * Prints the entries to `write`, in chunks, until it returns false: nobody reads on.
 * @throws ReplayFault, or the system error
 */
export async function listEntries(
	view: LogView,
	options: ListOptions,
	write: (bytes: Buffer) => boolean,
): Promise<void> {
	const { map } = view;
	const from = options.from === null ? { offset: map.start, db: 0 } : await view.find(options.from, 'from');
	const to = options.to === null ? map.end : (await view.find(options.to, 'upTo')).offset;
	const format = await entryFormatter(options.format);
	const times = await view.times(from.offset);
	let chunk: Buffer[] = [];
	let size = 0;
	for (const entry of view.entries(from)) {
		if (entry.offset >= to) break;
		const time = times.timeAt(entry.offset, entry.annotatedMs);
		const bytes = format(entry, time, times.originAt(entry.offset));
		chunk.push(bytes);
		size += bytes.length;
		if (size < CHUNK_BYTES) continue;
		if (!write(Buffer.concat(chunk))) return;
		chunk = [];
		size = 0;
	}
	write(Buffer.concat(chunk));
}
