/**
 * The thresholds that decide between a compact and a general encoding, named as the configuration names them in
 * camelCase, so that the server's settings object can be passed wherever one of these is asked for.
 *
 * They are read at each mutation and never stored in a value: `CONFIG SET` changes what later mutations do and leaves
 * existing values as they are, as in Redis.
 */

export interface ListLimits {
	/**
	 * `list-max-listpack-size`: positive: the most entries of a node; -1 to -5: the most bytes of a node, 4, 8, 16, 32
	 * and 64 KiB. 0 means one entry, anything under -5 means -5.
	 */
	readonly listMaxListpackSize: number;
}

export interface HashLimits {
	/** `hash-max-listpack-entries`: the most fields of a listpack. */
	readonly hashMaxListpackEntries: number;
	/** `hash-max-listpack-value`: the most bytes of a field or a value in a listpack. */
	readonly hashMaxListpackValue: number;
}

export interface SetLimits {
	/** `set-max-intset-entries`: the most members of an intset. */
	readonly setMaxIntsetEntries: number;
	/** `set-max-listpack-entries`: the most members of a listpack. */
	readonly setMaxListpackEntries: number;
	/** `set-max-listpack-value`: the most bytes of a member in a listpack. */
	readonly setMaxListpackValue: number;
}

export interface ZSetLimits {
	/** `zset-max-listpack-entries`: the most members of a listpack. */
	readonly zsetMaxListpackEntries: number;
	/** `zset-max-listpack-value`: the most bytes of a member in a listpack. */
	readonly zsetMaxListpackValue: number;
}

export interface StreamLimits {
	/** `stream-node-max-bytes`: the most bytes of a node; 0 is no limit. */
	readonly streamNodeMaxBytes: number;
	/** `stream-node-max-entries`: the most entries of a node; 0 is no limit. */
	readonly streamNodeMaxEntries: number;
}
