/** Counters of a server that INFO shows and CONFIG RESETSTAT clears. */

/** Distinct error codes counted; the rest is dropped, so that no client fills the memory (Redis: 128). */
const ERROR_CODES_MAX = 128;

export class Stats {
	commandsProcessed = 0;
	connectionsReceived = 0;
	rejectedConnections = 0;
	netInputBytes = 0;
	netOutputBytes = 0;
	/** Of those, what replicas got. */
	netReplOutputBytes = 0;
	syncFull = 0;
	syncPartialOk = 0;
	syncPartialErr = 0;
	/** From our master; in `netInputBytes` they are not counted. */
	netReplInputBytes = 0;
	expiredKeys = 0;
	/** Mean share of expired keys among the volatile ones, in per cent. */
	expiredStalePercent = 0;
	expiredTimeCapReached = 0;
	expireCycleUs = 0;
	evictedKeys = 0;
	/** Time in which memory was over the limit: the periods that have ended, in microseconds. */
	evictionExceededUs = 0;
	/** When the present one began, by the monotonic clock; -1 if there is none. */
	evictionExceededSinceUs = -1;
	keyspaceHits = 0;
	keyspaceMisses = 0;
	unexpectedErrorReplies = 0;
	totalErrorReplies = 0;
	readsProcessed = 0;
	writesProcessed = 0;
	queryBufferLimitDisconnections = 0;
	outputBufferLimitDisconnections = 0;
	lazyfreedObjects = 0;
	/** Encodings in payloads and files that were looked into. */
	dumpPayloadSanitizations = 0;
	peakMemoryBytes = 0;
	// Turns of the event loop in which there was something to do, and what took how long in them.
	eventLoopCycles = 0;
	eventLoopUs = 0;
	eventLoopCommandUs = 0;
	eventLoopLogUs = 0;
	eventLoopCronUs = 0;
	eventLoopUsMax = 0;
	eventLoopCommandsMax = 0;
	/** Error replies by their code (the first word). */
	errors = new Map<string, number>();

	/** Counts an error reply by its code. */
	countError(text: string): void {
		this.totalErrorReplies++;
		const space = text.indexOf(' ');
		const code = space < 0 ? text : text.slice(0, space);
		const seen = this.errors.get(code);
		if (seen !== undefined) this.errors.set(code, seen + 1);
		else if (this.errors.size < ERROR_CODES_MAX) this.errors.set(code, 1);
	}

	/** Adds a turn that took `us` and ran `commands`. */
	addCycle(us: number, commands: number): void {
		this.eventLoopCycles++;
		this.eventLoopUs += us;
		if (us > this.eventLoopUsMax) this.eventLoopUsMax = us;
		if (commands > this.eventLoopCommandsMax) this.eventLoopCommandsMax = commands;
	}

	/** Back to zero, as CONFIG RESETSTAT does. */
	reset(): void {
		const peakMemoryBytes = this.peakMemoryBytes;
		Object.assign(this, new Stats(), { peakMemoryBytes });
	}
}
