/**
 * The end of an event-loop turn: the log is written once, then the replies of the turn are sent, or held
 * until the log is as durable as the fsync policy promises (DESIGN §1.4, §2).
 *
 * A batch of replies is held under the log's end offset at the end of its turn, reads included: nobody
 * sees a write that a crash could undo. Offsets only grow, so one queue in order of time serves all
 * connections, and each connection's replies stay in order. While writes are refused for a disk error
 * there is nothing to wait for but batches from before: reads go on.
 */
import { quoteRepr } from '../base/quote.js';
import type { Client } from '../engine/client.js';
import type { Engine } from '../engine/engine.js';
import type { ReplyChunk } from '../protocol/reply-buffer.js';
import type { Connection } from './connection.js';

interface HeldBatch {
	readonly offset: number;
	readonly connection: Connection;
	readonly chunks: ReplyChunk[];
	readonly bytes: number;
}

export class Turn {
	#engine: Engine | undefined;
	#scheduled = false;
	#held: HeldBatch[] = [];
	#heldHead = 0;
	readonly #setImmediate: (fn: () => void) => void;
	readonly #end = () => this.end();

	constructor(setImmediate: (fn: () => void) => void) {
		this.#setImmediate = setImmediate;
	}

	attach(engine: Engine): void {
		this.#engine = engine;
	}

	/** Makes sure that the turn is ended after the I/O events of this loop iteration. */
	schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		this.#setImmediate(this.#end);
	}

	/** Writes the log, then sends or holds the replies of the turn. */
	end(): void {
		this.#scheduled = false;
		const engine = this.#engine!;
		const { log, stats } = engine;
		const { clock } = engine.env;
		if (log !== undefined) {
			const flushStartUs = clock.monotonicUs();
			log.flush();
			stats.eventLoopLogUs += clock.monotonicUs() - flushStartUs;
		}
		if (engine.waits.isActive) engine.waits.progressed();
		if (engine.outputPending.length > 0) this.#sendPending(engine);
		if (engine.turnStartUs >= 0) {
			stats.addCycle(
				clock.monotonicUs() - engine.turnStartUs,
				stats.commandsProcessed - engine.turnStartCommands,
			);
			engine.turnStartUs = -1;
		}
	}

	#sendPending(engine: Engine): void {
		const { log, outputPending: pending } = engine;
		engine.outputPending = [];
		const offset = log === undefined ? 0 : log.replyOffset;
		const released = log === undefined ? 0 : log.releaseOffset;
		for (const client of pending) {
			client.outputPending = false;
			client.takePushes();
			const connection = client.transport as Connection;
			if (client.isReplica && !client.reply.isEmpty()) {
				dropTalkative(engine, client);
				continue;
			}
			if (client.reply.isEmpty()) {
				connection.finishIfDone();
				continue;
			}
			const chunks = client.reply.take();
			if (offset <= released && connection.heldBatches === 0) connection.send(chunks);
			else this.#hold(offset, connection, chunks);
		}
	}

	#hold(offset: number, connection: Connection, chunks: ReplyChunk[]): void {
		let bytes = 0;
		for (const chunk of chunks) bytes += chunk.length;
		connection.heldBatches++;
		connection.heldBytes += bytes;
		const last = this.#held[this.#held.length - 1];
		this.#held.push({ offset: Math.max(offset, last?.offset ?? 0), connection, chunks, bytes });
		connection.checkOutputLimit();
	}

	/** The log's release offset has advanced: sends what waited for it. */
	release(): void {
		const log = this.#engine!.log;
		const released = log === undefined ? Number.POSITIVE_INFINITY : log.releaseOffset;
		while (this.#heldHead < this.#held.length && this.#held[this.#heldHead]!.offset <= released) {
			const { connection, chunks, bytes } = this.#held[this.#heldHead++]!;
			connection.heldBatches--;
			connection.heldBytes -= bytes;
			connection.send(chunks);
		}
		if (this.#heldHead === this.#held.length) {
			this.#held = [];
			this.#heldHead = 0;
		} else if (this.#heldHead > 1024) {
			this.#held = this.#held.slice(this.#heldHead);
			this.#heldHead = 0;
		}
	}
}

/** On the link to a replica replies would stand within the stream. */
function dropTalkative(engine: Engine, client: Client): void {
	const reply = client.reply
		.take()
		.map((chunk) => (typeof chunk === 'string' ? chunk : chunk.latin1Slice(0, chunk.length)))
		.join('');
	if (reply.startsWith('-')) {
		engine.logger.log(
			'warning',
			'== CRITICAL == This master is sending an error to its replica: ' +
				`'${reply.slice(1, 256).trimEnd()}' after processing the command '${client.lastCommand}'`,
		);
	}
	engine.logger.log(
		'warning',
		`Replica generated a reply to command '${client.lastCommand}', disconnecting it: ${quoteRepr(reply.slice(0, 256))}`,
	);
	client.transport.closeNow();
}
