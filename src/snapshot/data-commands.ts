/** The commands whose effects are in the log: what a fold without a server needs. */
import { bitmapCommands } from '../commands/bitmap.js';
import { connectionCommands } from '../commands/connection.js';
import { genericCommands } from '../commands/generic.js';
import { hashCommands } from '../commands/hash.js';
import { listCommands } from '../commands/list.js';
import { setCommands } from '../commands/set.js';
import { stringCommands } from '../commands/string.js';
import { zsetCommands } from '../commands/zset.js';
import type { CommandSpec } from '../engine/command-spec.js';
import { dumpCommands } from './dump-commands.js';

/** The families that change data, and SELECT. */
export function dataCommands(): CommandSpec[] {
	return [
		...connectionCommands(),
		...stringCommands(),
		...bitmapCommands(),
		...listCommands(),
		...hashCommands(),
		...setCommands(),
		...zsetCommands(),
		...genericCommands(),
		...dumpCommands(),
	];
}
