/**
 * The master's end of the link to one replica, as a pure state machine: `step(event, nowMs)` returns what is to be done.
 * No sockets, timers, clocks or files.
 *
 *     none -> wait-bgsave-start -> wait-bgsave-end -> send-bulk -> online
 *        \______________________ +CONTINUE _____________________/
 *
 * Before SYNC or PSYNC the replica is an ordinary client that says with REPLCONF what it understands. A snapshot is a
 * base of the log, which may be there already, or be made; the stream is read from the log behind it, so nothing is
 * gathered here meanwhile. Behind a snapshot whose end is marked, the stream begins with the first acknowledgement.
 *
 * Source of the protocol and of the texts: Redis 7.2.6, replication.c (syncCommand, replconfCommand,
 * masterTryPartialResynchronization, replicaPutOnline, replicationCron).
 */
import type { LogLevel } from '../base/logger.js';
import { parseSafeInt } from '../base/numbers.js';
import { splitArgs } from '../base/quote.js';
import type { FeedAction, FeedEvent, FeedPhase, FeedSurroundings } from './replica-feed-events.js';
import { FOLLOWER_CAPABILITY } from './replica-link-state.js';
import type { ReplicationState } from './replication-state.js';

const OK = '+OK\r\n';
const ERR_SYNTAX = 'ERR syntax error';
const ERR_NOT_INTEGER = 'ERR value is not an integer or out of range';
/** Bytes of an address, the end of the string included (Redis: NET_HOST_STR_LEN). */
const ADDRESS_BYTES_MAX = 256;
/** Servers that follow a replica, as far as we look. */
const FOLLOWERS_MAX = 64;

export class ReplicaFeed {
	phase: FeedPhase = 'none';
	/** As announced by REPLCONF; '' is the address of the connection. */
	announcedIp = '';
	listeningPort = 0;
	/** Identifiers of the replica and of the servers that follow it, as far as they are known. */
	readonly followers = new Set<string>();
	/** What the replica has applied, and has made durable, as it says; 0 before it has said so. */
	ackedOffset = 0;
	fsyncedOffset = 0;
	/** When it last said so, in ms. */
	ackMs = 0;
	/** When it was refused because of the state of our own link, in ms; -1 if it was not. */
	refusedMs = -1;
	/** It wants a snapshot and no stream (`redis-cli --rdb`). */
	isRdbOnly = false;
	/** It has no use for keys (`redis-cli --functions-rdb`), or none for functions. */
	excludesData = false;
	excludesFunctions = false;
	/** It came with SYNC: it does not acknowledge. */
	isOld = false;

	private readonly state: ReplicationState;
	private readonly around: FeedSurroundings;
	private actions: FeedAction[] = [];
	private nowMs = 0;
	private knowsEof = false;
	private knowsPsync2 = false;
	private streamOffset = 0;
	private mark = '';
	private awaitsFirstAck = false;
	private progressMs = 0;

	constructor(state: ReplicationState, around: FeedSurroundings) {
		this.state = state;
		this.around = around;
	}

	/** It counts as a replica (INFO, connected_slaves). */
	get isReplica(): boolean {
		return this.phase !== 'none';
	}

	/** Its snapshot may be sent while it is being made. */
	get canTakeSocket(): boolean {
		return this.knowsEof;
	}

	/** The snapshot that it gets ends with a mark. */
	get hasMark(): boolean {
		return this.mark !== '';
	}

	step(event: FeedEvent, nowMs: number): FeedAction[] {
		this.nowMs = nowMs;
		this.handle(event);
		const { actions } = this;
		this.actions = [];
		return actions;
	}

	private handle(event: FeedEvent): void {
		switch (event.kind) {
			case 'replconf':
				return this.replconf(event.args);
			case 'sync':
				return this.sync(event.args);
			case 'snapshot-chosen':
				return this.snapshotChosen(event.offset);
			case 'snapshot-ready':
				return this.snapshotReady(event.size, event.mark);
			case 'snapshot-sent':
				return this.snapshotSent();
			case 'snapshot-failed':
				return this.snapshotFailed(event.message);
			case 'progress':
				this.progressMs = this.nowMs;
				return;
			case 'tick':
				return this.tick();
		}
	}

	// ---- REPLCONF -------------------------------------------------------------------------------

	private replconf(args: readonly string[]): void {
		if (args.length % 2 === 0) return this.refuse(ERR_SYNTAX);
		for (let i = 1; i < args.length; i += 2) {
			const option = args[i]!.toLowerCase();
			if (option === 'ack') return this.ack(args, i);
			// Answered by the other end of a link, if there is one.
			if (option === 'getack') return;
			const error = this.takeOption(option, args[i]!, args[i + 1]!);
			if (error !== undefined) return this.refuse(error);
		}
		this.actions.push({ kind: 'reply', bytes: OK });
	}

	/** Takes one option of REPLCONF; the error if it can't be. */
	private takeOption(option: string, name: string, value: string): string | undefined {
		switch (option) {
			case 'listening-port': {
				const port = parseSafeInt(value);
				if (port === undefined) return ERR_NOT_INTEGER;
				this.listeningPort = port;
				return undefined;
			}
			case 'ip-address':
				if (value.length >= ADDRESS_BYTES_MAX)
					return `ERR REPLCONF ip-address provided by replica instance is too long: ${value.length} bytes`;
				this.announcedIp = value;
				return undefined;
			case 'capa':
				this.takeCapability(value);
				return undefined;
			case 'rdb-only': {
				const flag = parseSafeInt(value);
				if (flag === undefined) return ERR_NOT_INTEGER;
				if (flag !== 0 && flag !== 1) return 'ERR value is out of range, must be between 0 and 1';
				this.isRdbOnly = flag === 1;
				return undefined;
			}
			case 'rdb-filter-only':
				return this.takeFilter(value);
			default:
				return `ERR Unrecognized REPLCONF option: ${name}`;
		}
	}

	private takeCapability(value: string): void {
		const name = value.toLowerCase();
		if (name === 'eof') this.knowsEof = true;
		else if (name === 'psync2') this.knowsPsync2 = true;
		else if (value.startsWith(FOLLOWER_CAPABILITY) && this.followers.size < FOLLOWERS_MAX)
			this.followers.add(value.slice(FOLLOWER_CAPABILITY.length));
	}

	private takeFilter(value: string): string | undefined {
		const filters = splitArgs(value);
		if (filters === null) return 'ERR Missing rdb-filter-only values';
		this.excludesData = true;
		this.excludesFunctions = true;
		for (const filter of filters) {
			if (filter.toLowerCase() !== 'functions') return `ERR Unsupported rdb-filter-only option: ${filter}`;
			this.excludesFunctions = false;
		}
		return undefined;
	}

	private ack(args: readonly string[], at: number): void {
		if (!this.isReplica) return;
		const offset = parseSafeInt(args[at + 1]!);
		if (offset === undefined) return;
		if (offset > this.ackedOffset) this.ackedOffset = offset;
		if (args.length > at + 3 && args[at + 2]!.toLowerCase() === 'fack') {
			const fsynced = parseSafeInt(args[at + 3]!);
			if (fsynced === undefined) return;
			if (fsynced > this.fsyncedOffset) this.fsyncedOffset = fsynced;
		}
		this.ackMs = this.nowMs;
		if (this.awaitsFirstAck && this.phase === 'online') {
			this.awaitsFirstAck = false;
			this.actions.push({ kind: 'stream', fromOffset: this.streamOffset });
		}
		this.actions.push({ kind: 'progressed' });
	}

	// ---- SYNC and PSYNC -------------------------------------------------------------------------

	private sync(args: readonly string[]): void {
		const { state, around } = this;
		if (this.isReplica) return;
		const isPsync = args[0]!.toLowerCase() === 'psync';
		if (isPsync && args.length > 3 && args[3]!.toLowerCase() === 'failover') return this.takeOver(args[1]!);
		if (around.isFailingOver) return this.refuse("NOMASTERLINK Can't SYNC while failing over");
		if (this.followers.has(around.runId) && (state.isReplica || this.isFromHere())) return this.refuseRing();
		if (state.isReplica && !around.isLinkUp) {
			this.refusedMs = this.nowMs;
			return this.refuse("NOMASTERLINK Can't SYNC while not connected with my master");
		}
		if (around.hasPendingReplies) return this.refuse('ERR SYNC and PSYNC are invalid with pending output');
		if ((this.excludesData || this.excludesFunctions) && !this.knowsEof)
			return this.refuse('ERR Filtered replica requires EOF capability');
		this.log('notice', `Replica ${around.replicaName} asks for synchronization`);
		if (!isPsync) this.isOld = true;
		else if (this.tryContinue(args)) return;
		this.beginFullSync();
	}

	/** The one that asks is this server: what it says of itself comes first. */
	private isFromHere(): boolean {
		return this.followers.values().next().value === this.around.runId;
	}

	/** Whether nothing more is to be done: the replica continues, or has been refused. */
	private tryContinue(args: readonly string[]): boolean {
		const { around } = this;
		const psyncOffset = parseSafeInt(args[2]!);
		if (psyncOffset === undefined) {
			this.log('warning', `Replica ${around.replicaName} asks for synchronization but with a wrong offset`);
			this.refuse(ERR_NOT_INTEGER);
			return true;
		}
		const decision = this.state.decide({ replid: args[1]!, psyncOffset }, around.kept, around.isCatchingUp);
		if (decision.kind === 'later') {
			this.refuse("NOMASTERLINK Can't SYNC before I have caught up with my master");
			return true;
		}
		if (decision.kind === 'full') {
			this.log(
				'notice',
				decision.reason.replace('%s', () => around.replicaName),
			);
			if (decision.isAhead)
				this.log(
					'warning',
					`Warning: replica ${around.replicaName} tried to PSYNC with an offset that is greater than the master replication offset.`,
				);
			if (decision.isRefusal) this.actions.push({ kind: 'count', what: 'partial-err' });
			return false;
		}
		this.actions.push({ kind: 'become-replica' }, { kind: 'count', what: 'partial-ok' });
		this.phase = 'online';
		this.ackMs = this.nowMs;
		this.send(this.knowsPsync2 ? `+CONTINUE ${this.state.replid}\r\n` : '+CONTINUE\r\n');
		const { fromOffset } = decision;
		this.log(
			'notice',
			`Partial resynchronization request from ${around.replicaName} accepted. Sending ` +
				`${around.kept.endOffset - fromOffset} bytes of backlog starting from offset ${psyncOffset}.`,
		);
		this.actions.push({ kind: 'stream', fromOffset }, { kind: 'progressed' });
		return true;
	}

	private takeOver(replid: string): void {
		const { state } = this;
		this.log('notice', `Failover request received for replid ${replid}.`);
		if (!state.isReplica) return this.refuse("ERR PSYNC FAILOVER can't be sent to a master.");
		if (replid.toLowerCase() !== state.replid.toLowerCase())
			return this.refuse('ERR PSYNC FAILOVER replid must match my replid.');
		this.actions.push({ kind: 'take-over' });
	}

	/** It would follow what follows it. */
	private refuseRing(): void {
		const name = this.around.replicaName;
		if (this.isFromHere()) {
			this.log('warning', `Replica ${name} is this server itself: it can't replicate from itself`);
			return this.refuse("NOMASTERLINK Can't SYNC with myself");
		}
		this.log(
			'warning',
			`Replica ${name} is a master of this server, over one or more others: a ring of replicas`,
		);
		this.refuse("NOMASTERLINK Can't SYNC in a ring of replicas");
	}

	// ---- full synchronization -------------------------------------------------------------------

	private beginFullSync(): void {
		this.phase = 'wait-bgsave-start';
		this.progressMs = this.nowMs;
		this.actions.push({ kind: 'become-replica' }, { kind: 'count', what: 'full' });
		const bySocket = this.around.replDisklessSync && this.knowsEof;
		this.actions.push({ kind: 'request-snapshot', bySocket });
	}

	private snapshotChosen(offset: number): void {
		if (this.phase !== 'wait-bgsave-start') return;
		this.phase = 'wait-bgsave-end';
		this.streamOffset = offset;
		if (!this.isOld) this.send(`+FULLRESYNC ${this.state.replid} ${offset}\r\n`);
	}

	private snapshotReady(size: number, mark: string): void {
		if (this.phase !== 'wait-bgsave-end') return;
		this.phase = 'send-bulk';
		this.progressMs = this.nowMs;
		this.mark = size < 0 ? mark : '';
		this.send(size < 0 ? `$EOF:${mark}\r\n` : `$${size}\r\n`);
		this.actions.push({ kind: 'send-snapshot' });
	}

	private snapshotSent(): void {
		if (this.phase !== 'send-bulk') return;
		const name = this.around.replicaName;
		if (this.mark !== '') {
			this.send(this.mark);
			this.log(
				'notice',
				`Streamed RDB transfer with replica ${name} succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming`,
			);
		}
		if (this.isRdbOnly) {
			this.phase = 'rdb-sent';
			this.log('notice', `RDB transfer completed, rdb only replica (${name}) should be disconnected asap`);
			this.actions.push({ kind: 'close' });
			return;
		}
		this.phase = 'online';
		this.ackMs = this.nowMs;
		this.log('notice', `Synchronization with replica ${name} succeeded`);
		if (this.mark === '') this.actions.push({ kind: 'stream', fromOffset: this.streamOffset });
		else this.awaitsFirstAck = true;
		this.actions.push({ kind: 'progressed' });
	}

	private snapshotFailed(message: string): void {
		if (this.phase !== 'wait-bgsave-start' && this.phase !== 'wait-bgsave-end' && this.phase !== 'send-bulk')
			return;
		this.log('warning', `SYNC failed. ${message}`);
		if (this.phase === 'wait-bgsave-start') this.send(`-ERR ${message}\r\n`);
		this.actions.push({ kind: 'close' });
	}

	private tick(): void {
		const { replicaName, replTimeout } = this.around;
		const limitMs = replTimeout * 1000;
		switch (this.phase) {
			case 'wait-bgsave-start':
			case 'wait-bgsave-end':
				// An empty line keeps the connection alive.
				return this.send('\n');
			case 'send-bulk':
				if (this.nowMs - this.progressMs > limitMs)
					this.end(`Disconnecting timedout replica (full sync): ${replicaName}`);
				return;
			case 'online':
				if (!this.isOld && this.nowMs - this.ackMs > limitMs)
					this.end(`Disconnecting timedout replica (streaming sync): ${replicaName}`);
				return;
			default:
				return;
		}
	}

	// ---- output ---------------------------------------------------------------------------------

	private end(message: string): void {
		this.log('warning', message);
		this.actions.push({ kind: 'close' });
	}

	private refuse(error: string): void {
		this.actions.push({ kind: 'reply', bytes: `-${error}\r\n` });
	}

	private send(bytes: string): void {
		this.actions.push({ kind: 'send', bytes });
	}

	private log(level: LogLevel, message: string): void {
		this.actions.push({ kind: 'log', level, message });
	}
}
