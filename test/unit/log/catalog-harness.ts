/** A log on a real disk with its catalog: LevelDB needs one. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type AofManifest, isAofFormatBase } from '../../../src/formats/aof-manifest.js';
import { AppendLog } from '../../../src/log/append-log.js';
import { Catalog } from '../../../src/log/catalog.js';
import { openCatalogCopy } from '../../../src/log/catalog-reader.js';
import { type LoadResult, loadLog } from '../../../src/log/load-log.js';
import { LogFolder, type LogNames } from '../../../src/log/log-folder.js';
import { type LogFs, nodeLogFs } from '../../../src/log/log-fs.js';
import { historyInfos } from '../../../src/log/log-history.js';
import { ListLogger, StillEnv } from './log-harness.js';

/** An open log with its catalog. */
export interface CatalogedLog {
	readonly log: AppendLog;
	readonly catalog: Catalog;
	readonly env: StillEnv;
	readonly logger: ListLogger;
	/** What the loader said. */
	readonly result: LoadResult;
	/** Appends a command and writes it. */
	write(...args: string[]): void;
	/** Lets the catalog do what there is to do. */
	settle(): Promise<void>;
	/** Closes in order. */
	close(): Promise<void>;
}

export class LogDisk {
	readonly fs: LogFs;
	readonly names: LogNames;

	constructor(fs: LogFs = nodeLogFs()) {
		this.fs = fs;
		this.names = { dir: mkdtempSync(join(tmpdir(), 'tsredis-test-')), folderName: 'aof', fileName: 'a' };
	}

	path(name: string): string {
		return join(this.names.dir, this.names.folderName, name);
	}

	read(name: string): Buffer {
		return readFileSync(this.path(name));
	}

	/** The manifest, with the history. */
	manifest(): AofManifest {
		const folder = new LogFolder(this.fs, this.names);
		folder.readManifest();
		return {
			...folder.manifest,
			history: [...folder.manifest.history, ...historyInfos(this.fs, this.names)],
		};
	}

	remove(): void {
		rmSync(this.names.dir, { recursive: true, force: true });
	}

	/** Loads what is there, compared with the catalog, and opens it. */
	async open(): Promise<CatalogedLog> {
		const { fs, names } = this;
		const env = new StillEnv();
		const logger = new ListLogger();
		const log = new AppendLog({
			fs,
			env,
			logger,
			names,
			fsyncPolicy: 'everysec',
			replid: 'f'.repeat(40),
			history: { logHistorySize: 1 << 20, logHistorySeconds: 0, aofDisableAutoGc: false },
		});
		const catalog = new Catalog({ fs, env, logger, names, manifest: () => log.manifestWithHistory() });
		log.observer = catalog;
		const verifier = await catalog.readVerifier();
		const result = await loadLog({ fs, env, logger, names, loadTruncated: true, verifier }, () => undefined);
		if (result.kind === 'loaded') {
			await catalog.forgetLostBytes();
			const refusal = log.open(result.manifest, result.endOffset);
			if (refusal !== null) throw new Error(refusal);
		}
		const settle = async (): Promise<void> => {
			do {
				env.advance(2000);
				log.tick(env.nowMs);
				await new Promise((resolve) => setTimeout(resolve, 5));
			} while (!catalog.isIdle);
		};
		return {
			log,
			catalog,
			env,
			logger,
			result,
			settle,
			write: (...args) => {
				log.appendArgs(args);
				log.flush();
			},
			close: async () => {
				await log.close();
				await catalog.close();
			},
		};
	}

	/**
	 * What is wrong with the catalog: '' if its blocks cover each file of the log from start to end without gaps, in order,
	 * and their CRCs are those of the bytes.
	 */
	async faults(): Promise<string> {
		const reader = await openCatalogCopy(this.names);
		if (reader === undefined) return 'no catalog';
		let faults = '';
		const { base, history, incrementals } = this.manifest();
		for (const info of [...(base === null ? [] : [base]), ...history, ...incrementals]) {
			const isBase = isAofFormatBase(info);
			if (!isBase && !info.name.endsWith('.incr.aof')) continue;
			const content = this.read(info.name);
			const file = reader.fileOf(info);
			if (file === undefined) {
				if (content.length > 0) faults += `${info.name}: not known; `;
				continue;
			}
			let at = 0;
			for await (const block of reader.blocksOf(file)) {
				if (block.position !== at) faults += `${info.name}: ${block.position} where ${at} was due; `;
				const bytes = content.subarray(block.position, block.position + block.size);
				if (bytes.length !== block.size || crc32(bytes) !== block.crc32)
					faults += `${info.name}: CRC at ${at}; `;
				const offset = isBase
					? block.position
					: info.startOffset + Math.max(0, block.position - info.prefixSize);
				if (block.offset !== offset) faults += `${info.name}: offset at ${at}; `;
				at = block.position + block.size;
			}
			if (at !== content.length) faults += `${info.name}: ends at ${at} of ${content.length}; `;
		}
		await reader.close();
		return faults;
	}
}
