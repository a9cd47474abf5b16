/** What the replica's end of a link is told, and what it wants done: between `replica-link-state.ts` and its driver. */
import type { LogLevel } from '../base/logger.js';
import type { MasterAddress } from './replication-state.js';

/** What happens to the link. `bytes` are the state machine's only during the step. */
export type LinkEvent =
	/** Follow that master; `isFailover`: it is a replica of ours that is to take over (FAILOVER). */
	| { readonly kind: 'follow'; readonly master: MasterAddress; readonly isFailover: boolean }
	/** Follow nobody. */
	| { readonly kind: 'stop' }
	/** The connection has been made. */
	| { readonly kind: 'connected' }
	| { readonly kind: 'received'; readonly bytes: Buffer }
	/** The connection could not be made, has failed or been closed, not by us. `message`: why. */
	| { readonly kind: 'closed'; readonly message: string }
	/** To be sent some times a second: timeouts, acknowledgements, the next try. */
	| { readonly kind: 'tick' }
	/** What `load-snapshot` asked for has been done: the state has the IDs of the master, and the log its offset. */
	| { readonly kind: 'loaded' }
	/**
	 * The snapshot could not be stored or loaded; the reason is logged already. If the old data has been given up, the
	 * state's `hasHistory` is false by now.
	 */
	| { readonly kind: 'snapshot-failed' }
	/** The stream holds what no master sends; nothing behind it may be applied. */
	| { readonly kind: 'stream-fault'; readonly message: string }
	/** The stream asked for an acknowledgement (REPLCONF GETACK). */
	| { readonly kind: 'ack-requested' }
	/** The link is to be dropped and made again (CLIENT KILL TYPE master). */
	| { readonly kind: 'drop' };

/** What the driver has to do, in the order in which it is asked for. */
export type LinkAction =
	| { readonly kind: 'connect'; readonly master: MasterAddress }
	/** `bytes`: latin1. */
	| { readonly kind: 'send'; readonly bytes: string }
	/** Close the connection; no event of it may come any more. */
	| { readonly kind: 'close' }
	/** A snapshot of the history `replid` follows: `size` bytes, or -1 if its end is marked. The old data stays. */
	| { readonly kind: 'begin-snapshot'; readonly size: number; readonly replid: string }
	/** The next bytes of it, to be used or copied before the driver returns. */
	| { readonly kind: 'snapshot-bytes'; readonly bytes: Buffer }
	/**
	 * It is whole. Load it: then the dataset is that of the master at `offset` of the history `replid`. Both are unknown
	 * ('' and -1) of a master that does not know PSYNC. Nothing is to be read from the connection meanwhile; `loaded` or
	 * `snapshot-failed` follows, unless the link is ended before.
	 */
	| { readonly kind: 'load-snapshot'; readonly replid: string; readonly offset: number }
	/** It will not become whole, or is not wanted any more, loading included: the temporary file goes. */
	| { readonly kind: 'abandon-snapshot' }
	/** The stream goes on behind the end of our log. `replidChanged`: our replicas must be disconnected. */
	| { readonly kind: 'continue'; readonly replidChanged: boolean }
	/**
	 * The next bytes of the stream, to be used or copied before the driver returns: append and apply what becomes whole.
	 * What has not become whole when the link ends is dropped: it will come again.
	 */
	| { readonly kind: 'stream'; readonly bytes: Buffer }
	/** What has become of a failover: null, or why the other side did not take over. */
	| { readonly kind: 'failover-ended'; readonly refusal: string | null }
	| { readonly kind: 'log'; readonly level: LogLevel; readonly message: string };

/** How far the link is; as ROLE shows it. */
export type LinkPhase = 'none' | 'connect' | 'connecting' | 'handshake' | 'sync' | 'connected';

/** What the state machine looks at outside itself, always as it is now. */
export interface LinkSurroundings {
	/** End of what has been applied and appended to our log. */
	readonly endOffset: number;
	/** End of what is durable; -1 without a log on disk. */
	readonly fsyncedOffset: number;
	readonly masterauth: string;
	readonly masteruser: string;
	/** What the master is to show of us: a port, and an address or '' for that of the connection. */
	readonly announcedPort: number;
	readonly announcedIp: string;
	/** Seconds. */
	readonly replTimeout: number;
	/** How a snapshot is taken, for the log: it goes to a file first, or straight to the dataset. */
	readonly loadsFromSocket: boolean;
	/** Identifiers of this server and of those that follow it: how a ring is noticed. */
	readonly followers: readonly string[];
}
