/**
 * Connections to the servers that MIGRATE sends keys to. One is kept for a while after its use, as the next key often
 * goes to the same place; it serves one transfer at a time. Times and numbers are those of Redis 7.2.6 (cluster.c).
 */
import type { Env, TimerHandle } from '../base/env.js';
import type { PeerConnector, PeerEvents, PeerSocket } from '../engine/peer.js';

const IDLE_LINKS_MAX = 64;
const IDLE_MS_MAX = 10_000;
/** A reply that is longer than this comes from something else than Redis. */
const LINE_BYTES_MAX = 64 * 1024;

/** Who uses a link is told what happens to it. */
export interface LinkUser {
	linkReady(): void;
	/** A line of the replies, without its end. */
	linkReply(line: string): void;
	linkDrained(): void;
	linkClosed(): void;
}

export class MigrateLink implements PeerEvents {
	/** `host:port`. */
	readonly name: string;
	isReady = false;
	/** The database selected over there; -1 if that is not known. */
	selectedDb: number | bigint = -1;
	/** Runs out while the link is idle. */
	idleTimer: TimerHandle | undefined = undefined;
	user: LinkUser | null = null;
	private readonly onIdleClosed: (link: MigrateLink) => void;
	private readonly socket: PeerSocket;
	private partial = '';

	constructor(
		connect: PeerConnector,
		name: string,
		host: string,
		port: number,
		user: LinkUser,
		onIdleClosed: (link: MigrateLink) => void,
	) {
		this.name = name;
		this.user = user;
		this.onIdleClosed = onIdleClosed;
		this.socket = connect(host, port, this);
	}

	/** Sends bytes; false if enough is waiting, and `linkDrained` will come. */
	write(bytes: Buffer | string): boolean {
		return this.socket.write(bytes);
	}

	/** Ends the connection; its user is told nothing more. */
	close(): void {
		this.user = null;
		this.socket.close();
	}

	connected(): void {
		this.isReady = true;
		this.user?.linkReady();
	}

	received(bytes: Buffer): void {
		if (this.user === null) return this.fail();
		this.partial += bytes.latin1Slice();
		for (;;) {
			const end = this.partial.indexOf('\n');
			if (end < 0) break;
			const line = this.partial.slice(0, this.partial[end - 1] === '\r' ? end - 1 : end);
			this.partial = this.partial.slice(end + 1);
			if (this.user === null) break;
			this.user.linkReply(line);
		}
		if (this.partial.length > (this.user === null ? 0 : LINE_BYTES_MAX)) this.fail();
	}

	drained(): void {
		this.user?.linkDrained();
	}

	closed(): void {
		const { user } = this;
		this.user = null;
		if (user !== null) user.linkClosed();
		else this.onIdleClosed(this);
	}

	/** It says what nobody asked for, or what is no reply: not to be used any longer. */
	private fail(): void {
		this.socket.close();
		this.closed();
	}
}

export class MigrateLinks {
	private readonly env: Env;
	private readonly connect: PeerConnector;
	private readonly idle = new Map<string, MigrateLink>();

	constructor(env: Env, connect: PeerConnector) {
		this.env = env;
		this.connect = connect;
	}

	/** Connections that are kept for the next MIGRATE (INFO, `migrate_cached_sockets`). */
	get idleCount(): number {
		return this.idle.size;
	}

	/** A link for `user`: an idle one, which is ready, or one that is about to be connected. */
	take(host: string, port: number, user: LinkUser): MigrateLink {
		const name = `${host}:${port}`;
		const link = this.idle.get(name);
		if (link === undefined) {
			return new MigrateLink(this.connect, name, host, port, user, (closed) => this.forget(closed));
		}
		this.forget(link);
		link.user = user;
		return link;
	}

	/** Keeps a link whose replies have all been read, unless there is one to the same place already. */
	giveBack(link: MigrateLink): void {
		link.user = null;
		if (this.idle.has(link.name)) {
			link.close();
			return;
		}
		if (this.idle.size >= IDLE_LINKS_MAX) this.drop(this.idle.values().next().value!);
		this.idle.set(link.name, link);
		link.idleTimer = this.env.timers.setTimeout(() => this.drop(link), IDLE_MS_MAX);
	}

	/** Closes the idle links, for the end of the server. */
	stop(): void {
		for (const link of [...this.idle.values()]) this.drop(link);
	}

	private drop(link: MigrateLink): void {
		this.forget(link);
		link.close();
	}

	private forget(link: MigrateLink): void {
		if (this.idle.get(link.name) !== link) return;
		this.idle.delete(link.name);
		if (link.idleTimer !== undefined) this.env.timers.clearTimeout(link.idleTimer);
		link.idleTimer = undefined;
	}
}
