/** Standard input and output of a program that talks in byte strings. */
import { readSync, writeSync } from 'node:fs';
import { errorCode } from '../../src/base/error-text.js';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const LF = 10;
const FULL_PIPE_PAUSE_MS = 5;

/** What a tool prints to and asks. */
export interface Terminal {
	/** Writes a byte string to standard output, before it returns. */
	print(text: string): void;
	/** Prints a question and reads a line; whether it begins with y or Y. The end of input means no. */
	confirm(question: string): boolean;
}

/** The terminal of this process. */
export const PROCESS_TERMINAL: Terminal = {
	print,
	confirm(question) {
		print(question);
		return /^y/i.test(readLine());
	},
};

function print(text: string): void {
	writeOut(Buffer.from(text, 'latin1'));
}

/** Writes a byte string to standard error. */
export function printError(text: string): void {
	writeFully(STDERR, Buffer.from(text, 'latin1'));
}

/** Writes to standard output before it returns; false if nobody reads on. */
export function writeOut(bytes: Buffer): boolean {
	return writeFully(STDOUT, bytes);
}

function writeFully(fd: number, bytes: Buffer): boolean {
	let at = 0;
	while (at < bytes.length) {
		try {
			at += writeSync(fd, bytes, at);
		} catch (error) {
			if (errorCode(error) !== 'EAGAIN') return false;
			pauseThread();
		}
	}
	return true;
}

/** A line of standard input without its newline, '' at the end. */
function readLine(): string {
	const one = Buffer.alloc(1);
	let line = '';
	for (;;) {
		try {
			if (readSync(STDIN, one, 0, 1, null) === 0 || one[0] === LF) return line;
			line += one.latin1Slice();
		} catch (error) {
			if (errorCode(error) !== 'EAGAIN') return line;
			pauseThread();
		}
	}
}

function pauseThread(): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_PAUSE_MS);
}
