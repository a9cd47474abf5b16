import { assert } from 'chai';
import { aofEntryBytes } from '../../../src/formats/aof-entry.js';
import { aofFile } from '../../../src/formats/aof-manifest.js';
import { sourceAt } from '../../../tools/log-replay/export-dataset.js';
import type { LogMap, LogPiece } from '../../../tools/log-replay/log-map.js';
import { entriesFrom, type LogEntry } from '../../../tools/log-replay/log-walk.js';
import { parseReplayOptions } from '../../../tools/log-replay/options.js';
import { parsePosition } from '../../../tools/log-replay/position.js';
import { ReplayFault } from '../../../tools/log-replay/replay-fault.js';
import { MemoryLogFs } from '../log/memory-log-fs.js';

const NAMES = { dir: '/d', folderName: 'aof', fileName: 'a' };
const SELECT_2 = aofEntryBytes(['SELECT', '2']);

function mapOf(pieces: readonly LogPiece[], bases: LogMap['bases'] = [], beginsEmpty = true): LogMap {
	const start = pieces[0]!.start;
	return { names: NAMES, infos: [], pieces, bases, start, end: pieces.at(-1)!.end, beginsEmpty };
}

function piece(name: string, start: number, end: number, prefixSize = 0): LogPiece {
	return { info: aofFile(name, 1, 'i', start, prefixSize), path: `/d/aof/${name}`, start, end, prefixSize };
}

describe('tools: replay', () => {
	describe('places', () => {
		it('are offsets, times or the end', () => {
			assert.deepEqual(parsePosition('1234'), { kind: 'offset', offset: 1234 });
			assert.deepEqual(parsePosition('end'), { kind: 'end' });
			assert.deepEqual(parsePosition('@1700000000'), { kind: 'time', timeMs: 1_700_000_000_000 });
			assert.deepEqual(parsePosition('@1700000000.25'), { kind: 'time', timeMs: 1_700_000_000_250 });
			assert.deepEqual(parsePosition('@1700000000123'), { kind: 'time', timeMs: 1_700_000_000_123 });
			const timeMs = Date.UTC(2026, 0, 31, 23, 59, 59, 500);
			assert.deepEqual(parsePosition('2026-01-31T23:59:59.5Z'), { kind: 'time', timeMs });
			assert.deepEqual(parsePosition('2026-02-01T01:59:59.5+02:00'), { kind: 'time', timeMs });
			const midnightMs = new Date(2026, 0, 31).getTime();
			assert.deepEqual(parsePosition('2026-01-31'), { kind: 'time', timeMs: midnightMs });
			assert.deepEqual(parsePosition('2026-01-31 00:00'), { kind: 'time', timeMs: midnightMs });
			for (const text of ['', '-1', '1e3', '@', '@x', 'yesterday', '2026-13-01', '99999999999999999']) {
				assert.isUndefined(parsePosition(text), text);
			}
		});
	});

	describe('options', () => {
		const message = (...args: string[]): string => {
			const options = parseReplayOptions(args);
			return typeof options === 'object' && 'message' in options ? options.message : '';
		};

		it('are read in any order', () => {
			assert.deepEqual(parseReplayOptions(['--format=json', 'list', '--from', '5', 'log']), {
				command: 'list',
				log: 'log',
				from: { kind: 'offset', offset: 5 },
				to: null,
				format: 'json',
			});
		});

		it('are refused with the reason', () => {
			assert.equal(message(), 'list or export?');
			assert.equal(message('list'), 'list needs one LOG');
			assert.equal(message('list', 'a', 'b'), 'list needs one LOG');
			assert.equal(message('list', 'a', '--rdb', 'x'), 'list has no option --rdb');
			assert.equal(message('list', 'a', '--from'), '--from needs a value');
			assert.equal(message('list', 'a', '--format', 'xml'), '--format is one of text, json, pb');
			assert.equal(message('export', 'a', '--at', '1'), 'export needs --at and --rdb');
			assert.equal(
				message('export', 'a', '--at', 'x', '--rdb', 'f'),
				'--at x is neither a log position nor a time',
			);
		});
	});

	describe('the walk', () => {
		function walk(files: Record<string, Buffer>, map: LogMap, from = 0) {
			const fs = new MemoryLogFs();
			for (const [name, bytes] of Object.entries(files)) {
				const fd = fs.openSync(`/d/aof/${name}`, 'w');
				fs.writeSync(fd, bytes, 0, bytes.length, 0);
				fs.closeSync(fd);
			}
			const gaps: string[] = [];
			let torn = -1;
			const entries: LogEntry[] = [];
			const hooks = {
				onProgress: () => {},
				onGap: (gapFrom: number, to: number) => gaps.push(`${gapFrom}-${to}`),
				onTornEnd: (offset: number) => {
					torn = offset;
				},
			};
			for (const entry of entriesFrom(fs, map, { offset: from, db: 0 }, hooks)) entries.push(entry);
			return { entries, gaps, torn };
		}
		const set = aofEntryBytes(['SET', 'k', 'v']);
		const [multi, exec] = [aofEntryBytes(['MULTI']), aofEntryBytes(['EXEC'])];

		it('passes over prefixes, and follows databases and transactions', () => {
			const first = Buffer.concat([set, Buffer.from('#TS:1700000000\r\n'), multi, set, set, exec, set]);
			const second = Buffer.concat([SELECT_2, set]);
			const prefixSize = SELECT_2.length;
			const map = mapOf([
				piece('1', 0, first.length),
				piece('2', first.length, first.length + set.length, prefixSize),
			]);
			const { entries } = walk({ 1: first, 2: second }, map);
			const group = set.length + 16;
			assert.deepEqual(
				entries.map(({ unitStart }) => unitStart),
				[0, group, group, group, group, first.length - set.length, first.length],
			);
			assert.deepEqual(
				entries.map(({ db }) => db),
				[0, 0, 0, 0, 0, 0, 2],
			);
			assert.equal(entries[0]!.annotatedMs, 0);
			assert.equal(entries[1]!.annotatedMs, 1_700_000_000_000);
			assert.equal(entries.at(-1)!.end, map.end);
		});

		it('tells of gaps and of a torn end', () => {
			const map = mapOf([piece('1', 0, set.length), piece('2', 100, 100 + 2 * set.length - 3)]);
			const { entries, gaps, torn } = walk({ 1: set, 2: Buffer.concat([set, set.subarray(0, -3)]) }, map);
			assert.equal(entries.length, 2);
			assert.deepEqual(gaps, [`${set.length}-100`]);
			assert.equal(torn, 100 + set.length);
			const open = Buffer.concat([set, multi, set]);
			assert.equal(walk({ 1: open }, mapOf([piece('1', 0, open.length)])).torn, set.length);
		});

		it('refuses damage, and a file in the middle that ends early', () => {
			const damaged = Buffer.concat([set, Buffer.from('!'), set]);
			assert.throws(
				() => walk({ 1: damaged }, mapOf([piece('1', 0, damaged.length)])),
				ReplayFault,
				/damaged at position 27/,
			);
			const short = set.subarray(0, -3);
			const map = mapOf([piece('1', 0, short.length), piece('2', short.length, short.length + set.length)]);
			assert.throws(() => walk({ 1: short, 2: set }, map), ReplayFault, 'ends within an entry');
		});
	});

	describe('what an export is made from', () => {
		const pieces = [piece('1', 0, 100), piece('2', 100, 300, 23), piece('3', 300, 400)];
		const bases: LogMap['bases'] = [
			{ path: '/d/aof/b1', offset: 100, format: 'rdb' },
			{ path: '/d/aof/b2', offset: 300, format: 'rdb' },
		];

		it('is the newest base before it, and the log from there', () => {
			assert.deepEqual(sourceAt(mapOf(pieces, bases, false), 250), {
				base: { path: '/d/aof/b1', format: 'rdb' },
				sections: [{ path: '/d/aof/2', from: 0, to: 173 }],
			});
			assert.deepEqual(sourceAt(mapOf(pieces, bases, false), 300).sections, []);
			assert.deepEqual(sourceAt(mapOf(pieces, [bases[0]!], false), 350).sections, [
				{ path: '/d/aof/2', from: 0, to: 223 },
				{ path: '/d/aof/3', from: 0, to: 50 },
			]);
			assert.isNull(sourceAt(mapOf(pieces), 50).base);
		});

		it('has to be there as a whole', () => {
			assert.throws(
				() => sourceAt(mapOf(pieces, bases, false), 99),
				ReplayFault,
				'first base that is kept is at log position 100',
			);
			const holed = mapOf([pieces[0]!, pieces[2]!], [{ ...bases[0]!, offset: 0 }], false);
			assert.throws(() => sourceAt(holed, 350), ReplayFault, 'from position 100 to 300 is not there');
		});
	});
});
