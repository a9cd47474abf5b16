/** An RDB file for reading, with the repair of a single bit if one is known. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../src/formats/rdb-input.js';

/** A bit of a file. */
export interface FileBit {
	/** The byte it is in, counted from the start of the file. */
	readonly offset: number;
	/** 0 (the lowest) to 7. */
	readonly bit: number;
}

export class RdbBytes {
	readonly size: number;
	/** Read as the opposite of what the file has; null if there is nothing to repair. */
	repair: FileBit | null = null;
	private readonly fd: number;

	/** Throws the system's error if the file can't be opened. */
	constructor(path: string) {
		this.fd = openSync(path, 'r');
		this.size = fstatSync(this.fd).size;
	}

	/** Reads up to `size` bytes from `position` on; how many there were. */
	readAt(position: number, target: Buffer, at: number, size: number): number {
		const got = readSync(this.fd, target, at, size, position);
		const { repair } = this;
		if (repair !== null && repair.offset >= position && repair.offset < position + got) {
			const index = at + repair.offset - position;
			target[index] = target[index]! ^ (1 << repair.bit);
		}
		return got;
	}

	/** Reads from `from` on, piece by piece. */
	sourceFrom(from: number): ByteSource {
		let position = from;
		return {
			read: (target, at, size) => {
				const got = this.readAt(position, target, at, size);
				position += got;
				return got;
			},
		};
	}

	close(): void {
		closeSync(this.fd);
	}
}
