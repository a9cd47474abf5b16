import { assert } from 'chai';
import { type AofFileInfo, aofFile } from '../../../src/formats/aof-manifest.js';
import { ORIGIN_EVICT, ORIGIN_EXPIRE } from '../../../src/log/origins-format.js';
import { OriginsReader } from '../../../src/log/origins-reader.js';
import { type ClientOrigin, OriginsWriter } from '../../../src/log/origins-writer.js';
import { SeededRandom } from '../../support/random.js';
import { ListLogger, NAMES, StillEnv } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';

const FILE = aofFile('a.1.incr.aof', 1, 'i', 0, 0, 'f'.repeat(40));
const PATH = '/d/aof/a.1.incr.aof.origins';

/** A writer beside a log that is only a position. */
class Bench {
	readonly fs: MemoryLogFs;
	readonly env = new StillEnv();
	readonly logger = new ListLogger();
	readonly clients = new Map<number, ClientOrigin>();
	readonly writer: OriginsWriter;
	endOffset = 0;

	constructor(fs = new MemoryLogFs(), file: AofFileInfo = FILE, endOffset = 0) {
		this.fs = fs;
		fs.immediate = true;
		fs.put('/d/aof/a.1.incr.aof', '');
		fs.makeFolderSync('/d/aof/history');
		this.endOffset = endOffset;
		this.writer = new OriginsWriter({
			fs,
			env: this.env,
			logger: this.logger,
			names: NAMES,
			enabled: true,
			endOffset: () => this.endOffset,
			describe: (id) => this.clients.get(id),
		});
		this.writer.fileBegan(file, endOffset);
	}

	connect(id: number, name = ''): void {
		this.clients.set(id, { address: `10.0.0.1:${id}`, name, user: 'default' });
		this.writer.clientChanged(id);
	}

	/** An entry of `size` bytes by `who`. */
	entry(who: number, size = 30): number {
		const offset = this.endOffset;
		this.writer.note(offset, who, this.env.nowMs);
		this.endOffset += size;
		return offset;
	}

	read(path = PATH): OriginsReader {
		const reader = new OriginsReader();
		reader.add(Buffer.from(this.fs.content(path), 'latin1'));
		return reader;
	}
}

describe('origins', () => {
	it('say who wrote an entry, and when', async () => {
		const bench = new Bench();
		bench.connect(3, 'bob');
		bench.connect(4);
		const first = bench.entry(6);
		bench.entry(6);
		bench.env.advance(5);
		const second = bench.entry(6);
		const third = bench.entry(8);
		const expired = bench.entry(ORIGIN_EXPIRE);
		const evicted = bench.entry(ORIGIN_EVICT);
		const script = bench.entry(9);
		await bench.writer.close();
		const reader = bench.read();
		const bob = { kind: 'client', clientId: 3, address: '10.0.0.1:3', name: 'bob', user: 'default' };
		assert.deepEqual(reader.at(first), { timeMs: 1_000_000, ...bob } as never);
		assert.deepEqual(reader.at(first + 30), { timeMs: 1_000_000, ...bob } as never);
		assert.deepEqual(reader.at(second), { timeMs: 1_000_005, ...bob } as never);
		assert.equal(reader.at(third)?.clientId, 4);
		assert.equal(reader.at(expired)?.kind, 'expire');
		assert.equal(reader.at(evicted)?.kind, 'evict');
		assert.deepInclude(reader.at(script), { kind: 'script', clientId: 4, address: '10.0.0.1:4' });
		assert.isUndefined(reader.at(bench.endOffset), 'nothing is known of what came after');
		assert.equal(reader.firstOffsetSince(1_000_001), second);
	});

	it('tell a name from the one before it', async () => {
		const bench = new Bench();
		bench.connect(3, 'bob');
		const first = bench.entry(6);
		bench.connect(3, 'eve');
		const second = bench.entry(6);
		await bench.writer.close();
		const reader = bench.read();
		assert.equal(reader.at(first)?.name, 'bob');
		assert.equal(reader.at(second)?.name, 'eve');
	});

	it('hold for every entry of a long log', async () => {
		const random = new SeededRandom(3);
		const bench = new Bench();
		const expected: [offset: number, who: number, timeMs: number][] = [];
		for (let id = 1; id <= 60; id++) bench.connect(id, 'n'.repeat(random.below(40)));
		for (let i = 0; i < 100_000; i++) {
			if (random.chance(0.05)) bench.env.advance(random.between(1, 3));
			if (random.chance(0.001)) bench.connect(random.between(1, 60), 'm'.repeat(random.below(3000)));
			if (random.chance(0.001)) bench.writer.tick(bench.env.nowMs);
			const who = random.chance(0.01) ? ORIGIN_EXPIRE : 2 * random.between(1, 60);
			expected.push([bench.entry(who, random.between(20, 300)), who, bench.env.nowMs]);
			if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
		}
		await bench.writer.close();
		const reader = bench.read();
		assert.equal(reader.damagedBytes, 0);
		for (const [offset, who, timeMs] of expected) {
			const origin = reader.at(offset);
			if (origin === undefined) assert.fail(`nothing at ${offset}`);
			const found = origin.kind === 'expire' ? ORIGIN_EXPIRE : 2 * origin.clientId;
			if (found !== who || origin.timeMs !== timeMs) assert.fail(`${offset}: ${found}, not ${who}`);
		}
		const bytesPerEntry = bench.fs.content(PATH).length / expected.length;
		assert.isBelow(bytesPerEntry, 6);
	});

	it('survive a torn end, and go on behind it', async () => {
		const bench = new Bench();
		bench.connect(3);
		const first = bench.entry(6);
		bench.env.advance(2000);
		bench.writer.tick(bench.env.nowMs);
		const second = bench.entry(6);
		await bench.writer.close();
		const whole = Buffer.from(bench.fs.content(PATH), 'latin1');
		for (let size = 0; size < whole.length; size++) {
			const fs = new MemoryLogFs();
			fs.put(PATH, whole.subarray(0, size));
			const later = new Bench(fs, FILE, bench.endOffset);
			later.connect(1, 'later');
			const third = later.entry(2);
			await later.writer.close();
			const reader = later.read();
			assert.equal(reader.at(third)?.name, 'later', `cut at ${size}`);
			const known = [first, second].filter((offset) => reader.at(offset) !== undefined);
			for (const offset of known) assert.equal(reader.at(offset)?.clientId, 3);
		}
	});

	it('do not believe a frame with a flipped bit', async () => {
		const bench = new Bench();
		bench.connect(3, 'bob');
		const first = bench.entry(6);
		await bench.writer.close();
		const whole = Buffer.from(bench.fs.content(PATH), 'latin1');
		for (let bit = 0; bit < whole.length * 8; bit++) {
			const bytes = Buffer.from(whole);
			bytes[bit >> 3]! ^= 1 << (bit & 7);
			const reader = new OriginsReader();
			reader.add(bytes);
			assert.isUndefined(reader.at(first));
			assert.equal(reader.damagedBytes, whole.length);
		}
	});

	it('are those of the later entry where a crash has taken the end of the log', async () => {
		const bench = new Bench();
		bench.connect(3);
		bench.entry(6);
		const lost = bench.entry(6, 100);
		await bench.writer.close();
		const later = new Bench(bench.fs, FILE, lost);
		later.connect(1, 'later');
		later.entry(2, 50);
		await later.writer.close();
		const reader = later.read();
		assert.equal(reader.at(0)?.clientId, 3);
		assert.equal(reader.at(lost)?.clientId, 1);
		assert.isUndefined(reader.at(lost + 50));
	});

	it('move with the file they belong to, and go with it', async () => {
		const bench = new Bench();
		bench.connect(3);
		bench.entry(6);
		bench.writer.fileBegan(aofFile('a.2.incr.aof', 2, 'i', 30, 0), 30);
		bench.writer.fileMoved('a.1.incr.aof', 'history/a.1.incr.aof');
		bench.entry(6);
		await bench.writer.close();
		const moved = '/d/aof/history/a.1.incr.aof.origins';
		assert.equal(bench.read(moved).at(0)?.clientId, 3);
		assert.equal(bench.read('/d/aof/a.2.incr.aof.origins').at(30)?.clientId, 3);
		bench.writer.fileRemoved('history/a.1.incr.aof');
		assert.equal(bench.fs.kindSync(moved), 'none');
	});

	it('say so when they can not be written, and the next file tries again', async () => {
		const bench = new Bench();
		bench.fs.writeError = 'EIO';
		bench.connect(3);
		bench.entry(6);
		bench.writer.tick(bench.env.advance(2000));
		await new Promise((resolve) => setTimeout(resolve, 5));
		bench.fs.writeError = null;
		bench.entry(6);
		bench.writer.fileBegan(aofFile('a.2.incr.aof', 2, 'i', 60, 0), 60);
		bench.entry(6);
		await bench.writer.close();
		assert.isTrue(bench.logger.has("Can't write the origins"));
		assert.equal(bench.read('/d/aof/a.2.incr.aof.origins').at(60)?.address, '10.0.0.1:3');
	});
});
