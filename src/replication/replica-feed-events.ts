/** What the master's end of a link is told, and what it wants done: between `replica-feed-state.ts` and its driver. */
import type { LogLevel } from '../base/logger.js';
import type { KeptLog } from './replication-state.js';

export type FeedEvent =
	/** `REPLCONF option value …`, the name of the command included. */
	| { readonly kind: 'replconf'; readonly args: readonly string[] }
	/** `SYNC`, or `PSYNC replid offset [FAILOVER]`, the name of the command included. */
	| { readonly kind: 'sync'; readonly args: readonly string[] }
	/** The snapshot that was asked for is, or will be, the dataset at `offset`; the stream follows from there. */
	| { readonly kind: 'snapshot-chosen'; readonly offset: number }
	/** Its bytes can be sent: `size` of them, or -1 if that is not known; then `mark` ends them (40 bytes, random). */
	| { readonly kind: 'snapshot-ready'; readonly size: number; readonly mark: string }
	/** All of them have been handed to the network. */
	| { readonly kind: 'snapshot-sent' }
	/** There is none. `message`: why, in words. */
	| { readonly kind: 'snapshot-failed'; readonly message: string }
	/** The network has taken bytes of the snapshot. */
	| { readonly kind: 'progress' }
	/** To be sent about once a second. */
	| { readonly kind: 'tick' };

export type FeedAction =
	/** An answer, in RESP. */
	| { readonly kind: 'reply'; readonly bytes: string }
	/** Bytes among the stream, in latin1. */
	| { readonly kind: 'send'; readonly bytes: string }
	/** From now on it is a replica: it is listed as such, and gets no replies any more. */
	| { readonly kind: 'become-replica' }
	/**
	 * Find or make a snapshot: a base that is there, one that is being made, or a new one. `bySocket`: it may be sent while
	 * it is being made. `snapshot-chosen` follows, then `snapshot-ready`; or `snapshot-failed`.
	 */
	| { readonly kind: 'request-snapshot'; readonly bySocket: boolean }
	/** Send its bytes; `snapshot-sent` follows. */
	| { readonly kind: 'send-snapshot' }
	/** Send the log from there on, for as long as the link lives. */
	| { readonly kind: 'stream'; readonly fromOffset: number }
	/** `ackedOffset` or `fsyncedOffset` has advanced, or the replica is online now (WAIT, `min-replicas-to-write`). */
	| { readonly kind: 'progressed' }
	/** Stop being a replica: the master asks us to take its place. Then the same event comes again without FAILOVER. */
	| { readonly kind: 'take-over' }
	/** How a partial resynchronization went (INFO stats). */
	| { readonly kind: 'count'; readonly what: 'full' | 'partial-ok' | 'partial-err' }
	/** End the connection, once what has been sent before has left. */
	| { readonly kind: 'close' }
	| { readonly kind: 'log'; readonly level: LogLevel; readonly message: string };

/** How far the replica is; `online` and those before it as INFO shows them, `none` is an ordinary client. */
export type FeedPhase =
	| 'none'
	| 'wait-bgsave-start'
	| 'wait-bgsave-end'
	| 'send-bulk'
	| 'online'
	| 'rdb-sent';

/** What the state machine looks at outside itself, always as it is now. */
export interface FeedSurroundings {
	/** For the log: address and port of the replica. */
	readonly replicaName: string;
	readonly kept: KeptLog;
	/** Of a replica: its own link works; and it does so for so short a time that replicas may be ahead of it. */
	readonly isLinkUp: boolean;
	readonly isCatchingUp: boolean;
	readonly isFailingOver: boolean;
	/** Replies to earlier commands of the same connection have not left yet. */
	readonly hasPendingReplies: boolean;
	/** Seconds. */
	readonly replTimeout: number;
	readonly replDisklessSync: boolean;
	/** The identifier of this server. */
	readonly runId: string;
}
