/**
 * Who is subscribed to what, and the delivery of messages. Global channels and patterns are one
 * namespace, shard channels another; a client keeps the names it is subscribed to.
 */
import { globMatch } from '../base/glob.js';
import type { Client } from '../engine/client.js';

/** A namespace of channels, by name, each with its subscribers in the order of subscription. */
type ChannelTable = Map<string, Set<Client>>;

function join(table: ChannelTable, name: string, client: Client): void {
	const clients = table.get(name);
	if (clients === undefined) table.set(name, new Set([client]));
	else clients.add(client);
}

function leave(table: ChannelTable, name: string, client: Client): void {
	const clients = table.get(name);
	clients?.delete(client);
	if (clients?.size === 0) table.delete(name);
}

export class PubSub {
	readonly channels: ChannelTable = new Map();
	readonly patterns: ChannelTable = new Map();
	readonly shardChannels: ChannelTable = new Map();
	readonly #deliver: (client: Client) => void;
	readonly #isExecuting: (client: Client) => boolean;

	/**
	 * `deliver` is called with each client that has been sent something. A message to a client that
	 * `isExecuting` a command comes behind the command's reply (Redis 7.2: pending_push_messages).
	 */
	constructor(deliver: (client: Client) => void, isExecuting: (client: Client) => boolean) {
		this.#deliver = deliver;
		this.#isExecuting = isExecuting;
	}

	/** Delivers to the subscribers of the channel and of matching patterns; the number of deliveries. */
	publish(channel: string, message: string): number {
		let receivers = 0;
		const clients = this.channels.get(channel);
		if (clients !== undefined) {
			for (const client of clients) this.#message(client, 'message', channel, message);
			receivers += clients.size;
		}
		if (this.patterns.size === 0) return receivers;
		for (const [pattern, subscribers] of this.patterns) {
			if (!globMatch(pattern, channel)) continue;
			for (const client of subscribers) {
				const reply = this.#isExecuting(client) ? client.asidePushes : client.pushReply;
				reply.push(4);
				reply.bulk('pmessage');
				reply.bulk(pattern);
				reply.bulk(channel);
				reply.bulk(message);
				this.#deliver(client);
				receivers++;
			}
		}
		return receivers;
	}

	/** Delivers to the subscribers of the shard channel; their number. */
	publishShard(channel: string, message: string): number {
		const clients = this.shardChannels.get(channel);
		if (clients === undefined) return 0;
		for (const client of clients) this.#message(client, 'smessage', channel, message);
		return clients.size;
	}

	#message(client: Client, kind: string, channel: string, message: string): void {
		const reply = this.#isExecuting(client) ? client.asidePushes : client.pushReply;
		reply.push(3);
		reply.bulk(kind);
		reply.bulk(channel);
		reply.bulk(message);
		this.#deliver(client);
	}

	subscribe(client: Client, channel: string): void {
		client.channels ??= new Set();
		if (!client.channels.has(channel)) {
			client.channels.add(channel);
			join(this.channels, channel, client);
		}
	}

	subscribePattern(client: Client, pattern: string): void {
		client.patterns ??= new Set();
		if (!client.patterns.has(pattern)) {
			client.patterns.add(pattern);
			join(this.patterns, pattern, client);
		}
	}

	subscribeShard(client: Client, channel: string): void {
		client.shardChannels ??= new Set();
		if (!client.shardChannels.has(channel)) {
			client.shardChannels.add(channel);
			join(this.shardChannels, channel, client);
		}
	}

	unsubscribe(client: Client, channel: string): void {
		if (client.channels?.delete(channel)) leave(this.channels, channel, client);
	}

	unsubscribePattern(client: Client, pattern: string): void {
		if (client.patterns?.delete(pattern)) leave(this.patterns, pattern, client);
	}

	unsubscribeShard(client: Client, channel: string): void {
		if (client.shardChannels?.delete(channel)) leave(this.shardChannels, channel, client);
	}

	/** Ends all subscriptions of the client, in silence. */
	forget(client: Client): void {
		for (const channel of client.channels ?? []) leave(this.channels, channel, client);
		for (const pattern of client.patterns ?? []) leave(this.patterns, pattern, client);
		for (const channel of client.shardChannels ?? []) leave(this.shardChannels, channel, client);
		client.channels = undefined;
		client.patterns = undefined;
		client.shardChannels = undefined;
	}
}
