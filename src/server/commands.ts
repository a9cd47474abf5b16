/** Every command of the server, from the tables of the families. */
import { bitmapCommands } from '../commands/bitmap.js';
import { clientCommands } from '../commands/client.js';
import { commandCommands } from '../commands/command.js';
import { connectionCommands } from '../commands/connection.js';
import { genericCommands } from '../commands/generic.js';
import { hashCommands } from '../commands/hash.js';
import { listCommands } from '../commands/list.js';
import { setCommands } from '../commands/set.js';
import { stringCommands } from '../commands/string.js';
import { timeCommands } from '../commands/time.js';
import { transactionCommands } from '../commands/transaction.js';
import { zsetCommands } from '../commands/zset.js';
import type { Registry } from '../engine/registry.js';
import { pubsubCommands } from '../pubsub/pubsub-commands.js';
import { replicaofCommands } from '../replication/replicaof-commands.js';
import { dumpCommands } from '../snapshot/dump-commands.js';
import { configCommands } from './config/config-commands.js';
import { debugCommands } from './debug-commands.js';
import { infoCommands } from './info.js';
import { memoryCommands } from './memory-commands.js';
import type { Server } from './server.js';
import { shutdownCommands } from './shutdown-commands.js';
import { snapshotCommands } from './snapshot-commands.js';

export function addCommands(registry: Registry, server: Server): void {
	registry.add(connectionCommands());
	registry.add(clientCommands());
	registry.add(commandCommands());
	registry.add(infoCommands(server));
	registry.add(debugCommands(server));
	registry.add(memoryCommands(server));
	registry.add(timeCommands());
	registry.add(shutdownCommands(server));
	registry.add(snapshotCommands(server));
	registry.add(transactionCommands());
	registry.add(stringCommands());
	registry.add(bitmapCommands());
	registry.add(listCommands());
	registry.add(hashCommands());
	registry.add(setCommands());
	registry.add(zsetCommands());
	registry.add(genericCommands());
	registry.add(dumpCommands());
	registry.add(server.migrator.commands());
	registry.add(pubsubCommands(server.pubsub));
	registry.add(replicaofCommands(server.replica));
	registry.add(configCommands(server.config, () => server.resetStatistics()));
}
