/**
 * INFO: the sections and fields of Redis 7.2 that have a meaning here. What replication, snapshots,
 * scripts and clusters would say is left out until they exist, but for the fields that clients and tools
 * rely on, which tell the truth about a server that has none of them.
 */
import { arch, release, totalmem, type } from 'node:os';
import { REDIS_VERSION, TSREDIS_VERSION } from '../base/version.js';
import { BLOCKED_NOT } from '../engine/client.js';
import { clientMemoryBytes } from '../engine/client-info.js';
import { CAT_DANGEROUS, type CommandSpec, command, LOADING, NO_KEYS, STALE } from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import { BASE_BYTES } from '../engine/memory.js';
import { infoPersistence } from './info-persistence.js';
import { infoReplication } from './info-replication.js';
import { humanBytes, type InfoField, percent } from './info-text.js';
import type { Server } from './server.js';

interface Section {
	readonly name: string;
	readonly title: string;
	/** Shown without arguments (`default`), or only with `all` and `everything`. */
	readonly byDefault: boolean;
	/** Shown only when asked for by name. */
	readonly hidden?: boolean;
	readonly fields: (server: Server) => InfoField[];
}

function serverFields(server: Server): InfoField[] {
	const { settings, env } = server;
	const nowMs = env.clock.nowMs();
	const uptimeSeconds = Math.floor((nowMs - server.startedMs) / 1000);
	const fields: InfoField[] = [
		['redis_version', REDIS_VERSION],
		['redis_git_sha1', '00000000'],
		['redis_git_dirty', 0],
		['redis_build_id', `tsredis-${TSREDIS_VERSION}`],
		['redis_mode', 'standalone'],
		['os', `${type()} ${release()} ${arch()}`],
		['arch_bits', process.arch.includes('64') ? 64 : 32],
		['monotonic_clock', 'performance.now'],
		['multiplexing_api', 'libuv'],
		['tsredis_version', TSREDIS_VERSION],
		['node_version', process.versions.node],
		['process_id', process.pid],
		['process_supervised', settings.supervised],
		['run_id', server.runId],
		['tcp_port', server.port],
		['server_time_usec', env.clock.nowUs()],
		['uptime_in_seconds', uptimeSeconds],
		['uptime_in_days', Math.floor(uptimeSeconds / 86400)],
		['hz', settings.hz],
		['configured_hz', settings.hz],
		['lru_clock', Math.floor(nowMs / 1000) & 0xffffff],
		['executable', process.argv[1] ?? ''],
		['config_file', server.config.file],
		['io_threads_active', 0],
	];
	const shutdownMs = server.shutdown.waitMsLeft;
	if (shutdownMs !== undefined) fields.push(['shutdown_in_milliseconds', shutdownMs]);
	let listener = 0;
	const binds = settings.bind.map((address) => `bind=${address}`).join(',');
	if (server.port !== 0) fields.push([`listener${listener++}`, `name=tcp,${binds},port=${server.port}`]);
	if (settings.unixsocket !== '')
		fields.push([`listener${listener++}`, `name=unix,bind=${settings.unixsocket}`]);
	if (settings.tlsPort !== 0)
		fields.push([`listener${listener}`, `name=tls,${binds},port=${settings.tlsPort}`]);
	return fields;
}

function clientFields(server: Server): InfoField[] {
	const { engine, settings } = server;
	let blocked = 0;
	let watching = 0;
	let inputMax = 0;
	let outputMax = 0;
	let pubsub = 0;
	let connected = 0;
	for (const client of engine.clients.values()) {
		if (!client.isReplica) connected++;
		if (client.blocked !== BLOCKED_NOT) blocked++;
		if (client.watched.length > 0) watching++;
		if (client.subscriptionCount > 0) pubsub++;
		inputMax = Math.max(inputMax, client.transport.queryBufferBytes());
		outputMax = Math.max(outputMax, client.transport.outputBytes());
	}
	return [
		['connected_clients', connected],
		['cluster_connections', 0],
		['maxclients', settings.maxclients],
		['client_recent_max_input_buffer', inputMax],
		['client_recent_max_output_buffer', outputMax],
		['blocked_clients', blocked],
		['tracking_clients', 0],
		['pubsub_clients', pubsub],
		['watching_clients', watching],
		['clients_in_timeout_table', engine.blocking.timedClientCount + engine.waits.timedClientCount],
		['total_watched_keys', engine.watches.keyCount],
		['total_blocking_keys', engine.blocking.keyCount],
		['total_blocking_keys_on_nokey', engine.blocking.keyCountOnNoKey],
	];
}

function memoryFields(server: Server): InfoField[] {
	const { engine, settings, log } = server;
	const usage = process.memoryUsage();
	const used = engine.memory.usedBytes();
	const { stats } = engine;
	stats.peakMemoryBytes = Math.max(stats.peakMemoryBytes, used);
	let clients = 0;
	let replicas = 0;
	let unread = 0;
	for (const client of engine.clients.values()) {
		if (client.isReplica) {
			replicas += clientMemoryBytes(client);
			unread += client.transport.outputBytes() - client.unreadBytes;
		} else clients += clientMemoryBytes(client);
	}
	const total = totalmem();
	const overhead = Math.min(used, BASE_BYTES + clients + replicas);
	return [
		['used_memory', used],
		['used_memory_human', humanBytes(used)],
		['used_memory_rss', usage.rss],
		['used_memory_rss_human', humanBytes(usage.rss)],
		['used_memory_peak', stats.peakMemoryBytes],
		['used_memory_peak_human', humanBytes(stats.peakMemoryBytes)],
		['used_memory_peak_perc', percent(used, stats.peakMemoryBytes)],
		['used_memory_overhead', overhead],
		['used_memory_startup', BASE_BYTES],
		['used_memory_dataset', used - overhead],
		['used_memory_dataset_perc', percent(used - overhead, Math.max(1, used - BASE_BYTES))],
		['allocator_allocated', usage.heapUsed],
		['allocator_active', usage.heapTotal],
		['allocator_resident', usage.rss],
		['total_system_memory', total],
		['total_system_memory_human', humanBytes(total)],
		['maxmemory', settings.maxmemory],
		['maxmemory_human', humanBytes(settings.maxmemory)],
		['maxmemory_policy', settings.maxmemoryPolicy],
		['mem_fragmentation_ratio', (usage.rss / used).toFixed(2)],
		['mem_fragmentation_bytes', usage.rss - used],
		['mem_not_counted_for_evict', 0],
		['mem_replication_backlog', Math.min(settings.replBacklogSize, server.log.readers.ring.heldBytes)],
		['mem_total_replication_buffers', server.log.readers.ring.heldBytes + unread],
		['mem_clients_slaves', replicas],
		['mem_clients_normal', clients],
		['mem_cluster_links', 0],
		['mem_aof_buffer', log.stats().memoryBytes],
		['mem_allocator', `v8-${process.versions.v8}`],
		['active_defrag_running', 0],
		['lazyfree_pending_objects', 0],
		['lazyfreed_objects', stats.lazyfreedObjects],
	];
}

function statsFields(server: Server): InfoField[] {
	const { engine, cron, pubsub } = server;
	const { stats } = engine;
	const exceededSinceUs = stats.evictionExceededSinceUs;
	const exceededUs = exceededSinceUs < 0 ? 0 : server.env.clock.monotonicUs() - exceededSinceUs;
	return [
		['total_connections_received', stats.connectionsReceived],
		['total_commands_processed', stats.commandsProcessed],
		['instantaneous_ops_per_sec', Math.round(cron.commandRate.perSecond)],
		['total_net_input_bytes', stats.netInputBytes],
		['total_net_output_bytes', stats.netOutputBytes],
		['total_net_repl_input_bytes', stats.netReplInputBytes],
		['total_net_repl_output_bytes', stats.netReplOutputBytes],
		['instantaneous_input_kbps', (cron.inputRate.perSecond / 1024).toFixed(2)],
		['instantaneous_output_kbps', (cron.outputRate.perSecond / 1024).toFixed(2)],
		['rejected_connections', stats.rejectedConnections],
		['sync_full', stats.syncFull],
		['sync_partial_ok', stats.syncPartialOk],
		['sync_partial_err', stats.syncPartialErr],
		['expired_keys', stats.expiredKeys],
		['expired_stale_perc', stats.expiredStalePercent.toFixed(2)],
		['expired_time_cap_reached_count', stats.expiredTimeCapReached],
		['expire_cycle_cpu_milliseconds', Math.floor(stats.expireCycleUs / 1000)],
		['evicted_keys', stats.evictedKeys],
		['evicted_clients', 0],
		['total_eviction_exceeded_time', Math.floor((stats.evictionExceededUs + exceededUs) / 1000)],
		['current_eviction_exceeded_time', Math.floor(exceededUs / 1000)],
		['keyspace_hits', stats.keyspaceHits],
		['keyspace_misses', stats.keyspaceMisses],
		['pubsub_channels', pubsub.channels.size],
		['pubsub_patterns', pubsub.patterns.size],
		['pubsubshard_channels', pubsub.shardChannels.size],
		['latest_fork_usec', 0],
		['total_forks', server.snapshots.forkCount],
		['migrate_cached_sockets', server.migrator.cachedSocketCount],
		['slave_expires_tracked_keys', engine.replicaExpiry.size],
		['tracking_total_keys', 0],
		['tracking_total_items', 0],
		['tracking_total_prefixes', 0],
		['unexpected_error_replies', stats.unexpectedErrorReplies],
		['total_error_replies', stats.totalErrorReplies],
		['dump_payload_sanitizations', stats.dumpPayloadSanitizations],
		['total_reads_processed', stats.readsProcessed],
		['total_writes_processed', stats.writesProcessed],
		['io_threaded_reads_processed', 0],
		['io_threaded_writes_processed', 0],
		['client_query_buffer_limit_disconnections', stats.queryBufferLimitDisconnections],
		['client_output_buffer_limit_disconnections', stats.outputBufferLimitDisconnections],
		['eventloop_cycles', stats.eventLoopCycles],
		['eventloop_duration_sum', Math.round(stats.eventLoopUs)],
		['eventloop_duration_cmd_sum', Math.round(stats.eventLoopCommandUs)],
		['instantaneous_eventloop_cycles_per_sec', Math.round(cron.cycleRate.perSecond)],
		['instantaneous_eventloop_duration_usec', Math.round(cron.meanCycleUs)],
	];
}

function cpuFields(): InfoField[] {
	const { system, user } = process.cpuUsage();
	return [
		['used_cpu_sys', (system / 1e6).toFixed(6)],
		['used_cpu_user', (user / 1e6).toFixed(6)],
		['used_cpu_sys_children', '0.000000'],
		['used_cpu_user_children', '0.000000'],
	];
}

/** Every row with its subcommands. */
function* allRows(server: Server): Generator<CommandSpec> {
	for (const spec of server.engine.registry.commands()) {
		yield spec;
		if (spec.subcommands !== undefined) yield* spec.subcommands.values();
	}
}

function commandStatsFields(server: Server): InfoField[] {
	const fields: InfoField[] = [];
	for (const row of allRows(server)) {
		if (row.calls === 0 && row.failedCalls === 0 && row.rejectedCalls === 0) continue;
		const usec = Math.round(row.totalUs);
		const perCall = row.calls === 0 ? 0 : row.totalUs / row.calls;
		fields.push([
			`cmdstat_${row.name}`,
			`calls=${row.calls},usec=${usec},usec_per_call=${perCall.toFixed(2)},` +
				`rejected_calls=${row.rejectedCalls},failed_calls=${row.failedCalls}`,
		]);
	}
	return fields;
}

function latencyStatsFields(server: Server): InfoField[] {
	if (!server.settings.latencyTracking) return [];
	const fields: InfoField[] = [];
	for (const { name, latency } of allRows(server)) {
		if (latency === undefined) continue;
		const values = server.settings.latencyTrackingInfoPercentiles.map(
			(p) => `p${p}=${latency.percentileUs(p).toFixed(3)}`,
		);
		fields.push([`latency_percentiles_usec_${name}`, values.join(',')]);
	}
	return fields;
}

function keyspaceFields(server: Server): InfoField[] {
	return server.engine.dbs
		.filter((db) => db.size > 0)
		.map((db) => [
			`db${db.id}`,
			`keys=${db.size},expires=${db.expires.size},avg_ttl=${Math.floor(db.avgTtlMs)}`,
		]);
}

function errorFields(server: Server): InfoField[] {
	return [...server.engine.stats.errors].map(([code, count]) => [`errorstat_${code}`, `count=${count}`]);
}

function debugFields(server: Server): InfoField[] {
	const { stats } = server.engine;
	return [
		['eventloop_duration_aof_sum', Math.round(stats.eventLoopLogUs)],
		['eventloop_duration_cron_sum', Math.round(stats.eventLoopCronUs)],
		['eventloop_duration_max', Math.round(stats.eventLoopUsMax)],
		['eventloop_cmd_per_cycle_max', stats.eventLoopCommandsMax],
	];
}

const SECTIONS: readonly Section[] = [
	{ name: 'server', title: 'Server', byDefault: true, fields: serverFields },
	{ name: 'clients', title: 'Clients', byDefault: true, fields: clientFields },
	{ name: 'memory', title: 'Memory', byDefault: true, fields: memoryFields },
	{ name: 'persistence', title: 'Persistence', byDefault: true, fields: infoPersistence },
	{ name: 'stats', title: 'Stats', byDefault: true, fields: statsFields },
	{ name: 'replication', title: 'Replication', byDefault: true, fields: infoReplication },
	{ name: 'cpu', title: 'CPU', byDefault: true, fields: cpuFields },
	{ name: 'modules', title: 'Modules', byDefault: true, fields: () => [] },
	{ name: 'commandstats', title: 'Commandstats', byDefault: false, fields: commandStatsFields },
	{ name: 'errorstats', title: 'Errorstats', byDefault: true, fields: errorFields },
	{ name: 'latencystats', title: 'Latencystats', byDefault: false, fields: latencyStatsFields },
	{ name: 'cluster', title: 'Cluster', byDefault: true, fields: () => [['cluster_enabled', 0]] },
	{ name: 'keyspace', title: 'Keyspace', byDefault: true, fields: keyspaceFields },
	{ name: 'debug', title: 'Debug', byDefault: false, hidden: true, fields: debugFields },
];

/** The text of INFO for the sections asked for; none means the default ones. */
export function infoText(server: Server, asked: readonly string[]): string {
	const names = new Set(asked.map((name) => name.toLowerCase()));
	const everything = names.has('all') || names.has('everything');
	const defaults = names.size === 0 || names.has('default');
	const parts: string[] = [];
	for (const section of SECTIONS) {
		const shown = (everything && !section.hidden) || (defaults && section.byDefault);
		if (!shown && !names.has(section.name)) continue;
		const lines = section.fields(server).map(([name, value]) => `${name}:${value}\r\n`);
		parts.push(`# ${section.title}\r\n${lines.join('')}`);
	}
	return parts.join('\r\n');
}

export function infoCommands(server: Server): CommandSpec[] {
	const handler = (ctx: CommandContext) => ctx.reply.verbatim(infoText(server, ctx.args.slice(1)), 'txt');
	return [
		command('info', handler, -1, LOADING | STALE, NO_KEYS, CAT_DANGEROUS, {
			tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
		}),
	];
}
