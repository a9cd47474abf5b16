/**
 * Creating files so that a crash leaves either the old state or the new one: write under a temporary name, make the
 * content durable, rename, make the folder durable.
 *
 * Each procedure is a generator of the steps that may take long, so that it exists once and runs in two ways: at once
 * (`runStepsNow`: at start-up, and in commands of an administrator) or on the thread pool (`runSteps`).
 */
import type { Timers } from '../base/env.js';
import type { LogFs } from './log-fs.js';

/** What a procedure waits for. */
export type DurableStep =
	| { readonly kind: 'write'; readonly fd: number; readonly bytes: Buffer; readonly position: number }
	| { readonly kind: 'sync-file'; readonly fd: number }
	| { readonly kind: 'sync-folder'; readonly path: string }
	/** Others may use the event loop meanwhile: for a turn of it if `ms` is 0. */
	| { readonly kind: 'pause'; readonly ms: number }
	| { readonly kind: 'remove'; readonly path: string };

export type DurableSteps<T> = Generator<DurableStep, T, void>;

/**
 * Creates (or replaces) the file `name` in `folder` with the given parts, one after the other. `keepOpen` returns its
 * descriptor, otherwise the file is closed and -1 returned. A number among the parts is a pause, in ms. Throws the
 * system error, or what `beforeRename` does; then no temporary file is left.
 */
export function* createFileSteps(
	fs: LogFs,
	folder: string,
	name: string,
	tempName: string,
	parts: Iterable<Buffer | number>,
	keepOpen: boolean,
	beforeRename: () => void = () => {},
): DurableSteps<number> {
	const tempPath = `${folder}/${tempName}`;
	const fd = fs.openSync(tempPath, 'w');
	let renamed = false;
	let done = false;
	try {
		let position = 0;
		for (const part of parts) {
			if (typeof part === 'number') {
				yield { kind: 'pause', ms: part };
				continue;
			}
			yield { kind: 'write', fd, bytes: part, position };
			position += part.length;
		}
		yield { kind: 'sync-file', fd };
		beforeRename();
		fs.renameSync(tempPath, `${folder}/${name}`);
		renamed = true;
		yield { kind: 'sync-folder', path: folder };
		done = true;
	} finally {
		if (!done || !keepOpen) fs.closeSync(fd);
		if (!renamed) removeIfThere(fs, tempPath);
	}
	return keepOpen ? fd : -1;
}

/** Makes the content of a file durable. */
export function* syncFileSteps(fd: number): DurableSteps<void> {
	yield { kind: 'sync-file', fd };
}

/** Makes the names in a folder durable. */
export function* syncFolderSteps(path: string): DurableSteps<void> {
	yield { kind: 'sync-folder', path };
}

/** Removes a file that may be large; an error leaves only a file too many. */
export function* removeSteps(path: string): DurableSteps<void> {
	try {
		yield { kind: 'remove', path };
	} catch {
		// Not there, or it can't be removed: nobody reads it.
	}
}

/** Runs a procedure to its end before returning, without its pauses. Throws what it throws. */
export function runStepsNow<T>(fs: LogFs, steps: DurableSteps<T>): T {
	let next = steps.next();
	while (!next.done) {
		const step = next.value;
		let failure: unknown = null;
		try {
			if (step.kind === 'write') writeAllSync(fs, step.fd, step.bytes, step.position);
			else if (step.kind === 'sync-file') fs.fdatasyncSync(step.fd);
			else if (step.kind === 'sync-folder') fs.syncFolderSync(step.path);
			else if (step.kind === 'remove') fs.unlinkSync(step.path);
		} catch (error) {
			failure = error;
		}
		next = failure === null ? steps.next() : steps.throw(failure);
	}
	return next.value;
}

/**
 * Runs a procedure on the thread pool. Rejects with what it throws. `timers` are those that its pauses, if it has any,
 * are measured with.
 */
export async function runSteps<T>(fs: LogFs, steps: DurableSteps<T>, timers?: Timers): Promise<T> {
	let next = steps.next();
	while (!next.done) {
		const step = next.value;
		let failure: unknown = null;
		try {
			if (step.kind === 'write') await writeAll(fs, step.fd, step.bytes, step.position);
			else if (step.kind === 'sync-file') await finished((done) => fs.fdatasync(step.fd, done));
			else if (step.kind === 'pause') await paused(timers, step.ms);
			else if (step.kind === 'sync-folder') await finished((done) => fs.syncFolder(step.path, done));
			else await finished((done) => fs.unlink(step.path, done));
		} catch (error) {
			failure = error;
		}
		next = failure === null ? steps.next() : steps.throw(failure);
	}
	return next.value;
}

/** Writes all of `bytes`, going on after a short write; throws the system error. */
export function writeAllSync(fs: LogFs, fd: number, bytes: Buffer, position: number): void {
	for (let at = 0; at < bytes.length; ) {
		at += fs.writeSync(fd, bytes, at, bytes.length - at, position + at);
	}
}

/** As `writeAllSync`, on the thread pool. */
export async function writeAll(fs: LogFs, fd: number, bytes: Buffer, position: number): Promise<void> {
	for (let at = 0; at < bytes.length; ) {
		at += await new Promise<number>((resolve, reject) => {
			fs.write(fd, bytes, at, bytes.length - at, position + at, (error, size) => {
				if (error !== null) reject(error);
				else resolve(size);
			});
		});
	}
}

function paused(timers: Timers | undefined, ms: number): Promise<void> {
	if (timers === undefined) throw new Error('this procedure has pauses, which need timers');
	return new Promise((resolve) => {
		if (ms === 0) timers.setImmediate(resolve);
		else timers.setTimeout(resolve, ms);
	});
}

function finished(start: (done: (error: Error | null) => void) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		start((error) => {
			if (error !== null) reject(error);
			else resolve();
		});
	});
}

/** Removes a file whose absence is what counts; an error leaves only a file too many. */
export function removeIfThere(fs: LogFs, path: string): void {
	try {
		fs.unlinkSync(path);
	} catch {
		// Not there, or it can't be removed: nobody reads it.
	}
}
