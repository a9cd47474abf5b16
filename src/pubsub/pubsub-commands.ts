/** SUBSCRIBE, PUBLISH and their kin (redis.io: the group "pubsub"). */
import { globMatch } from '../base/glob.js';
import {
	type CommandSpec,
	command,
	FAST,
	type Handler,
	KEY_NOT_KEY,
	keyRange,
	LOADING,
	MAY_REPLICATE,
	NO_KEYS,
	NOSCRIPT,
	oneKey,
	PUBSUB,
	STALE,
} from '../engine/command-spec.js';
import type { CommandContext } from '../engine/context.js';
import type { PubSub } from './pubsub-state.js';

/** One kind of subscription: its words on the wire, and how a client enters and leaves it. */
interface SubscriptionKind {
	readonly subscribed: string;
	readonly unsubscribed: string;
	readonly enter: (client: CommandContext['client'], name: string) => void;
	readonly leave: (client: CommandContext['client'], name: string) => void;
	readonly namesOf: (client: CommandContext['client']) => Set<string> | undefined;
	/** The count that confirmations give: all channels and patterns, or the shard channels. */
	readonly count: (client: CommandContext['client']) => number;
}

function globalCount(client: CommandContext['client']): number {
	return (client.channels?.size ?? 0) + (client.patterns?.size ?? 0);
}

function subscribeHandler(kind: SubscriptionKind): Handler {
	return (ctx) => {
		const { client, args } = ctx;
		for (let i = 1; i < args.length; i++) {
			kind.enter(client, args[i]!);
			confirm(ctx, kind.subscribed, args[i]!, kind.count(client));
		}
	};
}

function unsubscribeHandler(kind: SubscriptionKind): Handler {
	return (ctx) => {
		const { client, args } = ctx;
		const names = args.length > 1 ? args.slice(1) : [...(kind.namesOf(client) ?? [])];
		for (const name of names) {
			kind.leave(client, name);
			confirm(ctx, kind.unsubscribed, name, kind.count(client));
		}
		if (names.length === 0) confirm(ctx, kind.unsubscribed, undefined, kind.count(client));
	};
}

function confirm(ctx: CommandContext, kind: string, name: string | undefined, count: number): void {
	const reply = ctx.client.pushReply;
	ctx.engine.markOutput(ctx.client);
	reply.push(3);
	reply.bulk(kind);
	if (name === undefined) reply.nil();
	else reply.bulk(name);
	reply.integer(count);
}

/** Replicas have subscribers of their own: they get the message in the stream. One in a log has been delivered. */
function publishHandler(publish: (channel: string, message: string) => number): Handler {
	return (ctx) => {
		const { args, engine, client } = ctx;
		if (client.isReplay && engine.loading) return ctx.reply.integer(0);
		ctx.reply.integer(publish(args[1]!, args[2]!));
		if (engine.feedsReplicas) ctx.addEffect(args);
	};
}

function listNames(ctx: CommandContext, table: ReadonlyMap<string, unknown>): void {
	const pattern = ctx.args[2];
	const names: string[] = [];
	for (const name of table.keys()) if (pattern === undefined || globMatch(pattern, name)) names.push(name);
	ctx.replyBulks(names);
}

function countSubscribers(ctx: CommandContext, table: ReadonlyMap<string, ReadonlySet<unknown>>): void {
	const { args, reply } = ctx;
	reply.map(args.length - 2);
	for (let i = 2; i < args.length; i++) {
		reply.bulk(args[i]!);
		reply.integer(table.get(args[i]!)?.size ?? 0);
	}
}

const HELP: readonly string[] = [
	'CHANNELS [<pattern>]',
	"    Return the currently active channels matching a <pattern> (default: '*').",
	'NUMPAT',
	'    Return number of subscriptions to patterns.',
	'NUMSUB [<channel> ...]',
	'    Return the number of subscribers for the specified channels, excluding',
	'    pattern subscriptions(default: no channels).',
	'SHARDCHANNELS [<pattern>]',
	"    Return the currently active shard level channels matching a <pattern> (default: '*').",
	'SHARDNUMSUB [<shardchannel> ...]',
	'    Return the number of subscribers for the specified shard level channel(s)',
];

export function pubsubCommands(pubsub: PubSub): CommandSpec[] {
	const channels: SubscriptionKind = {
		subscribed: 'subscribe',
		unsubscribed: 'unsubscribe',
		enter: (client, name) => pubsub.subscribe(client, name),
		leave: (client, name) => pubsub.unsubscribe(client, name),
		namesOf: (client) => client.channels,
		count: globalCount,
	};
	const patterns: SubscriptionKind = {
		subscribed: 'psubscribe',
		unsubscribed: 'punsubscribe',
		enter: (client, name) => pubsub.subscribePattern(client, name),
		leave: (client, name) => pubsub.unsubscribePattern(client, name),
		namesOf: (client) => client.patterns,
		count: globalCount,
	};
	const shards: SubscriptionKind = {
		subscribed: 'ssubscribe',
		unsubscribed: 'sunsubscribe',
		enter: (client, name) => pubsub.subscribeShard(client, name),
		leave: (client, name) => pubsub.unsubscribeShard(client, name),
		namesOf: (client) => client.shardChannels,
		count: (client) => client.shardChannels?.size ?? 0,
	};
	const session = PUBSUB | NOSCRIPT | LOADING | STALE;
	const ask = PUBSUB | LOADING | STALE;
	const shardKeys = keyRange(KEY_NOT_KEY, 1, -1);
	return [
		command('subscribe', subscribeHandler(channels), -2, session, NO_KEYS, 0),
		command('unsubscribe', unsubscribeHandler(channels), -1, session, NO_KEYS, 0),
		command('psubscribe', subscribeHandler(patterns), -2, session, NO_KEYS, 0),
		command('punsubscribe', unsubscribeHandler(patterns), -1, session, NO_KEYS, 0),
		command('ssubscribe', subscribeHandler(shards), -2, session, shardKeys, 0),
		command('sunsubscribe', unsubscribeHandler(shards), -1, session, shardKeys, 0),
		command(
			'publish',
			publishHandler((channel, message) => pubsub.publish(channel, message)),
			3,
			ask | FAST | MAY_REPLICATE,
			NO_KEYS,
			0,
		),
		command(
			'spublish',
			publishHandler((channel, message) => pubsub.publishShard(channel, message)),
			3,
			ask | FAST | MAY_REPLICATE,
			oneKey(KEY_NOT_KEY),
			0,
		),
		command('pubsub', (ctx) => ctx.replyWrongArity(), -2, 0, NO_KEYS, 0, {
			subcommands: [
				command('pubsub|channels', (ctx) => listNames(ctx, pubsub.channels), -2, ask, NO_KEYS, 0),
				command('pubsub|numpat', (ctx) => ctx.reply.integer(pubsub.patterns.size), 2, ask, NO_KEYS, 0),
				command('pubsub|numsub', (ctx) => countSubscribers(ctx, pubsub.channels), -2, ask, NO_KEYS, 0),
				command('pubsub|shardchannels', (ctx) => listNames(ctx, pubsub.shardChannels), -2, ask, NO_KEYS, 0),
				command(
					'pubsub|shardnumsub',
					(ctx) => countSubscribers(ctx, pubsub.shardChannels),
					-2,
					ask,
					NO_KEYS,
					0,
				),
				command('pubsub|help', (ctx) => ctx.replyHelp(HELP), 2, LOADING | STALE, NO_KEYS, 0),
			],
		}),
	];
}
