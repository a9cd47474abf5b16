import type { CommandStep, CompareMode, Step } from './step.js';
import type { Vocabulary } from './vocabulary.js';

/** One way to make a step; drawn with a probability that is proportional to `weight`. */
export interface Recipe {
	readonly weight: number;
	/** The first version of Redis that has it, as in `VersionNumber`. */
	readonly since: number;
	make(words: Vocabulary): Step;
}

type Args = readonly string[];

/** A recipe for a plain command, exact unless `mode` says otherwise. */
export function plain(
	weight: number,
	make: (words: Vocabulary) => Args,
	mode: CompareMode = 'exact',
): Recipe {
	return {
		weight,
		since: 0,
		make: (words): CommandStep => ({ kind: 'command', args: make(words), mode }),
	};
}

/** A recipe for a read of one value whose order is open for hashtables. */
export function orderedRead(weight: number, make: (words: Vocabulary) => Args, mode: CompareMode): Recipe {
	return {
		weight,
		since: 0,
		make: (words) => {
			const args = make(words);
			return { kind: 'ordered-read', key: args[1]!, args, mode };
		},
	};
}

/** A recipe for a command with a random result. */
export function randomResult(weight: number, make: (words: Vocabulary) => Args): Recipe {
	return {
		weight,
		since: 0,
		make: (words) => {
			const args = make(words);
			return { kind: 'random', args, key: args[1] ?? null };
		},
	};
}

/** A recipe for a full iteration. */
export function iterate(weight: number, make: (words: Vocabulary) => Args, isPairs: boolean): Recipe {
	return {
		weight,
		since: 0,
		make: (words) => {
			const args = make(words);
			return { kind: 'iterate', args, cursorIndex: args[0]!.toUpperCase() === 'SCAN' ? 1 : 2, isPairs };
		},
	};
}

/** The same recipe, for servers from `since` on. */
export function from(since: number, recipe: Recipe): Recipe {
	return { ...recipe, since };
}

/** A recipe drawn from `recipes` by weight. */
export function drawRecipe(words: Vocabulary, recipes: readonly Recipe[]): Recipe {
	let total = 0;
	for (const recipe of recipes) total += recipe.weight;
	let rest = words.random.float() * total;
	for (const recipe of recipes) {
		rest -= recipe.weight;
		if (rest < 0) return recipe;
	}
	return recipes[recipes.length - 1]!;
}
