/** The replica's end of replication, put together with the parts of a server. */
import type { ConnectionOptions } from 'node:tls';
import { type PeerOptions, peerConnector } from '../net/peer-socket.js';
import { type DivergenceHost, saveDivergence } from '../replication/divergence.js';
import { type LinkHost, ReplicaLinkDriver } from '../replication/replica-link-driver.js';
import type { ReplicaRole } from '../replication/replicaof-commands.js';
import type { Server } from './server.js';
import { buildTlsOptions } from './tls-options.js';

/** The driver of the link to a master, and what commands see of it. */
export function createReplica(server: Server): ReplicaRole {
	const { engine, replication, log, backlog, fs, settings } = server;
	const host: LinkHost = {
		engine,
		state: replication,
		log,
		backlog,
		fs,
		connect: peerConnector(() => peerOptions(server)),
		get port() {
			return settings.tlsReplication && settings.tlsPort !== 0
				? settings.tlsPort
				: server.port || settings.port;
		},
		get receivedPath() {
			return `${server.folder}/temp-repl-${process.pid}.rdb`;
		},
		get dumpPath() {
			return `${server.folder}/${settings.dbfilename}`;
		},
		progress: server.persistence.progress,
		followers: () => server.replicas.followers(),
		disconnectReplicas: () => server.replicas.disconnectAll(),
		roleChanged: () => server.roleChanged(),
		abandonSnapshots: () => {
			server.snapshots.cancel('rdb');
			server.snapshots.cancel('aof');
			server.snapshots.cancel('sync');
		},
		loaded: (rdb) => {
			server.persistence.replacedBy(rdb);
			// A log that had no base yet has been given up with its dataset.
			if (settings.appendonly && !log.attached) server.persistence.applyAppendonly();
		},
		reloadFromLog: () => server.persistence.reloadFromLog(),
		saveDivergence: () => saveDivergence({ ...divergenceOf(server), connect: host.connect }),
		failoverEnded: (refusal) => server.replicas.failover.ended(refusal),
	};
	const driver = new ReplicaLinkDriver(host);
	engine.dropMaster = (address) => driver.drop(address);
	return {
		state: replication,
		driver,
		get isFailingOver() {
			return server.replicas.failover.isActive;
		},
		get endOffset() {
			return log.endOffset;
		},
	};
}

function divergenceOf(server: Server): Omit<DivergenceHost, 'connect'> {
	const { engine, replication: state, log, fs, folder } = server;
	return { engine, state, log, fs, folder };
}

function peerOptions(server: Server): PeerOptions | string {
	const { settings } = server;
	const sourceAddress = settings.bindSourceAddr;
	if (!settings.tlsReplication) return { sourceAddress, tls: undefined };
	const tls = buildTlsOptions(settings, 'client');
	if ('error' in tls) return tls.error;
	// As Redis does: who has a certificate of our authority is trusted, whatever it is called.
	const options = { ...tls.options, checkServerIdentity: () => undefined } as ConnectionOptions;
	return { sourceAddress, tls: options };
}
