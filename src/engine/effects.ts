/**
 * From what a command changed to entries of the log (DESIGN §1.1).
 *
 * While an execution unit runs (a command, an EXEC with all its commands, a step of the expiry cycle),
 * its effects are collected; when it ends they are appended, as a MULTI … EXEC group if there are
 * several, so that no fold ever sees half of a unit. A command whose request is its effect and the only
 * one is copied from the bytes of the request.
 */
import type { AppendLog } from '../log/append-log.js';
import { ORIGIN_MASTER, ORIGIN_SERVER } from '../log/origins-format.js';
import type { OriginsWriter } from '../log/origins-writer.js';

interface Effect {
	readonly dbId: number;
	readonly args: readonly string[];
	readonly cause: number;
}

/** The execution unit under way: whose it is, and its time in milliseconds since 1970. */
interface Unit {
	readonly client: { readonly id: number; readonly isReplay: boolean };
	readonly nowMs: number;
}

/** The cause of an effect: the client of the unit. Else ORIGIN_EXPIRE or another of those. */
const CAUSE_CLIENT = 0;

const MULTI_ENTRY: readonly string[] = ['MULTI'];
const EXEC_ENTRY: readonly string[] = ['EXEC'];

export class Effects {
	/** Undefined: nothing is logged (start-up load, or a server without a log). */
	log: AppendLog | undefined = undefined;
	/** The log is a copy of a master's, who alone appends to it: what this server changes by itself is not logged. */
	isCopy = false;
	/** Told who writes what; undefined: nobody wants to know. */
	origins: OriginsWriter | undefined = undefined;
	readonly #unit: Unit;
	#pending: Effect[] = [];
	/** The database that the log's reader has selected; -1 after the start of a file. */
	#selectedDb = -1;
	#fileGeneration = -1;
	/** Requests that lie side by side in `#rawSource`, not handed to the log yet. */
	#rawSource: Buffer | undefined = undefined;
	#rawStart = 0;
	#rawEnd = 0;

	constructor(unit: Unit) {
		this.#unit = unit;
	}

	get isEmpty(): boolean {
		return this.#pending.length === 0;
	}

	/** Adds an effect of the unit; `cause` is one of ORIGIN_… unless its client is the cause. */
	add(dbId: number, args: readonly string[], cause: number = CAUSE_CLIENT): void {
		if (this.log !== undefined && !this.isCopy) this.#pending.push({ dbId, args, cause });
	}

	/**
	 * Appends one effect from the bytes it was sent as; nothing else may be pending. Requests that follow
	 * each other in the same source are copied at once: `seal` must be called before the source changes.
	 */
	appendRaw(dbId: number, source: Buffer, start: number, end: number): void {
		const { log } = this;
		if (log === undefined || this.isCopy) return;
		if (source === this.#rawSource && start === this.#rawEnd && dbId === this.#selectedDb) {
			this.#rawEnd = end;
			return;
		}
		this.seal();
		if (this.origins !== undefined) this.#note(this.origins, log, CAUSE_CLIENT);
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
		const { origins } = this;
		const group = pending.length > 1 && !separate;
		if (group) {
			if (origins !== undefined) this.#note(origins, log, pending[0]!.cause);
			log.appendArgs(MULTI_ENTRY);
		}
		for (const effect of pending) {
			if (origins !== undefined) this.#note(origins, log, effect.cause);
			if (effect.dbId !== this.#selectedDb || log.fileGeneration !== this.#fileGeneration)
				this.#select(log, effect.dbId);
			log.appendArgs(effect.args);
		}
		if (group) log.appendArgs(EXEC_ENTRY);
	}

	/** The next entry is preceded by a SELECT: somebody will read the log from its present end. */
	reselect(): void {
		this.seal();
		this.#selectedDb = -1;
	}

	/** Appends an entry of the server's own that changes nothing and applies to no database (PING), between two units. */
	appendAside(args: readonly string[]): void {
		this.seal();
		const { log } = this;
		if (log === undefined) return;
		this.origins?.note(log.endOffset, ORIGIN_SERVER, this.#unit.nowMs);
		log.appendArgs(args);
	}

	#note(origins: OriginsWriter, log: AppendLog, cause: number): void {
		const { client, nowMs } = this.#unit;
		const who = cause !== CAUSE_CLIENT ? cause : client.isReplay ? ORIGIN_MASTER : 2 * client.id;
		origins.note(log.endOffset, who, nowMs);
	}

	#select(log: AppendLog, dbId: number): void {
		this.#selectedDb = dbId;
		this.#fileGeneration = log.fileGeneration;
		log.appendArgs(['SELECT', String(dbId)]);
	}
}
