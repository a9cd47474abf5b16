/**
 * The end of a server: SHUTDOWN, SIGTERM, SIGINT. Before anything is closed the last snapshot is written and the log made
 * durable; where that fails the server goes on, unless it is forced.
 *
 * The snapshot is written at once and not by a child: nobody is served meanwhile, whoever writes it.
 * Source of the rules and the texts: Redis 7.2.6, server.c (prepareForShutdown, finishShutdown).
 */
import type { ShutdownFlag } from '../engine/settings.js';
import type { Server } from './server.js';

export interface ShutdownOptions {
	/** undefined: if there are save points. */
	readonly save: boolean | undefined;
	/** End even if the snapshot can't be written. */
	readonly force: boolean;
}

/** The options that `shutdown-on-sigterm` and `shutdown-on-sigint` stand for. */
export function shutdownOptionsOf(flags: readonly ShutdownFlag[]): ShutdownOptions {
	const save = flags.includes('save') ? true : flags.includes('nosave') ? false : undefined;
	return { save, force: flags.includes('force') };
}

/** Does what has to be done before the end; false if the server must go on, the reasons logged. */
export function prepareShutdown(server: Server, options: ShutdownOptions): boolean {
	const { logger, snapshots, settings, log, engine } = server;
	logger.log('notice', 'User requested shutdown...');
	if (snapshots.running === 'rdb') logger.log('warning', 'There is a child saving an .rdb. Killing it!');
	if (snapshots.running === 'aof') logger.log('warning', 'There is a child rewriting the AOF. Killing it!');
	snapshots.abandon();
	if (settings.appendonly && log.attached) {
		logger.log('notice', 'Calling fsync() on the AOF file.');
		engine.effects.seal();
		log.flushNow();
	}
	// What has not been loaded completely must not replace what is on disk.
	const save = server.isLoaded && (options.save ?? settings.save.length > 0);
	if (!save) return true;
	logger.log('notice', 'Saving the final RDB snapshot before exiting.');
	if (snapshots.saveNow()) return true;
	if (options.force) {
		logger.log('warning', 'Error trying to save the DB. Exit anyway.');
		return true;
	}
	logger.log('warning', "Error trying to save the DB, can't exit.");
	logger.log('warning', 'Errors trying to shut down the server. Check the logs for more information.');
	return false;
}
