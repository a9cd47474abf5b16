/** Are the datasets of two servers the same? By their digests where those can be compared, else key by key. */
import type { RawClient } from '../support/raw-client.js';
import { parseReply } from '../support/reply.js';
import { sleep } from '../support/server-process.js';
import { canonicalContent, digestsCompare } from './compare.js';
import { type ClientPair, onBoth } from './server-pair.js';

const NO_KEY = 'no key differs';
/** Databases that the tests use. */
const DATABASES = ['0', '1', '2'];

/** How often, and after what pause, digests are compared again while no key differs. */
const RETRY_COUNT = 20;
const RETRY_MS = 50;

/** What differs, in a few words; null if nothing does. Leaves database 0 selected. */
export async function datasetDifference(clients: ClientPair, version: number): Promise<string | null> {
	for (let retry = 0; ; retry++) {
		const difference = await differenceNow(clients, version);
		// A key that has expired is in the digest until somebody notices: each server does in its own time.
		if (difference === null || !difference.endsWith(NO_KEY) || retry === RETRY_COUNT) return difference;
		await sleep(RETRY_MS);
	}
}

async function differenceNow(clients: ClientPair, version: number): Promise<string | null> {
	const [ours, real] = await onBoth(clients, ['DEBUG', 'DIGEST']);
	if (ours === real) return null;
	const names: string[] = [];
	for (const db of DATABASES) {
		const [oursKeys, realKeys] = [await keysOf(clients.ours, db), await keysOf(clients.real, db)];
		for (const key of new Set([...oursKeys, ...realKeys])) {
			const oursText = await describeKey(clients.ours, key, version);
			const realText = await describeKey(clients.real, key, version);
			if (oursText !== realText) {
				names.push(`db ${db} key ${JSON.stringify(key)}: ${clip(oursText)} but really ${clip(realText)}`);
			}
		}
	}
	await onBoth(clients, ['SELECT', '0']);
	if (names.length === 0 && !digestsCompare(version)) return null;
	return `DEBUG DIGEST ${ours.trim()} but really ${real.trim()}: ${names.join('; ') || NO_KEY}`;
}

async function keysOf(client: RawClient, db: string): Promise<string[]> {
	await client.command(['SELECT', db]);
	const { items } = parseReply(await client.command(['KEYS', '*']));
	return (items ?? []).map((key) => key.text ?? '');
}

/** Type, whether it expires, and content of a key, in a form that does not depend on order. */
async function describeKey(client: RawClient, key: string, version: number): Promise<string> {
	const type = parseReply(await client.command(['TYPE', key])).text ?? '';
	const expires = !(await client.command(['PEXPIRETIME', key])).startsWith(':-');
	const read = READS[type];
	if (read === undefined) return type;
	const raw = await client.command([read.command, key, ...read.rest]);
	return `${type}${expires ? ' that expires' : ''} ${canonicalContent(raw, read.entrySize, read.isOrdered, version)}`;
}

const READS: Readonly<
	Record<string, { command: string; rest: readonly string[]; entrySize: number; isOrdered: boolean }>
> = {
	string: { command: 'GET', rest: [], entrySize: 1, isOrdered: true },
	list: { command: 'LRANGE', rest: ['0', '-1'], entrySize: 1, isOrdered: true },
	hash: { command: 'HGETALL', rest: [], entrySize: 2, isOrdered: false },
	set: { command: 'SMEMBERS', rest: [], entrySize: 1, isOrdered: false },
	zset: { command: 'ZRANGE', rest: ['0', '-1', 'WITHSCORES'], entrySize: 1, isOrdered: true },
};

function clip(text: string): string {
	const quoted = JSON.stringify(text);
	return quoted.length > 300 ? `${quoted.slice(0, 300)}…` : quoted;
}
