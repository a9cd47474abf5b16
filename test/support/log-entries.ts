/** What a server has written to its log: the commands of its incremental AOF files, as they would be replayed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseReply, replyEnd, textsOf } from './reply.js';

/** The commands in the incremental files under `dir`'s `appendonlydir`, oldest first, each as its arguments. */
export function logEntries(dir: string): string[][] {
	const folder = join(dir, 'appendonlydir');
	const files = readdirSync(folder).filter((name) => name.endsWith('.incr.aof'));
	files.sort((a, b) => fileNumber(a) - fileNumber(b));
	const entries: string[][] = [];
	for (const file of files) {
		const text = readFileSync(join(folder, file), 'latin1');
		for (let at = 0; at < text.length; ) {
			if (text[at] === '#') {
				at = text.indexOf('\n', at) + 1; // a remark: a time stamp
				continue;
			}
			const end = replyEnd(text, at);
			if (end < 0) throw new Error(`${file} ends within the entry at ${at}`);
			entries.push(textsOf(parseReply(text.slice(at, end))).map((word) => word ?? ''));
			at = end;
		}
	}
	return entries;
}

/** The number in `appendonly.aof.<number>.incr.aof`. */
function fileNumber(name: string): number {
	return Number(name.split('.').at(-3));
}
