/**
 * The first pass of a fold: which keys a section of the log needs. A key that no entry names, for reading or for
 * writing, is in the new snapshot what it is in the base, to the byte.
 *
 * Entries name every key they read or write (the log has effects, not requests), so the key specs of the commands tell.
 * What they can't tell makes the whole dataset needed: FLUSHDB and SWAPDB, a command whose keys don't follow from its
 * arguments, one that nobody knows (the second pass then fails on it).
 * After a FLUSHALL nothing before it counts any more: the fold can begin there, with nothing.
 */
import { findKeys, hasKeys } from '../engine/command-keys.js';
import type { CommandSpec } from '../engine/command-spec.js';
import type { Registry } from '../engine/registry.js';
import { KeyTable } from '../types/key-table.js';

/** Entries that change no key: they advance the log, or are for its readers. Lower case. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
	'multi',
	'exec',
	'ping',
	'replconf',
	'publish',
	'spublish',
]);

/** Beyond that many keys the table costs more than loading the rest would. */
const KEY_COUNT_MAX = 1 << 24;

/** Whether the fold passes over an entry of that name (in any case). */
export function isWithoutEffect(name: string): boolean {
	return WITHOUT_EFFECT.has(name.toLowerCase());
}

export class TouchedKeys {
	/** Every key is needed. */
	all = false;
	/** The number of the last FLUSHALL among the entries given to `add`, counted from 0; -1 for none. */
	flushedAt = -1;
	/** Whether keys without an entry exist no more, so that the base is not needed. */
	get baseIsFlushed(): boolean {
		return this.flushedAt >= 0;
	}
	readonly #registry: Registry;
	readonly #tables: KeyTable[];
	#db = 0;
	#entries = 0;
	#size = 0;

	constructor(registry: Registry, databases: number) {
		this.#registry = registry;
		this.#tables = Array.from({ length: databases }, () => new KeyTable());
	}

	/** The number of keys named. */
	get size(): number {
		return this.#size;
	}

	/** Whether an entry may have read or changed the key. */
	has(dbId: number, key: string): boolean {
		return this.all || (this.#tables[dbId]?.has(key) ?? true);
	}

	/** A section begins: database 0 is selected. */
	beginSection(): void {
		this.#db = 0;
	}

	/** Takes the next entry into account. */
	add(args: readonly string[]): void {
		const number = this.#entries++;
		const name = args[0]!.toLowerCase();
		switch (name) {
			case 'select':
				this.#db = Number(args[1]);
				if (this.#tables[this.#db] === undefined) this.#needAll();
				return;
			case 'flushall':
				this.#restart(number);
				return;
			case 'flushdb':
			case 'swapdb':
				return this.#needAll();
			case 'move':
				this.#addKey(Number(args[2]), args[1]!);
				break;
			case 'copy':
				this.#addCopyTarget(args);
				break;
		}
		if (this.all || WITHOUT_EFFECT.has(name)) return;
		let spec: CommandSpec | undefined = this.#registry.original(name);
		if (spec?.subcommands !== undefined && args.length > 1)
			spec = spec.subcommands.get(args[1]!.toLowerCase()) ?? spec;
		const positions = spec === undefined || !hasKeys(spec) ? undefined : findKeys(spec, args);
		if (positions === undefined) return this.#needAll();
		for (const { index } of positions) this.#addKey(this.#db, args[index]!);
	}

	/** COPY names its target in the database that its option DB gives. */
	#addCopyTarget(args: readonly string[]): void {
		for (let i = 3; i + 1 < args.length; i++) {
			if (args[i]!.toUpperCase() === 'DB') this.#addKey(Number(args[i + 1]), args[2]!);
		}
	}

	#addKey(dbId: number, key: string): void {
		if (this.all) return;
		const table = this.#tables[dbId];
		if (table === undefined) return this.#needAll();
		if (table.findOrAppend(key) !== -1) return;
		if (++this.#size > KEY_COUNT_MAX) this.#needAll();
	}

	#needAll(): void {
		this.all = true;
		this.#forgetKeys();
	}

	#restart(number: number): void {
		this.flushedAt = number;
		this.all = true; // all that is left: what comes behind
		this.#forgetKeys();
	}

	#forgetKeys(): void {
		this.#size = 0;
		for (let id = 0; id < this.#tables.length; id++) this.#tables[id] = new KeyTable();
	}
}
