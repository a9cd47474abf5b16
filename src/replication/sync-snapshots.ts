/**
 * The snapshots that replicas are given.
 *
 * The base of the log will do, as long as the log behind it is not larger: the stream then goes on where it stands. Else
 * a snapshot of the present dataset is made, in a temporary file, for all who wait at that moment; where it goes over
 * sockets (`repl-diskless-sync`) it is sent while it is being written, after a delay in which others may join. Whoever
 * comes later joins it too, as the log behind it is kept.
 *
 * Source of the rules and the texts: Redis 7.2.6, replication.c (syncCommand, shouldStartChildReplication,
 * startBgsaveForReplication, updateSlavesWaitingBgsave).
 */

import type { TimerHandle } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { LogFs } from '../log/log-fs.js';
import type { SnapshotOutcome } from '../snapshot/snapshot-task.js';
import type { ReplicaFeedDriver } from './replica-feed-driver.js';
import type { Replicas } from './replicas.js';
import type { SnapshotFile } from './snapshot-sender.js';

/** A log up to this size is sent behind the base even if that is smaller. */
const SMALL_LOG_BYTES = 1024 * 1024;
/** How often a file that is being written is looked at. */
const GROWTH_PERIOD_MS = 10;

/** A snapshot being made in a temporary file. */
export interface MadeSnapshot {
	readonly path: string;
	/** The log position whose dataset it holds. */
	readonly offset: number;
	/** How it ended; never rejects. The file is the caller's to remove then. */
	readonly outcome: Promise<SnapshotOutcome>;
	cancel(): void;
}

/** What a replica needs of the dataset. */
export interface SnapshotContent {
	readonly data: boolean;
	readonly functions: boolean;
}

export interface SnapshotMaker {
	/** A snapshot is being made, for whatever purpose. */
	readonly isBusy: boolean;
	/** Begins to write the dataset as it is now; it may serve as `dbfilename`, too. Throws if that can't be done. */
	make(content: SnapshotContent, asDump: boolean): MadeSnapshot;
	/** The base of the log, if it is an RDB file from which a replica can go on; null else. */
	base(): { readonly path: string; readonly offset: number } | null;
}

/** A file that some replicas get. */
class Shared implements SnapshotFile {
	readonly fs: LogFs;
	readonly fd: number;
	readonly offset: number;
	readonly bySocket: boolean;
	readonly content: SnapshotContent;
	availableBytes = 0;
	isWhole = false;
	/** The replicas that get it, and whether they have been told to begin. */
	readonly takers = new Map<ReplicaFeedDriver, boolean>();
	made: MadeSnapshot | null = null;
	timer: TimerHandle | undefined = undefined;
	/** Replicas that have all of it. */
	sentCount = 0;

	constructor(fs: LogFs, fd: number, offset: number, bySocket: boolean, content: SnapshotContent) {
		this.fs = fs;
		this.fd = fd;
		this.offset = offset;
		this.bySocket = bySocket;
		this.content = content;
	}
}

export class SyncSnapshots {
	readonly #replicas: Replicas;
	readonly #maker: SnapshotMaker;
	readonly #fs: LogFs;
	/** Replicas in `wait-bgsave-start`, in the order of their coming. */
	#waiting: ReplicaFeedDriver[] = [];
	readonly #shared = new Set<Shared>();
	/** The one being made. */
	#present: Shared | null = null;

	constructor(replicas: Replicas, maker: SnapshotMaker, fs: LogFs) {
		this.#replicas = replicas;
		this.#maker = maker;
		this.#fs = fs;
	}

	/** A snapshot is on its way over sockets: for Redis a child lives as long. */
	get isSending(): boolean {
		for (const { bySocket } of this.#shared) if (bySocket) return true;
		return false;
	}

	/** The log position from which on somebody will want the log; -1 if nobody does. */
	get neededOffset(): number {
		let needed = -1;
		for (const { takers, offset } of this.#shared)
			if (takers.size > 0 && (needed < 0 || offset < needed)) needed = offset;
		return needed;
	}

	request(driver: ReplicaFeedDriver): void {
		const { engine } = this.#replicas;
		if (this.#giveBase(driver)) return;
		this.#waiting.push(driver);
		const present = this.#present;
		if (present !== null && this.#mayJoin(present, driver)) {
			this.#join(present, driver);
			engine.logger.log('notice', 'Waiting for end of BGSAVE for SYNC');
		} else if (present !== null) {
			engine.logger.log(
				'notice',
				present.bySocket
					? 'Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC'
					: "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC",
			);
		} else if (driver.wantsSocket && engine.settings.replDisklessSyncDelay > 0 && !this.#isEnough()) {
			engine.logger.log('notice', 'Delay next BGSAVE for diskless SYNC');
		} else if (this.#maker.isBusy) {
			engine.logger.log(
				'notice',
				'No BGSAVE in progress, but another BG operation is active. BGSAVE for replication delayed',
			);
		} else {
			this.#begin();
		}
	}

	/** Several times a second: begins what is due. */
	tick(nowMs: number): void {
		if (this.#waiting.length === 0 || this.#present !== null || this.#maker.isBusy) return;
		const { replDisklessSync, replDisklessSyncDelay } = this.#replicas.engine.settings;
		const since = Math.min(...this.#waiting.map((driver) => driver.waitingSinceMs));
		if (!replDisklessSync || this.#isEnough() || nowMs - since >= replDisklessSyncDelay * 1000) this.#begin();
	}

	/** Nobody has to be waited for. */
	#isEnough(): boolean {
		const { replDisklessSyncMaxReplicas } = this.#replicas.engine.settings;
		return replDisklessSyncMaxReplicas > 0 && this.#waiting.length >= replDisklessSyncMaxReplicas;
	}

	/** The replica has all of its snapshot. */
	sent(driver: ReplicaFeedDriver): void {
		for (const shared of this.#shared) {
			if (!shared.takers.delete(driver)) continue;
			shared.sentCount++;
			this.#releaseIfUnused(shared);
		}
	}

	/** The replica is gone. */
	forget(driver: ReplicaFeedDriver): void {
		this.#waiting = this.#waiting.filter((other) => other !== driver);
		for (const shared of this.#shared) {
			if (!shared.takers.delete(driver)) continue;
			if (shared.takers.size === 0 && shared.made !== null) this.#cancel(shared);
			this.#releaseIfUnused(shared);
		}
	}

	/** For the end of the server, or of its role. */
	stop(): void {
		this.#waiting = [];
		for (const shared of [...this.#shared]) {
			shared.takers.clear();
			if (shared.made !== null) this.#cancel(shared);
			this.#releaseIfUnused(shared);
		}
	}

	#cancel(shared: Shared): void {
		const { logger, settings } = this.#replicas.engine;
		// It is to be `dbfilename`.
		if (!shared.bySocket && settings.save.length > 0) return;
		if (shared.bySocket)
			logger.log('notice', 'Diskless rdb transfer, last replica dropped, killing fork child.');
		shared.made?.cancel();
		// Nobody joins it any more.
		if (this.#present === shared) this.#present = null;
	}

	// ---- the base of the log --------------------------------------------------------------------

	/**
	 * Sends the base of the log, if that will do. Who asks with SYNC is not told an offset, and may want nothing but the
	 * snapshot (`redis-cli --rdb`): it gets the dataset of now.
	 */
	#giveBase(driver: ReplicaFeedDriver): boolean {
		const { feed } = driver;
		if (feed.isOld || feed.isRdbOnly || feed.excludesData || feed.excludesFunctions) return false;
		const base = this.#maker.base();
		if (base === null) return false;
		const { log, engine } = this.#replicas;
		let fd: number;
		let size: number;
		try {
			fd = this.#fs.openSync(base.path, 'r');
			size = this.#fs.fileSizeSync(fd);
		} catch (error) {
			engine.logger.log('warning', `Can't open the base of the log for a replica: ${errorText(error)}`);
			return false;
		}
		if (log.endOffset - base.offset > Math.max(size, SMALL_LOG_BYTES)) {
			this.#fs.closeSync(fd);
			return false;
		}
		const shared = new Shared(this.#fs, fd, base.offset, false, { data: true, functions: true });
		shared.availableBytes = size;
		shared.isWhole = true;
		this.#shared.add(shared);
		engine.logger.log('notice', `Replica ${driver.name} gets the base of the log, and the log behind it`);
		this.#take(shared, driver);
		this.#tellReady(shared, driver);
		return true;
	}

	// ---- one that is made -----------------------------------------------------------------------

	#begin(): void {
		const { engine, log } = this.#replicas;
		const first = this.#waiting[0]!;
		const content = contentOf(first);
		const takers = this.#waiting.filter((driver) => isSame(contentOf(driver), content));
		const bySocket = takers.every((driver) => driver.wantsSocket);
		engine.logger.log(
			'notice',
			`Starting BGSAVE for SYNC with target: ${bySocket ? 'replicas sockets' : 'disk'}`,
		);
		engine.effects.reselect();
		let made: MadeSnapshot;
		let fd: number;
		try {
			made = this.#maker.make(content, !bySocket);
			fd = this.#fs.openSync(made.path, 'r');
		} catch (error) {
			engine.logger.log('warning', `BGSAVE for replication failed: ${errorText(error)}`);
			this.#waiting = this.#waiting.filter((driver) => !takers.includes(driver));
			for (const driver of takers) driver.snapshotFailed("BGSAVE failed, replication can't continue");
			return;
		}
		const shared = new Shared(this.#fs, fd, made.offset, bySocket, content);
		shared.made = made;
		this.#shared.add(shared);
		this.#present = shared;
		if (bySocket) {
			shared.timer = engine.env.timers.setInterval(() => this.#grow(shared), GROWTH_PERIOD_MS);
		}
		void made.outcome.then((outcome) => this.#ended(shared, outcome));
		for (const driver of takers) this.#join(shared, driver);
		log.flushNow();
	}

	#mayJoin(shared: Shared, driver: ReplicaFeedDriver): boolean {
		// A snapshot alone, without the stream, has to be of now.
		return (
			!driver.feed.isRdbOnly &&
			isSame(contentOf(driver), shared.content) &&
			(driver.wantsSocket || !shared.bySocket)
		);
	}

	#join(shared: Shared, driver: ReplicaFeedDriver): void {
		this.#waiting = this.#waiting.filter((other) => other !== driver);
		this.#take(shared, driver);
		if (shared.bySocket && shared.availableBytes > 0) this.#tellReady(shared, driver);
	}

	#take(shared: Shared, driver: ReplicaFeedDriver): void {
		shared.takers.set(driver, false);
		driver.snapshotOffset = shared.offset;
		driver.step({ kind: 'snapshot-chosen', offset: shared.offset });
	}

	#tellReady(shared: Shared, driver: ReplicaFeedDriver): void {
		shared.takers.set(driver, true);
		const mark = shared.bySocket ? this.#replicas.engine.env.random.bytes(20).toString('hex') : '';
		driver.snapshotReady(shared, shared.bySocket ? -1 : shared.availableBytes, mark);
	}

	/** Looks at how much has been written, and lets it be sent. */
	#grow(shared: Shared): void {
		const size = this.#sizeOf(shared);
		if (size <= shared.availableBytes) return;
		shared.availableBytes = size;
		this.#send(shared);
	}

	/** Bytes in the file; -1 if that can't be known. */
	#sizeOf(shared: Shared): number {
		try {
			return this.#fs.fileSizeSync(shared.fd);
		} catch {
			return -1;
		}
	}

	#send(shared: Shared): void {
		for (const [driver, isTold] of [...shared.takers]) {
			if (!shared.takers.has(driver)) continue;
			if (isTold) driver.snapshotGrew();
			else this.#tellReady(shared, driver);
		}
	}

	#ended(shared: Shared, outcome: SnapshotOutcome): void {
		const { engine } = this.#replicas;
		const { made } = shared;
		shared.made = null;
		if (this.#present === shared) this.#present = null;
		if (shared.timer !== undefined) engine.env.timers.clearInterval(shared.timer);
		const size = outcome.kind === 'done' ? this.#sizeOf(shared) : -1;
		if (size >= 0) {
			shared.availableBytes = size;
			shared.isWhole = true;
			this.#send(shared);
		} else {
			for (const driver of [...shared.takers.keys()]) {
				shared.takers.delete(driver);
				driver.snapshotFailed('BGSAVE child returned an error');
			}
		}
		// Who still reads it has it open.
		if (made !== null) removeFile(this.#fs, made.path);
		this.#releaseIfUnused(shared);
		this.tick(this.#replicas.nowMs());
	}

	#releaseIfUnused(shared: Shared): void {
		if (shared.takers.size > 0 || shared.made !== null || !this.#shared.delete(shared)) return;
		this.#fs.closeSync(shared.fd);
		if (!shared.bySocket || shared.sentCount === 0) return;
		this.#replicas.engine.logger.log(
			'notice',
			`Diskless rdb transfer, done reading from pipe, ${shared.sentCount} replicas still up.`,
		);
	}
}

function contentOf({ feed }: ReplicaFeedDriver): SnapshotContent {
	return { data: !feed.excludesData, functions: !feed.excludesFunctions };
}

function isSame(a: SnapshotContent, b: SnapshotContent): boolean {
	return a.data === b.data && a.functions === b.functions;
}

function removeFile(fs: LogFs, path: string): void {
	fs.unlink(path, () => undefined);
}
