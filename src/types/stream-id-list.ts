/**
 * Things that have a stream ID, in the order of their IDs, each ID once: the pending entries of a group or a consumer.
 *
 * They are kept in blocks of up to `BLOCK_SIZE_MAX`, so that adding and removing anywhere moves little. Finding one is
 * two binary searches; adding at the end, which is what delivering entries does, needs none.
 */
import { compareStreamIds, type StreamId } from './stream-id.js';

const BLOCK_SIZE_MAX = 256;

export class StreamIdList<T extends StreamId> {
	/** The number of items. */
	size = 0;
	/** None of them is empty. */
	private blocks: T[][] = [];

	get(id: StreamId): T | undefined {
		const block = this.blocks[this.blockOf(id)];
		if (block === undefined) return undefined;
		const item = block[lowerBound(block, id)];
		return item !== undefined && compareStreamIds(item, id) === 0 ? item : undefined;
	}

	/** Adds an item; false, and nothing changes, if there is one with that ID. */
	add(item: T): boolean {
		const { blocks } = this;
		const last = blocks[blocks.length - 1];
		if (last === undefined || compareStreamIds(last[last.length - 1]!, item) < 0) {
			if (last === undefined || last.length >= BLOCK_SIZE_MAX) blocks.push([item]);
			else last.push(item);
			this.size++;
			return true;
		}
		const at = this.blockOf(item);
		const block = blocks[at]!;
		const position = lowerBound(block, item);
		if (position < block.length && compareStreamIds(block[position]!, item) === 0) return false;
		block.splice(position, 0, item);
		if (block.length > BLOCK_SIZE_MAX) blocks.splice(at + 1, 0, block.splice(BLOCK_SIZE_MAX >> 1));
		this.size++;
		return true;
	}

	/** Removes the item of that ID, and returns it; undefined if there is none. */
	remove(id: StreamId): T | undefined {
		const at = this.blockOf(id);
		const block = this.blocks[at];
		if (block === undefined) return undefined;
		const position = lowerBound(block, id);
		const item = block[position];
		if (item === undefined || compareStreamIds(item, id) !== 0) return undefined;
		block.splice(position, 1);
		if (block.length === 0) this.blocks.splice(at, 1);
		this.size--;
		return item;
	}

	/** In order, from the first ID that is not less than `from`. */
	*items(from?: StreamId): Generator<T> {
		const { blocks } = this;
		const first = from === undefined ? 0 : this.blockOf(from);
		for (let at = first; at < blocks.length; at++) {
			const block = blocks[at]!;
			let position = at === first && from !== undefined ? lowerBound(block, from) : 0;
			for (; position < block.length; position++) yield block[position]!;
		}
	}

	/** The last block that begins at or before `id`; the first one if all begin behind it. */
	private blockOf(id: StreamId): number {
		const { blocks } = this;
		let low = 0;
		let high = blocks.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (compareStreamIds(blocks[middle]![0]!, id) <= 0) low = middle + 1;
			else high = middle;
		}
		return Math.max(0, low - 1);
	}
}

/** The position of the first item of a sorted array whose ID is not less than `id`. */
export function lowerBound(items: readonly StreamId[], id: StreamId): number {
	let low = 0;
	let high = items.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (compareStreamIds(items[middle]!, id) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}
