/** What tests of replication ask servers for, ours or real. */
import { parseReply } from './reply.js';
import { type ServerProcess, sleep } from './server-process.js';

const WAIT_MS_MAX = 20_000;
const POLL_MS = 20;

/** A field of INFO (all its sections); '' if there is none of that name. */
export async function replicationField(server: ServerProcess, name: string): Promise<string> {
	const client = await server.connect();
	const info = parseReply(await client.command(['INFO', 'everything'])).text ?? '';
	client.destroy();
	return new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1] ?? '';
}

/** Asks again until it holds. Throws after 20 seconds, with `what`. */
export async function waitUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
	const deadlineMs = Date.now() + WAIT_MS_MAX;
	while (!(await holds())) {
		if (Date.now() > deadlineMs) throw new Error(`${what}: not within ${WAIT_MS_MAX} ms`);
		await sleep(POLL_MS);
	}
}

/** Until the replica's link works. */
export function waitForLink(replica: ServerProcess): Promise<void> {
	return waitUntil('the link', async () => (await replicationField(replica, 'master_link_status')) === 'up');
}

/** Until the replica has applied what the master has written by now. */
export async function waitForSameOffset(master: ServerProcess, replica: ServerProcess): Promise<void> {
	await waitForLink(replica);
	const offset = Number(await replicationField(master, 'master_repl_offset'));
	await waitUntil(`offset ${offset}`, async () => {
		return Number(await replicationField(replica, 'master_repl_offset')) >= offset;
	});
}

/** The digest of the dataset (DEBUG DIGEST). */
export async function digestOf(server: ServerProcess): Promise<string> {
	const client = await server.connect();
	const reply = await client.command(['DEBUG', 'DIGEST']);
	client.destroy();
	return reply.trim();
}
