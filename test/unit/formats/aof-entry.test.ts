import { assert } from 'chai';
import { AofEntryReader, type AofReadResult, aofEntryBytes } from '../../../src/formats/aof-entry.js';

interface Reading {
	readonly entries: string[][];
	readonly result: AofReadResult;
	readonly reader: AofEntryReader;
}

/** Reads `file` in pieces of at most `pieceSize` bytes. */
function readAll(file: Buffer, pieceSize = Number.POSITIVE_INFINITY, chunkBytes = 16): Reading {
	const reader = new AofEntryReader(0, chunkBytes);
	const entries: string[][] = [];
	for (;;) {
		const result = reader.next();
		if (result === 'entry') {
			assert.deepEqual(
				file.toString('latin1', reader.entryStart, reader.entryEnd),
				aofEntryBytes(reader.args).toString('latin1'),
			);
			entries.push(reader.args);
		} else if (result === 'more') {
			reader.reserve();
			const size = Math.min(reader.buffer.length - reader.fillAt, pieceSize);
			assert.isAbove(size, 0);
			const at = reader.fillPosition;
			reader.filled(file.copy(reader.buffer, reader.fillAt, at, at + size));
		} else {
			return { entries, result, reader };
		}
	}
}

const COMMANDS: string[][] = [
	['SET', 'key', 'value'],
	['SET', '', '\r\n*1\r\n$4\r\nPING\r\n\x00\xff'],
	['RPUSH', 'list', ...Array.from({ length: 120 }, (_, i) => 'x'.repeat(i))],
	['PING'],
	['APPEND', 'k', 'y'.repeat(5000)],
];
const FILE = Buffer.concat(COMMANDS.map(aofEntryBytes));

describe('formats/aof-entry', () => {
	it('writes commands as Redis does', () => {
		assert.equal(
			aofEntryBytes(['SET', 'k', 'v'.repeat(100), '']).toString('latin1'),
			`*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n${'v'.repeat(100)}\r\n$0\r\n\r\n`,
		);
	});

	it('reads what it writes, however the bytes arrive', () => {
		for (const pieceSize of [1, 2, 3, 7, 100, 4096, Number.POSITIVE_INFINITY]) {
			for (const chunkBytes of [16, 1000, 1 << 20]) {
				const { entries, result } = readAll(FILE, pieceSize, chunkBytes);
				assert.equal(result, 'end');
				assert.deepEqual(entries, COMMANDS);
			}
		}
	});

	it('knows where a file was cut off, at every byte', () => {
		const ends: number[] = [0];
		for (const args of COMMANDS) ends.push(ends.at(-1)! + aofEntryBytes(args).length);
		for (let size = 0; size < FILE.length; size++) {
			const { entries, result, reader } = readAll(FILE.subarray(0, size), Number.POSITIVE_INFINITY, 1 << 14);
			const count = ends.findLastIndex((end) => end <= size);
			assert.equal(entries.length, count, `at ${size}`);
			assert.equal(reader.entryEnd, ends[count], `at ${size}`);
			assert.equal(result, ends[count] === size ? 'end' : 'truncated', `at ${size}`);
		}
	});

	it('skips annotations, and takes a torn one for a torn tail', () => {
		const entry = aofEntryBytes(['PING']);
		const file = Buffer.concat([Buffer.from('#TS:1700000000\r\n'), entry, Buffer.from('#TS:17\r\n')]);
		const whole = readAll(file);
		assert.deepEqual([whole.result, whole.entries.length], ['end', 1]);
		assert.equal(whole.reader.entryEnd, file.length);
		const torn = readAll(file.subarray(0, file.length - 1));
		assert.deepEqual([torn.result, torn.reader.entryEnd], ['truncated', 16 + entry.length]);
		assert.equal(readAll(Buffer.from('#'.repeat(2000))).result, 'bad');
	});

	const faults: [text: string, position: number][] = [
		['!!!', 0],
		['*1\r\n$4\r\nPING\r\n!', 14],
		['*0\r\n', 0],
		['*-1\r\n', 1],
		['*x\r\n', 1],
		['*1\n$4', 2],
		['*\r\n', 1],
		['*99999999999\r\n', 10],
		['*1\r\n+4\r\n', 4],
		['*1\r\n$-1\r\n', 5],
		['*1\r\n$4\r\nPINGx', 12],
		['*1\r\n$4\r\nPING\rx', 13],
		['*1\r\n$999999999999\r\n', 13],
		['*2\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n', 14],
	];
	for (const [text, position] of faults) {
		it(`finds the damage in ${JSON.stringify(text)}`, () => {
			const { result, reader } = readAll(Buffer.from(text, 'latin1'));
			assert.deepEqual([result, reader.badPosition], ['bad', position]);
		});
	}

	it('never takes a changed byte in the framing, with entries behind it, for a torn tail', () => {
		const first = aofEntryBytes(['SET', 'key', 'v'.repeat(11)]);
		const file = Buffer.concat([first, ...Array.from({ length: 20 }, () => aofEntryBytes(['INCR', 'n']))]);
		const framing = (at: number): boolean => {
			const text = first.toString('latin1');
			return !/[a-zA-Z]/.test(text[at]!);
		};
		for (let at = 0; at < first.length; at++) {
			if (!framing(at)) continue;
			for (let bit = 0; bit < 8; bit++) {
				const damaged = Buffer.from(file);
				damaged[at] = damaged[at]! ^ (1 << bit);
				const { result, entries } = readAll(damaged, Number.POSITIVE_INFINITY, 1 << 14);
				if (result === 'bad') continue;
				// A changed mark may turn the first header into an annotation; then what follows gives it away.
				assert.fail(`byte ${at} bit ${bit}: ${result} with ${entries.length} entries`);
			}
		}
	});

	it('sees a size that was made to reach beyond the end of the file', () => {
		const entries = [
			['SET', 'a', 'x'.repeat(100)],
			['INCR', 'n'],
			['INCR', 'n'],
		];
		const text = Buffer.concat(entries.map(aofEntryBytes)).toString('latin1').replace('$100', '$900');
		const { result, reader } = readAll(Buffer.from(text, 'latin1'), 64, 64);
		assert.deepEqual([result, reader.badPosition], ['bad', text.indexOf('$900')]);
	});
});
