/** Garbage collection on demand. */

/**
 * Collects all garbage of the process and gives what is free back to the system, the young generation
 * included: right after the present turn of the event loop, before another one begins. Everything stops
 * for it (100 to 250 ms for a million small keys), so it is for a user who asks.
 */
export function collectGarbage(): void {
	// V8 shrinks the young generation on a "low memory notification" alone, which JavaScript reaches
	// through the inspector; it takes a while to load, so not before somebody needs it.
	const { Session } = process.getBuiltinModule('node:inspector');
	const session = new Session();
	session.connect();
	session.post('HeapProfiler.collectGarbage', () => {
		// Not from within the callback: the inspector would wait for itself.
		setImmediate(() => session.disconnect());
	});
}
