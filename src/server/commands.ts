/** Every command of the server, from the tables of the families. */
import { clientCommands } from '../commands/client.js';
import { connectionCommands } from '../commands/connection.js';
import { listCommands } from '../commands/list.js';
import { stringCommands } from '../commands/string.js';
import { transactionCommands } from '../commands/transaction.js';
import { zsetCommands } from '../commands/zset.js';
import type { Registry } from '../engine/registry.js';
import { pubsubCommands } from '../pubsub/pubsub-commands.js';
import { configCommands } from './config/config-commands.js';
import { infoCommands } from './info.js';
import type { Server } from './server.js';

export function addCommands(registry: Registry, server: Server): void {
	registry.add(connectionCommands());
	registry.add(clientCommands());
	registry.add(infoCommands(server));
	registry.add(transactionCommands());
	registry.add(stringCommands());
	registry.add(listCommands());
	registry.add(zsetCommands());
	registry.add(pubsubCommands(server.pubsub));
	registry.add(configCommands(server.config, () => server.resetStatistics()));
}
