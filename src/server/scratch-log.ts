/**
 * The scratch log of a server with save points that keeps no log: what its snapshots are folded from (log/log-place.ts).
 *
 * It begins with the dump that was loaded at start-up, or with the next snapshot, which is then made from memory. Each
 * dump is its next base. Nothing depends on it: when it can't be written it is given up, and the next snapshot is made
 * from memory again.
 */
import type { FoldSource } from '../log/log-options.js';
import type { Server } from './server.js';

export class ScratchLog {
	readonly #server: Server;
	/** Of the base when it was adopted: it is a link to the dump, which a user may write to. */
	#baseStamp = '';

	constructor(server: Server) {
		this.#server = server;
	}

	/** Whether the configuration calls for one. A replica, whose log may be replaced at any time, has none. */
	get isWanted(): boolean {
		const { settings, replication } = this.#server;
		return !settings.appendonly && settings.save.length > 0 && !replication.isReplica;
	}

	/** Behind the load at start-up: `dumpPath` is the file of the dataset, null if that is empty. */
	async startWith(dumpPath: string | null): Promise<void> {
		if (this.isWanted && this.begin()) await this.adopt(dumpPath);
	}

	/** A snapshot of the dataset as it is now begins, which `adopt` will tell the end of. Whether the log is there. */
	begin(): boolean {
		const { log, engine, backlog } = this.#server;
		if (!this.isWanted || log.attached) return false;
		engine.effects.seal();
		if (log.beginTemporary('scratch') !== null) return false;
		backlog.applyLogging();
		return true;
	}

	/** That snapshot is there. */
	async adopt(path: string | null): Promise<void> {
		const { log } = this.#server;
		if (!log.isScratch || !log.isTemporary) return;
		if ((await log.adoptBase(path, 'rdb', 'link')) !== null) this.drop();
		else this.#baseStamp = log.baseStamp();
	}

	/** Whether the base is what it was: a dump that was written over in its place is no snapshot of ours any more. */
	get baseIsIntact(): boolean {
		const { log } = this.#server;
		return log.isTemporary || log.baseStamp() === this.#baseStamp;
	}

	/** For a snapshot from the log: begins a new file, behind which `cut` will forget. Rejects with why it can't be. */
	async rotate(): Promise<{ readonly source: FoldSource; readonly offset: number }> {
		const begun = await this.#server.log.beginNewFile();
		if (typeof begun === 'string') throw new Error(begun);
		return begun;
	}

	/** The snapshot at `path` holds everything up to `offset`. */
	async cut(path: string, offset: number): Promise<void> {
		const { log } = this.#server;
		if (!log.isScratch) return;
		if ((await log.replaceBase(path, 'rdb', offset, 'link')) !== null) this.drop();
		else this.#baseStamp = log.baseStamp();
	}

	/** Goes on without, if there is one. */
	drop(): void {
		const { log, engine, backlog } = this.#server;
		if (!log.isScratch) return;
		engine.effects.seal();
		log.stop();
		backlog.applyLogging();
	}

	/** Hook of CONFIG SET save. */
	applySave(): undefined {
		if (!this.isWanted) this.drop();
		return undefined;
	}
}
