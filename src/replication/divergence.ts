/**
 * Before a full resync replaces our log: what of it the master never had is put aside (log/divergent-tail.ts).
 *
 * Up to where we have the same log is told by the IDs: the master says in INFO which ones it has and up to where, and a
 * (replid, offset) stands for the same bytes everywhere. That is asked on a connection of its own, because the one of
 * the link is busy with the snapshot. Where the logs have no ID in common, the whole of ours is another one, not a tail:
 * its files stay in the history of the log.
 */
import type { LogLevel } from '../base/logger.js';
import type { Engine } from '../engine/engine.js';
import type { PeerConnector } from '../engine/peer.js';
import type { LogLineage } from '../formats/aof-manifest.js';
import { saveDivergentTail } from '../log/divergent-tail.js';
import type { LogFs } from '../log/log-fs.js';
import type { ReplicatedLog } from '../log/replicated-log.js';
import type { MasterAddress, ReplicationState } from './replication-state.js';

/** For the answer to INFO. */
const ANSWER_MS_MAX = 3000;
const ANSWER_BYTES_MAX = 64 * 1024;
const LAST_FIELD = /(?:^|\n)second_repl_offset:-?\d+\r?\n/;

export interface DivergenceHost {
	readonly engine: Engine;
	readonly state: ReplicationState;
	readonly log: ReplicatedLog;
	readonly fs: LogFs;
	readonly connect: PeerConnector;
	/** Where the file goes: the server's working folder. */
	readonly folder: string;
}

/** Puts aside what the master that is followed never had. Never rejects; says in the log what has been done. */
export async function saveDivergence(host: DivergenceHost): Promise<void> {
	const { engine, state, log, fs, folder } = host;
	const { master } = state;
	const { lineage } = log;
	if (master === null || lineage === null || log.endOffset === 0) return;
	const say = (level: LogLevel, message: string): void => engine.logger.log(level, message);
	const info = await replicationInfo(host, master);
	if (info === null) {
		say('warning', 'The master does not tell what it has of our log: nothing of it is put aside');
		return;
	}
	const fromOffset = commonOffset(info, lineage, log.endOffset);
	if (fromOffset < 0) {
		say('notice', 'The master has another log than ours, which is replaced as a whole');
		return;
	}
	const { replid } = lineage;
	await saveDivergentTail({ log, fs, logger: engine.logger, folder, replid, fromOffset });
}

/**
 * The last log position up to which a server with the given INFO has the same log as one with that lineage, whose log ends
 * at `endOffset`; -1 if nothing says that they have anything in common.
 */
export function commonOffset(info: string, lineage: LogLineage, endOffset: number): number {
	const theirs = [
		{ replid: fieldOf(info, 'master_replid'), offset: Number(fieldOf(info, 'master_repl_offset') || -1) },
		// There the first byte that differs is counted, from 1.
		{ replid: fieldOf(info, 'master_replid2'), offset: Number(fieldOf(info, 'second_repl_offset') || 0) - 1 },
	];
	const ours = [
		{ replid: lineage.replid, offset: endOffset },
		{ replid: lineage.replid2, offset: lineage.secondOffset },
		...lineage.earlier,
	];
	let common = -1;
	for (const { replid, offset } of theirs) {
		const same = replid === '' ? undefined : ours.find((id) => id.replid === replid);
		if (same !== undefined) common = Math.max(common, Math.min(offset, same.offset, endOffset));
	}
	return common;
}

function fieldOf(info: string, name: string): string {
	return new RegExp(`(?:^|\\n)${name}:([^\\r\\n]*)`).exec(info)?.[1] ?? '';
}

/** What the master says to INFO replication; null if it does not, or not in time. */
function replicationInfo(host: DivergenceHost, master: MasterAddress): Promise<string | null> {
	const { engine, connect } = host;
	const { masterauth, masteruser } = engine.settings;
	const { timers } = engine.env;
	return new Promise((resolve) => {
		let text = '';
		const end = (answer: string | null): void => {
			timers.clearTimeout(timer);
			socket.close();
			resolve(answer);
		};
		const timer = timers.setTimeout(() => end(null), ANSWER_MS_MAX);
		const socket = connect(master.host, master.port, {
			connected: () => {
				const auth = masteruser === '' ? [masterauth] : [masteruser, masterauth];
				if (masterauth !== '') socket.write(request('AUTH', ...auth));
				socket.write(request('INFO', 'replication'));
			},
			received: (bytes) => {
				text += bytes.latin1Slice();
				if (LAST_FIELD.test(text)) end(text);
				else if (text.length > ANSWER_BYTES_MAX || /(?:^|\r\n)-[^\n]*\r\n$/.test(text)) end(null);
			},
			drained: () => {},
			closed: () => end(null),
		});
	});
}

function request(...args: string[]): string {
	return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
}
