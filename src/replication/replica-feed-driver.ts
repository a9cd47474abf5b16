/**
 * The master's end of the link to one replica, over a connection that a client has made: does what replica-feed-state.ts
 * asks for. The stream is read from the log only as fast as the replica takes it, so one that is slow costs no more than
 * the buffer of its socket.
 */
import type { Client } from '../engine/client.js';
import type { LogReader } from '../log/log-reader.js';
import type { FeedAction, FeedEvent, FeedSurroundings } from './replica-feed-events.js';
import { ReplicaFeed } from './replica-feed-state.js';
import type { Replicas } from './replicas.js';
import type { KeptLog } from './replication-state.js';
import { type SnapshotFile, SnapshotSender } from './snapshot-sender.js';

const READ_BYTES_MAX = 64 * 1024;
/** Without any progress for so long, a connection counts as one that is not read from. */
const STALL_MS = 1000;

export class ReplicaFeedDriver {
	readonly client: Client;
	readonly feed: ReplicaFeed;
	/** The offset of the snapshot that it gets or has got, while the stream has not begun; -1 if there is none. */
	snapshotOffset = -1;
	/** When it asked for a snapshot, in ms. */
	waitingSinceMs = 0;
	wantsSocket = false;
	private readonly replicas: Replicas;
	private reader: LogReader | null = null;
	private sender: SnapshotSender | null = null;
	private file: SnapshotFile | null = null;
	private isStalled = false;
	private progressMs = 0;
	private isClosing = false;

	constructor(replicas: Replicas, client: Client) {
		this.replicas = replicas;
		this.client = client;
		this.feed = new ReplicaFeed(replicas.state, new Surroundings(replicas, this));
		client.transport.onDrained(() => this.drained());
	}

	/** Address without a port: as announced, or that of the connection; '' if there is none. */
	get ip(): string {
		if (this.feed.announcedIp !== '') return this.feed.announcedIp;
		const { remoteAddress } = this.client.transport;
		if (remoteAddress.startsWith('/')) return '';
		const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(':'));
		return host.startsWith('[') ? host.slice(1, -1) : host;
	}

	/** As the log calls it. */
	get name(): string {
		const { ip, feed, client } = this;
		if (ip === '') return `client id #${client.id}`;
		if (feed.listeningPort === 0) return `${ip}:<unknown-replica-port>`;
		return ip.includes(':') ? `[${ip}]:${feed.listeningPort}` : `${ip}:${feed.listeningPort}`;
	}

	/** Log position up to which the stream has been handed to the network; -1 before it has begun. */
	get sentOffset(): number {
		return this.reader === null ? -1 : this.reader.offset;
	}

	/**
	 * Bytes of the log that wait for it. Where they can be read from files, that costs nothing: then they count only if
	 * it does not read at all.
	 */
	waitingBytes(nowMs: number): number {
		const { log } = this.replicas;
		const from = this.snapshotOffset >= 0 ? this.snapshotOffset : this.sentOffset;
		if (from < 0) return 0;
		if (log.attached && (this.reader === null || !this.isStalled || nowMs - this.progressMs < STALL_MS))
			return 0;
		return Math.max(0, log.endOffset - from);
	}

	step(event: FeedEvent): void {
		const { feed, replicas } = this;
		for (const action of feed.step(event, replicas.nowMs())) this.do(action);
		if (event.kind === 'sync' && feed.refusedMs >= 0) replicas.refused(feed.followers);
	}

	/** The connection is gone. */
	closed(): void {
		this.reader?.close();
		this.sender?.stop();
		this.reader = null;
		this.sender = null;
		this.isClosing = true;
	}

	/** About once a second. */
	tick(): void {
		if (this.isClosing) {
			// It had a second to take what was sent last.
			this.client.transport.closeNow();
			return;
		}
		this.step({ kind: 'tick' });
	}

	/** The snapshot that it waits for can be sent. `mark`: '' where its size is known. */
	snapshotReady(file: SnapshotFile, size: number, mark: string): void {
		this.file = file;
		this.step({ kind: 'snapshot-ready', size, mark });
	}

	snapshotGrew(): void {
		this.sender?.goOn();
	}

	snapshotFailed(message: string): void {
		this.sender?.stop();
		this.step({ kind: 'snapshot-failed', message });
	}

	private do(action: FeedAction): void {
		const { client, replicas } = this;
		const { transport } = client;
		switch (action.kind) {
			case 'reply':
				if (action.bytes.startsWith('-')) replicas.engine.stats.countError(action.bytes.slice(1));
				client.reply.raw(action.bytes);
				replicas.engine.markOutput(client);
				return;
			case 'send':
				transport.sendBytes(action.bytes);
				return;
			case 'become-replica':
				replicas.joined(this);
				return;
			case 'request-snapshot':
				this.wantsSocket = action.bySocket;
				this.waitingSinceMs = replicas.nowMs();
				replicas.syncs.request(this);
				return;
			case 'send-snapshot':
				this.sendSnapshot();
				return;
			case 'stream':
				this.stream(action.fromOffset);
				return;
			case 'progressed':
				replicas.progressed();
				return;
			case 'take-over':
				replicas.takeOver(this);
				return;
			case 'count':
				if (action.what === 'full') replicas.engine.stats.syncFull++;
				else if (action.what === 'partial-ok') replicas.engine.stats.syncPartialOk++;
				else replicas.engine.stats.syncPartialErr++;
				return;
			case 'close':
				this.isClosing = true;
				transport.closeAfterReply();
				return;
			case 'log':
				replicas.engine.logger.log(action.level, action.message);
		}
	}

	// ---- the snapshot ---------------------------------------------------------------------------

	private sendSnapshot(): void {
		const sender = new SnapshotSender(this.file!, this.client.transport, {
			progressed: () => this.step({ kind: 'progress' }),
			sent: () => {
				this.sender = null;
				this.file = null;
				this.replicas.syncs.sent(this);
				this.step({ kind: 'snapshot-sent' });
			},
			failed: (message) => this.snapshotFailed(message),
		});
		this.sender = sender;
		sender.goOn();
	}

	// ---- the stream -----------------------------------------------------------------------------

	private stream(fromOffset: number): void {
		this.snapshotOffset = -1;
		const reader = this.replicas.log.readers.open(fromOffset);
		if (reader === null) {
			this.lose(`the log before offset ${fromOffset + 1} has been removed`);
			return;
		}
		this.reader = reader;
		reader.onReadable = () => this.pump();
		this.progressMs = this.replicas.nowMs();
		this.pump();
	}

	private pump(): void {
		const { reader, client } = this;
		if (reader === null) return;
		while (!this.isStalled) {
			const bytes = reader.read(READ_BYTES_MAX);
			if (bytes === null) {
				if (reader.failure !== null) this.lose(reader.failure);
				return;
			}
			this.isStalled = !client.transport.sendBytes(bytes);
			if (this.isStalled) this.progressMs = this.replicas.nowMs();
		}
	}

	private drained(): void {
		this.isStalled = false;
		this.sender?.drained();
		this.pump();
	}

	private lose(reason: string): void {
		this.replicas.engine.logger.log('warning', `Disconnecting replica ${this.name}: ${reason}`);
		this.client.transport.closeNow();
	}
}

class Surroundings implements FeedSurroundings {
	private readonly replicas: Replicas;
	private readonly driver: ReplicaFeedDriver;

	constructor(replicas: Replicas, driver: ReplicaFeedDriver) {
		this.replicas = replicas;
		this.driver = driver;
	}

	get replicaName(): string {
		return this.driver.name;
	}

	get kept(): KeptLog {
		const { engine, log, backlog } = this.replicas;
		engine.effects.seal();
		return { oldestOffset: backlog.counts ? log.readers.oldestOffset() : null, endOffset: log.endOffset };
	}

	get isLinkUp(): boolean {
		return this.replicas.upstream.isUp;
	}

	get isCatchingUp(): boolean {
		return this.replicas.upstream.isCatchingUp;
	}

	get isFailingOver(): boolean {
		return this.replicas.failover.isActive;
	}

	get hasPendingReplies(): boolean {
		const { client } = this.driver;
		return !client.reply.isEmpty();
	}

	get replTimeout(): number {
		return this.replicas.engine.settings.replTimeout;
	}

	get replDisklessSync(): boolean {
		return this.replicas.engine.settings.replDisklessSync;
	}

	get runId(): string {
		return this.replicas.runId;
	}
}
