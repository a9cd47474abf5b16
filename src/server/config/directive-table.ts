/**
 * Every directive of Redis 7.2.6 that CONFIG GET knows, and ours, with what it does here. Names,
 * aliases, ranges and flags are Redis's (config.c, `static_configs`). The README's table is made from
 * this one.
 *
 * A row's support is changed together with the code that acts on it.
 */

import {
	DENY_LOADING,
	type Directive,
	HIDDEN,
	IMMUTABLE,
	MULTI_ARG,
	PROTECTED,
	SENSITIVE,
	type Support,
	VOLATILE,
} from './directive.js';
import { enumKind, INT_MAX, INT_MIN, LONG_MAX, UINT_MAX, ULLONG_MAX } from './directive-kinds.js';
import {
	bool,
	int,
	memory,
	memoryOrPercent,
	octal,
	oneOf,
	special,
	string,
	text,
	words,
} from './directive-rows.js';
import { parseProcTitle } from './proc-title.js';
import {
	bindKind,
	clientOutputBufferLimitKind,
	dirKind,
	latencyTrackingInfoPercentilesKind,
	notifyKeyspaceEventsKind,
	oomScoreAdjValuesKind,
	replicaofKind,
	saveKind,
} from './special-directives.js';

const WORKS: Support = { level: 'works', why: '' };
const noEffect = (why: string): Support => ({ level: 'no effect', why });
const refused = (why: string): Support => ({ level: 'refused', why });

const ACL = noEffect('ACL users are not supported yet');
const CLUSTER = noEffect('cluster mode is not supported yet');
const CLIENT_EVICTION = noEffect('clients are not evicted yet');
const LATENCY = noEffect('latency monitoring is not supported yet');
/** The deletion itself takes the same time either way. */
const LAZY: Support = { level: 'works', why: 'says whether the log has UNLINK or DEL' };
const MEMORY_LAYOUT = noEffect('the JavaScript engine lays out memory');
const PLATFORM = noEffect('Node.js gives no access to this');
const SANITIZE = noEffect('payloads and files are always checked in full');
const SCRIPTS = noEffect('scripts are not supported yet');
const SLOWLOG = noEffect('SLOWLOG is not supported yet');
const STREAMS = noEffect('streams are not supported yet');
const TESTS_ONLY = noEffect('it slows a server down for tests');

const MB = 1048576n;
const PORT_MAX = 65535n;
const TLS = { hook: 'tls' };
const PROTECTED_ACTIONS = ['no', 'yes', 'local'] as const;
const SHUTDOWN_FLAGS = ['default', 'save', 'nosave', 'now', 'force'] as const;

function baseName(name: string, kind: 'filename' | 'dirname', mayBeEmpty: boolean) {
	return (value: string): string | undefined => {
		if (value === '' && !mayBeEmpty) return `${name} can't be empty`;
		return /[/\\]/.test(value) ? `${name} can't be a path, just a ${kind}` : undefined;
	};
}

function shutdownFlags(flags: readonly string[]): string | undefined {
	return flags.includes('save') && flags.includes('nosave')
		? "shutdown options SAVE and NOSAVE can't be used simultaneously"
		: undefined;
}

function hostname(value: string): string | undefined {
	if (value.length >= 256) return 'Hostnames must be less than 256 characters';
	return /^[A-Za-z0-9.-]*$/.test(value)
		? undefined
		: 'Hostnames may only contain alphanumeric characters, hyphens or dots';
}

function nodeName(value: string): string | undefined {
	return /^[!-~]*$/.test(value) && !/[!"#$%&'()*+,:;<>?@[\]^{|}~=]/.test(value)
		? undefined
		: 'Announced human node name contained invalid character';
}

function procTitle(value: string): string | undefined {
	return parseProcTitle(value) ? undefined : 'template format is invalid or contains unknown variables';
}

function noDefrag(value: boolean): string | undefined {
	return value
		? 'Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution'
		: undefined;
}

const GENERAL: readonly Directive[] = [
	bool('daemonize', IMMUTABLE, WORKS),
	string('pidfile', IMMUTABLE, WORKS),
	oneOf('supervised', IMMUTABLE, noEffect('systemd and upstart are not notified'), [
		'upstart',
		'systemd',
		'auto',
		'no',
	]),
	special('dir', PROTECTED | DENY_LOADING, WORKS, dirKind),
	int('databases', IMMUTABLE, WORKS, 1n, INT_MAX),
	int('hz', 0, WORKS, 0n, INT_MAX),
	bool('dynamic-hz', 0, noEffect('the background task runs hz times a second')),
	oneOf('loglevel', 0, WORKS, ['debug', 'verbose', 'notice', 'warning', 'nothing']),
	text('logfile', IMMUTABLE, WORKS),
	oneOf('log-format', 0, WORKS, ['redis', 'json']),
	bool('always-show-logo', IMMUTABLE, WORKS),
	bool('set-proc-title', IMMUTABLE, WORKS),
	text('proc-title-template', 0, WORKS, { check: procTitle }),
	bool('syslog-enabled', IMMUTABLE, refused('syslog is not supported, use logfile or standard output')),
	text('syslog-ident', IMMUTABLE, noEffect('syslog is not supported')),
	oneOf('syslog-facility', IMMUTABLE, noEffect('syslog is not supported'), [
		'user',
		'local0',
		'local1',
		'local2',
		'local3',
		'local4',
		'local5',
		'local6',
		'local7',
	]),
	bool('crash-log-enabled', 0, WORKS),
	bool('crash-memcheck-enabled', 0, PLATFORM),
	bool('use-exit-on-panic', HIDDEN, noEffect('a crash always ends with exit')),
	bool('disable-thp', IMMUTABLE, PLATFORM),
	text('locale-collate', 0, noEffect('SORT ALPHA compares bytes')),
	text('ignore-warnings', 0, noEffect('there is no warning that it names')),
	int('watchdog-period', HIDDEN, PLATFORM, 0n, INT_MAX),
	oneOf('enable-protected-configs', IMMUTABLE, WORKS, PROTECTED_ACTIONS),
	oneOf('enable-debug-command', IMMUTABLE, WORKS, PROTECTED_ACTIONS),
	oneOf('enable-module-command', IMMUTABLE, noEffect('modules are not supported'), PROTECTED_ACTIONS),
	int('shutdown-timeout', 0, WORKS, 0n, INT_MAX),
	words('shutdown-on-sigint', MULTI_ARG, WORKS, SHUTDOWN_FLAGS, shutdownFlags),
	words('shutdown-on-sigterm', MULTI_ARG, WORKS, SHUTDOWN_FLAGS, shutdownFlags),
	special(
		'oom-score-adj',
		0,
		WORKS,
		// `relative` is another word for `yes`.
		enumKind('oom-score-adj', ['no', 'yes', 'relative', 'absolute'], new Map([['relative', 'yes']])),
	),
	special('oom-score-adj-values', MULTI_ARG, WORKS, oomScoreAdjValuesKind, { hook: 'oom-score-adj' }),
	string('server_cpulist', IMMUTABLE, PLATFORM),
	string('bio_cpulist', IMMUTABLE, PLATFORM),
	string('aof_rewrite_cpulist', IMMUTABLE, PLATFORM),
	string('bgsave_cpulist', IMMUTABLE, PLATFORM),
	int('io-threads', IMMUTABLE, noEffect('the event loop has one thread'), 1n, 128n),
	bool('io-threads-do-reads', IMMUTABLE, noEffect('the event loop has one thread')),
	bool('jemalloc-bg-thread', 0, MEMORY_LAYOUT),
];

const NETWORK: readonly Directive[] = [
	special('bind', MULTI_ARG, WORKS, bindKind),
	string('bind-source-addr', 0, WORKS),
	int('port', 0, WORKS, 0n, PORT_MAX),
	string('unixsocket', IMMUTABLE, WORKS),
	octal('unixsocketperm', IMMUTABLE, WORKS, 0o777n),
	int('tcp-backlog', IMMUTABLE, WORKS, 0n, INT_MAX),
	int('tcp-keepalive', 0, WORKS, 0n, INT_MAX),
	int('timeout', 0, WORKS, 0n, INT_MAX),
	int('maxclients', 0, WORKS, 1n, UINT_MAX),
	bool('protected-mode', 0, WORKS),
	string('requirepass', SENSITIVE, WORKS),
	int('socket-mark-id', IMMUTABLE, PLATFORM, 0n, UINT_MAX),
	special('client-output-buffer-limit', MULTI_ARG, WORKS, clientOutputBufferLimitKind),
	memory('client-query-buffer-limit', 0, WORKS, MB, LONG_MAX),
	memory('proto-max-bulk-len', 0, WORKS, MB, LONG_MAX),
	memoryOrPercent('maxmemory-clients', 0, CLIENT_EVICTION, 100n, LONG_MAX),
	int('tracking-table-max-keys', 0, noEffect('CLIENT TRACKING is not supported yet'), 0n, LONG_MAX),
];

const TLS_ROWS: readonly Directive[] = [
	int('tls-port', 0, WORKS, 0n, PORT_MAX),
	string('tls-cert-file', VOLATILE, WORKS, TLS),
	string('tls-key-file', VOLATILE, WORKS, TLS),
	string('tls-key-file-pass', 0, WORKS, TLS),
	string('tls-client-cert-file', VOLATILE, WORKS, TLS),
	string('tls-client-key-file', VOLATILE, WORKS, TLS),
	string('tls-client-key-file-pass', 0, WORKS, TLS),
	string('tls-dh-params-file', VOLATILE, WORKS, TLS),
	string('tls-ca-cert-file', VOLATILE, WORKS, TLS),
	string('tls-ca-cert-dir', VOLATILE, WORKS, TLS),
	oneOf('tls-auth-clients', 0, WORKS, ['no', 'yes', 'optional'], TLS),
	string('tls-protocols', 0, WORKS, TLS),
	string('tls-ciphers', 0, WORKS, TLS),
	string('tls-ciphersuites', 0, WORKS, TLS),
	bool('tls-prefer-server-ciphers', 0, WORKS, TLS),
	bool('tls-session-caching', 0, WORKS, TLS),
	int(
		'tls-session-cache-size',
		0,
		noEffect('sessions are kept by the clients, in tickets'),
		0n,
		INT_MAX,
		TLS,
	),
	int('tls-session-cache-timeout', 0, WORKS, 0n, INT_MAX, TLS),
	bool('tls-cluster', 0, CLUSTER, TLS),
	bool('tls-replication', 0, WORKS, TLS),
];

const LOG: readonly Directive[] = [
	bool('appendonly', DENY_LOADING, WORKS),
	text('appendfilename', IMMUTABLE, WORKS, { check: baseName('appendfilename', 'filename', false) }),
	text('appenddirname', IMMUTABLE, WORKS, { check: baseName('appenddirname', 'dirname', false) }),
	oneOf('appendfsync', 0, WORKS, ['everysec', 'always', 'no']),
	bool('no-appendfsync-on-rewrite', 0, noEffect('a rewrite does not make fsync wait')),
	int('auto-aof-rewrite-percentage', 0, WORKS, 0n, INT_MAX),
	memory('auto-aof-rewrite-min-size', 0, WORKS, 0n, LONG_MAX),
	bool('aof-load-truncated', 0, WORKS),
	bool('aof-use-rdb-preamble', 0, WORKS),
	bool('aof-timestamp-enabled', 0, noEffect('the log holds what replicas receive, and nothing else')),
	bool('aof-rewrite-incremental-fsync', 0, noEffect('rdb-save-incremental-fsync holds for both')),
	bool('aof-disable-auto-gc', HIDDEN, WORKS),
	memory('log-history-size', 0, WORKS, 0n, LONG_MAX),
	int('log-history-seconds', 0, WORKS, 0n, INT_MAX),
	bool('log-origins', 0, WORKS),
	int('loading-process-events-interval-bytes', HIDDEN, TESTS_ONLY, 1024n, INT_MAX),
	int('key-load-delay', HIDDEN, WORKS, INT_MIN, INT_MAX),
];

const SNAPSHOT: readonly Directive[] = [
	special('save', MULTI_ARG, WORKS, saveKind),
	text('dbfilename', PROTECTED, WORKS, { check: baseName('dbfilename', 'filename', true) }),
	bool('rdbcompression', 0, WORKS),
	bool('rdbchecksum', IMMUTABLE, WORKS),
	bool('rdb-del-sync-files', 0, WORKS),
	bool('rdb-save-incremental-fsync', 0, WORKS),
	int('rdb-key-save-delay', HIDDEN, WORKS, INT_MIN, INT_MAX),
	oneOf('sanitize-dump-payload', 0, SANITIZE, ['no', 'yes', 'clients']),
	bool('stop-writes-on-bgsave-error', 0, WORKS),
];

const KEYSPACE: readonly Directive[] = [
	memory('maxmemory', 0, WORKS, 0n, ULLONG_MAX),
	oneOf('maxmemory-policy', 0, WORKS, [
		'volatile-lru',
		'volatile-lfu',
		'volatile-random',
		'volatile-ttl',
		'allkeys-lru',
		'allkeys-lfu',
		'allkeys-random',
		'noeviction',
	]),
	int('maxmemory-samples', 0, WORKS, 1n, INT_MAX),
	int('maxmemory-eviction-tenacity', 0, WORKS, 0n, 100n),
	int('lfu-log-factor', 0, WORKS, 0n, INT_MAX),
	int('lfu-decay-time', 0, WORKS, 0n, INT_MAX),
	int('active-expire-effort', 0, WORKS, 1n, 10n),
	bool('activerehashing', 0, MEMORY_LAYOUT),
	bool('lazyfree-lazy-eviction', 0, LAZY),
	bool('lazyfree-lazy-expire', 0, LAZY),
	bool('lazyfree-lazy-server-del', 0, LAZY),
	bool('lazyfree-lazy-user-del', 0, LAZY),
	bool('lazyfree-lazy-user-flush', 0, LAZY),
	bool('activedefrag', 0, refused('memory is compacted by the garbage collector'), { check: noDefrag }),
	int('active-defrag-cycle-min', 0, MEMORY_LAYOUT, 1n, 99n),
	int('active-defrag-cycle-max', 0, MEMORY_LAYOUT, 1n, 99n),
	int('active-defrag-threshold-lower', 0, MEMORY_LAYOUT, 0n, 1000n),
	int('active-defrag-threshold-upper', 0, MEMORY_LAYOUT, 0n, 1000n),
	memory('active-defrag-ignore-bytes', 0, MEMORY_LAYOUT, 1n, LONG_MAX),
	int('active-defrag-max-scan-fields', 0, MEMORY_LAYOUT, 1n, LONG_MAX),
	int('hash-max-listpack-entries', 0, WORKS, 0n, LONG_MAX, { alias: 'hash-max-ziplist-entries' }),
	memory('hash-max-listpack-value', 0, WORKS, 0n, LONG_MAX, { alias: 'hash-max-ziplist-value' }),
	int('list-max-listpack-size', 0, WORKS, INT_MIN, INT_MAX, { alias: 'list-max-ziplist-size' }),
	int('list-compress-depth', 0, noEffect('list nodes are not compressed'), 0n, INT_MAX),
	int('set-max-intset-entries', 0, WORKS, 0n, LONG_MAX),
	int('set-max-listpack-entries', 0, WORKS, 0n, LONG_MAX),
	int('set-max-listpack-value', 0, WORKS, 0n, LONG_MAX),
	int('zset-max-listpack-entries', 0, WORKS, 0n, LONG_MAX, { alias: 'zset-max-ziplist-entries' }),
	memory('zset-max-listpack-value', 0, WORKS, 0n, LONG_MAX, { alias: 'zset-max-ziplist-value' }),
	memory('hll-sparse-max-bytes', 0, noEffect('HyperLogLog is not supported yet'), 0n, LONG_MAX),
	memory('stream-node-max-bytes', 0, STREAMS, 0n, LONG_MAX),
	int('stream-node-max-entries', 0, STREAMS, 0n, LONG_MAX),
];

const OBSERVATION: readonly Directive[] = [
	special('notify-keyspace-events', 0, WORKS, notifyKeyspaceEventsKind),
	int('slowlog-log-slower-than', 0, SLOWLOG, -1n, LONG_MAX),
	int('slowlog-max-len', 0, SLOWLOG, 0n, LONG_MAX),
	int('latency-monitor-threshold', 0, LATENCY, 0n, LONG_MAX),
	bool('latency-tracking', 0, WORKS),
	special('latency-tracking-info-percentiles', MULTI_ARG, WORKS, latencyTrackingInfoPercentilesKind),
	int('busy-reply-threshold', 0, SCRIPTS, 0n, LONG_MAX, { alias: 'lua-time-limit' }),
];

const ACCESS: readonly Directive[] = [
	text('aclfile', IMMUTABLE, refused('ACL files are not supported yet')),
	oneOf('acl-pubsub-default', 0, ACL, ['allchannels', 'resetchannels']),
	int('acllog-max-len', 0, ACL, 0n, LONG_MAX),
];

const REPLICATION_ROWS: readonly Directive[] = [
	special('replicaof', IMMUTABLE | MULTI_ARG, WORKS, replicaofKind, {
		alias: 'slaveof',
	}),
	string('masteruser', SENSITIVE, WORKS),
	string('masterauth', SENSITIVE, WORKS),
	bool('replica-serve-stale-data', 0, WORKS, { alias: 'slave-serve-stale-data' }),
	bool('replica-read-only', 0, WORKS, { alias: 'slave-read-only' }),
	bool('replica-ignore-maxmemory', 0, WORKS, { alias: 'slave-ignore-maxmemory' }),
	bool('replica-lazy-flush', 0, noEffect('the old data goes at once, whatever its size'), {
		alias: 'slave-lazy-flush',
	}),
	bool('replica-ignore-disk-write-errors', 0, WORKS),
	int('replica-priority', 0, WORKS, 0n, INT_MAX, { alias: 'slave-priority' }),
	bool('replica-announced', 0, WORKS),
	string('replica-announce-ip', 0, WORKS, { alias: 'slave-announce-ip' }),
	int('replica-announce-port', 0, WORKS, 0n, PORT_MAX, { alias: 'slave-announce-port' }),
	bool('repl-diskless-sync', 0, WORKS),
	int('repl-diskless-sync-delay', 0, WORKS, 0n, INT_MAX),
	int('repl-diskless-sync-max-replicas', 0, WORKS, 0n, INT_MAX),
	oneOf('repl-diskless-load', DENY_LOADING, WORKS, ['disabled', 'on-empty-db', 'swapdb']),
	bool('repl-disable-tcp-nodelay', 0, WORKS),
	memory('repl-backlog-size', 0, WORKS, 1n, LONG_MAX),
	int('repl-backlog-ttl', 0, WORKS, 0n, LONG_MAX),
	int('repl-ping-replica-period', 0, WORKS, 1n, INT_MAX, { alias: 'repl-ping-slave-period' }),
	int('repl-timeout', 0, WORKS, 1n, INT_MAX),
	int('min-replicas-to-write', 0, WORKS, 0n, INT_MAX, {
		alias: 'min-slaves-to-write',
	}),
	int('min-replicas-max-lag', 0, WORKS, 0n, INT_MAX, { alias: 'min-slaves-max-lag' }),
	oneOf(
		'propagation-error-behavior',
		0,
		noEffect('an entry that can not be applied is logged, and the next one follows'),
		['ignore', 'panic', 'panic-on-replicas'],
	),
];

const CLUSTER_ROWS: readonly Directive[] = [
	bool('cluster-enabled', IMMUTABLE, refused('cluster mode is not supported yet')),
	text('cluster-config-file', IMMUTABLE, CLUSTER),
	int('cluster-port', IMMUTABLE, CLUSTER, 0n, PORT_MAX),
	string('cluster-announce-ip', 0, CLUSTER),
	string('cluster-announce-hostname', 0, CLUSTER, { check: hostname }),
	string('cluster-announce-human-nodename', 0, CLUSTER, { check: nodeName }),
	int('cluster-announce-port', 0, CLUSTER, 0n, PORT_MAX),
	int('cluster-announce-tls-port', 0, CLUSTER, 0n, PORT_MAX),
	int('cluster-announce-bus-port', 0, CLUSTER, 0n, PORT_MAX),
	oneOf('cluster-preferred-endpoint-type', 0, CLUSTER, ['ip', 'hostname', 'unknown-endpoint']),
	int('cluster-node-timeout', 0, CLUSTER, 0n, LONG_MAX),
	int('cluster-ping-interval', HIDDEN, CLUSTER, 0n, LONG_MAX),
	int('cluster-replica-validity-factor', 0, CLUSTER, 0n, INT_MAX, { alias: 'cluster-slave-validity-factor' }),
	bool('cluster-replica-no-failover', 0, CLUSTER, { alias: 'cluster-slave-no-failover' }),
	int('cluster-migration-barrier', 0, CLUSTER, 0n, INT_MAX),
	bool('cluster-allow-replica-migration', 0, CLUSTER),
	bool('cluster-require-full-coverage', 0, CLUSTER),
	bool('cluster-allow-reads-when-down', 0, CLUSTER),
	bool('cluster-allow-pubsubshard-when-down', 0, CLUSTER),
	memory('cluster-link-sendbuf-limit', 0, CLUSTER, 0n, ULLONG_MAX),
];

/** The directives by subject, in the order in which CONFIG GET and the README show them. */
export const DIRECTIVE_GROUPS: ReadonlyArray<readonly [string, readonly Directive[]]> = [
	['General', GENERAL],
	['Network', NETWORK],
	['TLS', TLS_ROWS],
	['Log (append only file)', LOG],
	['Snapshots', SNAPSHOT],
	['Keyspace', KEYSPACE],
	['Observation', OBSERVATION],
	['Access', ACCESS],
	['Replication', REPLICATION_ROWS],
	['Cluster', CLUSTER_ROWS],
];

export const DIRECTIVES: readonly Directive[] = DIRECTIVE_GROUPS.flatMap(([, rows]) => rows);

/** A directive under its name or its alias. */
export interface NamedDirective {
	readonly name: string;
	readonly directive: Directive;
}

/** By name and by alias, in lower case, in the table's order. */
export const DIRECTIVES_BY_NAME: ReadonlyMap<string, NamedDirective> = new Map(
	DIRECTIVES.flatMap((directive) =>
		[directive.name, directive.alias]
			.filter((name) => name !== '')
			.map((name) => [name, { name, directive }] as const),
	),
);

/** What a configuration file may have besides, which CONFIG GET and SET don't know. */
export interface FileOnlyDirective {
	readonly name: string;
	readonly support: Support;
	readonly type: string;
}

export const FILE_ONLY_DIRECTIVES: readonly FileOnlyDirective[] = [
	{ name: 'include', support: WORKS, type: 'path, wildcards allowed' },
	{ name: 'rename-command', support: WORKS, type: 'name and new name' },
	{ name: 'user', support: refused('ACL users are not supported yet'), type: 'name and rules' },
	{ name: 'loadmodule', support: refused('modules are not supported'), type: 'path and arguments' },
	{ name: 'sentinel', support: refused('Sentinel is not supported yet'), type: 'directive of Sentinel' },
	{ name: 'list-max-ziplist-entries', support: noEffect('Redis ignores it too'), type: 'number' },
	{ name: 'list-max-ziplist-value', support: noEffect('Redis ignores it too'), type: 'number' },
	{ name: 'lua-replicate-commands', support: noEffect('Redis ignores it too'), type: 'yes or no' },
];
