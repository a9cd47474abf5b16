/**
 * Creating files so that a crash leaves either the old state or the new one: write under a temporary name, make the
 * content durable, rename, make the folder durable.
 *
 * Each procedure is a generator of the steps that may take long, so that it exists once and runs in two ways: at once
 * (`runStepsNow`: at start-up, and in commands of an administrator) or on the thread pool (`runSteps`).
 */
import type { LogFs } from './log-fs.js';

/** What a procedure waits for. */
export type DurableStep =
	| { readonly kind: 'write'; readonly fd: number; readonly bytes: Buffer; readonly position: number }
	| { readonly kind: 'sync-file'; readonly fd: number }
	| { readonly kind: 'sync-folder'; readonly path: string };

export type DurableSteps<T> = Generator<DurableStep, T, void>;

/**
 * Creates (or replaces) the file `name` in `folder` with the given parts, one after the other. `keepOpen` returns its
 * descriptor, otherwise the file is closed and -1 returned. Throws the system error; then no temporary file is left.
 */
export function* createFileSteps(
	fs: LogFs,
	folder: string,
	name: string,
	tempName: string,
	parts: Iterable<Buffer>,
	keepOpen: boolean,
): DurableSteps<number> {
	const tempPath = `${folder}/${tempName}`;
	const fd = fs.openSync(tempPath, 'w');
	let renamed = false;
	let done = false;
	try {
		let position = 0;
		for (const bytes of parts) {
			yield { kind: 'write', fd, bytes, position };
			position += bytes.length;
		}
		yield { kind: 'sync-file', fd };
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

/** Runs a procedure to its end before returning. Throws what it throws. */
export function runStepsNow<T>(fs: LogFs, steps: DurableSteps<T>): T {
	let next = steps.next();
	while (!next.done) {
		const step = next.value;
		let failure: unknown = null;
		try {
			if (step.kind === 'write') writeAllSync(fs, step.fd, step.bytes, step.position);
			else if (step.kind === 'sync-file') fs.fdatasyncSync(step.fd);
			else fs.syncFolderSync(step.path);
		} catch (error) {
			failure = error;
		}
		next = failure === null ? steps.next() : steps.throw(failure);
	}
	return next.value;
}

/** Runs a procedure on the thread pool. Rejects with what it throws. */
export async function runSteps<T>(fs: LogFs, steps: DurableSteps<T>): Promise<T> {
	let next = steps.next();
	while (!next.done) {
		const step = next.value;
		let failure: unknown = null;
		try {
			if (step.kind === 'write') await writeAll(fs, step.fd, step.bytes, step.position);
			else if (step.kind === 'sync-file') await finished((done) => fs.fdatasync(step.fd, done));
			else await finished((done) => fs.syncFolder(step.path, done));
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

async function writeAll(fs: LogFs, fd: number, bytes: Buffer, position: number): Promise<void> {
	for (let at = 0; at < bytes.length; ) {
		at += await new Promise<number>((resolve, reject) => {
			fs.write(fd, bytes, at, bytes.length - at, position + at, (error, size) => {
				if (error !== null) reject(error);
				else resolve(size);
			});
		});
	}
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
