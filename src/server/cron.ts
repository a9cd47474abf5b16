/** The background task: `hz` times a second, expiry, idle clients, fsync, statistics. */
import type { TimerHandle } from '../base/env.js';
import { BLOCKED_NOT } from '../engine/client.js';
import type { Server } from './server.js';

/** Samples of the rates in INFO (instantaneous_…), taken every 100 ms. */
const RATE_SAMPLES = 16;
const RATE_PERIOD_MS = 100;

/** A rate a second over the last samples, as Redis's instantaneous metrics. */
class Rate {
	readonly #samples: number[] = new Array(RATE_SAMPLES).fill(0);
	#next = 0;
	#lastTotal = 0;
	#lastMs = 0;

	sample(total: number, nowMs: number): void {
		const elapsedMs = nowMs - this.#lastMs;
		if (this.#lastMs > 0 && elapsedMs > 0) {
			this.#samples[this.#next] = (Math.max(0, total - this.#lastTotal) * 1000) / elapsedMs;
			this.#next = (this.#next + 1) % RATE_SAMPLES;
		}
		this.#lastTotal = total;
		this.#lastMs = nowMs;
	}

	get perSecond(): number {
		return this.#samples.reduce((sum, n) => sum + n, 0) / RATE_SAMPLES;
	}
}

export class Cron {
	readonly #server: Server;
	#timer: TimerHandle | undefined;
	#nextRateMs = 0;
	readonly commandRate = new Rate();
	readonly inputRate = new Rate();
	readonly outputRate = new Rate();
	readonly cycleRate = new Rate();
	readonly #cycleUsRate = new Rate();

	constructor(server: Server) {
		this.#server = server;
	}

	/** Mean duration of a turn of the event loop over the last samples, in microseconds. */
	get meanCycleUs(): number {
		const cycles = this.cycleRate.perSecond;
		return cycles === 0 ? 0 : this.#cycleUsRate.perSecond / cycles;
	}

	get running(): boolean {
		return this.#timer !== undefined;
	}

	/** Starts, or starts again at another pace. */
	start(): void {
		this.stop();
		const { env, settings } = this.#server;
		const periodMs = Math.max(2, Math.floor(1000 / settings.hz));
		this.#timer = env.timers.setInterval(() => this.#run(periodMs), periodMs);
	}

	stop(): void {
		if (this.#timer !== undefined) this.#server.env.timers.clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#run(periodMs: number): void {
		const { engine, env, log, listeners, snapshots, shutdown, backlog, replicas } = this.#server;
		const nowMs = env.clock.nowMs();
		const startUs = env.clock.monotonicUs();
		engine.expiry.runCycle(periodMs);
		engine.dispatcher.serveReadyKeys();
		log.tick(nowMs);
		snapshots.tick(nowMs);
		backlog.tick(nowMs);
		replicas.tick(nowMs);
		shutdown.tick();
		// What the cycle deleted goes into the file even if nobody sends a request. With replies waiting, the end of
		// their turn does it, which then knows what they have to wait for.
		if (engine.outputPending.length === 0) log.flush();
		this.#closeIdleClients(nowMs);
		for (const connection of listeners.connections) {
			if (connection.outputBytes() > 0) connection.checkOutputLimit();
		}
		if (nowMs >= this.#nextRateMs) {
			this.#nextRateMs = nowMs + RATE_PERIOD_MS;
			const { stats } = engine;
			this.commandRate.sample(stats.commandsProcessed, nowMs);
			this.inputRate.sample(stats.netInputBytes, nowMs);
			this.outputRate.sample(stats.netOutputBytes, nowMs);
			this.cycleRate.sample(stats.eventLoopCycles, nowMs);
			this.#cycleUsRate.sample(stats.eventLoopUs, nowMs);
		}
		const durationUs = env.clock.monotonicUs() - startUs;
		engine.stats.eventLoopCronUs += durationUs;
		engine.stats.addCycle(durationUs, 0);
	}

	#closeIdleClients(nowMs: number): void {
		const { engine, settings, logger } = this.#server;
		if (settings.timeout === 0) return;
		for (const client of engine.clients.values()) {
			if (client.blocked !== BLOCKED_NOT || client.subscriptionCount > 0 || client.isMonitor) continue;
			if (client.isReplica) continue;
			if (nowMs - client.lastInteractionMs <= settings.timeout * 1000) continue;
			logger.log('verbose', 'Closing idle client');
			client.transport.closeNow();
		}
	}
}
