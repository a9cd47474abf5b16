/** Reading the log sections of a fold. */
import { AofEntryReader } from '../formats/aof-entry.js';
import type { LogFs } from '../log/log-fs.js';
import { FoldFault } from './fold-fault.js';
import type { FoldProgress, FoldSection } from './fold-job.js';

/** Between these many entries is a good moment to return to the event loop. */
const ENTRIES_PER_STEP = 64;

/**
 * Calls `visit` with each entry of the section, MULTI and EXEC included. The section must consist of whole entries: the
 * log is cut only between them. @throws FoldFault, or the system error
 */
export function* readSection(
	fs: LogFs,
	section: FoldSection,
	progress: FoldProgress,
	visit: (args: string[]) => void,
): Generator<number, void, void> {
	const { path, from, to } = section;
	const fd = fs.openSync(path, 'r');
	try {
		const reader = new AofEntryReader(from);
		let sinceStep = 0;
		for (;;) {
			const found = reader.next();
			if (found === 'entry') {
				visit(reader.args);
				if (++sinceStep === ENTRIES_PER_STEP) {
					sinceStep = 0;
					yield 0;
				}
			} else if (found === 'more') {
				reader.reserve();
				const position = reader.fillPosition;
				const room = Math.min(reader.buffer.length - reader.fillAt, to - position);
				const size = room <= 0 ? 0 : fs.readSync(fd, reader.buffer, reader.fillAt, room, position);
				if (size === 0 && position < to) {
					throw new FoldFault(`${path} ends at position ${position}, not at ${to}`, true);
				}
				progress.bytes += size;
				reader.filled(size);
			} else if (found === 'end') {
				return;
			} else {
				const position = found === 'bad' ? reader.badPosition : reader.entryStart;
				throw new FoldFault(`Bad file format in ${path}, at position ${position}`, true);
			}
		}
	} finally {
		fs.closeSync(fd);
	}
}
