/** Are two replies the same, as far as Redis defines them? Knows what differs between versions of Redis. */
import type { VersionNumber } from '../support/executables.js';
import { itemsOf, parseReply, type Reply } from '../support/reply.js';
import type { CommandStep, CompareMode } from './step.js';

const REDIS_7_2: VersionNumber = 70200;
const SECONDS_TOLERANCE = 2;
const MILLIS_TOLERANCE = 2000;
const COMPACTED_IN_7_2 = ['hashtable', 'quicklist', 'listpack'];
const DECIMAL = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/;

/** Compares one reply of ours with the real server's, which is of `version`. */
export function sameReply(ours: string, real: string, mode: CompareMode, version: VersionNumber): boolean {
	if (ours === real || mode === 'ignored') return true;
	// A sum of INCRBYFLOAT beyond 2^53 is text in Redis, and not told from a number in ours.
	if (ours === '$3\r\nint\r\n' && real === '$6\r\nembstr\r\n') return true;
	if (ours[0] === '-' && real[0] === '-') return untilNuls(ours) === untilNuls(real);
	switch (mode) {
		case 'exact':
			return (
				canonical(parseReply(ours), version) === canonical(parseReply(real), version) ||
				sameUpToNul(ours, real)
			);
		case 'seconds':
			return sameInteger(ours, real, SECONDS_TOLERANCE);
		case 'millis':
			return sameInteger(ours, real, MILLIS_TOLERANCE);
		case 'unordered':
			return sorted(parseReply(ours), 1, version) === sorted(parseReply(real), 1, version);
		case 'pairs':
			return sorted(parseReply(ours), 2, version) === sorted(parseReply(real), 2, version);
	}
}

/** Compares the reply of EXEC, each element in the mode of its command; `queued` are the commands that were. */
export function sameExec(
	ours: string,
	real: string,
	queued: readonly CommandStep[],
	version: VersionNumber,
): boolean {
	if (ours === real) return true;
	const oursItems = parseReply(ours).items;
	const realItems = parseReply(real).items;
	if (oursItems === null || realItems === null) return false;
	if (oursItems.length !== queued.length || realItems.length !== queued.length) return false;
	return queued.every((command, index) =>
		sameReply(oursItems[index]!.raw, realItems[index]!.raw, command.mode, version),
	);
}

/** An aggregate as a set of entries of `entrySize` elements each (pairs may be nested, as RESP3 nests them). */
function sorted(reply: Reply, entrySize: number, version: VersionNumber): string {
	if (reply.items === null) return reply.raw;
	const items = itemsOf(reply);
	const entries: string[] = [];
	for (let index = 0; index < items.length; index += entrySize) {
		entries.push(
			items
				.slice(index, index + entrySize)
				.map((item) => canonical(item, version))
				.join(''),
		);
	}
	return `${reply.type}${items.length}\n${entries.sort().join('')}`;
}

/** The entries of an aggregate as text, sorted unless `isOrdered`; the same for equal contents. */
export function canonicalContent(
	raw: string,
	entrySize: number,
	isOrdered: boolean,
	version: VersionNumber,
): string {
	const reply = parseReply(raw);
	return isOrdered ? canonical(reply, version) : sorted(reply, entrySize, version);
}

/** Do two servers of one dataset show the same DEBUG DIGEST? Before 7.2 scores went into it with 17 digits. */
export function digestsCompare(version: VersionNumber): boolean {
	return version >= REDIS_7_2;
}

/** The bytes of a reply; before Redis 7.2 with what 7.2 prints otherwise brought into one form. */
function canonical(reply: Reply, version: VersionNumber): string {
	if (version >= REDIS_7_2) return reply.raw;
	if (reply.items !== null) {
		return `${reply.type}${reply.items.length}\n${reply.items.map((item) => canonical(item, version)).join('')}`;
	}
	const { text } = reply;
	// Doubles had 17 digits, small sets were hashtables, small lists quicklists.
	if (text !== null && DECIMAL.test(text) && !Number.isSafeInteger(Number(text)))
		return `${reply.type}${Number(text)}\n`;
	if (text !== null && COMPACTED_IN_7_2.includes(text)) return '(an encoding)';
	// The last line of every HELP.
	if (text === '    Prints this help.') return `${reply.type}    Print this help.\r\n`;
	return reply.raw;
}

/**
 * SORT ALPHA compares with strcoll, for which a string ends at its first NUL: elements equal up to there are
 * in no defined order.
 */
function sameUpToNul(ours: string, real: string): boolean {
	if (!real.includes('\x00') || ours.length !== real.length) return false;
	return sorted(parseReply(ours), 1, REDIS_7_2) === sorted(parseReply(real), 1, REDIS_7_2);
}

/** An error with every quoted or last word cut at its first NUL, as Redis formats some of them and some not. */
function untilNuls(error: string): string {
	return error.replace(/\x00[^']*/g, '').trimEnd();
}

function sameInteger(ours: string, real: string, tolerance: number): boolean {
	if (ours[0] !== ':' || real[0] !== ':') return false;
	const [a, b] = [Number(ours.slice(1)), Number(real.slice(1))];
	return a >= 0 && b >= 0 && Math.abs(a - b) <= tolerance;
}
