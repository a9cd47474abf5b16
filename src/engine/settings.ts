/**
 * The settings of a server: one flat object, a typed field for each directive of redis.conf.
 *
 * A field is the camelCase of its directive (`list-max-listpack-size` is `listMaxListpackSize`).
 * Memory is in bytes; the unit of a time is in its remark. A string that Redis shows as empty when it
 * is not set is `''` here. Defaults are those of Redis 7.2.6 (config.c). Whether a directive has an
 * effect is said by the table in `src/server/config`, not here: fields whose capability is still to
 * come hold their value for CONFIG GET and REWRITE.
 *
 * Whoever acts on a setting reads the field where it is needed, so that CONFIG SET takes effect
 * without further ado; what has to be told (ports, the log) is told by the server's apply hooks.
 */

/** After `seconds` with at least `changes` changes, a snapshot is due. */
export interface SavePoint {
	readonly seconds: number;
	readonly changes: number;
}

/**
 * When a client is cut off for not reading its replies: over `hardBytes` at once, over `softBytes`
 * for `softSeconds` in a row. 0 means no limit.
 */
export interface OutputBufferLimit {
	readonly hardBytes: number;
	readonly softBytes: number;
	readonly softSeconds: number;
}

export interface OutputBufferLimits {
	readonly normal: OutputBufferLimit;
	readonly replica: OutputBufferLimit;
	readonly pubsub: OutputBufferLimit;
}

/** `to` is the new name of the command `from`; '' removes the command. */
export interface RenamedCommand {
	readonly from: string;
	readonly to: string;
}

export type ProtectedAction = 'no' | 'yes' | 'local';
export type ShutdownFlag = 'default' | 'save' | 'nosave' | 'now' | 'force';
export type MaxmemoryPolicy =
	| 'volatile-lru'
	| 'volatile-lfu'
	| 'volatile-random'
	| 'volatile-ttl'
	| 'allkeys-lru'
	| 'allkeys-lfu'
	| 'allkeys-random'
	| 'noeviction';

/** The classes of keyspace events, bits of `Settings.notifyKeyspaceEvents` (server.h, NOTIFY_*). */
export const NOTIFY_KEYSPACE = 1 << 0; // K
export const NOTIFY_KEYEVENT = 1 << 1; // E
export const NOTIFY_GENERIC = 1 << 2; // g
export const NOTIFY_STRING = 1 << 3; // $
export const NOTIFY_LIST = 1 << 4; // l
export const NOTIFY_SET = 1 << 5; // s
export const NOTIFY_HASH = 1 << 6; // h
export const NOTIFY_ZSET = 1 << 7; // z
export const NOTIFY_EXPIRED = 1 << 8; // x
export const NOTIFY_EVICTED = 1 << 9; // e
export const NOTIFY_STREAM = 1 << 10; // t
export const NOTIFY_KEY_MISS = 1 << 11; // m, not part of A
export const NOTIFY_MODULE = 1 << 13; // d
export const NOTIFY_NEW = 1 << 14; // n, not part of A
/** What the letter A stands for. */
export const NOTIFY_ALL =
	NOTIFY_GENERIC |
	NOTIFY_STRING |
	NOTIFY_LIST |
	NOTIFY_SET |
	NOTIFY_HASH |
	NOTIFY_ZSET |
	NOTIFY_EXPIRED |
	NOTIFY_EVICTED |
	NOTIFY_STREAM |
	NOTIFY_MODULE;

const MB = 1024 * 1024;

export class Settings {
	// General
	daemonize = false;
	pidfile = '';
	supervised: 'upstart' | 'systemd' | 'auto' | 'no' = 'no';
	dir = '.';
	databases = 16;
	/** Runs of the background task in a second, 1 to 500. */
	hz = 10;
	dynamicHz = true;
	loglevel: 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing' = 'notice';
	/** '' is standard output. */
	logfile = '';
	/** Our own: the format of a log line, Redis's or pino's JSON. */
	logFormat: 'redis' | 'json' = 'redis';
	alwaysShowLogo = false;
	setProcTitle = true;
	procTitleTemplate = '{title} {listen-addr} {server-mode}';
	syslogEnabled = false;
	syslogIdent = 'redis';
	syslogFacility:
		| 'user'
		| 'local0'
		| 'local1'
		| 'local2'
		| 'local3'
		| 'local4'
		| 'local5'
		| 'local6'
		| 'local7' = 'local0';
	crashLogEnabled = true;
	crashMemcheckEnabled = true;
	useExitOnPanic = false;
	disableThp = true;
	localeCollate = '';
	ignoreWarnings = '';
	watchdogPeriod = 0;
	enableProtectedConfigs: ProtectedAction = 'no';
	enableDebugCommand: ProtectedAction = 'no';
	enableModuleCommand: ProtectedAction = 'no';
	renameCommand: readonly RenamedCommand[] = [];
	/** Seconds that a shutdown waits for replicas. */
	shutdownTimeout = 10;
	shutdownOnSigint: readonly ShutdownFlag[] = ['default'];
	shutdownOnSigterm: readonly ShutdownFlag[] = ['default'];
	oomScoreAdj: 'no' | 'yes' | 'relative' | 'absolute' = 'no';
	oomScoreAdjValues: readonly [number, number, number] = [0, 200, 800];
	serverCpulist = '';
	bioCpulist = '';
	aofRewriteCpulist = '';
	bgsaveCpulist = '';
	ioThreads = 1;
	ioThreadsDoReads = false;
	jemallocBgThread = true;

	// Network
	/** Addresses to listen on; a leading `-` lets it fail, `*` is every IPv4 address, `::*` IPv6. */
	bind: readonly string[] = ['*', '-::*'];
	bindSourceAddr = '';
	/** 0: no TCP. */
	port = 6379;
	unixsocket = '';
	/** File mode; 0 leaves it to the umask. */
	unixsocketperm = 0;
	tcpBacklog = 511;
	/** Seconds; 0 is off. */
	tcpKeepalive = 300;
	/** Seconds without a request after which a client is disconnected; 0 is never. */
	timeout = 0;
	maxclients = 10000;
	protectedMode = true;
	/** '' is no password. */
	requirepass = '';
	socketMarkId = 0;
	clientOutputBufferLimit: OutputBufferLimits = {
		normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
		replica: { hardBytes: 256 * MB, softBytes: 64 * MB, softSeconds: 60 },
		pubsub: { hardBytes: 32 * MB, softBytes: 8 * MB, softSeconds: 60 },
	};
	/** At most this many bytes of requests that are not yet complete, a client. */
	clientQueryBufferLimit = 1024 * MB;
	/** The largest bulk string of a request, bytes. */
	protoMaxBulkLen = 512 * MB;
	/** Bytes of all clients together; 0 is no limit; -1 to -100 is a percentage of `maxmemory`. */
	maxmemoryClients = 0;
	trackingTableMaxKeys = 1000000;

	// TLS
	/** 0: no TLS. */
	tlsPort = 0;
	tlsCertFile = '';
	tlsKeyFile = '';
	tlsKeyFilePass = '';
	tlsClientCertFile = '';
	tlsClientKeyFile = '';
	tlsClientKeyFilePass = '';
	tlsDhParamsFile = '';
	tlsCaCertFile = '';
	tlsCaCertDir = '';
	tlsAuthClients: 'no' | 'yes' | 'optional' = 'yes';
	/** Names separated by spaces, such as `TLSv1.2 TLSv1.3`; '' is both. */
	tlsProtocols = '';
	/** OpenSSL's list for TLS up to 1.2; '' is the default of the library. */
	tlsCiphers = '';
	/** For TLS 1.3. */
	tlsCiphersuites = '';
	tlsPreferServerCiphers = false;
	tlsSessionCaching = true;
	tlsSessionCacheSize = 20 * 1024;
	/** Seconds. */
	tlsSessionCacheTimeout = 300;
	tlsCluster = false;
	tlsReplication = false;

	// Access
	aclfile = '';
	aclPubsubDefault: 'allchannels' | 'resetchannels' = 'resetchannels';
	acllogMaxLen = 128;

	// The log (append only file)
	appendonly = false;
	appendfilename = 'appendonly.aof';
	appenddirname = 'appendonlydir';
	appendfsync: 'always' | 'everysec' | 'no' = 'everysec';
	noAppendfsyncOnRewrite = false;
	/** Growth in per cent of the size after the last rewrite; 0 turns the automatic rewrite off. */
	autoAofRewritePercentage = 100;
	autoAofRewriteMinSize = 64 * MB;
	aofLoadTruncated = true;
	aofUseRdbPreamble = true;
	aofTimestampEnabled = false;
	aofRewriteIncrementalFsync = true;
	aofDisableAutoGc = false;
	/** Bytes of old files of the log that are kept. */
	logHistorySize = 256 * 1024 * 1024;
	/** Seconds for which old files of the log are kept; 0 for no limit. */
	logHistorySeconds = 0;
	/** Our own: beside the log, who wrote each entry, and when. */
	logOrigins = true;
	/** Bytes read between two looks at the clients while loading. */
	loadingProcessEventsIntervalBytes = 2 * MB;
	/** Microseconds a key; negative: keys for a microsecond. For tests. */
	keyLoadDelay = 0;

	// Snapshots
	save: readonly SavePoint[] = [
		{ seconds: 3600, changes: 1 },
		{ seconds: 300, changes: 100 },
		{ seconds: 60, changes: 10000 },
	];
	dbfilename = 'dump.rdb';
	rdbcompression = true;
	rdbchecksum = true;
	rdbDelSyncFiles = false;
	rdbSaveIncrementalFsync = true;
	/** As `keyLoadDelay`, for saving. */
	rdbKeySaveDelay = 0;
	sanitizeDumpPayload: 'no' | 'yes' | 'clients' = 'yes';
	stopWritesOnBgsaveError = true;

	// Memory and keyspace
	/** Bytes; 0 is no limit. */
	maxmemory = 0;
	maxmemoryPolicy: MaxmemoryPolicy = 'noeviction';
	maxmemorySamples = 5;
	/** 0 to 100. */
	maxmemoryEvictionTenacity = 10;
	lfuLogFactor = 10;
	/** Minutes. */
	lfuDecayTime = 1;
	/** 1 to 10. */
	activeExpireEffort = 1;
	activerehashing = true;
	lazyfreeLazyEviction = false;
	lazyfreeLazyExpire = false;
	lazyfreeLazyServerDel = false;
	lazyfreeLazyUserDel = false;
	lazyfreeLazyUserFlush = false;
	activedefrag = false;
	activeDefragCycleMin = 1;
	activeDefragCycleMax = 25;
	activeDefragThresholdLower = 10;
	activeDefragThresholdUpper = 100;
	activeDefragIgnoreBytes = 100 * MB;
	activeDefragMaxScanFields = 1000;

	// Encodings
	hashMaxListpackEntries = 512;
	hashMaxListpackValue = 64;
	/** Positive: elements a node; -1 to -5: 4, 8, 16, 32 or 64 KB a node. */
	listMaxListpackSize = -2;
	listCompressDepth = 0;
	setMaxIntsetEntries = 512;
	setMaxListpackEntries = 128;
	setMaxListpackValue = 64;
	zsetMaxListpackEntries = 128;
	zsetMaxListpackValue = 64;
	hllSparseMaxBytes = 3000;
	streamNodeMaxBytes = 4096;
	streamNodeMaxEntries = 100;

	// Observation
	/** `NOTIFY_*` bits; 0 is off. */
	notifyKeyspaceEvents = 0;
	/** Microseconds; 0 logs every command, -1 none. */
	slowlogLogSlowerThan = 10000;
	slowlogMaxLen = 128;
	/** Milliseconds; 0 is off. */
	latencyMonitorThreshold = 0;
	latencyTracking = true;
	latencyTrackingInfoPercentiles: readonly number[] = [50, 99, 99.9];

	// Scripts
	/** Milliseconds after which a script or a blocked server answers others with BUSY; 0 is never. */
	busyReplyThreshold = 5000;

	// Replication
	/** Host and port; undefined: a master. */
	replicaof: { readonly host: string; readonly port: number } | undefined = undefined;
	masteruser = '';
	masterauth = '';
	replicaServeStaleData = true;
	replicaReadOnly = true;
	replicaIgnoreMaxmemory = true;
	replicaLazyFlush = false;
	replicaIgnoreDiskWriteErrors = false;
	replicaPriority = 100;
	replicaAnnounced = true;
	replicaAnnounceIp = '';
	replicaAnnouncePort = 0;
	replDisklessSync = true;
	/** Seconds. */
	replDisklessSyncDelay = 5;
	replDisklessSyncMaxReplicas = 0;
	replDisklessLoad: 'disabled' | 'on-empty-db' | 'swapdb' = 'disabled';
	replDisableTcpNodelay = false;
	replBacklogSize = MB;
	/** Seconds; 0 is for ever. */
	replBacklogTtl = 3600;
	/** Seconds. */
	replPingReplicaPeriod = 10;
	/** Seconds. */
	replTimeout = 60;
	minReplicasToWrite = 0;
	/** Seconds. */
	minReplicasMaxLag = 10;
	propagationErrorBehavior: 'ignore' | 'panic' | 'panic-on-replicas' = 'ignore';

	// Cluster
	clusterEnabled = false;
	clusterConfigFile = 'nodes.conf';
	clusterPort = 0;
	clusterAnnounceIp = '';
	clusterAnnounceHostname = '';
	clusterAnnounceHumanNodename = '';
	clusterAnnouncePort = 0;
	clusterAnnounceTlsPort = 0;
	clusterAnnounceBusPort = 0;
	clusterPreferredEndpointType: 'ip' | 'hostname' | 'unknown-endpoint' = 'ip';
	/** Milliseconds. */
	clusterNodeTimeout = 15000;
	/** Milliseconds; 0 is the default. For tests. */
	clusterPingInterval = 0;
	clusterReplicaValidityFactor = 10;
	clusterReplicaNoFailover = false;
	clusterMigrationBarrier = 1;
	clusterAllowReplicaMigration = true;
	clusterRequireFullCoverage = true;
	clusterAllowReadsWhenDown = false;
	clusterAllowPubsubshardWhenDown = true;
	clusterLinkSendbufLimit = 0;
}
