/** Stops the thread, and with it everything that the server does, for `ms` milliseconds. For DEBUG only. */
export function blockThread(ms: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
