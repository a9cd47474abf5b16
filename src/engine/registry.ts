/** All commands by name. Built once for a server from the families' tables. */
import type { CommandSpec } from './command-spec.js';

export class Registry {
	/** By the name they are called by: lower case, after `rename-command`. */
	readonly #byName = new Map<string, CommandSpec>();
	/** Every command by the name in its row. */
	readonly #all = new Map<string, CommandSpec>();

	add(specs: readonly CommandSpec[]): void {
		for (const spec of specs) {
			if (this.#all.has(spec.name)) throw new Error(`two commands are named ${spec.name}`);
			this.#all.set(spec.name, spec);
			this.#byName.set(spec.name, spec);
		}
	}

	/** The command called `name`, in any case; undefined if there is none. */
	lookup(name: string): CommandSpec | undefined {
		return this.#byName.get(name) ?? this.#byName.get(name.toLowerCase());
	}

	/** The row of that original name, renamed or not. */
	original(name: string): CommandSpec | undefined {
		return this.#all.get(name.toLowerCase());
	}

	/** By a full name, `container|sub` for subcommands. */
	lookupFull(name: string): CommandSpec | undefined {
		const bar = name.indexOf('|');
		if (bar < 0) return this.lookup(name);
		return this.lookup(name.slice(0, bar))?.subcommands?.get(name.slice(bar + 1).toLowerCase());
	}

	/** Those that can be called, in the order of the tables. */
	commands(): IterableIterator<CommandSpec> {
		return this.#byName.values();
	}

	get size(): number {
		return this.#byName.size;
	}

	/** Takes a command away (`to` empty) or gives it another name; an error text, or undefined. */
	rename(from: string, to: string): string | undefined {
		const spec = this.#byName.get(from.toLowerCase());
		if (spec === undefined) return 'No such command in rename-command';
		if (to !== '' && this.#byName.has(to.toLowerCase())) return 'Target command name already exists';
		this.#byName.delete(from.toLowerCase());
		if (to !== '') this.#byName.set(to.toLowerCase(), spec);
		return undefined;
	}
}
