/** REPLICAOF and SLAVEOF; what ROLE and INFO tell of a replica. Source: Redis 7.2.6, replication.c, server.c. */

import { parseIntInRange } from '../base/numbers.js';
import { clientInfoLine } from '../engine/client-info.js';
import {
	ADMIN,
	type CommandSpec,
	command,
	NO_ASYNC_LOADING,
	NO_KEYS,
	NOSCRIPT,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import type { Settings } from '../engine/settings.js';
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import type { ReplicaLinkDriver } from './replica-link-driver.js';
import type { ReplicationState } from './replication-state.js';

const PORT_MAX = 65535;

/** What the commands act upon. */
export interface ReplicaRole {
	readonly state: ReplicationState;
	readonly driver: ReplicaLinkDriver;
	/** FAILOVER is under way. */
	readonly isFailingOver: boolean;
	/** 40 digits of the log position up to which the stream has been applied. */
	readonly endOffset: number;
}

export function replicaofCommands(role: ReplicaRole): CommandSpec[] {
	const handler = (ctx: CommandContext) => replicaofCommand(ctx, role);
	const flags = NO_ASYNC_LOADING | ADMIN | NOSCRIPT | STALE;
	return [
		command('replicaof', handler, 3, flags, NO_KEYS, 0),
		command('slaveof', handler, 3, flags, NO_KEYS, 0),
	];
}

function replicaofCommand(ctx: CommandContext, role: ReplicaRole): void {
	const { args, settings, engine, client } = ctx;
	const { state, driver } = role;
	if (settings.clusterEnabled) return ctx.replyError('ERR REPLICAOF not allowed in cluster mode.');
	if (role.isFailingOver) return ctx.replyError('ERR REPLICAOF not allowed while failing over.');
	const [, host, portText] = args as [string, string, string];
	const who = (): string => clientInfoLine(client, ctx.nowMs);
	if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one') {
		if (state.isReplica) {
			driver.promote();
			settings.replicaof = undefined;
			engine.logger.log('notice', `MASTER MODE enabled (user request from '${who()}')`);
		}
		return ctx.reply.ok();
	}
	const port = parseIntInRange(portText, 0, PORT_MAX);
	if (port === undefined) return ctx.replyError('ERR Invalid master port');
	const { master } = state;
	if (master !== null && master.host.toLowerCase() === host.toLowerCase() && master.port === port) {
		engine.logger.log(
			'notice',
			'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
		);
		return ctx.reply.simple('OK Already connected to specified master');
	}
	driver.follow({ host, port });
	settings.replicaof = { host, port };
	engine.logger.log('notice', `REPLICAOF ${host}:${port} enabled (user request from '${who()}')`);
	ctx.reply.ok();
}

/** What ROLE replies on a replica. */
export function replyReplicaRole(reply: ReplyBuffer, role: ReplicaRole): void {
	const { master } = role.state;
	if (master === null) return;
	const { link } = role.driver;
	reply.array(5);
	reply.bulk('slave');
	reply.bulk(master.host);
	reply.integer(master.port);
	reply.bulk(link.phase);
	reply.integer(role.driver.isUp ? role.endOffset : -1);
}

/** The fields of INFO replication between `role` and `connected_slaves`; none on a master. */
export function replicaFields(
	role: ReplicaRole,
	settings: Settings,
	nowMs: number,
): [string, string | number][] {
	const { state, driver } = role;
	const { link } = driver;
	if (state.master === null) return [];
	const seconds = (sinceMs: number): number => Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
	const hasOffset = state.hasHistory || driver.isUp;
	const fields: [string, string | number][] = [
		['master_host', state.master.host],
		['master_port', state.master.port],
		['master_link_status', driver.isUp ? 'up' : 'down'],
		['master_last_io_seconds_ago', driver.isUp ? seconds(link.lastIoMs) : -1],
		['master_sync_in_progress', link.isSyncing ? 1 : 0],
		['slave_read_repl_offset', hasOffset ? driver.receivedOffset : 1],
		['slave_repl_offset', hasOffset ? role.endOffset : 1],
	];
	if (link.isSyncing) {
		const { transferSize, transferRead } = link;
		const percent = transferSize > 0 ? (transferRead / transferSize) * 100 : 0;
		fields.push(
			['master_sync_total_bytes', transferSize],
			['master_sync_read_bytes', transferRead],
			['master_sync_left_bytes', transferSize - transferRead],
			['master_sync_perc', percent.toFixed(2)],
			['master_sync_last_io_seconds_ago', seconds(link.lastIoMs)],
		);
	}
	if (!driver.isUp)
		fields.push(['master_link_down_since_seconds', link.downSinceMs < 0 ? -1 : seconds(link.downSinceMs)]);
	fields.push(
		['slave_priority', settings.replicaPriority],
		['slave_read_only', settings.replicaReadOnly ? 1 : 0],
		['replica_announced', settings.replicaAnnounced ? 1 : 0],
	);
	return fields;
}
