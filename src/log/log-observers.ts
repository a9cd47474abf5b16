import type { AofFileInfo } from '../formats/aof-manifest.js';
import type { FileObserver, LogObserver } from './log-observer.js';

/** Two observers as one; told in the order given. The second has nothing to do with the bytes. */
export class LogObservers implements LogObserver {
	private readonly first: LogObserver;
	private readonly second: FileObserver;

	constructor(first: LogObserver, second: FileObserver) {
		this.first = first;
		this.second = second;
	}

	fileBegan(file: AofFileInfo, offset: number, db: number): void {
		this.first.fileBegan(file, offset, db);
		this.second.fileBegan(file, offset, db);
	}

	wrote(chunk: Buffer, from: number, to: number, offset: number): void {
		this.first.wrote(chunk, from, to, offset);
	}

	entriesEnd(offset: number, db: number): void {
		this.first.entriesEnd(offset, db);
	}

	fileCut(file: AofFileInfo, offset: number): void {
		this.first.fileCut(file, offset);
		this.second.fileCut(file, offset);
	}

	fileRemoved(name: string): void {
		this.first.fileRemoved(name);
		this.second.fileRemoved(name);
	}

	fileMoved(from: string, to: string): void {
		this.first.fileMoved(from, to);
		this.second.fileMoved(from, to);
	}

	baseBegan(file: AofFileInfo): void {
		this.first.baseBegan(file);
		this.second.baseBegan(file);
	}

	stopped(): void {
		this.first.stopped();
		this.second.stopped();
	}

	tick(nowMs: number): void {
		this.first.tick(nowMs);
		this.second.tick(nowMs);
	}
}
