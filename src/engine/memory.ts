/**
 * Used memory: the figure that `maxmemory` is compared with and INFO shows.
 *
 * V8 frees memory only when it collects garbage, and what it reports until then counts all the garbage of the
 * requests: evicting until that number falls would delete everything. So the figure is an account:
 *
 *     BASE_BYTES + factor × (keys and values, estimated) + what clients hold
 *
 * Keys and values are followed exactly as they are set and deleted (`Database`); a value that a command changes in
 * place is estimated before and after (`noteAccess`, `settle`). What the runtime itself takes (12 MB and more, and the
 * code it compiles) is not in it, as the program's code is not in Redis's.
 *
 * Estimates drift, so the driver measures what is alive after each full garbage collection (`correctBy`). As long as
 * that agrees with the account within a tolerance, the factor is 1, so that small limits behave the same in every run;
 * beyond it the factor makes up for the difference. A factor, and no sum: a dataset that is emptied must leave nothing
 * behind, since a server that refuses all writes may not collect garbage for a long time.
 *
 * The account is kept only while there is a limit: without one, INFO reckons the figure from a sample of the keys.
 */
import { ListValue } from '../types/list-value.js';
import { elementBytes, estimateBytes, stringBytes } from '../types/memory-size.js';
import { RawString } from '../types/raw-string.js';
import { StreamValue } from '../types/stream-value.js';
import type { Value } from '../types/value.js';
import { clientMemoryBytes } from './client-info.js';
import type { Engine } from './engine.js';

/** The tables of an empty server. */
export const BASE_BYTES = 1024 * 1024;
/** Keys from which INFO reckons the figure where no account is kept (about 2 ms). */
const INFO_SAMPLES = 20_000;
/** A container of up to this many elements is measured as a whole before and after a change. */
const EXACT_ELEMENTS_MAX = 16;
/** Elements that larger ones are estimated from. */
const SIZE_SAMPLES = 32;
/** What measurement and account may differ by: this, and a share of what was measured. */
const TOLERANCE_BYTES = 8 * 1024 * 1024;
const TOLERANCE_DIVISOR = 16;
const FACTOR_MIN = 0.25;
const FACTOR_MAX = 8;
/** Clients are summed up once in 1 ms, and in 1 ms more for each so many of them. */
const CLIENTS_PER_MS = 64;

type ObjectValue = Exclude<Value, string | number>;

/** A value that the present command may change in place. */
interface Access {
	readonly value: ObjectValue;
	readonly bytes: number;
	readonly count: number;
}

function elementCount(value: ObjectValue): number {
	if (value instanceof RawString) return 0;
	return value instanceof ListValue || value instanceof StreamValue ? value.length : value.size;
}

export class Memory {
	readonly #engine: Engine;
	readonly #accesses: Access[] = [];
	#factor = 1;
	#clientBytes = 0;
	#clientsNextMs = 0;

	constructor(engine: Engine) {
		this.#engine = engine;
	}

	/** `maxmemory` has been set. */
	applyLimit(): void {
		const on = this.#engine.settings.maxmemory !== 0;
		for (const db of this.#engine.dbs) db.trackBytes(on);
		if (!on) this.#factor = 1;
	}

	/** Used memory in bytes, clients summed up now. */
	usedBytes(): number {
		this.#sumClients();
		return this.#usedBytes();
	}

	/** As `usedBytes`, in O(databases): what clients hold may be some milliseconds old. */
	usedBytesRecently(nowMs: number): number {
		if (nowMs >= this.#clientsNextMs || nowMs < this.#clientsNextMs - 10_000) {
			this.#sumClients();
			this.#clientsNextMs = nowMs + 1 + this.#engine.clients.size / CLIENTS_PER_MS;
		}
		return this.#usedBytes();
	}

	/** What the dataset takes, as the account has it. */
	datasetBytes(): number {
		let bytes = 0;
		for (const db of this.#engine.dbs) bytes += db.estimatedBytes(INFO_SAMPLES);
		return bytes;
	}

	#usedBytes(): number {
		return Math.round(BASE_BYTES + this.datasetBytes() * this.#factor + this.#clientBytes);
	}

	#sumClients(): void {
		let bytes = 0;
		for (const client of this.#engine.clients.values()) bytes += clientMemoryBytes(client);
		this.#clientBytes = bytes;
	}

	/** `liveBytes` is what was found alive after a full garbage collection, the runtime's own memory left out. */
	correctBy(liveBytes: number): void {
		if (this.#engine.settings.maxmemory === 0) return;
		this.#sumClients();
		const datasetBytes = this.datasetBytes();
		const difference = liveBytes - this.#clientBytes - datasetBytes;
		const tolerance = TOLERANCE_BYTES + liveBytes / TOLERANCE_DIVISOR;
		const factor = Math.abs(difference) <= tolerance ? 1 : 1 + difference / Math.max(1, datasetBytes);
		this.#factor = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, factor));
	}

	/** What the deletion of something estimated at `bytes` frees, in terms of the account. */
	freedBytes(bytes: number): number {
		return bytes * this.#factor;
	}

	/** The present command may change the value in place: its size before is kept. */
	noteAccess(value: Value): void {
		if (typeof value !== 'object') return;
		for (const access of this.#accesses) if (access.value === value) return;
		const count = elementCount(value);
		const bytes = estimateBytes(value, count <= EXACT_ELEMENTS_MAX ? 0 : SIZE_SAMPLES);
		this.#accesses.push({ value, bytes, count });
	}

	/**
	 * The command has ended: what its values have grown or shrunk by goes to the account. The elements that a large
	 * container got are taken to be as long as the arguments are on average: an estimate from samples of the whole,
	 * multiplied by its size, would jump with each of them.
	 */
	settle(dbId: number, args: readonly string[]): void {
		const accesses = this.#accesses;
		if (accesses.length === 0) return;
		let change = 0;
		for (const { value, bytes, count } of accesses) {
			const now = elementCount(value);
			if (count <= EXACT_ELEMENTS_MAX) {
				change += estimateBytes(value, now <= EXACT_ELEMENTS_MAX ? 0 : SIZE_SAMPLES) - bytes;
			} else if (now < count) {
				change -= ((count - now) * bytes) / count;
			} else if (now > count) {
				change += (now - count) * elementBytes(value, meanArgBytes(args));
			}
		}
		accesses.length = 0;
		this.#engine.dbs[dbId]!.addBytes(Math.round(change));
	}
}

/** Mean bytes of the arguments after the key. */
function meanArgBytes(args: readonly string[]): number {
	if (args.length <= 2) return 0;
	let bytes = 0;
	for (let i = 2; i < args.length; i++) bytes += stringBytes(args[i]!.length);
	return bytes / (args.length - 2);
}
