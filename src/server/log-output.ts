/**
 * Where log lines go: a file, or standard output. A line is written before `write` returns.
 *
 * A file may be moved away at any time, as Redis allows by opening its file for every line: a look once a
 * second finds out, and a new file is begun. What can't be written (a full disk, a reader that went away or
 * does not read) is dropped: logging must not end or hang the server.
 */
import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';

const STDOUT = 1;
const FILE_MODE = 0o644;
/** A log file that was moved away (rotation) is noticed within this time. */
const ROTATION_CHECK_MS = 1000;
/** For so long a full pipe is waited for. */
const FULL_PIPE_MS_MAX = 1000;
const FULL_PIPE_PAUSE_MS = 5;

export class LogOutput {
	readonly #file: string;
	readonly #now: () => number;
	#fd: number;
	#checkedMs: number;

	/** `file` is an absolute native path, '' is standard output. Throws the system's error if it can't be opened. */
	constructor(file: string, now: () => number) {
		this.#file = file;
		this.#now = now;
		this.#checkedMs = now();
		this.#fd = file === '' ? STDOUT : openSync(file, 'a', FILE_MODE);
	}

	/** Appends `text`, as UTF-8. */
	write(text: string): void {
		this.#followRotation();
		if (this.#fd < 0) return;
		const bytes = Buffer.from(text, 'utf8');
		let written = 0;
		let waitedMs = 0;
		while (written < bytes.length) {
			try {
				written += writeSync(this.#fd, bytes, written);
			} catch (error) {
				const isFull = (error as NodeJS.ErrnoException).code === 'EAGAIN';
				if (!isFull || waitedMs >= FULL_PIPE_MS_MAX) return;
				pauseThread(FULL_PIPE_PAUSE_MS);
				waitedMs += FULL_PIPE_PAUSE_MS;
			}
		}
	}

	/** Closes the file; what is written from now on is dropped. Standard output stays open. */
	close(): void {
		if (this.#file !== '' && this.#fd >= 0) closeSync(this.#fd);
		this.#fd = -1;
	}

	#followRotation(): void {
		if (this.#file === '' || this.#fd < 0) return;
		const nowMs = this.#now();
		if (nowMs - this.#checkedMs < ROTATION_CHECK_MS) return;
		this.#checkedMs = nowMs;
		if (this.#isInPlace()) return;
		try {
			const fd = openSync(this.#file, 'a', FILE_MODE);
			closeSync(this.#fd);
			this.#fd = fd;
		} catch {
			// The folder is gone, or not ours any more: the old file still takes the lines.
		}
	}

	#isInPlace(): boolean {
		try {
			return statSync(this.#file).ino === fstatSync(this.#fd).ino;
		} catch {
			return false;
		}
	}
}

function pauseThread(delayMs: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
}
