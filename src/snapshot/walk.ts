/**
 * A snapshot that the server writes itself, because it has no log on disk from which a child could make one (DESIGN §3).
 * In slices of about a millisecond it writes out the dataset as it was at the beginning; what a command is about to
 * change is written first (keyspace/dataset-walk.ts). Entries come in no order of databases.
 */
import type { Engine } from '../engine/engine.js';
import { DatasetWalk } from '../keyspace/dataset-walk.js';
import { createFileSteps, runSteps } from '../log/durable-steps.js';
import type { LogFs } from '../log/log-fs.js';
import { type AccessInfo, RdbFileWriter } from './rdb-file-writer.js';
import { accessInfoOf, type RdbSaveOptions, rdbAuxFields } from './rdb-save.js';

/** The longest slice, in microseconds; one entry more may be begun within it. */
const SLICE_US = 1000;
/** Entries between two looks at the clock. */
const ENTRIES_PER_LOOK = 8;

export class SnapshotWalk {
	/** Entries at the beginning, and how many of them have been written. */
	readonly total: number;
	written = 0;
	/** Bytes of the file so far. */
	bytes = 0;
	readonly #engine: Engine;
	readonly #walk: DatasetWalk;
	readonly #writer: RdbFileWriter;
	#ready: Buffer[] = [];
	#aborted = false;

	/** The snapshot is that of this moment. Only one walk at a time; `run` must follow at once. */
	constructor(engine: Engine, options: RdbSaveOptions) {
		this.#engine = engine;
		const writer = new RdbFileWriter((chunk) => this.#ready.push(chunk), engine.settings);
		this.#writer = writer;
		writer.header(rdbAuxFields(engine, options));
		for (const code of options.functions) writer.functionLibrary(code);
		const sizes = engine.dbs.map((db) => [db.size, db.expires.size] as const);
		const announced = new Set<number>();
		const access = accessInfoOf(engine);
		let selected = -1;
		this.#walk = new DatasetWalk(engine.dbs, (dbId, key, value, expireAtMs, accessClock) => {
			if (dbId !== selected) {
				selected = dbId;
				writer.selectDb(dbId);
				if (!announced.has(dbId)) writer.resizeDb(...sizes[dbId]!);
				announced.add(dbId);
			}
			const info: AccessInfo | undefined = access?.(accessClock);
			writer.entry(key, value, expireAtMs, info);
			this.written++;
		});
		this.total = this.#walk.total;
	}

	/**
	 * Writes the file under a temporary name, makes it durable and gives it its name. Rejects with the system error, or
	 * `AbortedWalk`; then no temporary file is left, and a file of that name is as it was.
	 */
	async run(fs: LogFs, folder: string, name: string, tempName: string): Promise<void> {
		try {
			const steps = createFileSteps(fs, folder, name, tempName, this.parts(), false);
			await runSteps(fs, steps, this.#engine.env.timers);
		} finally {
			this.#walk.end();
		}
	}

	/** Ends the walk at once: the dataset is not watched any more. */
	close(): void {
		this.#aborted = true;
		this.#walk.end();
	}

	/** Ends `run` at its next slice. */
	abort(): void {
		this.#aborted = true;
	}

	/** The file in pieces; a number is a pause, in ms. To be ended by `close`. Throws `AbortedWalk` behind an abort. */
	*parts(): Generator<Buffer | number> {
		const { clock } = this.#engine.env;
		for (let more = true; more; ) {
			if (this.#aborted) throw new AbortedWalk();
			const delayUs = this.#engine.settings.rdbKeySaveDelay;
			const endUs = clock.monotonicUs() + SLICE_US;
			let entries = 0;
			do {
				for (let i = 0; more && i < ENTRIES_PER_LOOK; i++) more = this.#walk.step();
				entries += ENTRIES_PER_LOOK;
			} while (more && delayUs === 0 && this.#ready.length === 0 && clock.monotonicUs() < endUs);
			if (!more) this.#writer.end();
			yield* this.#take();
			if (more) yield Math.ceil((entries * delayUs) / 1000);
		}
	}

	*#take(): Generator<Buffer> {
		while (this.#ready.length > 0) {
			const chunks = this.#ready;
			this.#ready = [];
			for (const chunk of chunks) {
				this.bytes += chunk.length;
				yield chunk;
			}
		}
	}
}

/** The walk was given up by `abort`. */
export class AbortedWalk extends Error {}
