/** A dataset and its log in a file system in memory, and folds of them. */
import { SILENT_LOGGER } from '../../../src/base/logger.js';
import { systemEnv } from '../../../src/base/system-env.js';
import { Engine } from '../../../src/engine/engine.js';
import { Registry } from '../../../src/engine/registry.js';
import { Replay } from '../../../src/engine/replay.js';
import { Settings } from '../../../src/engine/settings.js';
import { aofEntryBytes } from '../../../src/formats/aof-entry.js';
import { datasetDigest } from '../../../src/keyspace/digest.js';
import { dataCommands } from '../../../src/snapshot/data-commands.js';
import { Fold } from '../../../src/snapshot/fold.js';
import type { FoldBase, FoldJob, FoldResult, FoldSection } from '../../../src/snapshot/fold-job.js';
import { loadRdbNow } from '../../../src/snapshot/rdb-load.js';
import { rdbChunks } from '../../../src/snapshot/rdb-save.js';
import { MemoryLogFs } from '../log/memory-log-fs.js';

export const OUTPUT_PATH = '/d/temp-1.rdb';

/** An engine of its own, without a log. */
export function newEngine(): Engine {
	const registry = new Registry();
	registry.add(dataCommands());
	return new Engine({
		settings: new Settings(),
		env: systemEnv(),
		logger: SILENT_LOGGER,
		registry,
		publisher: { publish: () => 0, forget: () => undefined },
		scheduleTurn: () => {},
	});
}

/** Applies commands, words separated by spaces, as a log does: database 0 is selected first. */
export function applyAll(engine: Engine, commands: readonly string[]): void {
	const replay = new Replay(engine);
	replay.begin();
	for (const line of commands) if (line !== 'MULTI' && line !== 'EXEC') replay.apply(line.split(' '));
	replay.end();
}

export class FoldHarness {
	readonly fs = new MemoryLogFs();
	/** What the live server holds. */
	readonly live = newEngine();

	/** Makes the dataset as it is now the base. */
	rdbBase(): FoldBase {
		const options = { isAofBase: false, replication: undefined, functions: ['#!lua name=kept'] };
		this.fs.put('/d/base.rdb', Buffer.concat([...rdbChunks(this.live, options)]));
		return { path: '/d/base.rdb', format: 'rdb' };
	}

	/** Executes commands and writes them to a file; that section of the log. */
	section(name: string, commands: readonly string[]): FoldSection {
		applyAll(this.live, commands);
		const bytes = Buffer.concat(commands.map((line) => aofEntryBytes(line.split(' '))));
		const path = `/d/${name}`;
		this.fs.put(path, Buffer.concat([Buffer.from('#head\r\n'), bytes, Buffer.from('*1\r\n')]));
		return { path, from: 7, to: 7 + bytes.length };
	}

	job(base: FoldBase | null, sections: readonly FoldSection[], format: 'rdb' | 'aof' = 'rdb'): FoldJob {
		return {
			base,
			sections,
			output: { format, path: OUTPUT_PATH, finalPath: '/d/dump.rdb' },
			settings: new Settings(),
			maxmemoryPolicy: 'noeviction',
			aux: [['redis-ver', '7.2.6']],
			keyCount: 0,
		};
	}

	fold(job: FoldJob): FoldResult {
		const fold = new Fold({ job, fs: this.fs, env: systemEnv(), logger: SILENT_LOGGER });
		const steps = fold.run();
		let next = steps.next();
		while (!next.done) next = steps.next();
		return next.value;
	}

	liveDigest(): string {
		return datasetDigest(this.live.dbs);
	}

	/** Digest of an RDB file. */
	rdbDigest(path: string): string {
		const engine = newEngine();
		const bytes = Buffer.from(this.fs.content(path), 'latin1');
		const loaded = loadRdbNow(engine, { source: bytes, dropExpired: false, replaceExisting: false });
		if (loaded.kind === 'failed') throw new Error(loaded.message);
		return datasetDigest(engine.dbs);
	}
}
