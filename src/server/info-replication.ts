/** The section Replication of INFO (Redis 7.2.6, server.c, genRedisInfoString). */
import type { FeedPhase } from '../replication/replica-feed-events.js';
import { replicaFields } from '../replication/replicaof-commands.js';
import { lagSeconds } from '../replication/replicas.js';
import type { InfoField } from './info-text.js';
import type { Server } from './server.js';

/** How far a replica is, in Redis's words. */
export const FEED_STATES: Readonly<Record<FeedPhase, string>> = {
	none: 'none',
	'wait-bgsave-start': 'wait_bgsave',
	'wait-bgsave-end': 'wait_bgsave',
	'send-bulk': 'send_bulk',
	online: 'online',
	'rdb-sent': 'rdb_transmitted',
};

export function infoReplication(server: Server): InfoField[] {
	const { replication, replicas, log, backlog, settings, engine } = server;
	const { heldBytes } = log.readers.ring;
	const fields: InfoField[] = [['role', replication.isReplica ? 'slave' : 'master']];
	fields.push(...replicaFields(server.replica, settings, engine.env.clock.nowMs()));
	fields.push(['connected_slaves', replicas.count]);
	if (settings.minReplicasToWrite > 0 && settings.minReplicasMaxLag > 0) {
		replicas.refreshGoodCount();
		fields.push(['min_slaves_good_slaves', replicas.goodCount]);
	}
	const nowMs = engine.env.clock.nowMs();
	let index = 0;
	for (const driver of replicas.attached) {
		const { feed, ip } = driver;
		if (ip === '') continue;
		const lag = feed.phase === 'online' ? lagSeconds(driver, nowMs) : 0;
		fields.push([
			`slave${index++}`,
			`ip=${ip},port=${feed.listeningPort},state=${FEED_STATES[feed.phase]},offset=${feed.ackedOffset},lag=${lag}`,
		]);
	}
	fields.push(
		['master_failover_state', replicas.failover.phase],
		['master_replid', replication.replid],
		['master_replid2', replication.replid2],
		['master_repl_offset', log.endOffset],
		['second_repl_offset', replication.secondReplOffset],
		['repl_backlog_active', backlog.isActive ? 1 : 0],
		['repl_backlog_size', settings.replBacklogSize],
		['repl_backlog_first_byte_offset', backlog.isActive ? log.endOffset - heldBytes + 1 : 0],
		['repl_backlog_histlen', backlog.isActive ? heldBytes : 0],
	);
	return fields;
}
