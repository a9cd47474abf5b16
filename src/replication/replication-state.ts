/**
 * Who a server is in replication: master or replica, and under which IDs the offsets of its log count. Pure: no
 * sockets, timers, clocks or files.
 *
 * A history is named by a replid. Its offsets count the bytes of the log; the bytes before an offset are the same on
 * every server that has the history up to there. `replid2` names the history that the present one continues: it is the
 * same up to `replid2EndOffset`, and knows nothing of what came behind. From this follows every rule below:
 *
 *  - who asks for (replid, offset) may continue if it names our history, or the one that ours continues and an offset
 *    not behind the end of the common part, and we still have the bytes from there on;
 *  - who becomes master begins a new history behind what it has;
 *  - who continues under a master whose history has another name takes over the name, and its own replicas are told by
 *    being disconnected;
 *  - who has received a snapshot has the master's history, and no other.
 *
 * Source of the protocol and of the texts: Redis 7.2.6, replication.c (masterTryPartialResynchronization,
 * replicationSetMaster, replicationUnsetMaster, slaveTryPartialResynchronization), server.c (loadDataFromDisk). There
 * offsets in PSYNC and `second_repl_offset` count the first byte that is missing, from 1; here an offset is the number
 * of bytes before it, as everywhere in the log.
 */

/** Stands for no replid. */
export const NO_REPLID = '0'.repeat(40);
/** Characters of a replid. */
export const REPLID_LENGTH = 40;

export interface MasterAddress {
	readonly host: string;
	readonly port: number;
}

/** What is kept with the log or in a snapshot, so that the IDs survive a restart. */
export interface StoredIds {
	readonly replid: string;
	readonly replid2: string;
	/** Log position up to which `replid2` counts, or -1. */
	readonly replid2EndOffset: number;
	/** The history was this server's own: it was a master when that was written. */
	readonly wasMaster: boolean;
}

/** What a server has of its log. */
export interface KeptLog {
	/** Log position of the first byte that can still be read; null if nothing can, not even what is appended next. */
	readonly oldestOffset: number | null;
	readonly endOffset: number;
}

/** `PSYNC replid offset`, as it was sent: the offset is that of the first byte that is missing, counted from 1. */
export interface SyncRequest {
	readonly replid: string;
	readonly psyncOffset: number;
}

export type SyncDecision =
	/** The replica has what we have before `fromOffset`, and the rest is sent. */
	| { readonly kind: 'continue'; readonly fromOffset: number }
	/** `reason`: for the log, `%s` standing for the replica; `isAhead`: it asked for what is not there yet. */
	| {
			readonly kind: 'full';
			readonly reason: string;
			readonly isAhead: boolean;
			/** It asked for a continuation, and did not get it (INFO, sync_partial_err). */
			readonly isRefusal: boolean;
	  }
	/** It is ahead of us in our own master's history: we shall have the bytes soon. */
	| { readonly kind: 'later' };

export class ReplicationState {
	replid: string;
	replid2 = NO_REPLID;
	/** Log position up to which `replid2` counts; -1 if there is none. */
	replid2EndOffset = -1;
	/** Whom this server follows; null: it is a master. */
	master: MasterAddress | null = null;
	/** The dataset is that of (replid, end of the log), so a master may be asked to continue from there. */
	hasHistory = false;

	/** `replid`: 40 hexadecimal digits, fresh from a good source of randomness. */
	constructor(replid: string) {
		this.replid = replid;
	}

	get isReplica(): boolean {
		return this.master !== null;
	}

	/** As INFO shows it (`second_repl_offset`): the first byte that `replid2` does not name, from 1; or -1. */
	get secondReplOffset(): number {
		return this.replid2EndOffset < 0 ? -1 : this.replid2EndOffset + 1;
	}

	/**
	 * Takes over what was stored, at start-up, with the log recovered up to `offset`. `isExact`: nothing of the history
	 * can have been behind `offset` (a clean shutdown, or every byte was durable before anybody saw it). Our own history
	 * goes on only then; else replicas may know more of it than we do, and what we append now must not count under the
	 * same name. Nor may we go on with the history of a master that we no longer follow.
	 */
	restore(stored: StoredIds, offset: number, isExact: boolean, newReplid: string): void {
		this.hasHistory = true;
		this.replid = stored.replid;
		this.replid2 = stored.replid2;
		this.replid2EndOffset = stored.replid2EndOffset;
		if (!this.isReplica && !(stored.wasMaster && isExact)) this.beginHistory(newReplid, offset);
	}

	/** REPLICAOF: what this master has is what it offers. */
	follow(master: MasterAddress): void {
		if (!this.isReplica) this.hasHistory = true;
		this.master = master;
	}

	/**
	 * REPLICAOF NO ONE: a new history behind what was received. The replicas are to be disconnected: they learn of it when
	 * they ask again. Whatever is appended next must begin with a SELECT, as they know nothing of our clients.
	 */
	promote(endOffset: number, newReplid: string): void {
		this.master = null;
		this.beginHistory(newReplid, endOffset);
	}

	/** The log forks here: `endOffset` is the last position that both histories have in common. */
	beginHistory(newReplid: string, endOffset: number): void {
		this.replid2 = this.replid;
		this.replid2EndOffset = endOffset;
		this.replid = newReplid;
		this.hasHistory = true;
	}

	/** A history of which nobody else can know anything: offsets did not count meanwhile. */
	forgetHistory(newReplid: string): void {
		this.replid = newReplid;
		this.replid2 = NO_REPLID;
		this.replid2EndOffset = -1;
	}

	/** The master lets us continue, under that name. Whether it is another one: then our replicas must be disconnected. */
	continueAs(replid: string, endOffset: number): boolean {
		if (replid === this.replid) return false;
		this.beginHistory(replid, endOffset);
		return true;
	}

	/** The dataset is now a snapshot of the master's history. Our replicas must have been disconnected before. */
	adoptSnapshot(replid: string): void {
		this.forgetHistory(replid);
		this.hasHistory = true;
	}

	/**
	 * Whether a replica that asks for this may continue. `isCatchingUp`: we have just been connected to our master, and
	 * may soon have what one of our own replicas has received of the same history before.
	 */
	decide(request: SyncRequest, kept: KeptLog, isCatchingUp: boolean): SyncDecision {
		const { replid, psyncOffset } = request;
		const fromOffset = psyncOffset - 1;
		const isOurs = sameReplid(replid, this.replid);
		const isBefore = !isOurs && sameReplid(replid, this.replid2);
		if (!isOurs && !(isBefore && fromOffset <= this.replid2EndOffset)) {
			if (replid.startsWith('?')) return full('Full resync requested by replica %s', false, false);
			const reason = isBefore
				? `Requested offset for second ID was ${psyncOffset}, but I can reply up to ${this.secondReplOffset}`
				: `Replication ID mismatch (Replica asked for '${replid}', my replication IDs are '${this.replid}' and '${this.replid2}')`;
			return full(`Partial resynchronization not accepted: ${reason}`, false, true);
		}
		if (fromOffset > kept.endOffset && this.isReplica && isCatchingUp) return { kind: 'later' };
		if (kept.oldestOffset === null || fromOffset < kept.oldestOffset || fromOffset > kept.endOffset) {
			const reason = `Unable to partial resync with replica %s for lack of backlog (Replica request was: ${psyncOffset}).`;
			return full(reason, fromOffset > kept.endOffset, true);
		}
		return { kind: 'continue', fromOffset };
	}
}

function full(reason: string, isAhead: boolean, isRefusal: boolean): SyncDecision {
	return { kind: 'full', reason, isAhead, isRefusal };
}

function sameReplid(a: string, b: string): boolean {
	return b !== NO_REPLID && a.toLowerCase() === b.toLowerCase();
}
