import type { AofFileInfo } from '../formats/aof-manifest.js';
import type { LogObserver } from './log-observer.js';

/** Several observers as one; told in the order given. */
export class LogObservers implements LogObserver {
	private readonly all: readonly LogObserver[];

	constructor(...all: LogObserver[]) {
		this.all = all;
	}

	fileBegan(file: AofFileInfo, offset: number, db: number): void {
		for (const one of this.all) one.fileBegan(file, offset, db);
	}

	wrote(chunk: Buffer, from: number, to: number, offset: number): void {
		for (const one of this.all) one.wrote(chunk, from, to, offset);
	}

	entriesEnd(offset: number, db: number): void {
		for (const one of this.all) one.entriesEnd(offset, db);
	}

	fileCut(file: AofFileInfo, offset: number): void {
		for (const one of this.all) one.fileCut(file, offset);
	}

	fileRemoved(name: string): void {
		for (const one of this.all) one.fileRemoved(name);
	}

	fileMoved(from: string, to: string): void {
		for (const one of this.all) one.fileMoved(from, to);
	}

	baseBegan(file: AofFileInfo): void {
		for (const one of this.all) one.baseBegan(file);
	}

	stopped(): void {
		for (const one of this.all) one.stopped();
	}

	tick(nowMs: number): void {
		for (const one of this.all) one.tick(nowMs);
	}
}
