import type { AofFileInfo } from '../formats/aof-manifest.js';
import type { LogFs } from './log-fs.js';

/** An open incremental file. It is closed once it has been retired and nothing is under way on it any more. */
export class LogFile {
	readonly fd: number;
	/** Its line in the manifest; its name changes once if it begins under a temporary one. */
	info: AofFileInfo;
	private readonly fs: LogFs;
	private operationCount = 0;
	private retired = false;

	/** Takes ownership of the descriptor `fd`. */
	constructor(fs: LogFs, fd: number, info: AofFileInfo) {
		this.fs = fs;
		this.fd = fd;
		this.info = info;
	}

	/** Position in the file of a log position. */
	position(offset: number): number {
		return offset - this.info.startOffset + this.info.prefixSize;
	}

	/** An operation on the descriptor begins. */
	begin(): void {
		this.operationCount++;
	}

	/** An operation on the descriptor has ended. */
	end(): void {
		this.operationCount--;
		this.closeIfDone();
	}

	/** Nothing new will be written. */
	retire(): void {
		this.retired = true;
		this.closeIfDone();
	}

	private closeIfDone(): void {
		if (this.retired && this.operationCount === 0) this.fs.closeSync(this.fd);
	}
}
