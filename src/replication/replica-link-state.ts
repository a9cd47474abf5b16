/**
 * The replica's end of the link to its master, as a pure state machine: `step(event, nowMs)` returns what is to be done.
 * No sockets, timers, clocks or files.
 *
 *     none -> connect -> connecting -> handshake -> sync (waiting, receiving, loading) -> connected
 *                                          \____________ +CONTINUE ________________________/
 *
 * What goes wrong leads back to `connect`, and from there to the next try: at once where a link that worked has ended,
 * a second later where the master refused. Whatever the master sends is either understood or ends the link with a
 * reason in the log: lines are bounded, lengths are checked, and nothing is kept in memory but a line or the 39 bytes
 * that may begin a mark. The old data is not touched before a snapshot is whole.
 *
 * A snapshot is announced by `$<bytes>` or `$EOF:<40 bytes>`; empty lines before it keep the connection alive. The
 * stream follows it without a sign; behind a marked one the master waits for our first acknowledgement.
 *
 * Source of the protocol and of the texts: Redis 7.2.6, replication.c (syncWithMaster, readSyncBulkPayload,
 * slaveTryPartialResynchronization, replicationCron, cancelReplicationHandshake).
 */
import type { LogLevel } from '../base/logger.js';
import type { LinkAction, LinkEvent, LinkPhase, LinkSurroundings } from './replica-link-events.js';
import { type MasterAddress, REPLID_LENGTH, type ReplicationState } from './replication-state.js';
import { MARK_BYTES, SnapshotMark } from './snapshot-mark.js';

/** Longer lines come from something else than a master. */
const LINE_BYTES_MAX = 1024;
const RETRY_MS = 1000;
const ACK_PERIOD_MS = 1000;
/** While a snapshot is loaded an empty line tells the master that we are there. */
const ALIVE_PERIOD_MS = 1000;
/** Snapshots refused in a row, behind which the next try waits. */
const PATIENCE = 2;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const NOTHING = Buffer.alloc(0);

/** What the next line of the master answers. */
type Expected = 'ping' | 'auth' | 'listening-port' | 'ip-address' | 'capa' | 'psync' | 'bulk';
type Transfer = 'none' | 'waiting' | 'receiving' | 'loading';

export class ReplicaLink {
	phase: LinkPhase = 'none';
	/** Size of the snapshot being received, or 0 if it is not known; and how much of it has come. In bytes. */
	transferSize = 0;
	transferRead = 0;
	/** When bytes last came, or the present step of the connection began, in ms. */
	lastIoMs = 0;
	/** Since when there is no working link, in ms; -1 if there never was one, or it works. */
	downSinceMs = -1;
	/** When the link began to work, in ms; -1 if it does not. */
	upSinceMs = -1;

	private readonly state: ReplicationState;
	private readonly around: LinkSurroundings;
	private actions: LinkAction[] = [];
	private nowMs = 0;
	private master: MasterAddress | null = null;
	private isFailover = false;
	private hasConnection = false;
	private retryAtMs = 0;
	private expected: Expected[] = [];
	private line = '';
	private transfer: Transfer = 'none';
	private mark: SnapshotMark | null = null;
	private masterReplid = '';
	private masterOffset = -1;
	/** The master knows nothing of PSYNC: it got SYNC, and gets no acknowledgements. */
	private isOldMaster = false;
	/** What came behind a snapshot that is being loaded. */
	private rest: Buffer = NOTHING;
	private sentAtMs = 0;
	private badSnapshotCount = 0;

	constructor(state: ReplicationState, around: LinkSurroundings) {
		this.state = state;
		this.around = around;
	}

	/** A snapshot is being received or loaded, or waited for. */
	get isSyncing(): boolean {
		return this.transfer !== 'none';
	}

	/** Nothing is to be read from the connection: a snapshot is being loaded. */
	get isReadingPaused(): boolean {
		return this.transfer === 'loading';
	}

	step(event: LinkEvent, nowMs: number): LinkAction[] {
		this.nowMs = nowMs;
		this.handle(event);
		const { actions } = this;
		this.actions = [];
		return actions;
	}

	private handle(event: LinkEvent): void {
		switch (event.kind) {
			case 'follow':
				return this.follow(event.master, event.isFailover);
			case 'stop':
				return this.stop();
			case 'connected':
				return this.connected();
			case 'received':
				return this.received(event.bytes);
			case 'closed':
				return this.closed(event.message);
			case 'tick':
				return this.tick();
			case 'loaded':
				return this.loaded();
			case 'snapshot-failed':
				return this.snapshotFailed();
			case 'stream-fault':
				return this.streamFault(event.message);
			case 'ack-requested':
				if (this.phase === 'connected') this.sendAck();
				return;
			case 'drop':
				return this.drop();
		}
	}

	// ---- beginning and ending -------------------------------------------------------------------

	private follow(master: MasterAddress, isFailover: boolean): void {
		this.endConnection();
		this.master = master;
		this.isFailover = isFailover;
		this.badSnapshotCount = 0;
		this.toConnect();
		this.log('notice', `Connecting to MASTER ${master.host}:${master.port}`);
		this.connect();
	}

	private stop(): void {
		this.endConnection();
		this.master = null;
		this.isFailover = false;
		this.phase = 'none';
		this.downSinceMs = -1;
	}

	private connect(): void {
		const { master } = this;
		if (master === null) return;
		this.phase = 'connecting';
		this.hasConnection = true;
		this.lastIoMs = this.nowMs;
		this.actions.push({ kind: 'connect', master });
		this.log('notice', 'MASTER <-> REPLICA sync started');
	}

	private endConnection(): void {
		if (this.hasConnection) this.actions.push({ kind: 'close' });
		this.dropConnection();
	}

	/** The connection is gone, or as good as. */
	private dropConnection(): void {
		this.hasConnection = false;
		if (this.transfer === 'receiving' || this.transfer === 'loading')
			this.actions.push({ kind: 'abandon-snapshot' });
		this.transfer = 'none';
		this.mark = null;
		this.line = '';
		this.expected = [];
		this.rest = NOTHING;
		this.transferSize = 0;
		this.transferRead = 0;
		if (this.upSinceMs >= 0) this.downSinceMs = this.nowMs;
		this.upSinceMs = -1;
	}

	private toConnect(): void {
		this.phase = 'connect';
		this.retryAtMs = this.nowMs + RETRY_MS;
	}

	/** Ends the connection; the next try comes a little later. */
	private fail(level: LogLevel, message: string): void {
		this.log(level, message);
		this.endConnection();
		this.toConnect();
	}

	/** Ends the connection, and tries again at once. */
	private failAndReconnect(level: LogLevel, message: string): void {
		this.log(level, message);
		this.endConnection();
		this.toConnect();
		if (this.badSnapshotCount > PATIENCE) return;
		this.reconnect(' after failure');
	}

	private reconnect(why: string): void {
		const { master } = this;
		if (master === null) return;
		this.log('notice', `Reconnecting to MASTER ${master.host}:${master.port}${why}`);
		this.connect();
	}

	private drop(): void {
		if (this.phase === 'connected') this.lostMaster();
		else if (this.hasConnection) {
			this.endConnection();
			this.toConnect();
		}
	}

	private closed(message: string): void {
		if (!this.hasConnection) return;
		this.hasConnection = false;
		if (this.phase === 'connected') {
			this.log('notice', 'Connection with master lost.');
			this.lostMaster();
			return;
		}
		if (this.phase === 'connecting')
			return this.fail('warning', `Error condition on socket for SYNC: ${message}`);
		if (this.phase === 'sync') {
			if (this.transfer === 'receiving' && this.around.loadsFromSocket) {
				// In the words of who loads while it receives.
				this.log(
					'warning',
					`Internal error in RDB reading offset ${this.transferRead} -> Unexpected EOF: ${message}`,
				);
				const failure = 'Failed trying to load the MASTER synchronization DB from socket, check server logs.';
				return this.failAndReconnect('warning', failure);
			}
			return this.failAndReconnect('warning', `I/O error trying to sync with MASTER: ${message}`);
		}
		this.fail('warning', 'Master did not respond to command during SYNC handshake');
	}

	private lostMaster(): void {
		this.log('notice', 'Caching the disconnected master state.');
		this.endConnection();
		this.toConnect();
		this.reconnect('');
	}

	private streamFault(message: string): void {
		if (this.phase !== 'connected') return;
		this.log('warning', `Protocol error from master: ${message}`);
		// To continue would bring the same bytes again.
		this.state.hasHistory = false;
		this.endConnection();
		this.toConnect();
	}

	// ---- time -----------------------------------------------------------------------------------

	private tick(): void {
		const silentMs = this.nowMs - this.lastIoMs;
		const isLate = silentMs > this.around.replTimeout * 1000;
		switch (this.phase) {
			case 'none':
				return;
			case 'connect': {
				const { master } = this;
				if (master === null || this.nowMs < this.retryAtMs) return;
				this.log('notice', `Connecting to MASTER ${master.host}:${master.port}`);
				return this.connect();
			}
			case 'connecting':
			case 'handshake':
				if (isLate) this.failAndReconnect('warning', 'Timeout connecting to the MASTER...');
				return;
			case 'sync':
				if (this.transfer === 'loading') {
					if (this.nowMs - this.sentAtMs >= ALIVE_PERIOD_MS) this.send('\n');
				} else if (isLate) {
					this.failAndReconnect(
						'warning',
						'Timeout receiving bulk data from MASTER... If the problem persists try to set the ' +
							"'repl-timeout' parameter in redis.conf to a larger value.",
					);
				}
				return;
			case 'connected':
				if (isLate) {
					this.log('warning', 'MASTER timeout: no data nor PING received...');
					this.lostMaster();
				} else if (this.nowMs - this.sentAtMs >= ACK_PERIOD_MS) this.sendAck();
		}
	}

	private sendAck(): void {
		if (this.isOldMaster) return;
		const { endOffset, fsyncedOffset } = this.around;
		const args = ['REPLCONF', 'ACK', String(endOffset)];
		if (fsyncedOffset >= 0) args.push('FACK', String(fsyncedOffset));
		this.sendCommand(args);
	}

	// ---- handshake ------------------------------------------------------------------------------

	private connected(): void {
		if (this.phase !== 'connecting') return;
		this.log('notice', 'Non blocking connect for SYNC fired the event.');
		this.phase = 'handshake';
		this.lastIoMs = this.nowMs;
		this.isOldMaster = false;
		this.ask('ping', ['PING']);
	}

	private received(bytes: Buffer): void {
		if (!this.hasConnection || bytes.length === 0) return;
		this.lastIoMs = this.nowMs;
		let at = 0;
		while (at < bytes.length && this.hasConnection) {
			if (this.phase === 'connected') {
				this.actions.push({ kind: 'stream', bytes: at === 0 ? bytes : bytes.subarray(at) });
				return;
			}
			if (this.transfer === 'loading') {
				this.rest = Buffer.concat([this.rest, bytes.subarray(at)]);
				return;
			}
			if (this.transfer === 'receiving') at += this.takeSnapshot(bytes.subarray(at));
			else at = this.takeLine(bytes, at);
		}
	}

	/** Reads up to the end of a line; where it goes on. */
	private takeLine(bytes: Buffer, at: number): number {
		const end = bytes.indexOf(NEWLINE, at);
		const stop = end < 0 ? bytes.length : end;
		if (this.line.length + stop - at > LINE_BYTES_MAX) {
			this.fail(
				'warning',
				'Bad protocol from MASTER: a line that does not end, are you sure the host and port are right?',
			);
			return bytes.length;
		}
		const withReturn = end > at && bytes[end - 1] === CARRIAGE_RETURN;
		this.line += bytes.latin1Slice(at, withReturn ? stop - 1 : stop);
		if (end < 0) return stop;
		const line = this.line.endsWith('\r') ? this.line.slice(0, -1) : this.line;
		this.line = '';
		this.takeReply(line);
		return end + 1;
	}

	private takeReply(line: string): void {
		const expected = this.transfer === 'waiting' ? 'bulk' : this.expected[0];
		switch (expected) {
			case undefined:
				return this.fail('warning', `Bad protocol from MASTER: '${line}' came without having been asked for`);
			case 'bulk':
				return this.takeBulkHeader(line);
			case 'psync':
				// Empty lines keep the connection alive until the answer is known.
				if (line !== '') this.takePsyncReply(line);
				return;
			case 'ping':
				if (!/^\+|^-NOAUTH|^-NOPERM|^-ERR operation not permitted/.test(line))
					return this.fail('warning', `Error reply to PING from master: '${line}'`);
				this.log('notice', 'Master replied to PING, replication can continue...');
				this.expected.shift();
				return this.introduce();
			case 'auth':
				if (line.startsWith('-')) return this.fail('warning', `Unable to AUTH to MASTER: ${line}`);
				break;
			case 'listening-port':
			case 'ip-address':
			case 'capa':
				if (line.startsWith('-'))
					this.log('notice', `(Non critical) Master does not understand REPLCONF ${expected}: ${line}`);
		}
		this.expected.shift();
		if (this.expected.length === 0) this.askToSync();
	}

	/** Who we are, and what we understand. */
	private introduce(): void {
		const { masterauth, masteruser, announcedPort, announcedIp, followers } = this.around;
		if (masterauth !== '')
			this.ask('auth', masteruser === '' ? ['AUTH', masterauth] : ['AUTH', masteruser, masterauth]);
		this.ask('listening-port', ['REPLCONF', 'listening-port', String(announcedPort)]);
		if (announcedIp !== '') this.ask('ip-address', ['REPLCONF', 'ip-address', announcedIp]);
		// A master ignores capabilities that it does not know.
		const names = followers.flatMap((id) => ['capa', FOLLOWER_CAPABILITY + id]);
		this.ask('capa', ['REPLCONF', 'capa', 'eof', 'capa', 'psync2', ...names]);
	}

	private askToSync(): void {
		const { state } = this;
		let replid = '?';
		let psyncOffset = '-1';
		if (state.hasHistory) {
			replid = state.replid;
			psyncOffset = String(this.around.endOffset + 1);
			this.log('notice', `Trying a partial resynchronization (request ${replid}:${psyncOffset}).`);
		} else {
			this.log('notice', 'Partial resynchronization not possible (no cached master)');
		}
		this.masterReplid = '';
		this.masterOffset = -1;
		this.ask('psync', ['PSYNC', replid, psyncOffset, ...(this.isFailover ? ['FAILOVER'] : [])]);
	}

	private takePsyncReply(line: string): void {
		this.expected.shift();
		const isAccepted = /^\+(FULLRESYNC|CONTINUE)/.test(line);
		if (this.isFailover) {
			this.isFailover = false;
			const refusal = isAccepted ? null : 'Failover target rejected psync request';
			this.actions.push({ kind: 'failover-ended', refusal });
		}
		if (line.startsWith('+FULLRESYNC')) return this.takeFullResync(line);
		if (line.startsWith('+CONTINUE')) return this.takeContinue(line);
		if (/^-(NOMASTERLINK|LOADING)/.test(line))
			return this.fail('notice', `Master is currently unable to PSYNC but should be in the future: ${line}`);
		if (line.startsWith('-ERR')) {
			this.log('notice', `Master does not support PSYNC or is in error state (reply: ${line})`);
		} else {
			this.log('warning', `Unexpected reply to PSYNC from master: ${line}`);
		}
		this.log('notice', 'Retrying with SYNC...');
		this.isOldMaster = true;
		this.send('SYNC\r\n');
		this.awaitSnapshot();
	}

	private takeFullResync(line: string): void {
		const [, replid = '', offset = ''] = line.split(' ');
		const isOffset = /^\d{1,16}$/.test(offset) && Number.isSafeInteger(Number(offset));
		if (replid.length !== REPLID_LENGTH || !isOffset)
			return this.fail('warning', 'Master replied with wrong +FULLRESYNC syntax.');
		this.masterReplid = replid;
		this.masterOffset = Number(offset);
		this.log('notice', `Full resync from master: ${replid}:${offset}`);
		this.awaitSnapshot();
	}

	private takeContinue(line: string): void {
		const { state } = this;
		if (!state.hasHistory)
			return this.fail('warning', 'Master continues a stream that it was not asked for: ' + line);
		this.log('notice', 'Successful partial resynchronization with master.');
		const replid = line.slice('+CONTINUE '.length);
		// Masters before Redis 4 do not tell: then it is the one that was asked for.
		const known = replid.length === REPLID_LENGTH ? replid : state.replid;
		const replidChanged = state.continueAs(known, this.around.endOffset);
		if (replidChanged) this.log('notice', `Master replication ID changed to ${known}`);
		this.actions.push({ kind: 'continue', replidChanged });
		this.log('notice', 'MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.');
		this.work();
	}

	/** The link works from now on. */
	private work(): void {
		this.phase = 'connected';
		this.transfer = 'none';
		this.badSnapshotCount = 0;
		this.upSinceMs = this.nowMs;
		this.downSinceMs = -1;
		this.lastIoMs = this.nowMs;
		this.sentAtMs = this.nowMs;
	}

	// ---- snapshot -------------------------------------------------------------------------------

	private awaitSnapshot(): void {
		this.phase = 'sync';
		this.transfer = 'waiting';
		this.expected = [];
		this.transferSize = -1;
		this.transferRead = 0;
	}

	private takeBulkHeader(line: string): void {
		if (line === '') return; // keeps the connection alive
		if (line.startsWith('-'))
			return this.failAndReconnect('warning', `MASTER aborted replication with an error: ${line.slice(1)}`);
		const target = this.around.loadsFromSocket ? 'to parser' : 'to disk';
		if (line.startsWith('$EOF:') && line.length === 5 + MARK_BYTES) {
			this.mark = new SnapshotMark(line.slice(5));
			this.transferSize = 0;
			this.log('notice', `MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF ${target}`);
			this.actions.push({ kind: 'begin-snapshot', size: -1, replid: this.masterReplid });
		} else if (/^\$\d{1,16}$/.test(line) && Number.isSafeInteger(Number(line.slice(1)))) {
			this.mark = null;
			this.transferSize = Number(line.slice(1));
			this.log(
				'notice',
				`MASTER <-> REPLICA sync: receiving ${this.transferSize} bytes from master ${target}`,
			);
			this.actions.push({ kind: 'begin-snapshot', size: this.transferSize, replid: this.masterReplid });
		} else if (line.startsWith('$')) {
			return this.fail('warning', `Bad protocol from MASTER: '${line}' is not the length of a snapshot`);
		} else {
			return this.fail(
				'warning',
				`Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure the host and port are right?`,
			);
		}
		this.transfer = 'receiving';
		if (this.transferSize === 0 && this.mark === null) this.loadSnapshot();
	}

	/** Takes what belongs to the snapshot; how many bytes of the chunk that were, with the mark. */
	private takeSnapshot(bytes: Buffer): number {
		const { mark } = this;
		if (mark === null) {
			const size = Math.min(bytes.length, this.transferSize - this.transferRead);
			this.takePayload(bytes.subarray(0, size));
			if (this.transferRead === this.transferSize) this.loadSnapshot();
			return size;
		}
		mark.feed(bytes);
		this.takePayload(mark.before);
		this.takePayload(mark.chunk);
		if (mark.restAt < 0) return bytes.length;
		this.loadSnapshot();
		return mark.restAt;
	}

	private takePayload(bytes: Buffer): void {
		if (bytes.length === 0) return;
		this.transferRead += bytes.length;
		this.actions.push({ kind: 'snapshot-bytes', bytes });
	}

	private loadSnapshot(): void {
		this.transfer = 'loading';
		this.sentAtMs = this.nowMs;
		this.actions.push({ kind: 'load-snapshot', replid: this.masterReplid, offset: this.masterOffset });
	}

	private loaded(): void {
		if (this.transfer !== 'loading') return;
		const { rest } = this;
		const isMarked = this.mark !== null;
		this.mark = null;
		this.rest = NOTHING;
		this.work();
		this.log('notice', 'MASTER <-> REPLICA sync: Finished with success');
		// The master of a marked snapshot waits for it.
		if (isMarked) this.sendAck();
		if (rest.length > 0) this.actions.push({ kind: 'stream', bytes: rest });
	}

	private snapshotFailed(): void {
		if (this.transfer === 'none') return;
		this.badSnapshotCount++;
		this.failAndReconnect(
			'warning',
			'Failed trying to load the MASTER synchronization DB, check server logs.',
		);
	}

	// ---- output ---------------------------------------------------------------------------------

	private ask(expected: Expected, args: readonly string[]): void {
		this.expected.push(expected);
		this.sendCommand(args);
	}

	private sendCommand(args: readonly string[]): void {
		let bytes = `*${args.length}\r\n`;
		for (const arg of args) bytes += `$${arg.length}\r\n${arg}\r\n`;
		this.send(bytes);
	}

	private send(bytes: string): void {
		this.sentAtMs = this.nowMs;
		this.actions.push({ kind: 'send', bytes });
	}

	private log(level: LogLevel, message: string): void {
		this.actions.push({ kind: 'log', level, message });
	}
}

/** Before the identifier of a server that follows the one that asks, among its capabilities. */
export const FOLLOWER_CAPABILITY = 'tsredis-id:';
