/** Runs a program on two servers and finds the first step whose replies differ. */
import { itemsOf, parseReply, type Reply } from '../support/reply.js';
import { sleep } from '../support/server-process.js';
import { sameExec, sameReply } from './compare.js';
import { datasetDifference } from './dataset.js';
import { type ClientPair, destroyBoth, onBoth, type ServerPair } from './server-pair.js';
import {
	type BlockedStep,
	type CommandStep,
	describeStep,
	type ExpireStep,
	type IterateStep,
	type OrderedReadStep,
	type RandomStep,
	type Step,
	type TransactionStep,
} from './step.js';

/** Steps sent in one pipeline. */
const BATCH_STEPS_MAX = 64;
const ITERATIONS_MAX = 10_000;
/** How long a blocking command gets to begin to wait before the other client acts. */
const BLOCK_SETTLE_MS = 10;
const EXPIRE_WAIT_MS = 4;
const COMPACT_ENCODINGS = ['listpack', 'intset', 'ziplist'];

/** The first difference of a run. */
export interface Mismatch {
	/** Index of the step after which it showed. */
	readonly index: number;
	readonly what: string;
	readonly ours: string;
	readonly real: string;
}

type PlainStep = CommandStep | OrderedReadStep | TransactionStep;

export class ProgramRunner {
	private readonly pair: ServerPair;
	private clients!: ClientPair;
	private others!: ClientPair;

	constructor(pair: ServerPair) {
		this.pair = pair;
	}

	/**
	 * Runs `steps` on two empty servers over new connections; compares every reply, and the digests after each
	 * `digestEvery` steps and at the end. The first mismatch, or null.
	 */
	async run(steps: readonly Step[], digestEvery: number): Promise<Mismatch | null> {
		this.clients = await this.pair.connect();
		this.others = await this.pair.connect();
		try {
			await onBoth(this.others, ['FLUSHALL']);
			return await this.runSteps(steps, digestEvery);
		} finally {
			destroyBoth(this.clients);
			destroyBoth(this.others);
		}
	}

	private async runSteps(steps: readonly Step[], digestEvery: number): Promise<Mismatch | null> {
		let nextDigest = digestEvery;
		let index = 0;
		while (index < steps.length) {
			const batch: PlainStep[] = [];
			while (batch.length < BATCH_STEPS_MAX && index + batch.length < Math.min(steps.length, nextDigest)) {
				const step = steps[index + batch.length]!;
				if (!isPlain(step)) break;
				batch.push(step);
			}
			let mismatch: Mismatch | null;
			try {
				mismatch =
					batch.length > 0 ? await this.runBatch(batch, index) : await this.runSpecial(steps[index]!, index);
			} catch (error) {
				mismatch = this.lostConnection(error as Error, Math.min(steps.length, index + batch.length) - 1);
			}
			if (mismatch !== null) return mismatch;
			index += Math.max(1, batch.length);
			if (index >= nextDigest || index === steps.length) {
				nextDigest = index + digestEvery;
				const difference = await this.compareDigests(index - 1);
				if (difference !== null) return difference;
			}
		}
		return null;
	}

	/** A server that ended, or closed a connection, during a step up to `index`: with the end of its log. */
	private lostConnection(error: Error, index: number): Mismatch {
		const { ours, real } = this.pair;
		return {
			index: Math.max(0, index),
			what: `${error.message}; our server ${ours.hasExited ? 'has ended' : 'is running'}`,
			ours: ours.log.slice(-2000),
			real: real.log.slice(-2000),
		};
	}

	private async compareDigests(index: number): Promise<Mismatch | null> {
		const difference = await datasetDifference(this.others, this.pair.oracle.version);
		return difference === null ? null : { index, what: difference, ours: '', real: '' };
	}

	private async runBatch(batch: readonly PlainStep[], firstIndex: number): Promise<Mismatch | null> {
		const commands = batch.flatMap(commandsOf);
		const [ours, real] = await Promise.all([
			this.clients.ours.pipeline(commands),
			this.clients.real.pipeline(commands),
		]);
		let first = 0;
		for (const [offset, step] of batch.entries()) {
			const end = first + commandsOf(step).length;
			const fault = this.plainFault(step, ours.slice(first, end), real.slice(first, end));
			if (fault !== null) {
				return { index: firstIndex + offset, what: describeStep(step), ours: fault[0], real: fault[1] };
			}
			first = end;
		}
		return null;
	}

	/** The first replies of a plain step that differ. */
	private plainFault(step: PlainStep, ours: readonly string[], real: readonly string[]): Difference {
		const { version } = this.pair.oracle;
		for (const [sub, a] of ours.entries()) {
			const b = real[sub]!;
			const isLast = sub === ours.length - 1;
			let isSame: boolean;
			if (step.kind === 'transaction' && step.end === 'EXEC' && isLast) {
				isSame = sameExec(a, b, queuedOf(step.commands, real.slice(1, -1)), version);
			} else if (step.kind === 'transaction' || !isLast) {
				isSame = sameReply(a, b, 'exact', version);
			} else {
				const isCompact =
					step.kind === 'ordered-read' && COMPACT_ENCODINGS.includes(parseReply(real[0]!).text ?? '');
				isSame = sameReply(a, b, isCompact ? 'exact' : step.mode, version);
			}
			if (!isSame) return [a, b];
		}
		return null;
	}

	private async runSpecial(step: Step, index: number): Promise<Mismatch | null> {
		const difference = await this.specialDifference(step);
		return difference === null
			? null
			: { index, what: describeStep(step), ours: difference[0], real: difference[1] };
	}

	private specialDifference(step: Step): Promise<Difference> {
		switch (step.kind) {
			case 'random':
				return this.random(step);
			case 'iterate':
				return this.iterate(step);
			case 'blocked':
				return this.blocked(step);
			case 'expire':
				return this.expire(step);
			case 'transaction':
				return this.watched(step);
			default:
				throw new Error(`${step.kind} is no special step`);
		}
	}

	private async random(step: RandomStep): Promise<Difference> {
		const [name, key] = [step.args[0]!.toUpperCase(), step.key];
		const before = key === null ? await this.clients.ours.command(['KEYS', '*']) : await this.membersOf(key);
		const [ours, real] = await onBoth(this.clients, step.args);
		const fault = randomFault(
			step.args,
			parseReply(ours),
			parseReply(real),
			before === null ? null : parseReply(before),
		);
		if (fault !== null) return [`${fault}: ${ours}`, real];
		if (name !== 'SPOP' || key === null) return null;
		const [oursLeft, realLeft] = await onBoth(this.clients, ['SCARD', key]);
		if (oursLeft !== realLeft) return [`SCARD afterwards: ${oursLeft}`, realLeft];
		return this.exact(['DEL', key]);
	}

	/** What our server has at `key`, known to be what the real one has; null if it is no collection. */
	private async membersOf(key: string): Promise<string | null> {
		switch (parseReply(await this.clients.ours.command(['TYPE', key])).text) {
			case 'set':
				return this.clients.ours.command(['SMEMBERS', key]);
			case 'hash':
				return this.clients.ours.command(['HGETALL', key]);
			case 'zset':
				return this.clients.ours.command(['ZRANGE', key, '0', '-1', 'WITHSCORES']);
			default:
				return null;
		}
	}

	private async iterate(step: IterateStep): Promise<Difference> {
		const collected: string[][] = [];
		for (const client of [this.clients.ours, this.clients.real]) {
			const found = new Set<string>();
			let cursor = '0';
			for (let round = 0; round < ITERATIONS_MAX; round++) {
				const reply = await client.command([
					...step.args.slice(0, step.cursorIndex),
					cursor,
					...step.args.slice(step.cursorIndex),
				]);
				const tree = parseReply(reply);
				if (tree.items === null) {
					found.add(reply);
					break;
				}
				addEntries(found, itemsOf(tree.items[1]!), step.isPairs);
				cursor = tree.items[0]!.text ?? '0';
				if (cursor === '0') break;
				if (round === ITERATIONS_MAX - 1) found.add('(the iteration does not end)');
			}
			collected.push([...found].sort());
		}
		const [ours, real] = collected.map((entries) => entries.join('')) as [string, string];
		return sameReply(`+${ours}`, `+${real}`, 'exact', this.pair.oracle.version) ? null : [ours, real];
	}

	private async blocked(step: BlockedStep): Promise<Difference> {
		const replies = onBoth(this.clients, step.args);
		await sleep(BLOCK_SETTLE_MS);
		const [oursOther, realOther] = await onBoth(this.others, step.meanwhile);
		const [ours, real] = await replies;
		if (!sameReply(oursOther, realOther, 'exact', this.pair.oracle.version)) return [oursOther, realOther];
		return sameReply(ours, real, 'exact', this.pair.oracle.version) ? null : [ours, real];
	}

	private async expire(step: ExpireStep): Promise<Difference> {
		const [ours, real] = await onBoth(this.clients, ['PEXPIRE', step.key, '1']);
		if (ours !== real) return [ours, real];
		await sleep(EXPIRE_WAIT_MS);
		return this.exact(['EXISTS', step.key]);
	}

	private async watched(step: TransactionStep): Promise<Difference> {
		const { version } = this.pair.oracle;
		const watching = await this.exact(['WATCH', step.watch!]);
		if (watching !== null) return watching;
		if (step.meanwhile !== null) {
			const [ours, real] = await onBoth(this.others, step.meanwhile);
			if (!sameReply(ours, real, 'exact', version)) return [ours, real];
		}
		const multi = await this.exact(['MULTI']);
		if (multi !== null) return multi;
		const answers: string[] = [];
		for (const command of step.commands) {
			const [ours, real] = await onBoth(this.clients, command.args);
			if (!sameReply(ours, real, 'exact', version)) return [ours, real];
			answers.push(real);
		}
		const [ours, real] = await onBoth(this.clients, [step.end]);
		return sameExec(ours, real, queuedOf(step.commands, answers), version) ? null : [ours, real];
	}

	private async exact(args: readonly string[]): Promise<Difference> {
		const [ours, real] = await onBoth(this.clients, args);
		return sameReply(ours, real, 'exact', this.pair.oracle.version) ? null : [ours, real];
	}
}

type Difference = readonly [ours: string, real: string] | null;

function isPlain(step: Step): step is PlainStep {
	return (
		step.kind === 'command' ||
		step.kind === 'ordered-read' ||
		(step.kind === 'transaction' && step.watch === null)
	);
}

function commandsOf(step: PlainStep): readonly (readonly string[])[] {
	switch (step.kind) {
		case 'command':
			return [step.args];
		case 'ordered-read':
			return [['OBJECT', 'ENCODING', step.key], step.args];
		case 'transaction':
			return [['MULTI'], ...step.commands.map((command) => command.args), [step.end]];
	}
}

/** The commands that were answered by QUEUED. */
function queuedOf(commands: readonly CommandStep[], answers: readonly string[]): CommandStep[] {
	return commands.filter((_, index) => answers[index] === '+QUEUED\r\n');
}

function addEntries(found: Set<string>, items: readonly Reply[], isPairs: boolean): void {
	const entrySize = isPairs ? 2 : 1;
	for (let index = 0; index < items.length; index += entrySize) {
		found.add(
			items
				.slice(index, index + entrySize)
				.map((item) => item.raw)
				.join(''),
		);
	}
}

/**
 * What is wrong with our reply to a command with a random result, if anything: it must be of the real one's
 * shape, name only what was there (`before`), and repeat nothing unless a negative count asked for it.
 */
function randomFault(args: readonly string[], ours: Reply, real: Reply, before: Reply | null): string | null {
	if (real.type === '-' || before === null) return ours.raw === real.raw ? null : 'differs';
	if (ours.type !== real.type) return 'another type';
	if ((ours.items === null) !== (real.items === null) || (ours.text === null) !== (real.text === null))
		return 'another shape';
	const oursTexts = flatten(ours);
	if (oursTexts.length !== flatten(real).length) return 'another length';
	const hasValues = args.length > 3;
	const known = new Set<string>();
	const beforeTexts = flatten(before);
	const isMap = args[0]!.toUpperCase() === 'HRANDFIELD' || args[0]!.toUpperCase() === 'ZRANDMEMBER';
	const beforeStep = isMap ? 2 : 1;
	for (let index = 0; index < beforeTexts.length; index += beforeStep) {
		known.add(beforeTexts.slice(index, index + (hasValues ? 2 : 1)).join('\n'));
	}
	const entries: string[] = [];
	for (let index = 0; index < oursTexts.length; index += hasValues ? 2 : 1) {
		entries.push(oursTexts.slice(index, index + (hasValues ? 2 : 1)).join('\n'));
	}
	const stranger = entries.find((entry) => !known.has(entry));
	if (ours.items === null && ours.text === null) return null;
	if (stranger !== undefined) return `not a member: ${JSON.stringify(stranger)}`;
	const mayRepeat = (args[2] ?? '').startsWith('-');
	return !mayRepeat && new Set(entries).size !== entries.length ? 'repeats a member' : null;
}

function flatten(reply: Reply): string[] {
	return reply.items === null ? [reply.text ?? ''] : reply.items.flatMap(flatten);
}
