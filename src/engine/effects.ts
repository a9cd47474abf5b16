/**
 * From what a command changed to entries of the log (DESIGN §1.1).
 *
 * While an execution unit runs (a command, an EXEC with all its commands, a step of the expiry cycle),
 * its effects are collected; when it ends they are appended, as a MULTI … EXEC group if there are
 * several, so that no fold ever sees half of a unit. A command whose request is its effect and the only
 * one is copied from the bytes of the request.
 */
import type { AppendLog } from '../log/append-log.js';

interface Effect {
	readonly dbId: number;
	readonly args: readonly string[];
}

const MULTI_ENTRY: readonly string[] = ['MULTI'];
const EXEC_ENTRY: readonly string[] = ['EXEC'];

export class Effects {
	/** Undefined: nothing is logged (start-up load, or a server without a log). */
	log: AppendLog | undefined = undefined;
	#pending: Effect[] = [];
	/** The database that the log's reader has selected; -1 after the start of a file. */
	#selectedDb = -1;
	#fileGeneration = -1;
	/** Requests that lie side by side in `#rawSource`, not handed to the log yet. */
	#rawSource: Buffer | undefined = undefined;
	#rawStart = 0;
	#rawEnd = 0;

	get isEmpty(): boolean {
		return this.#pending.length === 0;
	}

	add(dbId: number, args: readonly string[]): void {
		if (this.log !== undefined) this.#pending.push({ dbId, args });
	}

	/**
	 * Appends one effect from the bytes it was sent as; nothing else may be pending. Requests that follow
	 * each other in the same source are copied at once: `seal` must be called before the source changes.
	 */
	appendRaw(dbId: number, source: Buffer, start: number, end: number): void {
		const { log } = this;
		if (log === undefined) return;
		if (source === this.#rawSource && start === this.#rawEnd && dbId === this.#selectedDb) {
			this.#rawEnd = end;
			return;
		}
		this.seal();
		if (dbId !== this.#selectedDb || log.fileGeneration !== this.#fileGeneration) this.#select(log, dbId);
		this.#rawSource = source;
		this.#rawStart = start;
		this.#rawEnd = end;
	}

	/** Copies what `appendRaw` has gathered into the log. */
	seal(): void {
		if (this.#rawSource === undefined) return;
		this.log?.appendRaw(this.#rawSource, this.#rawStart, this.#rawEnd);
		this.#rawSource = undefined;
	}

	/** Ends the execution unit. `separate`: its effects need not be one transaction. */
	commit(separate: boolean): void {
		const pending = this.#pending;
		const log = this.log;
		if (pending.length === 0 || log === undefined) return;
		this.#pending = [];
		this.seal();
		const group = pending.length > 1 && !separate;
		if (group) log.appendArgs(MULTI_ENTRY);
		for (const effect of pending) {
			if (effect.dbId !== this.#selectedDb || log.fileGeneration !== this.#fileGeneration)
				this.#select(log, effect.dbId);
			log.appendArgs(effect.args);
		}
		if (group) log.appendArgs(EXEC_ENTRY);
	}

	#select(log: AppendLog, dbId: number): void {
		this.#selectedDb = dbId;
		this.#fileGeneration = log.fileGeneration;
		log.appendArgs(['SELECT', String(dbId)]);
	}
}
