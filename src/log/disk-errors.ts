import type { Clock } from '../base/env.js';
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';

/** Redis's AOF_WRITE_LOG_ERROR_RATE. */
const ERROR_LOG_PERIOD_MS = 30_000;

/**
 * What the server's log says about a disk that fails, in Redis's words (Redis 7.2.6, aof.c: flushAppendOnlyFile) and
 * as rarely: a disk that stays full is mentioned every 30 seconds.
 */
export class DiskErrors {
	private readonly clock: Clock;
	private readonly logger: Logger;
	private lastLogMs = Number.NEGATIVE_INFINITY;
	/** Whether the last failure was mentioned, so that what follows from it is as well. */
	private mentioned = false;

	constructor(clock: Clock, logger: Logger) {
		this.clock = clock;
		this.logger = logger;
	}

	/** A write of `sizeExpected` bytes failed after `size` of them. */
	writeFailed(error: unknown, size: number, sizeExpected: number): void {
		this.mention(
			size === 0
				? `Error writing to the AOF file: ${errorText(error)}`
				: `Short write while writing to the AOF file: (nwritten=${size}, expected=${sizeExpected})`,
		);
	}

	/** What a failed write left behind can't be removed. */
	cutFailed(error: unknown): void {
		if (!this.mentioned) return;
		this.logger.log(
			'warning',
			'Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time ' +
				`it starts.  ftruncate: ${errorText(error)}`,
		);
	}

	syncFailed(error: unknown): void {
		this.mention(`Fail to fsync the AOF file: ${errorText(error)}`);
	}

	/** The disk takes writes again. */
	solved(): void {
		this.lastLogMs = Number.NEGATIVE_INFINITY;
		this.logger.log('notice', 'AOF write error looks solved, Redis can write again.');
	}

	private mention(message: string): void {
		const nowMs = this.clock.nowMs();
		this.mentioned = nowMs - this.lastLogMs > ERROR_LOG_PERIOD_MS;
		if (!this.mentioned) return;
		this.lastLogMs = nowMs;
		this.logger.log('warning', message);
	}
}
