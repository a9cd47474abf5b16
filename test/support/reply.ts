/**
 * Replies of RESP2 and RESP3 as trees, parsed from latin1 text (one character, one byte). Bytes that are no
 * reply throw.
 */

/** Types whose value is one line: simple string, error, integer, null, double, boolean, big number. */
const LINE_TYPES = '+-:_,#(';
/** Types whose value is a counted blob: bulk string, blob error, verbatim string. */
const BLOB_TYPES = '$!=';
/** Types that hold other replies: array, set, push, map, attribute (the last two: two for each counted). */
const AGGREGATE_TYPES = '*~>%|';

export interface Reply {
	/** The type byte. */
	readonly type: string;
	/** The text of a line or blob; null for a null of RESP2 and for aggregates. */
	readonly text: string | null;
	/** The elements of an aggregate, keys and values of a map in turn; null for anything else. */
	readonly items: readonly Reply[] | null;
	/** Its bytes as sent. */
	readonly raw: string;
}

/** Where the reply that starts at `start` ends; -1 if `data` does not hold all of it. */
export function replyEnd(data: string, start: number): number {
	let position = start;
	for (let pending = 1; pending > 0; pending--) {
		const lineEnd = data.indexOf('\r\n', position);
		if (lineEnd < 0) return -1;
		const type = data.charAt(position);
		const line = data.slice(position + 1, lineEnd);
		position = lineEnd + 2;
		if (BLOB_TYPES.includes(type)) {
			if (declaredLength(line) >= 0) position += declaredLength(line) + 2;
			if (position > data.length) return -1;
		} else if (AGGREGATE_TYPES.includes(type)) {
			const count = Math.max(0, declaredLength(line));
			pending += type === '%' || type === '|' ? 2 * count : count;
			if (type === '|') pending++; // the reply that the attribute belongs to
		} else if (!LINE_TYPES.includes(type)) {
			throw new Error(`not a reply: ${JSON.stringify(data.slice(start, start + 200))}`);
		}
	}
	return position;
}

/** The tree of one whole reply. */
export function parseReply(raw: string): Reply {
	return parseAt(raw, 0);
}

/** The elements of an aggregate; throws if `reply` is something else. */
export function itemsOf(reply: Reply): readonly Reply[] {
	if (reply.items === null) throw new Error(`not an aggregate: ${JSON.stringify(reply.raw.slice(0, 200))}`);
	return reply.items;
}

/** The text of each element of an aggregate, null for a null. */
export function textsOf(reply: Reply): (string | null)[] {
	return itemsOf(reply).map((item) => item.text);
}

/** The value of an integer reply; throws if `raw` is something else. */
export function integerOf(raw: string): number {
	if (raw[0] !== ':') throw new Error(`not an integer: ${JSON.stringify(raw.slice(0, 200))}`);
	return Number(raw.slice(1, -2));
}

function parseAt(data: string, start: number): Reply {
	const lineEnd = data.indexOf('\r\n', start);
	const type = data.charAt(start);
	const line = data.slice(start + 1, lineEnd);
	const end = replyEnd(data, start);
	const raw = data.slice(start, end);
	if (BLOB_TYPES.includes(type)) {
		const text = declaredLength(line) < 0 ? null : data.slice(lineEnd + 2, end - 2);
		return { type, text, items: null, raw };
	}
	if (!AGGREGATE_TYPES.includes(type)) return { type, text: type === '_' ? null : line, items: null, raw };
	const count = declaredLength(line) * (type === '%' || type === '|' ? 2 : 1);
	if (count < 0) return { type, text: null, items: null, raw };
	const items: Reply[] = [];
	let position = lineEnd + 2;
	for (let index = 0; index < count; index++) {
		const item = parseAt(data, position);
		items.push(item);
		position += item.raw.length;
	}
	return { type, text: null, items, raw };
}

function declaredLength(line: string): number {
	const length = Number(line);
	if (line === '' || !Number.isInteger(length)) throw new Error(`not a length: ${JSON.stringify(line)}`);
	return length;
}
