/** A file system in memory that can be slow, full or broken, and knows what a power cut would leave of it. */
import type { DoneCallback, LogFs, WrittenCallback } from '../../../src/log/log-fs.js';

interface Inode {
	data: Buffer;
	/** What has been made durable. */
	durable: Buffer;
	/** Bytes that a failed fsync has marked as clean without writing them: a later fsync does not bring them back. */
	lost: { from: number; to: number } | null;
}

export function systemError(code: string): Error {
	return Object.assign(new Error(`${code}: made to fail`), { code });
}

export class MemoryLogFs implements LogFs {
	/** What the next writes and fsyncs do. */
	writeError: string | null = null;
	syncError: string | null = null;
	/** Room on the disk for what writes add, in bytes. */
	room = Number.POSITIVE_INFINITY;
	/** Most bytes that one write takes. */
	writeSizeMax = Number.POSITIVE_INFINITY;
	/** Every operation that changes something, in order. */
	trace: string[] = [];
	/** Operations on the thread pool that have not been carried out. */
	readonly pending: (() => void)[] = [];
	/** Whether they are carried out at once, without waiting for `settle`. */
	immediate = false;

	private names = new Map<string, Inode>();
	private durableNames = new Map<string, Inode>();
	private folders = new Set<string>(['/d']);
	private fds = new Map<number, { inode: Inode; path: string }>();
	private fdNext = 3;

	/** Carries out the oldest operation on the thread pool; false if there is none. */
	settleOne(): boolean {
		const operation = this.pending.shift();
		operation?.();
		return operation !== undefined;
	}

	/** Carries out what is on the thread pool, and what that brings, until nothing is left. */
	async settle(): Promise<void> {
		for (let idle = 0; idle < 20; idle++) {
			while (this.settleOne()) idle = 0;
			await Promise.resolve();
		}
	}

	get openCount(): number {
		return this.fds.size;
	}

	/** What another process finds after this one was killed. */
	afterKill(): MemoryLogFs {
		return this.image(this.names, (inode) => inode.data);
	}

	/** What is there after a power cut. */
	afterPowerCut(): MemoryLogFs {
		return this.image(this.durableNames, (inode) => inode.durable);
	}

	private image(names: Map<string, Inode>, content: (inode: Inode) => Buffer): MemoryLogFs {
		const image = new MemoryLogFs();
		image.immediate = true;
		image.folders = new Set(this.folders);
		for (const [path, inode] of names) image.put(path, Buffer.from(content(inode)));
		return image;
	}

	/** Puts a durable file there. */
	put(path: string, data: Buffer | string): void {
		const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
		const inode = { data: bytes, durable: bytes, lost: null };
		this.names.set(path, inode);
		this.durableNames.set(path, inode);
		this.folders.add(path.slice(0, path.lastIndexOf('/')));
	}

	content(path: string): string {
		const inode = this.names.get(path);
		if (inode === undefined) throw systemError('ENOENT');
		return inode.data.toString('latin1');
	}

	list(): string[] {
		return [...this.names.keys()].sort();
	}

	openSync(path: string, flags: 'r' | 'r+' | 'w'): number {
		let inode = this.names.get(path);
		if (flags === 'w') {
			if (inode === undefined) {
				inode = { data: Buffer.alloc(0), durable: Buffer.alloc(0), lost: null };
				this.names.set(path, inode);
			}
			inode.data = Buffer.alloc(0);
			this.trace.push(`create ${path}`);
		}
		if (inode === undefined) throw systemError('ENOENT');
		const fd = this.fdNext++;
		this.fds.set(fd, { inode, path });
		return fd;
	}

	closeSync(fd: number): void {
		if (!this.fds.delete(fd)) throw systemError('EBADF');
	}

	private file(fd: number): { inode: Inode; path: string } {
		const file = this.fds.get(fd);
		if (file === undefined) throw systemError('EBADF');
		return file;
	}

	readSync(fd: number, buffer: Buffer, at: number, size: number, position: number): number {
		return this.file(fd).inode.data.copy(buffer, at, position, position + size);
	}

	read(fd: number, buffer: Buffer, at: number, size: number, position: number, done: WrittenCallback): void {
		this.later(() => {
			let count = 0;
			try {
				count = this.readSync(fd, buffer, at, size, position);
			} catch (error) {
				return () => done(error as Error, 0);
			}
			return () => done(null, count);
		});
	}

	writeSync(fd: number, buffer: Buffer, at: number, size: number, position: number): number {
		const { inode, path } = this.file(fd);
		if (this.writeError !== null) throw systemError(this.writeError);
		const growth = Math.max(0, position + Math.min(size, this.writeSizeMax) - inode.data.length);
		let taken = Math.min(size, this.writeSizeMax);
		if (growth > this.room) taken -= growth - this.room;
		if (taken <= 0) throw systemError('ENOSPC');
		this.room -= Math.max(0, position + taken - inode.data.length);
		const data = Buffer.alloc(Math.max(inode.data.length, position + taken));
		inode.data.copy(data);
		buffer.copy(data, position, at, at + taken);
		inode.data = data;
		this.trace.push(`write ${path} ${position}+${taken}`);
		return taken;
	}

	write(fd: number, buffer: Buffer, at: number, size: number, position: number, done: WrittenCallback): void {
		this.later(() => {
			let written = 0;
			try {
				written = this.writeSync(fd, buffer, at, size, position);
			} catch (error) {
				return () => done(error as Error, 0);
			}
			return () => done(null, written);
		});
	}

	fdatasyncSync(fd: number): void {
		const { inode, path } = this.file(fd);
		if (this.syncError !== null) {
			const from = Math.min(inode.durable.length, inode.lost?.from ?? Number.POSITIVE_INFINITY);
			if (from < inode.data.length) inode.lost = { from, to: inode.data.length };
			throw systemError(this.syncError);
		}
		inode.durable = Buffer.from(inode.data);
		if (inode.lost !== null) inode.durable.fill(0, inode.lost.from, inode.lost.to);
		this.trace.push(`sync ${path}`);
	}

	fdatasync(fd: number, done: DoneCallback): void {
		this.later(() => this.attempt(() => this.fdatasyncSync(fd), done));
	}

	syncFolderSync(path: string): void {
		if (this.syncError !== null) throw systemError(this.syncError);
		for (const name of [...this.durableNames.keys()]) {
			if (isIn(name, path) && !this.names.has(name)) this.durableNames.delete(name);
		}
		for (const [name, inode] of this.names) if (isIn(name, path)) this.durableNames.set(name, inode);
		this.trace.push(`sync-folder ${path}`);
	}

	syncFolder(path: string, done: DoneCallback): void {
		this.later(() => this.attempt(() => this.syncFolderSync(path), done));
	}

	ftruncateSync(fd: number, size: number): void {
		const { inode, path } = this.file(fd);
		inode.data = Buffer.from(inode.data.subarray(0, size));
		if (inode.lost !== null && inode.lost.from >= size) inode.lost = null;
		else if (inode.lost !== null) inode.lost.to = Math.min(inode.lost.to, size);
		this.trace.push(`cut ${path} ${size}`);
	}

	stampSync(path: string): string {
		return this.names.get(path)?.data.toString('latin1') ?? '';
	}

	fileSizeSync(fd: number): number {
		return this.file(fd).inode.data.length;
	}

	kindSync(path: string): 'file' | 'folder' | 'none' {
		if (this.names.has(path)) return 'file';
		return this.folders.has(path) ? 'folder' : 'none';
	}

	renameSync(from: string, to: string): void {
		const inode = this.names.get(from);
		if (inode === undefined) throw systemError('ENOENT');
		this.names.delete(from);
		this.names.set(to, inode);
		for (const file of this.fds.values()) if (file.path === from) file.path = to;
		this.trace.push(`rename ${from} ${to}`);
	}

	unlinkSync(path: string): void {
		if (!this.names.delete(path)) throw systemError('ENOENT');
		this.trace.push(`unlink ${path}`);
	}

	unlink(path: string, done: DoneCallback): void {
		this.later(() => this.attempt(() => this.unlinkSync(path), done));
	}

	linkSync(from: string, to: string): void {
		const inode = this.names.get(from);
		if (inode === undefined) throw systemError('ENOENT');
		if (this.names.has(to)) throw systemError('EEXIST');
		this.names.set(to, inode);
		this.trace.push(`link ${from} ${to}`);
	}

	listSync(path: string): string[] {
		return [...this.names.keys(), ...this.folders]
			.filter((name) => isIn(name, path))
			.map((name) => name.slice(path.length + 1));
	}

	removeFolderSync(path: string): void {
		if (!this.folders.delete(path)) throw systemError('ENOENT');
	}

	makeFolderSync(path: string): void {
		this.folders.add(path);
	}

	/** The operation and its callback happen together, when the test says so. */
	private later(operation: () => () => void): void {
		if (this.immediate) setImmediate(() => operation()());
		else this.pending.push(() => operation()());
	}

	private attempt(operation: () => void, done: DoneCallback): () => void {
		try {
			operation();
		} catch (error) {
			return () => done(error as Error);
		}
		return () => done(null);
	}
}

function isIn(name: string, folder: string): boolean {
	return name.slice(0, name.lastIndexOf('/')) === folder;
}
