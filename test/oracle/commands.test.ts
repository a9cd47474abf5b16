/** Every command of ours, table-driven: its row as COMMAND INFO shows it, and the errors of a wrong arity. */
import { assert } from 'chai';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import { itemsOf, parseReply, type Reply, textsOf } from '../support/reply.js';
import { ServerFleet } from '../support/server-process.js';
import { type ClientPair, destroyBoth, onBoth, ServerPair } from './server-pair.js';

/** COMMAND INFO gained and lost details between versions; only the target's is compared. */
const TARGET_MIN = 70200;
const TARGET_MAX = 70299;
/** Subcommands of the target that are not supported yet. */
const NOT_YET = ['client|caching', 'client|getredir', 'client|tracking', 'client|trackinginfo'];
const ARITY_INDEX = 1;
/** Elements of a COMMAND INFO entry that are lists in no defined order: flags, categories, tips, subcommands. */
const SUBCOMMANDS_INDEX = 9;

describe('oracle: the command table', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	let clients: ClientPair;
	/** Names of commands (not of subcommands, which COMMAND LIST gives too) that both have. */
	let shared: string[];
	let own: string[];

	before(async function () {
		oracle = requireOracle(this);
		const pair = await ServerPair.start(fleet, oracle);
		clients = await pair.connect();
		const lists = await onBoth(clients, ['COMMAND', 'LIST']);
		const [ours, real] = lists.map((list) => textsOf(parseReply(list)).map((name) => name ?? '')) as [
			string[],
			string[],
		];
		shared = ours.filter((name) => real.includes(name)).sort();
		own = ours.filter((name) => !real.includes(name));
	});
	after(async () => {
		if (clients !== undefined) destroyBoth(clients);
		await fleet.close();
	});

	it('has no command that the target does not have', function () {
		if (oracle.version < TARGET_MIN) this.skip();
		assert.deepEqual(own, []);
		assert.isAbove(shared.length, 100);
	});

	it('COMMAND INFO is the same', async function () {
		if (oracle.version < TARGET_MIN || oracle.version > TARGET_MAX) this.skip();
		const faults: string[] = [];
		for (const name of shared) {
			const [ours, real] = await onBoth(clients, ['COMMAND', 'INFO', name]);
			compareEntries(itemsOf(parseReply(ours))[0]!, itemsOf(parseReply(real))[0]!, name, faults);
		}
		assert.isEmpty(faults, `\n${faults.join('\n')}\n`);
	});

	it('COMMAND GETKEYS and the arity errors are the same', async () => {
		const faults: string[] = [];
		for (const name of shared) {
			const replies = await onBoth(clients, ['COMMAND', 'INFO', name]);
			const [mine, theirs] = replies.map((reply) => arities(itemsOf(parseReply(reply))[0]!)) as [
				Arities,
				Arities,
			];
			for (const [fullName, arity] of theirs) {
				if (NOT_YET.includes(fullName)) continue;
				if (oracle.version < TARGET_MIN && mine.get(fullName) !== arity) continue;
				await checkArity(fullName.split('|'), arity, faults);
			}
		}
		assert.isEmpty(faults, `\n${faults.join('\n')}\n`);
	});

	/** Sends the command with one argument too few, and with one too many, if there are such counts. */
	async function checkArity(name: readonly string[], arity: number, faults: string[]): Promise<void> {
		const counts = arity < 0 ? [-arity - 1] : [arity - 1, arity + 1];
		for (const count of counts) {
			if (count < name.length) continue;
			const args = [...name, ...Array.from({ length: count - name.length }, (_, index) => `arg${index}`)];
			const commands = [args];
			if (oracle.version >= TARGET_MIN) commands.push(['COMMAND', 'GETKEYS', ...args]);
			for (const command of commands) {
				const [ours, real] = await onBoth(clients, command);
				if (ours !== real) faults.push(`${command.join(' ')}: ours ${ours.trim()} real ${real.trim()}`);
			}
		}
	}
});

type Arities = ReadonlyMap<string, number>;

/** The arity of a command and of each subcommand, by name, from its entry of COMMAND INFO. */
function arities(entry: Reply): Arities {
	const items = itemsOf(entry);
	const found = new Map([[items[0]!.text ?? '', Number(items[ARITY_INDEX]!.text)]]);
	for (const subcommand of items[SUBCOMMANDS_INDEX]?.items ?? []) {
		for (const [name, arity] of arities(subcommand)) found.set(name, arity);
	}
	return found;
}

/** Compares two entries of COMMAND INFO, subcommands by name. */
function compareEntries(ours: Reply, real: Reply, name: string, faults: string[]): void {
	if (ours.items === null || real.items === null) {
		faults.push(`${name}: ours ${ours.raw.trim()} real ${real.raw.trim()}`);
		return;
	}
	for (const [index, item] of real.items.entries()) {
		const mine = ours.items[index];
		if (index !== SUBCOMMANDS_INDEX) {
			if (canonical(mine) !== canonical(item)) {
				faults.push(`${name}, element ${index}: ours ${show(mine)} real ${show(item)}`);
			}
			continue;
		}
		for (const subcommand of itemsOf(item)) {
			const subname = itemsOf(subcommand)[0]!.text ?? '';
			const same = mine?.items?.find((candidate) => itemsOf(candidate)[0]!.text === subname);
			if (NOT_YET.includes(subname)) {
				if (same !== undefined) faults.push(`${subname}: no longer missing, take it off the list`);
			} else if (same === undefined) faults.push(`${subname}: ours does not have it`);
			else compareEntries(same, subcommand, subname, faults);
		}
		for (const subcommand of mine?.items ?? []) {
			const subname = itemsOf(subcommand)[0]!.text ?? '';
			if (!itemsOf(item).some((candidate) => itemsOf(candidate)[0]!.text === subname)) {
				faults.push(`${subname}: the real server does not have it`);
			}
		}
	}
}

/** Flags, categories and tips (lists of plain strings) are sets: their order is not compared. */
function canonical(reply: Reply | undefined): string {
	if (reply === undefined) return 'missing';
	if (reply.items === null) return reply.raw;
	const parts = reply.items.map(canonical);
	return `${reply.type}(${reply.items.every((item) => item.items === null && item.type === '+') ? parts.sort().join('') : parts.join('')})`;
}

function show(reply: Reply | undefined): string {
	if (reply === undefined) return 'missing';
	return reply.items === null ? String(reply.text) : `[${reply.items.map(show).join(' ')}]`;
}
