/**
 * The format of the origins: a file `<incremental file>.origins` beside each incremental file, which says when its entries
 * were written, and who wrote them. It is no protobuf, because it is written on the serving path.
 *
 * The file is a row of frames, each of which can be read by itself:
 *
 *     0   4     magic 'TSo1'
 *     4   4     size of the payload in bytes, little endian
 *     8   4     CRC-32 (zlib's) of the payload, little endian
 *     12  size  payload
 *
 * A frame is valid if and only if it is whole and its CRC is right. A crash may leave a torn frame, with others behind it
 * that later starts have appended: a reader searches for the next magic. The payload, in varints (7 bits a byte, the
 * lowest first; `z`: zigzag, so that small negative numbers are short):
 *
 *     log position p, time t (milliseconds since 1970), then until the payload ends one of
 *     d >= 1, z(dt), z(dw)   a run: the entries from p += d - 1 on were written at t += dt by w += dw
 *     0, id, 3 strings       who the client with this ID is from here on: address, name, user; size and bytes each
 *
 * and last 0, 0, e: the runs end e bytes behind the last p. `w` starts at 0 in each frame. It is 2 × the client's ID, plus
 * 1 for a script that the client runs; or negative for what has no client (ORIGIN_…). IDs start again with the server,
 * and a client's description comes before its first run after that.
 */

export const FRAME_MAGIC = 0x316f5354;
export const FRAME_HEADER_BYTES = 12;

/** Who wrote an entry that no client sent: a key expired, was evicted, the entry came from the master, or is a PING. */
export const ORIGIN_EXPIRE = -1;
export const ORIGIN_EVICT = -2;
export const ORIGIN_MASTER = -3;
export const ORIGIN_SERVER = -4;

export const ORIGINS_SUFFIX = '.origins';

/** Path of the origins of an incremental file, given its path. */
export function originsPath(path: string): string {
	return `${path}${ORIGINS_SUFFIX}`;
}
