/** A client as a line of CLIENT LIST (networking.c, catClientInfoString). */
import { BLOCKED_NOT, type Client } from './client.js';

/** What a client object itself costs, as an estimate: V8 does not tell. */
const CLIENT_BYTES = 2048;

export type ClientKind = 'normal' | 'master' | 'replica' | 'pubsub';

/** The class of the client for CLIENT LIST TYPE, CLIENT KILL TYPE and the output buffer limits. */
export function clientKind(client: Client): ClientKind {
	if (client.isReplica) return 'replica';
	return client.subscriptionCount > 0 ? 'pubsub' : 'normal';
}

/** The kind that a word of CLIENT LIST TYPE means; undefined if none. */
export function parseClientKind(word: string): ClientKind | undefined {
	switch (word.toLowerCase()) {
		case 'normal':
			return 'normal';
		case 'slave':
		case 'replica':
			return 'replica';
		case 'pubsub':
			return 'pubsub';
		case 'master':
			return 'master';
		default:
			return undefined;
	}
}

function flagsOf(client: Client): string {
	let flags = '';
	if (client.isReplica) flags += 'S';
	else if (client.isMonitor) flags += 'O';
	if (client.subscriptionCount > 0) flags += 'P';
	if (client.inMulti) flags += 'x';
	if (client.blocked !== BLOCKED_NOT) flags += 'b';
	if (client.dirtyCas) flags += 'd';
	if (client.closing) flags += 'c';
	if (client.transport.remoteAddress.startsWith('/')) flags += 'U';
	if (client.noEvict) flags += 'e';
	if (client.noTouch) flags += 'T';
	return flags === '' ? 'N' : flags;
}

/** Estimated bytes that the client occupies, replies and requests included. */
export function clientMemoryBytes(client: Client): number {
	const { transport } = client;
	return (
		CLIENT_BYTES +
		transport.queryBufferBytes() +
		transport.queryBufferFree() +
		transport.outputBytes() +
		client.queuedBytes
	);
}

export function clientInfoLine(client: Client, nowMs: number): string {
	const { transport } = client;
	const seconds = (sinceMs: number) => Math.max(0, Math.floor(nowMs / 1000) - Math.floor(sinceMs / 1000));
	const outputBytes = transport.outputBytes();
	const fields: [string, string | number][] = [
		['id', client.id],
		['addr', transport.remoteAddress],
		['laddr', transport.localAddress],
		['fd', transport.fd],
		['name', client.name],
		['age', seconds(client.createdMs)],
		['idle', seconds(client.lastInteractionMs)],
		['flags', flagsOf(client)],
		['db', client.db.id],
		['sub', client.channels?.size ?? 0],
		['psub', client.patterns?.size ?? 0],
		['ssub', client.shardChannels?.size ?? 0],
		['multi', client.inMulti ? client.queued.length : -1],
		['qbuf', transport.queryBufferBytes()],
		['qbuf-free', transport.queryBufferFree()],
		['argv-mem', transport.argumentBytes()],
		['multi-mem', client.queuedBytes],
		['rbs', 0],
		['rbp', 0],
		['obl', 0],
		['oll', transport.outputPieces()],
		['omem', outputBytes],
		['tot-mem', clientMemoryBytes(client)],
		['events', outputBytes > 0 ? 'rw' : 'r'],
		['cmd', client.lastCommand === '' ? 'NULL' : client.lastCommand],
		['user', client.user],
		['redir', -1],
		['resp', client.reply.resp],
		['lib-name', client.libName],
		['lib-ver', client.libVersion],
	];
	return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}
