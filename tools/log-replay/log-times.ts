/**
 * When entries were written, and by whom: the origins say it of every entry; where they are missing, the catalog of the
 * stretch of up to 64 KB or a second around it, and the `#TS:` annotations of the log itself.
 */
import type { CatalogReader } from '../../src/log/catalog-reader.js';
import { type EntryOrigin, type OriginsReader, readOrigins } from '../../src/log/origins-reader.js';
import type { LogMap } from './log-map.js';

export interface EntryTime {
	/** Milliseconds since 1970, 0 if nobody knows. */
	readonly timeMs: number;
	readonly isEstimated: boolean;
}

const UNKNOWN: EntryTime = { timeMs: 0, isEstimated: true };

export class LogTimes {
	private readonly origins: OriginsReader;
	/** Log positions at which the blocks of the catalog begin, rising, and their times. */
	private readonly blockOffsets: readonly number[];
	private readonly blockTimes: readonly number[];

	private constructor(
		origins: OriginsReader,
		blockOffsets: readonly number[],
		blockTimes: readonly number[],
	) {
		this.origins = origins;
		this.blockOffsets = blockOffsets;
		this.blockTimes = blockTimes;
	}

	/** For the entries from log position `from` on. Rejects with a CatalogStoreError. */
	static async read(map: LogMap, catalog: CatalogReader | undefined, from: number): Promise<LogTimes> {
		const blockOffsets: number[] = [];
		const blockTimes: number[] = [];
		const incrementals = map.pieces.map(({ info }) => info);
		const origins = readOrigins(
			map.names,
			{ base: null, history: [], incrementals },
			from,
			Number.POSITIVE_INFINITY,
		);
		for (const { info, end } of catalog === undefined ? [] : map.pieces) {
			const file = end <= from ? undefined : catalog!.fileOf(info);
			if (file === undefined) continue;
			for await (const { offset, timeMs } of catalog!.blocksOf(file)) {
				if (offset < (blockOffsets.at(-1) ?? 0)) continue;
				blockOffsets.push(offset);
				blockTimes.push(timeMs);
			}
		}
		return new LogTimes(origins, blockOffsets, blockTimes);
	}

	/** Who caused the entry at a log position, and when; undefined if nobody knows. */
	originAt(offset: number): EntryOrigin | undefined {
		return this.origins.at(offset);
	}

	/** `annotated`: the time of the last annotation before the entry, or 0. */
	timeAt(offset: number, annotatedMs: number): EntryTime {
		const origin = this.origins.at(offset);
		if (origin !== undefined) return { timeMs: origin.timeMs, isEstimated: false };
		const { blockOffsets } = this;
		let low = 0;
		let high = blockOffsets.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (blockOffsets[middle]! <= offset) low = middle + 1;
			else high = middle;
		}
		const timeMs = Math.max(annotatedMs, low === 0 ? 0 : this.blockTimes[low - 1]!);
		return timeMs === 0 ? UNKNOWN : { timeMs, isEstimated: true };
	}
}
