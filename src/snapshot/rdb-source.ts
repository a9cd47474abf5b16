/** A file as a source of RDB data. */
import type { ByteSource } from '../formats/rdb-input.js';
import type { LogFs } from '../log/log-fs.js';

/** The bytes [from, to) of an open file, to its end if `to` is -1. System errors of reading are thrown. */
export function fileByteSource(fs: LogFs, fd: number, from = 0, to = -1): ByteSource {
	let position = from;
	return {
		read: (target, at, size) => {
			const room = to < 0 ? size : Math.min(size, to - position);
			const got = room <= 0 ? 0 : fs.readSync(fd, target, at, room, position);
			position += got;
			return got;
		},
	};
}
