import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from 'chai';
import { AofEntryReader, aofEntryBytes } from '../../../src/formats/aof-entry.js';
import type { BlockList } from '../../../src/log/block-check.js';
import { LogCheck, NO_CATALOG, type RecordedLog } from '../../../tools/aof-check/check-log.js';
import { Salvage } from '../../../tools/aof-check/salvage.js';
import { ProgressBar } from '../../../tools/support/progress-bar.js';
import { MemoryTerminal } from '../../support/memory-terminal.js';
import { SeededRandom } from '../../support/random.js';

const SEED = 20_251_122;
const BLOCK_BYTES = 600;
const FLIP_COUNT = 2000;

/** Commands of many shapes; transactions, two databases. */
function program(random: SeededRandom, count: number): string[][] {
	const commands: string[][] = [['SELECT', '0']];
	for (let i = 0; i < count; i++) {
		const key = `key:${random.below(100)}`;
		const value = Array.from({ length: random.below(80) }, () => String.fromCharCode(random.below(256))).join(
			'',
		);
		if (random.chance(0.05)) commands.push(['SELECT', String(random.below(2))]);
		else if (random.chance(0.1)) commands.push(['MULTI'], ['SET', key, value], ['DEL', 'x'], ['EXEC']);
		else if (random.chance(0.3)) commands.push(['RPUSH', key, value, String(i), '']);
		else commands.push(['SET', key, value]);
	}
	return commands;
}

function blocksOf(bytes: Buffer): BlockList {
	const positions: number[] = [];
	const sizes: number[] = [];
	const crcs: number[] = [];
	for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
		const block = bytes.subarray(at, at + BLOCK_BYTES);
		positions.push(at);
		sizes.push(block.length);
		crcs.push(crc32(block));
	}
	return { positions, sizes, crcs };
}

function commandsIn(bytes: Buffer): string[] {
	const reader = new AofEntryReader(0);
	const commands: string[] = [];
	for (;;) {
		const found = reader.next();
		if (found === 'entry') commands.push(reader.args.join('\0'));
		else if (found !== 'more') {
			assert.equal(found, 'end');
			return commands;
		} else {
			reader.reserve();
			const at = reader.fillPosition;
			reader.filled(bytes.copy(reader.buffer, reader.fillAt, at));
		}
	}
}

describe('tools: check-aof', function () {
	this.timeout(60_000);
	const random = new SeededRandom(SEED);
	const commands = program(random, 120);
	const sound = Buffer.concat(commands.map(aofEntryBytes));
	let forgotten = 0;
	const catalog: RecordedLog = {
		blocks: new Map([['f.aof', blocksOf(sound)]]),
		dbAt: new Map(),
		forget: () => {
			forgotten++;
		},
	};
	let folder: string;
	let path: string;
	before(() => {
		folder = mkdtempSync(join(tmpdir(), 'tsredis-test-'));
		path = join(folder, 'f.aof');
	});
	after(() => rmSync(folder, { recursive: true, force: true }));

	function check(bytes: Buffer, recorded: RecordedLog, fix = false, ...answers: boolean[]) {
		writeFileSync(path, bytes);
		const terminal = new MemoryTerminal(...answers);
		const isGood = new LogCheck({
			fix,
			toTimestamp: 0,
			terminal,
			catalog: recorded,
			progress: new ProgressBar(),
		}).check(path);
		return { isGood, output: terminal.output.replaceAll(path, 'f.aof') };
	}

	function removeCopies(): void {
		rmSync(`${path}.before-fix`, { force: true });
	}

	function flipped(bytes: Buffer, at: number, mask: number): Buffer {
		const changed = Buffer.from(bytes);
		changed[at]! ^= mask;
		return changed;
	}

	it('finds a file sound, with and without its catalog', () => {
		assert.isTrue(check(sound, catalog).isGood);
		assert.isTrue(check(sound, NO_CATALOG).isGood);
	});

	it('finds every truncation with the catalog', () => {
		writeFileSync(path, sound);
		for (let size = sound.length - 1; size >= 0; size--) {
			truncateSync(path, size);
			const terminal = new MemoryTerminal();
			const options = { fix: false, toTimestamp: 0, terminal, catalog, progress: new ProgressBar() };
			assert.isFalse(new LogCheck(options).check(path), `${size} bytes`);
			assert.include(terminal.output, 'not valid');
		}
	});

	it(`finds ${FLIP_COUNT} flipped bits with the catalog, and puts them back`, () => {
		for (let i = 0; i < FLIP_COUNT; i++) {
			const at = random.below(sound.length);
			const mask = 1 << random.below(8);
			const damaged = flipped(sound, at, mask);
			const { isGood, output } = check(damaged, catalog);
			assert.isFalse(isGood, `byte ${at}, mask ${mask}`);
			assert.include(output, `the byte at ${at}, whose bits differ by`);
			assert.isTrue(readFileSync(path).equals(damaged), 'a check changes nothing');
			if (i % 20 !== 0) continue;
			assert.isTrue(check(damaged, catalog, true, true).isGood);
			assert.isTrue(readFileSync(path).equals(sound));
			assert.isTrue(readFileSync(`${path}.before-fix`).equals(damaged));
			removeCopies();
		}
	});

	it('names the first bad offset and the command before it', () => {
		const file = Buffer.concat([aofEntryBytes(['SET', 'a', 'hello']), aofEntryBytes(['SET', 'b', 'world'])]);
		const damaged = Buffer.from(file.latin1Slice().replace('$5\r\nworld', '$5\r\nworldly'), 'latin1');
		assert.equal(
			check(damaged, NO_CATALOG).output,
			[
				'Start checking Old-Style AOF',
				'0x              37: Expected \\r\\n, got: 6c79',
				'AOF analyzed: filename=f.aof, size=64, ok_up_to=31, ok_up_to_line=14, diff=33',
				'  First bad offset: 60',
				'  The command before it, at 0: "SET" "a" "hello"',
				'  --salvage OUT writes what is good before and behind the damage to a new file',
				'AOF f.aof is not valid. Use the --fix option to try fixing it.',
				'',
			].join('\n'),
		);
	});

	it('shows a changed byte within a value', () => {
		const file = Buffer.concat([aofEntryBytes(['SET', 'a', 'hello']), aofEntryBytes(['SET', 'b', 'world'])]);
		const recorded = { ...catalog, blocks: new Map([['f.aof', blocksOf(file)]]) };
		const { output } = check(flipped(file, 57, 32), recorded);
		assert.equal(
			output,
			[
				'Start checking Old-Style AOF',
				'0x              39: Bytes 0 to 62 are not what was written: CRC-32 is 2a78328c, the catalog has ebb91d88',
				'AOF analyzed: filename=f.aof, size=62, ok_up_to=31, ok_up_to_line=8, diff=31',
				'  First bad offset: 57',
				'  The command before it, at 0: "SET" "a" "hello"',
				'  Bytes 0 to 62 are not what was written: CRC-32 is 2a78328c, the catalog has ebb91d88',
				'  One changed byte explains that: the byte at 57, whose bits differ by 0x20; --fix puts it back',
				'  --salvage OUT writes what is good before and behind the damage to a new file',
				'AOF f.aof is not valid. Use the --fix option to try fixing it.',
				'',
			].join('\n'),
		);
	});

	it('does not judge a file that was written anew by the catalog of the old one', () => {
		const other = Buffer.concat(program(new SeededRandom(1), 400).map(aofEntryBytes));
		assert.isAbove(other.length, sound.length);
		const { isGood, output } = check(other, catalog);
		assert.isTrue(isGood);
		assert.include(output, 'The catalog knows another file');
	});

	it('keeps a copy of what it cuts, asks first, and forgets the catalog', () => {
		const torn = sound.subarray(0, sound.length - 3);
		assert.isFalse(check(torn, catalog, true, false).isGood);
		assert.isTrue(readFileSync(path).equals(torn));
		forgotten = 0;
		assert.isTrue(check(torn, catalog, true, true).isGood);
		assert.equal(forgotten, 1);
		assert.isBelow(readFileSync(path).length, torn.length);
		assert.isTrue(readFileSync(`${path}.before-fix`).equals(torn));
		assert.isTrue(check(readFileSync(path), NO_CATALOG).isGood);
		removeCopies();
	});

	it('what is left of a file can be made to count as whole', () => {
		const short = sound.subarray(0, aofEntryBytes(commands[0]!).length);
		forgotten = 0;
		const { isGood, output } = check(short, catalog, true, true);
		assert.isTrue(isGood);
		assert.include(output, 'bytes more, which the catalog says were written');
		assert.equal(forgotten, 1);
	});

	describe('--salvage', () => {
		function salvage(bytes: Buffer, recorded: RecordedLog) {
			const outPath = join(folder, 'out.aof');
			rmSync(outPath, { force: true });
			writeFileSync(path, bytes);
			const terminal = new MemoryTerminal();
			const options = { outPath, terminal, catalog: recorded, progress: new ProgressBar() };
			const outcome = new Salvage(options).run(path);
			return { outcome, output: terminal.output.replaceAll(path, 'f.aof'), out: readFileSync(outPath) };
		}

		it('copies a sound file', () => {
			const { outcome, out } = salvage(sound, catalog);
			assert.equal(outcome, 'complete');
			assert.isTrue(out.equals(sound));
		});

		it('puts a changed byte right', () => {
			const { outcome, out } = salvage(flipped(sound, 1234, 8), catalog);
			assert.equal(outcome, 'complete');
			assert.isTrue(out.equals(sound));
		});

		it('goes on behind damage, and loses a transaction as a whole', () => {
			const parts = [
				['SELECT', '1'],
				['SET', 'a', '1'],
				['MULTI'],
				['SET', 'b', '2'],
				['EXEC'],
				['SET', 'c', '3'],
			];
			const text = Buffer.concat(parts.map(aofEntryBytes)).latin1Slice();
			const { outcome, output, out } = salvage(
				Buffer.from(text.replace('$1\r\n2\r\n', '$1\r\n22\r\n'), 'latin1'),
				NO_CATALOG,
			);
			assert.equal(outcome, 'lossy');
			assert.deepEqual(commandsIn(out), ['SELECT\x001', 'SET\x00a\x001', 'SET\x00c\x003']);
			assert.include(output, 'within a transaction');
			assert.include(output, 'database 1 is taken to be selected behind it');
		});

		it('selects the database that lost bytes selected', () => {
			const parts = [
				['SET', 'a', '1'],
				['SELECT', '3'],
				['SET', 'c', '3'],
				['SET', 'd', '4'],
			];
			const text = Buffer.concat(parts.map(aofEntryBytes)).latin1Slice();
			const damaged = Buffer.from(text.replace('*2\r\n$6', '*2\r!$6'), 'latin1');
			assert.deepEqual(commandsIn(salvage(damaged, NO_CATALOG).out), [
				'SET\x00a\x001',
				'SELECT\x003',
				'SET\x00c\x003',
				'SET\x00d\x004',
			]);
		});

		it('what it writes is sound, and nothing but what was there, whatever the damage', () => {
			const known = new Set(commands.map((args) => args.join('\0')));
			for (let i = 0; i < 300; i++) {
				const damaged = Buffer.from(sound);
				const size = 1 + random.below(40);
				const at = random.below(sound.length - size);
				for (let j = 0; j < size; j++) damaged[at + j] = random.chance(0.5) ? 0 : random.below(256);
				const { out } = salvage(damaged, NO_CATALOG);
				const kept = commandsIn(out);
				// Damage that the framing does not show changes at most what it touched.
				const foreign = kept.filter((command) => !known.has(command));
				assert.isAtMost(foreign.length, 5, `${size} bytes at ${at}`);
				assert.isAbove(kept.length, commands.length - 20);
			}
		});
	});
});
