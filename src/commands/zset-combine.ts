/**
 * Unions, intersections and differences of sorted sets (and plain sets, whose members have the score 1):
 * ZUNION, ZINTER, ZDIFF, their …STORE forms, ZINTERCARD.
 */
import { parseDouble } from '../base/doubles.js';
import { parseInt64 } from '../base/numbers.js';
import type { CommandContext } from '../engine/context.js';
import { ERR_NOT_INTEGER, ERR_SYNTAX, ERR_WRONGTYPE } from '../engine/errors.js';
import { IndexedMap } from '../types/indexed-map.js';
import { SetValue } from '../types/set-value.js';
import type { ZSetCursor } from '../types/zset-tree.js';
import { ZSetValue } from '../types/zset-value.js';
import { LONG_MAX, parseInRange } from './integer-args.js';
import { replyRange } from './zset-common.js';
import { storeZSet } from './zset-range.js';

type Operation = 'union' | 'inter' | 'diff';
type Aggregate = 'SUM' | 'MIN' | 'MAX';

interface Source {
	/** Undefined: the key does not exist. */
	readonly value: ZSetValue | SetValue | undefined;
	weight: number;
}

interface CombineRequest {
	readonly sources: Source[];
	readonly aggregate: Aggregate;
	readonly withScores: boolean;
	/** Of ZINTERCARD: where counting stops; 0 means nowhere. */
	readonly limit: number;
}

/** What the options of a command are: those of ZUNION and ZINTER take all, of ZDIFF only WITHSCORES. */
type Form = 'reply' | 'store' | 'cardinality';

function sourceSize(source: Source): number {
	return source.value === undefined ? 0 : source.value.size;
}

/** The score of a member in a source, its weight not applied; undefined if it is not there. */
function scoreIn(source: Source, member: string): number | undefined {
	const { value } = source;
	if (value instanceof ZSetValue) return value.score(member);
	return value?.has(member) ? 1 : undefined;
}

/** Walks over the members of a source. */
class SourceWalk {
	readonly #set: SetValue | undefined;
	readonly #cursor: ZSetCursor | undefined;
	#position = -1;
	member = '';
	score = 1;

	constructor(source: Source) {
		const { value } = source;
		this.#set = value instanceof SetValue ? value : undefined;
		this.#cursor = value instanceof ZSetValue ? value.cursorAt(0) : undefined;
	}

	/** Sets `member` and `score` to the next element; false at the end. */
	next(): boolean {
		const cursor = this.#cursor;
		this.#position++;
		if (cursor !== undefined) {
			if (this.#position > 0) cursor.forward();
			if (!cursor.valid) return false;
			this.member = cursor.member;
			this.score = cursor.score;
			return true;
		}
		if (this.#set === undefined || this.#position >= this.#set.size) return false;
		this.member = this.#set.memberAt(this.#position);
		return true;
	}
}

/** `numkeys key …` from `args[at]`; undefined after an error reply. Keys are looked up before options are read. */
function parseSources(ctx: CommandContext, at: number): Source[] | undefined {
	const { args } = ctx;
	const count = parseInt64(args[at]!);
	if (count === undefined) return refuse(ctx, ERR_NOT_INTEGER);
	if (count < 1) return refuse(ctx, `ERR at least 1 input key is needed for '${ctx.spec.name}' command`);
	if (count > args.length - at - 1) return refuse(ctx, ERR_SYNTAX);
	const sources: Source[] = [];
	for (let i = 1; i <= Number(count); i++) {
		const value = ctx.lookupRead(args[at + i]!);
		if (value !== undefined && !(value instanceof ZSetValue) && !(value instanceof SetValue))
			return refuse(ctx, ERR_WRONGTYPE);
		sources.push({ value, weight: 1 });
	}
	return sources;
}

function refuse(ctx: CommandContext, text: string): undefined {
	ctx.replyError(text);
	return undefined;
}

function parseCombine(
	ctx: CommandContext,
	at: number,
	operation: Operation,
	form: Form,
): CombineRequest | undefined {
	const { args } = ctx;
	const sources = parseSources(ctx, at);
	if (sources === undefined) return undefined;
	const weighs = operation !== 'diff' && form !== 'cardinality';
	let aggregate: Aggregate = 'SUM';
	let withScores = false;
	let limit = 0;
	let i = at + 1 + sources.length;
	while (i < args.length) {
		const word = args[i]!.toUpperCase();
		const left = args.length - i - 1;
		if (word === 'WEIGHTS' && weighs && left >= sources.length) {
			for (const source of sources) {
				const weight = parseDouble(args[++i]!);
				if (weight === undefined) return refuse(ctx, 'ERR weight value is not a float');
				source.weight = weight;
			}
		} else if (word === 'AGGREGATE' && weighs && left >= 1) {
			const how = args[++i]!.toUpperCase();
			if (how !== 'SUM' && how !== 'MIN' && how !== 'MAX') return refuse(ctx, ERR_SYNTAX);
			aggregate = how;
		} else if (word === 'WITHSCORES' && form === 'reply') {
			withScores = true;
		} else if (word === 'LIMIT' && form === 'cardinality' && left >= 1) {
			const given = parseInRange(ctx, args[++i]!, 0, LONG_MAX, "ERR LIMIT can't be negative");
			if (given === undefined) return undefined;
			limit = Number(given);
		} else {
			return refuse(ctx, ERR_SYNTAX);
		}
		i++;
	}
	// The order decides how sums of floats are rounded: Redis takes the smallest first.
	if (operation !== 'diff') sources.sort((a, b) => sourceSize(a) - sourceSize(b));
	return { sources, aggregate, withScores, limit };
}

/** Infinity times 0 counts as 0. */
function weighted(score: number, weight: number): number {
	const product = score * weight;
	return Number.isNaN(product) ? 0 : product;
}

function aggregated(how: Aggregate, a: number, b: number): number {
	if (how === 'SUM') {
		const sum = a + b;
		return Number.isNaN(sum) ? 0 : sum;
	}
	// As Redis compares: the first stays unless the second is less (more), so too if that is a NaN or -0.
	const second = how === 'MIN' ? b < a : b > a;
	return second ? b : a;
}

function union(request: CombineRequest): ZSetValue {
	const scores = IndexedMap.ofNumbers();
	for (const source of request.sources) {
		const walk = new SourceWalk(source);
		while (walk.next()) {
			const score = weighted(walk.score, source.weight);
			const position = scores.indexOf(walk.member);
			if (position === -1) scores.appendEntry(walk.member, score);
			else scores.setValueAt(position, aggregated(request.aggregate, scores.valueAt(position), score));
		}
	}
	return ZSetValue.ofTable(scores);
}

/** The aggregated score of an element of the first source; undefined if it is not in all the others. */
function commonScore(request: CombineRequest, member: string, score: number): number | undefined {
	const { sources, aggregate } = request;
	let total = weighted(score, sources[0]!.weight);
	for (let i = 1; i < sources.length; i++) {
		const other = scoreIn(sources[i]!, member);
		if (other === undefined) return undefined;
		total = aggregated(aggregate, total, other * sources[i]!.weight);
	}
	return total;
}

function intersection(request: CombineRequest): ZSetValue {
	const scores = IndexedMap.ofNumbers();
	const walk = new SourceWalk(request.sources[0]!);
	while (walk.next()) {
		const score = commonScore(request, walk.member, walk.score);
		if (score !== undefined) scores.appendEntry(walk.member, score);
	}
	return ZSetValue.ofTable(scores);
}

/** The number of members that all sources have; counting stops at the limit. */
function intersectionSize(request: CombineRequest): number {
	const walk = new SourceWalk(request.sources[0]!);
	let count = 0;
	while (walk.next()) {
		if (commonScore(request, walk.member, walk.score) === undefined) continue;
		count++;
		if (count === request.limit) break;
	}
	return count;
}

function difference(request: CombineRequest): ZSetValue {
	const { sources } = request;
	const scores = IndexedMap.ofNumbers();
	const walk = new SourceWalk(sources[0]!);
	while (walk.next()) {
		let isElsewhere = false;
		for (let i = 1; i < sources.length && !isElsewhere; i++)
			isElsewhere = scoreIn(sources[i]!, walk.member) !== undefined;
		if (!isElsewhere) scores.appendEntry(walk.member, walk.score);
	}
	return ZSetValue.ofTable(scores);
}

function combine(operation: Operation, request: CombineRequest): ZSetValue {
	if (operation === 'union') return union(request);
	return operation === 'inter' ? intersection(request) : difference(request);
}

function replyCombined(ctx: CommandContext, operation: Operation): void {
	const request = parseCombine(ctx, 1, operation, 'reply');
	if (request === undefined) return;
	const result = combine(operation, request);
	replyRange(ctx, result, 0, result.size, false, request.withScores);
}

function storeCombined(ctx: CommandContext, operation: Operation, event: string): void {
	const request = parseCombine(ctx, 2, operation, 'store');
	if (request === undefined) return;
	const result = combine(operation, request);
	result.convertBuilt(ctx.settings);
	storeZSet(ctx, ctx.args[1]!, result, event);
}

export function zunionCommand(ctx: CommandContext): void {
	replyCombined(ctx, 'union');
}

export function zinterCommand(ctx: CommandContext): void {
	replyCombined(ctx, 'inter');
}

export function zdiffCommand(ctx: CommandContext): void {
	replyCombined(ctx, 'diff');
}

export function zunionstoreCommand(ctx: CommandContext): void {
	storeCombined(ctx, 'union', 'zunionstore');
}

export function zinterstoreCommand(ctx: CommandContext): void {
	storeCombined(ctx, 'inter', 'zinterstore');
}

export function zdiffstoreCommand(ctx: CommandContext): void {
	storeCombined(ctx, 'diff', 'zdiffstore');
}

export function zintercardCommand(ctx: CommandContext): void {
	const request = parseCombine(ctx, 1, 'inter', 'cardinality');
	if (request !== undefined) ctx.reply.integer(intersectionSize(request));
}
