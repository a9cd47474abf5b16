/** The limits of what may wait for a client (`client-output-buffer-limit`; networking.c, checkClientOutputBufferLimits). */
import type { Client } from '../engine/client.js';
import type { Engine } from '../engine/engine.js';

/** What may wait for a client that has not authenticated: Redis's fixed reply buffer and 1 KB beyond it. */
const UNAUTHENTICATED_BYTES_MAX = 17 * 1024;

/** Why the client has to be cut off with `bytes` of replies waiting; undefined if it may stay. */
export function exceedsOutputLimit(engine: Engine, client: Client, bytes: number): string | undefined {
	if (!client.authenticated) return bytes > UNAUTHENTICATED_BYTES_MAX ? 'not authenticated' : undefined;
	const limits = engine.settings.clientOutputBufferLimit;
	const limit = limits[outputClass(client)];
	const { hardBytes } = limit;
	// A replica may always be behind by what the backlog would give it.
	const hardMax = client.isReplica ? Math.max(hardBytes, engine.settings.replBacklogSize) : hardBytes;
	if (hardBytes > 0 && bytes > hardMax) return 'hard limit';
	if (limit.softBytes === 0 || bytes <= limit.softBytes) {
		client.softLimitSinceMs = -1;
		return undefined;
	}
	const nowMs = engine.env.clock.nowMs();
	if (client.softLimitSinceMs < 0) client.softLimitSinceMs = nowMs;
	return nowMs - client.softLimitSinceMs > limit.softSeconds * 1000 ? 'soft limit' : undefined;
}

function outputClass(client: Client): 'normal' | 'replica' | 'pubsub' {
	if (client.isReplica) return 'replica';
	return client.subscriptionCount > 0 ? 'pubsub' : 'normal';
}
