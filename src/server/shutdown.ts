/**
 * The end of a server: SHUTDOWN, SIGTERM, SIGINT. Before anything is closed the last snapshot is written and the log made
 * durable; where that fails the server goes on, unless it is forced. Nobody is served while the snapshot is written: what
 * would be written then would not be in it. The server still listens to signals.
 *
 * A signal only asks for it; the background task sees to it, so that there is a moment for SHUTDOWN ABORT.
 * Source of the rules and the texts: Redis 7.2.6, server.c (prepareForShutdown, finishShutdown, serverCron).
 */
import type { ShutdownFlag } from '../engine/settings.js';
import { lagSeconds } from '../replication/replicas.js';
import { FEED_STATES } from './info-replication.js';
import type { Server } from './server.js';

export interface ShutdownOptions {
	/** undefined: if there are save points. */
	readonly save: boolean | undefined;
	/** End even if the snapshot can't be written. */
	readonly force: boolean;
	/** Don't wait for replicas. */
	readonly now: boolean;
}

/** The options that `shutdown-on-sigterm` and `shutdown-on-sigint` stand for. */
function optionsOf(flags: readonly ShutdownFlag[]): ShutdownOptions {
	const save = flags.includes('save') ? true : flags.includes('nosave') ? false : undefined;
	return { save, force: flags.includes('force'), now: flags.includes('now') };
}

export class Shutdown {
	readonly #server: Server;
	/** What a signal has asked for. */
	#asked: ShutdownOptions | undefined = undefined;
	#underWay = false;
	#running: Promise<boolean> = Promise.resolve(false);
	/** Replicas are being waited for; called with whether it goes on then. */
	#replicasWaited: ((goOn: boolean) => void) | undefined = undefined;
	/** Until when, in ms. */
	#waitEndMs = 0;

	constructor(server: Server) {
		this.#server = server;
	}

	/** Somebody has asked for it, and it has neither failed nor been taken back. */
	get isPending(): boolean {
		return this.#underWay || this.#asked !== undefined;
	}

	/** A signal with these flags has come. */
	ask(flags: readonly ShutdownFlag[]): void {
		if (this.isPending) return;
		this.#asked = optionsOf(flags);
		if (!this.#server.isLoaded) this.tick();
	}

	/** Milliseconds that replicas still have; undefined if none are waited for. */
	get waitMsLeft(): number | undefined {
		if (this.#replicasWaited === undefined) return undefined;
		return this.#waitEndMs - this.#server.env.clock.nowMs();
	}

	/** Takes it back, if a signal has just asked for it or replicas are waited for; false if there is nothing to. */
	abort(): boolean {
		if (this.#replicasWaited !== undefined) this.#endWait(false);
		else if (this.#underWay || this.#asked === undefined) return false;
		this.#asked = undefined;
		this.#server.logger.log('notice', 'Shutdown manually aborted.');
		return true;
	}

	/** By the background task: begins what has been asked for. */
	tick(): void {
		if (this.#replicasWaited !== undefined) {
			if (this.waitMsLeft! <= 0 || this.#server.replicas.lagging().length === 0) this.#endWait(true);
			return;
		}
		const asked = this.#asked;
		if (asked === undefined || this.#underWay) return;
		this.#asked = undefined;
		void this.run(asked);
	}

	/**
	 * Does what has to be done before the end, and asks for the end of the process; false if the server must go on, the
	 * reasons logged. Never rejects.
	 */
	run(options: ShutdownOptions): Promise<boolean> {
		// Whoever asks again learns what comes of the first.
		if (!this.#underWay) this.#running = this.#run(options);
		return this.#running;
	}

	async #run(options: ShutdownOptions): Promise<boolean> {
		const server = this.#server;
		const { logger, snapshots, settings, log, engine } = server;
		this.#underWay = true;
		logger.log('notice', 'User requested shutdown...');
		if (!options.now && !(await this.#waitForReplicas())) {
			this.#underWay = false;
			return false;
		}
		this.#logLagging();
		if (snapshots.isSaving) logger.log('warning', 'There is a child saving an .rdb. Killing it!');
		if (snapshots.running === 'aof') {
			// Without its first base the log is worth nothing.
			if (log.isTemporary && !options.force) {
				logger.log('warning', "Writing initial AOF, can't exit.");
				return this.#refuse();
			}
			if (log.isTemporary) logger.log('warning', 'Writing initial AOF. Exit anyway.');
			logger.log('warning', 'There is a child rewriting the AOF. Killing it!');
		}
		snapshots.abandon();
		if (settings.appendonly && log.attached) {
			logger.log('notice', 'Calling fsync() on the AOF file.');
			engine.effects.seal();
			log.flushNow();
		}
		// What has not been loaded completely must not replace what is on disk.
		if (server.isLoaded && (options.save ?? settings.save.length > 0)) {
			engine.pause.start(Number.MAX_SAFE_INTEGER, true);
			logger.log('notice', 'Saving the final RDB snapshot before exiting.');
			if (!(await snapshots.saveLast()) && !options.force) {
				logger.log('warning', "Error trying to save the DB, can't exit.");
				engine.pause.end();
				return this.#refuse();
			}
		}
		server.requestShutdown(0);
		return true;
	}

	/** Holds writes back until the replicas have everything, or `shutdown-timeout` is over; false if that is taken back. */
	#waitForReplicas(): Promise<boolean> | true {
		const { settings, replicas, engine, env, logger } = this.#server;
		if (settings.shutdownTimeout === 0 || replicas.lagging().length === 0) return true;
		this.#waitEndMs = env.clock.nowMs() + settings.shutdownTimeout * 1000;
		replicas.requestAcksNow();
		engine.pause.hold('shutdown');
		logger.log('notice', 'Waiting for replicas before shutting down.');
		return new Promise((resolve) => {
			this.#replicasWaited = resolve;
		});
	}

	#endWait(goOn: boolean): void {
		const resolve = this.#replicasWaited;
		this.#replicasWaited = undefined;
		if (!goOn) this.#server.engine.pause.release('shutdown');
		resolve?.(goOn);
	}

	#logLagging(): void {
		const { replicas, logger, log, env } = this.#server;
		if (replicas.count === 0) return;
		const lagging = replicas.lagging();
		for (const driver of lagging) {
			const { feed, name } = driver;
			const lag = feed.phase === 'online' ? lagSeconds(driver, env.clock.nowMs()) : 0;
			logger.log(
				'notice',
				`Lagging replica ${name} reported offset ${log.endOffset - feed.ackedOffset} behind master, lag=${lag}, ` +
					`state=${FEED_STATES[feed.phase]}.`,
			);
		}
		logger.log(
			'notice',
			`${replicas.count - lagging.length} of ${replicas.count} replicas are in sync when shutting down.`,
		);
	}

	#refuse(): false {
		const { logger } = this.#server;
		logger.log('warning', 'Errors trying to shut down the server. Check the logs for more information.');
		this.#underWay = false;
		this.#server.engine.pause.release('shutdown');
		return false;
	}
}
