/**
 * The whole dataset as an RDB file: as pieces for whoever writes them, or written to its place at once.
 *
 * Source: Redis 7.2.6, rdb.c (rdbSaveRio).
 */
import { blockThread } from '../base/block-thread.js';
import { REDIS_VERSION } from '../base/version.js';
import type { Engine } from '../engine/engine.js';
import { frequencyAt } from '../keyspace/access-clock.js';
import { createFileSteps, runStepsNow } from '../log/durable-steps.js';
import type { LogFs } from '../log/log-fs.js';
import { type AccessInfo, RdbFileWriter } from './rdb-file-writer.js';
import type { RdbReplicationInfo } from './rdb-load.js';

export interface RdbSaveOptions {
	/** The file becomes a base of the log. */
	readonly isAofBase: boolean;
	/** Where in the replication stream the dataset stands; undefined leaves it out. */
	readonly replication: RdbReplicationInfo | undefined;
	/** The code of the function libraries. */
	readonly functions: readonly string[];
	/** Nothing but the functions is wanted. */
	readonly withoutData?: boolean;
}

const KEYS_PER_SLICE = 64;

/**
 * The file in pieces of about 256 KB, for an aof base or a dump. The dataset must not change until the last one. Each
 * piece belongs to whoever takes it.
 */
export function* rdbChunks(engine: Engine, options: RdbSaveOptions): Generator<Buffer, void> {
	const ready: Buffer[] = [];
	const { settings } = engine;
	const writer = new RdbFileWriter((chunk) => ready.push(chunk), settings);
	writer.header(rdbAuxFields(engine, options));
	for (const code of options.functions) writer.functionLibrary(code);
	for (const db of engine.dbs) {
		if (db.size === 0 || options.withoutData) continue;
		writer.selectDb(db.id);
		writer.resizeDb(db.size, db.expires.size);
		const access = accessInfoOf(engine);
		let cursor = 0;
		do {
			cursor = db.scan(cursor, KEYS_PER_SLICE, (key, value) => {
				writer.entry(key, value, db.expireAt(key), access?.(db.accessClock(key)));
				if (settings.rdbKeySaveDelay > 0) blockThread(settings.rdbKeySaveDelay / 1000);
			});
			yield* ready.splice(0);
		} while (cursor !== 0);
	}
	writer.end();
	yield* ready;
}

/**
 * Writes the file under a temporary name, makes it durable and gives it its name. The number of bytes. Throws system
 * errors; then no temporary file is left, and a file of that name is as it was.
 */
export function saveRdbNow(
	engine: Engine,
	fs: LogFs,
	folder: string,
	name: string,
	tempName: string,
	options: RdbSaveOptions,
): number {
	let bytes = 0;
	function* counted(): Generator<Buffer, void> {
		for (const chunk of rdbChunks(engine, options)) {
			bytes += chunk.length;
			yield chunk;
		}
	}
	runStepsNow(fs, createFileSteps(fs, folder, name, tempName, counted(), false));
	return bytes;
}

/** The auxiliary fields at the head of a file, in Redis's order. */
export function* rdbAuxFields(
	engine: Engine,
	options: RdbSaveOptions,
): Generator<readonly [name: string, value: string]> {
	yield ['redis-ver', REDIS_VERSION];
	yield ['redis-bits', '64'];
	yield ['ctime', String(Math.floor(engine.env.clock.nowMs() / 1000))];
	yield ['used-mem', String(engine.memory.usedBytes())];
	if (options.replication !== undefined) {
		yield ['repl-stream-db', String(options.replication.streamDb)];
		yield ['repl-id', options.replication.replid];
		yield ['repl-offset', String(options.replication.offset)];
	}
	yield ['aof-base', options.isAofBase ? '1' : '0'];
}

/**
 * What is to be written about the last access of a key, from its access clock, as the eviction policy has it; undefined
 * for nothing.
 */
export function accessInfoOf(engine: Engine): ((accessClock: number) => AccessInfo) | undefined {
	const { settings, eviction } = engine;
	const nowStamp = eviction.stamp(engine.env.clock.nowMs());
	if (eviction.usesFrequency) {
		return (accessClock) => ({
			idleSeconds: -1,
			frequency: frequencyAt(accessClock, nowStamp, settings.lfuDecayTime),
		});
	}
	if (!settings.maxmemoryPolicy.endsWith('-lru')) return undefined;
	return (accessClock) => ({ idleSeconds: Math.max(0, nowStamp - accessClock), frequency: -1 });
}
