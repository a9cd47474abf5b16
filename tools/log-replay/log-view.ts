/** A log opened for reading: its map, its catalog and its times; and places in it. */
import type { CatalogReader } from '../../src/log/catalog-reader.js';
import { CatalogStoreError } from '../../src/log/catalog-store.js';
import type { LogFs } from '../../src/log/log-fs.js';
import type { LogMap } from './log-map.js';
import { LogTimes } from './log-times.js';
import { entriesFrom, type LogEntry, type LogPlace, type WalkHooks } from './log-walk.js';
import type { LogPosition } from './position.js';
import { ReplayFault } from './replay-fault.js';

/** from: the first entry at that time or later. upTo: behind all entries up to that time. */
export type PositionSide = 'from' | 'upTo';

export class LogView {
	readonly fs: LogFs;
	readonly map: LogMap;
	private readonly catalog: CatalogReader | undefined;
	private readonly hooks: WalkHooks;

	/** `catalog` stays the caller's. */
	constructor(fs: LogFs, map: LogMap, catalog: CatalogReader | undefined, hooks: WalkHooks) {
		this.fs = fs;
		this.map = map;
		this.catalog = catalog;
		this.hooks = hooks;
	}

	/** The times of the entries from a log position on. */
	async times(from: number): Promise<LogTimes> {
		try {
			return await LogTimes.read(this.map, this.catalog, from);
		} catch (error) {
			if (!(error instanceof CatalogStoreError)) throw error;
			return LogTimes.read(this.map, undefined, from);
		}
	}

	entries(place: LogPlace): Generator<LogEntry, void> {
		return entriesFrom(this.fs, this.map, place, this.hooks);
	}

	/**
	 * The place that a position of the command line means: where an entry begins, outside of a transaction, or the end
	 * of the log. @throws ReplayFault
	 */
	async find(position: LogPosition, side: PositionSide): Promise<LogPlace> {
		if (position.kind === 'end') return this.findOffset(this.map.end);
		return position.kind === 'offset'
			? this.findOffset(position.offset)
			: this.findTime(position.timeMs, side);
	}

	private async findOffset(offset: number): Promise<LogPlace> {
		const { start, end } = this.map;
		if (offset < start) {
			throw new ReplayFault(
				'position',
				`the log is kept from log position ${start} on; ${offset} is before that`,
			);
		}
		if (offset > end) {
			throw new ReplayFault('position', `the log ends at log position ${end}; ${offset} is behind that`);
		}
		const near = await this.seek((catalog) => catalog.seekOffset(offset));
		return this.walkTo(near.offset <= offset ? near : this.firstPlace, (entry) => entry.end > offset);
	}

	private async findTime(timeMs: number, side: PositionSide): Promise<LogPlace> {
		const near = await this.seek((catalog) => catalog.seekTime(timeMs - (side === 'from' ? 1 : 0)));
		const times = await this.times(near.offset);
		let isKnown = false;
		const place = this.walkTo(near, (entry) => {
			const time = times.timeAt(entry.offset, entry.annotatedMs).timeMs;
			isKnown ||= time > 0;
			return side === 'from' ? time >= timeMs : time > timeMs;
		});
		if (!isKnown && this.map.end > this.map.start) {
			throw new ReplayFault(
				'position',
				'the log does not say when its entries were written: it has neither catalog, origins nor annotations',
			);
		}
		return place;
	}

	/** The start of the first transaction, or entry outside of one, of which `stops` says so; else the end. */
	private walkTo(from: LogPlace, stops: (entry: LogEntry) => boolean): LogPlace {
		let { offset, db } = from;
		let unitDb = db;
		let torn = -1;
		const onTornEnd = (at: number): void => {
			torn = at;
		};
		const hooks = { ...this.hooks, onGap: () => {}, onTornEnd };
		for (const entry of entriesFrom(this.fs, this.map, from, hooks)) {
			if (entry.unitStart === entry.offset) unitDb = db;
			if (stops(entry)) return { offset: entry.unitStart, db: unitDb };
			db = entry.db;
			offset = entry.end;
		}
		return torn < 0 ? { offset, db } : { offset: torn, db: unitDb };
	}

	private get firstPlace(): LogPlace {
		return { offset: this.map.start, db: 0 };
	}

	/** A place from the catalog, if it is one of the files that are there; else the start of the log. */
	private async seek(
		ask: (catalog: CatalogReader) => Promise<(LogPlace & { readonly fileName: string }) | undefined>,
	): Promise<LogPlace> {
		if (this.catalog === undefined) return this.firstPlace;
		try {
			const found = await ask(this.catalog);
			const piece = this.map.pieces.find(({ info }) => info.name === found?.fileName);
			if (found === undefined || piece === undefined) return this.firstPlace;
			const isWithin = found.offset >= piece.start && found.offset < piece.end;
			return isWithin ? { offset: found.offset, db: found.db } : this.firstPlace;
		} catch (error) {
			if (error instanceof CatalogStoreError) return this.firstPlace;
			throw error;
		}
	}
}
