/** The snapshots that replicas are given, as the server can provide them. */
import type { MadeSnapshot, SnapshotContent, SnapshotMaker } from '../replication/sync-snapshots.js';
import type { Server } from './server.js';

export class SyncMaker implements SnapshotMaker {
	readonly #server: Server;

	constructor(server: Server) {
		this.#server = server;
	}

	get isBusy(): boolean {
		return this.#server.snapshots.running !== undefined;
	}

	make(content: SnapshotContent, asDump: boolean): MadeSnapshot {
		const { snapshots, settings } = this.#server;
		return snapshots.makeForReplicas(content, asDump && settings.save.length > 0);
	}

	/**
	 * Whoever reads the log behind the base begins with database 0, unless the base says otherwise, as those do that a
	 * replica has made or received.
	 */
	base(): { readonly path: string; readonly offset: number } | null {
		const { log, replication, snapshots } = this.#server;
		if (!log.attached || log.isTemporary || log.isScratch || snapshots.logIsDamaged) return null;
		const { base, incrementals } = log.manifest;
		if (base === null || base.startOffset < 0) return null;
		const next = incrementals.find(({ startOffset }) => startOffset === base.startOffset);
		if (next === undefined || (next.prefixSize > 0 && !replication.isReplica)) return null;
		try {
			const described = log.foldSource().base;
			if (described === null || described.format !== 'rdb' || described.preamble) return null;
			return { path: described.path, offset: base.startOffset };
		} catch {
			return null; // It can't be read.
		}
	}
}
