/** Random programs. The same seed, length, version and families give the same program on every machine. */
import type { VersionNumber } from '../support/executables.js';
import { drawRecipe, type Recipe } from './family.js';
import { HASH_RECIPES, SET_RECIPES } from './family-hashes-sets.js';
import { KEY_RECIPES } from './family-keys.js';
import { blockingCommand, LIST_RECIPES } from './family-lists.js';
import { STRING_RECIPES } from './family-strings.js';
import { ZSET_RECIPES } from './family-zsets.js';
import type { BlockedStep, CommandStep, Step, TransactionStep } from './step.js';
import { Vocabulary } from './vocabulary.js';

const FAMILIES: Readonly<Record<string, readonly Recipe[]>> = {
	keys: KEY_RECIPES,
	strings: STRING_RECIPES,
	lists: LIST_RECIPES,
	hashes: HASH_RECIPES,
	sets: SET_RECIPES,
	zsets: ZSET_RECIPES,
};
export const FAMILY_NAMES: readonly string[] = Object.keys(FAMILIES);
const MUTATION_PROBABILITY = 0.05;
const TRANSACTION_PROBABILITY = 0.015;
const BLOCKED_PROBABILITY = 0.003;
/** Long enough for the other client to come, short enough to wait for when it does not help. */
const BLOCK_SECONDS = '0.3';
/** Commands whose errors differ between Redis 7.0 and 7.2, and LSET, of which 7.2 cuts the index to 32 bits. */
const UNMUTATED = /^(Z(REV)?RANK|LSET)$/;
/** Commands in which a stray number could make a key expire during the test. */
const TIMED = /^(SET|GETEX|SETEX|PSETEX|P?EXPIRE(AT)?)$/i;

/** A program over the named families (of `FAMILY_NAMES`), for a real server of `version`. */
export function generateProgram(
	seed: number,
	stepCount: number,
	version: VersionNumber,
	familyNames: readonly string[] = FAMILY_NAMES,
): Step[] {
	const words = new Vocabulary(seed);
	const families = familyNames.map((name) => FAMILIES[name]!.filter((recipe) => recipe.since <= version));
	const steps: Step[] = [
		{ kind: 'command', args: ['HELLO', words.random.pick(['2', '3'])], mode: 'ignored' },
	];
	while (steps.length < stepCount) {
		const kind = words.random.float();
		if (kind < TRANSACTION_PROBABILITY) steps.push(transaction(words, families));
		else if (kind < TRANSACTION_PROBABILITY + BLOCKED_PROBABILITY) steps.push(...blocked(words));
		else steps.push(anyStep(words, families));
	}
	return steps;
}

function anyStep(words: Vocabulary, families: readonly (readonly Recipe[])[]): Step {
	const step = drawRecipe(words, words.random.pick(families)).make(words);
	if (step.kind !== 'command' || UNMUTATED.test(step.args[0]!)) return step;
	return withOpenOrder(words.random.chance(MUTATION_PROBABILITY) ? mutate(words, step) : step);
}

/** SORT BY a constant leaves the elements as they come, which for a set is in no defined order, unless it stores. */
function withOpenOrder(step: CommandStep): CommandStep {
	const upper = step.args.map((arg) => arg.toUpperCase());
	if (!/^SORT(_RO)?$/.test(upper[0]!) || upper.includes('STORE')) return step;
	const isConstant = upper.some(
		(word, index) => index > 2 && upper[index - 1] === 'BY' && !word.includes('*'),
	);
	if (!isConstant) return step;
	return { ...step, mode: upper.includes('LIMIT') ? 'ignored' : 'unordered' };
}

/** The same command with one thing wrong with it, probably. */
function mutate(words: Vocabulary, step: CommandStep): CommandStep {
	const { random } = words;
	const args = [...step.args];
	const junk = words.junk(TIMED.test(args[0]!));
	const index = random.between(1, Math.max(1, args.length - 1));
	switch (random.below(6)) {
		case 0:
			if (args.length > 1) args.pop();
			break;
		case 1:
			args.push(junk);
			break;
		case 2:
		case 3:
			if (args.length > 1) args[index] = junk;
			break;
		case 4:
			args[0] = args[0]!.toLowerCase();
			break;
		default:
			// No known name before a NUL: whether Redis then finds that command depends on its hash seed.
			if (random.chance(0.3))
				args[0] = random.pick(['NOSUCH', 'no\r\nsuch', 'x'.repeat(200), 'such\x00', '']);
			else args.splice(index, 0, args[index] ?? junk);
	}
	return { ...step, args };
}

function transaction(words: Vocabulary, families: readonly (readonly Recipe[])[]): TransactionStep {
	const { random } = words;
	const commands: CommandStep[] = [];
	const commandCount = random.between(0, 6);
	while (commands.length < commandCount) {
		if (random.chance(0.08)) {
			commands.push({
				kind: 'command',
				args: blockingCommand(words, random.pick(['0', '0', '1', '-1', 'x'])),
				mode: 'exact',
			});
			continue;
		}
		if (random.chance(0.03)) {
			commands.push({
				kind: 'command',
				args: random.pick([['MULTI'], ['WATCH', 's0'], ['UNWATCH']]),
				mode: 'exact',
			});
			continue;
		}
		const step = anyStep(words, families);
		if (step.kind === 'command') commands.push(step);
		else if (step.kind === 'ordered-read')
			commands.push({ kind: 'command', args: step.args, mode: step.mode });
	}
	const isWatched = random.chance(0.3);
	const watch = isWatched ? words.key() : null;
	const touch = [
		['SET', words.key(), 'by another'],
		['DEL', words.key()],
		['GET', watch ?? ''],
		['FLUSHALL'],
	];
	const meanwhile =
		isWatched && random.chance(0.7) ? random.pick([...touch, ['SADD', watch!, 'm'], ['DEL', watch!]]) : null;
	return { kind: 'transaction', commands, end: random.chance(0.9) ? 'EXEC' : 'DISCARD', watch, meanwhile };
}

/** A client that waits and another that may serve it, in database 0, where the other one is. */
function blocked(words: Vocabulary): Step[] {
	const { random } = words;
	const args = blockingCommand(words, BLOCK_SECONDS);
	const keys = args.filter((arg) => /^[lz]\d$/.test(arg));
	const key = keys.length > 0 ? random.pick(keys) : 'l0';
	const meanwhile =
		key[0] === 'z'
			? ['ZADD', key, ...random.times(2, () => [String(random.below(5)), words.member()]).flat()]
			: ['RPUSH', key, ...words.values(1, 3)];
	const steps: (CommandStep | BlockedStep)[] = [{ kind: 'command', args: ['SELECT', '0'], mode: 'exact' }];
	if (random.chance(0.7)) steps.push({ kind: 'command', args: ['DEL', ...keys, 'l9'], mode: 'exact' });
	steps.push({ kind: 'blocked', args, meanwhile });
	return steps;
}
