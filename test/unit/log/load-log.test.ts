import { assert } from 'chai';
import { systemEnv } from '../../../src/base/system-env.js';
import { type LoadFailure, type LoadProgress, type LoadResult, loadLog } from '../../../src/log/load-log.js';
import { entriesText, ListLogger, load, loaded, MANIFEST_PATH, NAMES } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const INCR1 = '/d/aof/a.1.incr.aof';
const INCR2 = '/d/aof/a.2.incr.aof';
const BASE1 = '/d/aof/a.1.base.aof';
const LINE_BASE1 = 'file a.1.base.aof seq 1 type b\n';
const LINE_INCR1 = 'file a.1.incr.aof seq 1 type i\n';
const LINE_INCR2 = 'file a.2.incr.aof seq 2 type i\n';

function files(contents: Record<string, string>): MemoryLogFs {
	const fs = new MemoryLogFs();
	fs.immediate = true;
	for (const [path, text] of Object.entries(contents)) fs.put(path, text);
	return fs;
}

function failed(result: LoadResult): LoadFailure {
	if (result.kind !== 'failed') throw new Error('it was loaded');
	return result;
}

describe('log/load-log', () => {
	it('finds no log where there is none', () => {
		const { result } = load(files({}));
		assert.equal(loaded(result).content, 'absent');
	});

	it('loads the base and the incremental files in order, each beginning with database 0', () => {
		const fs = files({
			[MANIFEST_PATH]: LINE_BASE1 + LINE_INCR1 + 'file a.3.incr.aof seq 3 type i\n',
			[BASE1]: entriesText(['SELECT', '5'], ['SET', 'a', '1']),
			[INCR1]: entriesText(['SET', 'b', '2'], ['SELECT', '2'], ['SET', 'c', '3']),
			'/d/aof/a.3.incr.aof': entriesText(['set', 'd', '4']),
		});
		const { result, entries } = load(fs);
		assert.deepEqual(entries, ['5: SET a 1', '0: SET b 2', '2: SET c 3', '0: set d 4']);
		const incrSize = fs.content(INCR1).length;
		assert.equal(loaded(result).endOffset, incrSize + fs.content('/d/aof/a.3.incr.aof').length);
		assert.deepEqual(
			loaded(result).manifest.incrementals.map((file) => file.startOffset),
			[0, incrSize],
		);
		assert.equal(fs.openCount, 0);
	});

	it('takes the offset from the manifest', () => {
		const text = entriesText(['SELECT', '3'], ['PING']);
		const fs = files({
			[MANIFEST_PATH]: 'file a.1.incr.aof seq 1 type i startoffset 1000 prefix 23 replid abc\n',
			[INCR1]: text,
		});
		const result = loaded(load(fs).result);
		assert.equal(result.endOffset, 1000 + text.length - 23);
		assert.equal(result.replid, 'abc');
	});

	it('a log truncated at every byte loads to the exact prefix, transactions as a whole or not at all', () => {
		const steps: string[][][] = [
			[['SET', 'a', '1']],
			[['SET', 'b', 'line\r\n*1\r\n$4\r\nPING\r\n']],
			[['MULTI'], ['SET', 'c', '1'], ['INCR', 'c'], ['EXEC']],
			[['DEL', 'a']],
			[['multi'], ['exec']],
			[['MULTI'], ['DEL', 'b'], ['EXEC']],
		];
		const full = entriesText(...steps.flat());
		for (let size = 0; size <= full.length; size++) {
			const fs = files({ [MANIFEST_PATH]: LINE_INCR1, [INCR1]: full.slice(0, size) });
			let end = 0;
			const expected: string[] = [];
			for (const step of steps) {
				const next = end + entriesText(...step).length;
				if (next > size) break;
				end = next;
				for (const args of step) if (!/multi|exec/i.test(args[0]!)) expected.push(`0: ${args.join(' ')}`);
			}
			const { result, entries, logger } = load(fs);
			assert.deepEqual(entries, expected, `cut at ${size}`);
			assert.equal(loaded(result).truncated, end !== size, `cut at ${size}`);
			assert.equal(loaded(result).endOffset, end);
			assert.equal(fs.afterPowerCut().content(INCR1), full.slice(0, end), `cut at ${size}`);
			assert.equal(logger.has('loaded anyway because aof-load-truncated is enabled'), end !== size);
			if (end === size) continue;
			const refused = files({ [MANIFEST_PATH]: LINE_INCR1, [INCR1]: full.slice(0, size) });
			const refusal = load(refused, false);
			assert.deepInclude(failed(refusal.result), {
				reason: 'truncated',
				fileName: 'a.1.incr.aof',
				position: end,
			});
			assert.isTrue(
				refusal.logger.lines.at(-1)!.startsWith('Unexpected end of file reading the append only file'),
			);
			assert.deepEqual(refused.trace, []);
		}
	});

	it('refuses damage in the middle, names it and changes nothing', () => {
		const before = entriesText(['SET', 'a', '1']);
		const fs = files({ [MANIFEST_PATH]: LINE_INCR1, [INCR1]: `${before}!!!${before}` });
		const { result, logger } = load(fs);
		assert.deepInclude(failed(result), {
			reason: 'format',
			fileName: 'a.1.incr.aof',
			position: before.length,
		});
		assert.match(
			logger.lines.at(-1)!,
			/^Bad file format reading the append only file a\.1\.incr\.aof, at position 27: /,
		);
		assert.deepEqual(fs.trace, []);
	});

	it('cuts only the last file', () => {
		const text = entriesText(['SET', 'a', '1']);
		const fs = files({
			[MANIFEST_PATH]: LINE_INCR1 + LINE_INCR2,
			[INCR1]: text.slice(0, -1),
			[INCR2]: text,
		});
		const { result, logger } = load(fs);
		assert.deepInclude(failed(result), { reason: 'truncated', fileName: 'a.1.incr.aof', position: 0 });
		assert.isTrue(logger.has('Fatal error: the truncated file is not the last file'));
		assert.deepEqual(fs.trace, []);
	});

	it('refuses a missing file', () => {
		const fs = files({ [MANIFEST_PATH]: LINE_INCR1 + LINE_INCR2, [INCR2]: '' });
		const { result, logger } = load(fs);
		assert.deepInclude(failed(result), { reason: 'io', fileName: 'a.1.incr.aof' });
		assert.match(logger.lines.join('\n'), /a\.1\.incr\.aof .*No such file or directory/);
	});

	it('skips what the next file took over, and refuses a gap', () => {
		const text = entriesText(['INCR', 'a'], ['INCR', 'b']);
		const half = text.length / 2;
		const line = (offset: number): string => `file a.2.incr.aof seq 2 type i startoffset ${offset}\n`;
		const contents = { [INCR1]: text, [INCR2]: entriesText(['INCR', 'c']) };
		const overlap = load(files({ [MANIFEST_PATH]: LINE_INCR1 + line(half), ...contents }));
		assert.deepEqual(overlap.entries, ['0: INCR a', '0: INCR c']);
		assert.equal(loaded(overlap.result).endOffset, text.length);
		const gap = load(files({ [MANIFEST_PATH]: LINE_INCR1 + line(text.length + 1), ...contents }));
		assert.deepInclude(failed(gap.result), { reason: 'gap', position: text.length });
		const within = load(files({ [MANIFEST_PATH]: LINE_INCR1 + line(half - 1), ...contents }));
		assert.deepInclude(failed(within.result), { reason: 'truncated', position: 0 });
	});

	it('empty files are fine', () => {
		const fs = files({ [MANIFEST_PATH]: LINE_BASE1 + LINE_INCR1, [BASE1]: '', [INCR1]: '' });
		assert.equal(loaded(load(fs).result).content, 'empty');
	});

	describe('RDB at the start of a file', () => {
		/** Stands for the reader of RDB files: the first ten bytes are one; `REDIS0000` is damaged. */
		function loadWithRdb(fs: MemoryLogFs): ReturnType<typeof load> & { rdbCount: number } {
			let rdbCount = 0;
			const result = load(fs, true, function* (fd, onProgress) {
				const bytes = Buffer.alloc(10);
				const size = fs.readSync(fd, bytes, 0, 10, 0);
				yield null;
				onProgress(size);
				rdbCount++;
				return bytes.latin1Slice(5, 9) === '0000' ? { message: 'wrong', position: 7 } : { endPosition: size };
			});
			return { ...result, rdbCount };
		}

		it('is a base', () => {
			const fs = files({
				[MANIFEST_PATH]: 'file a.1.base.rdb seq 1 type b\n' + LINE_INCR1 + '#offsets @abc 1:700 1:700 end',
				'/d/aof/a.1.base.rdb': 'REDIS0011x',
				[INCR1]: entriesText(['SET', 'a', '1']),
			});
			const { result, entries, logger, rdbCount } = loadWithRdb(fs);
			assert.deepEqual(entries, ['0: SET a 1']);
			assert.equal(rdbCount, 1);
			assert.deepInclude(loaded(result), { endOffset: 727, replid: 'abc' });
			assert.isTrue(logger.has('Reading RDB base file on AOF loading...'));
			assert.isTrue(logger.has('DB loaded from base file a.1.base.rdb: 0.000 seconds'));
		});

		it('has commands behind it in a single file of Redis before 7', () => {
			const fs = files({ '/d/a': 'REDIS0011x' + entriesText(['SET', 'a', '1']) });
			const { entries, logger } = loadWithRdb(fs);
			assert.deepEqual(entries, ['0: SET a 1']);
			assert.isTrue(logger.has('Reading RDB preamble from AOF file...'));
			assert.isTrue(logger.has('Reading the remaining AOF tail...'));
			assert.deepEqual(fs.list(), ['/d/aof/a', MANIFEST_PATH]);
		});

		it('is refused when it is damaged, and where nobody reads it', () => {
			const contents = { [MANIFEST_PATH]: LINE_BASE1, [BASE1]: 'REDIS0000x' };
			const { result, logger } = loadWithRdb(files(contents));
			assert.deepInclude(failed(result), { reason: 'rdb', fileName: 'a.1.base.aof', position: 7 });
			assert.equal(logger.lines.at(-1), 'Error reading the RDB base file a.1.base.aof, AOF loading aborted');
			assert.deepInclude(failed(load(files(contents)).result), { reason: 'rdb', position: 0 });
		});
	});

	it('cuts a torn file behind which there are only empty ones', () => {
		const text = entriesText(['SET', 'a', '1']);
		const contents = { [MANIFEST_PATH]: LINE_INCR1 + LINE_INCR2, [INCR1]: text + '*1\r\n$4', [INCR2]: '' };
		const fs = files(contents);
		const { result, entries } = load(fs);
		assert.deepEqual(entries, ['0: SET a 1']);
		assert.deepInclude(loaded(result), { endOffset: 27, truncated: true });
		assert.deepEqual(
			loaded(result).manifest.incrementals.map((file) => file.startOffset),
			[0, 27],
		);
		assert.equal(fs.content(INCR1), text);
		assert.deepInclude(failed(load(files(contents), false).result), { reason: 'truncated', position: 27 });
	});

	it('refuses a damaged manifest with the lines that Redis logs', () => {
		const { result, logger } = load(files({ [MANIFEST_PATH]: 'file a seq 1\n' }));
		assert.equal(failed(result).reason, 'manifest');
		assert.deepEqual(logger.lines, [
			'\n*** FATAL AOF MANIFEST FILE ERROR ***\n',
			'Reading the manifest file, at line 1\n',
			">>> 'file a seq 1'\n",
			'Invalid AOF manifest file format\n',
		]);
	});

	it('stops at a command that is not known', () => {
		const fs = files({ [MANIFEST_PATH]: LINE_INCR1, [INCR1]: entriesText(['PING'], ['NOPE', 'x']) });
		const logger = new ListLogger();
		return loadLog({ fs, env: systemEnv(), logger, names: NAMES, loadTruncated: true }, (args) =>
			args[0] === 'NOPE' ? 'unknown-command' : undefined,
		).then((result) => {
			assert.deepInclude(failed(result), { reason: 'unknown-command', position: 14 });
			assert.isTrue(logger.has("Unknown command 'NOPE' reading the append only file a.1.incr.aof"));
		});
	});

	it('returns to the event loop, waits for promises and reports progress', async () => {
		const commands = Array.from({ length: 20_000 }, (_, i) => ['SET', `key:${i}`, 'x'.repeat(200)]);
		const text = entriesText(...commands);
		const fs = files({ [MANIFEST_PATH]: LINE_INCR1, [INCR1]: text });
		const progress: LoadProgress = { totalBytes: 0, loadedBytes: 0, fileName: '', entryCount: 0 };
		let turns = 0;
		let done = false;
		const turn = (): void => {
			turns++;
			if (!done) setImmediate(turn);
		};
		setImmediate(turn);
		let waited = 0;
		const options = {
			fs,
			env: systemEnv(),
			logger: new ListLogger(),
			names: NAMES,
			loadTruncated: true,
			progress,
		};
		const result = await loadLog(options, (args) => {
			if (args[1] !== 'key:700') {
				const until = performance.now() + 0.002;
				while (performance.now() < until);
				return undefined;
			}
			return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
				waited++;
				return undefined;
			});
		});
		done = true;
		assert.equal(loaded(result).endOffset, text.length);
		assert.equal(waited, 1);
		assert.isAbove(turns, 3);
		assert.deepEqual(progress, {
			totalBytes: text.length,
			loadedBytes: text.length,
			fileName: 'a.1.incr.aof',
			entryCount: 20_000,
		});
	});

	describe('a bare file of Redis before 7', () => {
		const text = entriesText(['SET', 'k', 'v']);

		it('moves into the folder, the manifest first', () => {
			const fs = files({ '/d/a': text });
			const { result, entries, logger } = load(fs);
			assert.deepEqual(entries, ['0: SET k v']);
			assert.equal(loaded(result).manifest.base?.name, 'a');
			assert.deepEqual(fs.list(), ['/d/aof/a', MANIFEST_PATH]);
			assert.equal(fs.content(MANIFEST_PATH), 'file a seq 1 type b\n');
			assert.isTrue(
				logger.has('Successfully migrated an old-style AOF file (a) into the AOF directory (aof).'),
			);
			assert.deepEqual(load(fs.afterPowerCut()).entries, ['0: SET k v']);
		});

		it('goes on where a crash left it', () => {
			const fs = files({ '/d/a': text, [MANIFEST_PATH]: 'file a seq 1 type b\n' });
			assert.deepEqual(load(fs).entries, ['0: SET k v']);
		});

		it('stays where it is beside a log', () => {
			const fs = files({ '/d/a': text, [MANIFEST_PATH]: LINE_INCR1, [INCR1]: '' });
			assert.deepEqual(load(fs).entries, []);
			assert.include(fs.list(), '/d/a');
		});
	});
});
