/**
 * Where the files of the log are: in the folder of the configuration (home), or in a scratch folder, `temp-log-<pid>` in
 * the server's working folder. The scratch log feeds the snapshots of a server that keeps no log (`appendonly no` with
 * save points): it is never fsynced, ends with the process, and when the process was killed is removed by the next
 * server that starts in the working folder.
 */
import { errorText } from '../base/error-text.js';
import type { Logger } from '../base/logger.js';
import type { LogNames } from './log-folder.js';
import type { LogFs } from './log-fs.js';

export type LogPlace = 'home' | 'scratch';

const SCRATCH_NAME = /^temp-log-(\d+)$/;

/** The scratch folder of a process. */
export function scratchNames(home: LogNames, pid: number): LogNames {
	return { ...home, folderName: `temp-log-${pid}` };
}

/** A file system on which nothing has to be durable. */
export function scratchFs(fs: LogFs): LogFs {
	return {
		...boundTo(fs),
		fdatasync: (_fd, done) => queueMicrotask(() => done(null)),
		fdatasyncSync: () => {},
		syncFolder: (_path, done) => queueMicrotask(() => done(null)),
		syncFolderSync: () => {},
	};
}

/** The operations as functions of their own: a file system may be an instance of a class. */
function boundTo(fs: LogFs): LogFs {
	return {
		openSync: (path, flags) => fs.openSync(path, flags),
		closeSync: (fd) => fs.closeSync(fd),
		readSync: (fd, buffer, at, size, position) => fs.readSync(fd, buffer, at, size, position),
		read: (fd, buffer, at, size, position, done) => fs.read(fd, buffer, at, size, position, done),
		writeSync: (fd, buffer, at, size, position) => fs.writeSync(fd, buffer, at, size, position),
		write: (fd, buffer, at, size, position, done) => fs.write(fd, buffer, at, size, position, done),
		fdatasync: (fd, done) => fs.fdatasync(fd, done),
		fdatasyncSync: (fd) => fs.fdatasyncSync(fd),
		syncFolder: (path, done) => fs.syncFolder(path, done),
		syncFolderSync: (path) => fs.syncFolderSync(path),
		ftruncateSync: (fd, size) => fs.ftruncateSync(fd, size),
		fileSizeSync: (fd) => fs.fileSizeSync(fd),
		stampSync: (path) => fs.stampSync(path),
		kindSync: (path) => fs.kindSync(path),
		renameSync: (from, to) => fs.renameSync(from, to),
		unlinkSync: (path) => fs.unlinkSync(path),
		unlink: (path, done) => fs.unlink(path, done),
		linkSync: (from, to) => fs.linkSync(from, to),
		listSync: (path) => fs.listSync(path),
		removeFolderSync: (path) => fs.removeFolderSync(path),
		makeFolderSync: (path) => fs.makeFolderSync(path),
	};
}

/** Removes a scratch folder and what is in it. */
export function removeScratch(fs: LogFs, path: string, logger: Logger): void {
	try {
		if (fs.kindSync(path) !== 'folder') return;
		for (const name of fs.listSync(path)) fs.unlinkSync(`${path}/${name}`);
		fs.removeFolderSync(path);
	} catch (error) {
		logger.log('warning', `Can't remove the scratch folder ${path}: ${errorText(error)}`);
	}
}

/** At start-up: removes the scratch folders of processes that are gone. `isAlive` tells of a process ID. */
export function removeStaleScratch(
	fs: LogFs,
	dir: string,
	isAlive: (pid: number) => boolean,
	logger: Logger,
): void {
	for (const name of fs.listSync(dir)) {
		const pid = Number(SCRATCH_NAME.exec(name)?.[1] ?? 0);
		if (pid === 0 || isAlive(pid)) continue;
		logger.log('notice', `Removing ${name}, which a server that is gone has left`);
		removeScratch(fs, `${dir}/${name}`, logger);
	}
}
