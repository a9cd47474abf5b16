/** Error replies that several families give, in Redis 7.2's words (server.c, createSharedObjects). */
export const ERR_SYNTAX = 'ERR syntax error';
export const ERR_WRONGTYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const ERR_NO_SUCH_KEY = 'ERR no such key';
export const ERR_NOT_INTEGER = 'ERR value is not an integer or out of range';
export const ERR_NOT_FLOAT = 'ERR value is not a valid float';
export const ERR_NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const ERR_OUT_OF_RANGE = 'ERR index out of range';
export const ERR_SAME_OBJECT = 'ERR source and destination objects are the same';
export const ERR_EXECABORT = 'EXECABORT Transaction discarded because of previous errors.';
export const ERR_NOAUTH = 'NOAUTH Authentication required.';
export const ERR_LOADING = 'LOADING Redis is loading the dataset in memory';
export const ERR_READONLY = "READONLY You can't write against a read only replica.";
export const ERR_MASTERDOWN =
	"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
export const ERR_BGSAVE =
	"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
	'Commands that may modify the data set are disabled, because this instance is configured to report errors during ' +
	'writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). ' +
	'Please check the Redis logs for details about the RDB error.';
export const ERR_OOM = "OOM command not allowed when used memory > 'maxmemory'.";
export const ERR_NO_REPLICAS = 'NOREPLICAS Not enough good replicas to write.';
export const ERR_STRING_TOO_LONG = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
export const ERR_DB_INDEX = 'ERR DB index is out of range';

/** `name` is the command's, `container|sub` for a subcommand. */
export function wrongArity(name: string): string {
	return `ERR wrong number of arguments for '${name}' command`;
}

/** `value` is the word that was not understood as a subcommand of `container`. */
export function unknownSubcommand(value: string, container: string): string {
	return `ERR unknown subcommand '${value.slice(0, 128)}'. Try ${container.toUpperCase()} HELP.`;
}
