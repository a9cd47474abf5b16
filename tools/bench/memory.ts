/** Bytes that a key costs, by the servers' own account and by the resident size of the process. */
import type { ServerExecutable } from '../../test/support/executables.js';
import { encodeCommand, type RawClient } from '../../test/support/raw-client.js';
import { parseReply } from '../../test/support/reply.js';
import { ServerFleet, sleep } from '../../test/support/server-process.js';
import type { Contestants } from './throughput.js';
import { twelveDigits } from './workloads.js';

export const VALUE_SIZES = [3, 100];
const BATCH = 1000;
/** Time for a server to return what it only needed while it was filled. */
const SETTLE_MS = 1500;

export interface MemoryPerKey {
	/** From `used_memory` of INFO. */
	readonly usedBytes: number;
	/** From `used_memory_rss` of INFO. */
	readonly residentBytes: number;
}

export interface MemoryResult {
	readonly keyCount: number;
	/** Bytes of each value; keys have 16 bytes. */
	readonly valueSize: number;
	readonly ours: MemoryPerKey;
	readonly real: MemoryPerKey;
}

/** Measures both servers, one after the other, each filled with `keyCount` keys by SET. */
export async function measureMemory(
	contestants: Contestants,
	keyCount: number,
	valueSize: number,
): Promise<MemoryResult> {
	return {
		keyCount,
		valueSize,
		ours: await memoryPerKey(contestants.ours, keyCount, valueSize),
		real: await memoryPerKey(contestants.real, keyCount, valueSize),
	};
}

async function memoryPerKey(
	executable: ServerExecutable,
	keyCount: number,
	valueSize: number,
): Promise<MemoryPerKey> {
	const fleet = new ServerFleet();
	try {
		const server = await fleet.start({ executable, options: { appendonly: 'no' } });
		const client = await server.connect();
		const before = await memoryOf(client);
		for (let done = 0; done < keyCount; done += BATCH) {
			let bytes = '';
			for (let index = done; index < done + BATCH; index++) {
				// Every value is its own, as in life.
				const value = String(index).padStart(valueSize, 'v').slice(-valueSize);
				bytes += encodeCommand(['SET', `key:${twelveDigits(index)}`, value]);
			}
			client.send(bytes);
			for (let left = BATCH; left > 0; left--) await client.reply();
		}
		await sleep(SETTLE_MS);
		// Gives back what is not in use, where a server can; one that cannot answers with an error.
		await client.command(['MEMORY', 'PURGE']);
		const after = await memoryOf(client);
		return {
			usedBytes: (after.usedBytes - before.usedBytes) / keyCount,
			residentBytes: (after.residentBytes - before.residentBytes) / keyCount,
		};
	} finally {
		await fleet.close();
	}
}

async function memoryOf(client: RawClient): Promise<MemoryPerKey> {
	const text = parseReply(await client.command(['INFO', 'memory'])).text ?? '';
	const field = (name: string): number =>
		Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN);
	return { usedBytes: field('used_memory'), residentBytes: field('used_memory_rss') };
}
