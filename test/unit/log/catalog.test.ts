import {
	copyFileSync,
	cpSync,
	existsSync,
	readdirSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { assert } from 'chai';
import { AofEntryReader } from '../../../src/formats/aof-entry.js';
import { openCatalogCopy } from '../../../src/log/catalog-reader.js';
import { nodeLogFs } from '../../../src/log/log-fs.js';
import { SeededRandom } from '../../support/random.js';
import { type CatalogedLog, LogDisk } from './catalog-harness.js';

const INCREMENTAL = 'a.1.incr.aof';

/** Writes `count` commands in turns of `perTurn`, the clock going on by a millisecond a turn. */
function writeMany(open: CatalogedLog, count: number, perTurn: number, valueSize: number): void {
	for (let i = 0; i < count; i++) {
		open.log.appendArgs(['SET', `key:${i}`, String(i).padEnd(valueSize, 'x')]);
		if (i % perTurn !== perTurn - 1) continue;
		open.log.flush();
		open.env.advance(1);
	}
	open.log.flush();
}

describe('the catalog', () => {
	let disk: LogDisk;

	beforeEach(() => {
		disk = new LogDisk();
	});

	afterEach(() => disk.remove());

	it('has every byte of the log, whatever the sizes of the writes', async () => {
		const open = await disk.open();
		writeMany(open, 2000, 1, 10);
		writeMany(open, 2000, 100, 100);
		open.write('SET', 'large', 'y'.repeat(1_000_000));
		writeMany(open, 500, 7, 300);
		await open.close();
		assert.equal(await disk.faults(), '');
	});

	it('is not created before there is something to say', async () => {
		const open = await disk.open();
		await open.settle();
		await open.close();
		assert.isFalse(existsSync(disk.path('a.catalog')));
	});

	it('reads what a killed process has not recorded', async () => {
		const open = await disk.open();
		writeMany(open, 3000, 10, 100);
		await open.settle();
		writeMany(open, 3000, 10, 100);
		const left = new LogDisk();
		cpSync(disk.names.dir, left.names.dir, { recursive: true });
		await open.close();
		const again = await left.open();
		await again.settle();
		again.write('SET', 'last', '1');
		await again.close();
		assert.equal(await left.faults(), '');
		left.remove();
	});

	it('drops what a crash has taken from the end of a file', async () => {
		const open = await disk.open();
		writeMany(open, 5000, 10, 100);
		await open.close();
		truncateSync(disk.path(INCREMENTAL), 200_001);
		const again = await disk.open();
		assert.equal(again.result.kind, 'loaded');
		writeMany(again, 100, 1, 20);
		await again.settle();
		await again.close();
		assert.equal(await disk.faults(), '');
	});

	it('does not take bytes for damage that came where a crash had taken others, and a crash came soon', async () => {
		const open = await disk.open();
		writeMany(open, 2000, 10, 100);
		await open.close();
		truncateSync(disk.path(INCREMENTAL), 100_003);
		const again = await disk.open();
		// The catalog has had no time for anything when the second crash comes.
		writeMany(again, 3000, 10, 90);
		const left = new LogDisk();
		cpSync(disk.names.dir, left.names.dir, { recursive: true });
		const third = await left.open();
		assert.equal(third.result.kind, 'loaded', third.logger.lines.join('\n'));
		await third.settle();
		await third.close();
		assert.equal(await left.faults(), '');
		left.remove();
		await again.close();
	});

	it('is rebuilt when it is gone', async () => {
		const open = await disk.open();
		writeMany(open, 50_000, 10, 100);
		await open.close();
		rmSync(disk.path('a.catalog'), { recursive: true });
		const again = await disk.open();
		writeMany(again, 100, 1, 20);
		await again.settle();
		assert.equal(again.catalog.state, 'ok');
		assert.equal(await disk.faults(), '');
		const reader = await openCatalogCopy(disk.names);
		const starts = entryStarts(disk.read(INCREMENTAL));
		for (let offset = 0; offset < again.log.endOffset; offset += 90_001) {
			const place = await reader?.seekOffset(offset);
			assert.isTrue(starts.has(place?.position ?? -1));
			assert.isAbove(place?.offset ?? -1, offset - 70_000);
		}
		await reader?.close();
		await again.close();
	});

	it('is rebuilt when LevelDB can not open it, and the log is loaded', async () => {
		const open = await disk.open();
		writeMany(open, 5000, 10, 100);
		await open.close();
		for (const name of readdirSync(disk.path('a.catalog')))
			writeFileSync(disk.path(`a.catalog/${name}`), 'no LevelDB at all\n'.repeat(100));
		const again = await disk.open();
		assert.equal(again.result.kind, 'loaded');
		assert.isTrue(again.logger.has('loaded without being compared'));
		await again.settle();
		assert.isTrue(again.logger.has('made anew'));
		await again.close();
		assert.equal(await disk.faults(), '');
	});

	it('never accuses a sound log, whatever bit of it is flipped', async () => {
		const random = new SeededRandom(7);
		const open = await disk.open();
		writeMany(open, 3000, 10, 100);
		await open.close();
		const saved = new LogDisk();
		cpSync(disk.names.dir, saved.names.dir, { recursive: true });
		const names = readdirSync(saved.path('a.catalog')).filter((name) => !/^LO/.test(name));
		for (let i = 0; i < 25; i++) {
			const name = names[i % names.length]!;
			const bytes = readFileSync(saved.path(`a.catalog/${name}`));
			if (bytes.length === 0) continue;
			bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
			rmSync(disk.path('a.catalog'), { recursive: true });
			cpSync(saved.path('a.catalog'), disk.path('a.catalog'), { recursive: true });
			copyFileSync(saved.path(INCREMENTAL), disk.path(INCREMENTAL));
			writeFileSync(disk.path(`a.catalog/${name}`), bytes);
			const again = await disk.open();
			assert.equal(again.result.kind, 'loaded', `${name}: ${again.logger.lines.join('\n')}`);
			await again.settle();
			await again.close();
			assert.equal(await disk.faults(), '', name);
		}
		saved.remove();
	});

	it('follows a new file, and files into the history and out of it', async () => {
		const open = await disk.open();
		writeMany(open, 1000, 10, 100);
		for (let i = 0; i < 3; i++) {
			const begun = open.log.beginNewFile();
			open.log.flush();
			const began = await begun;
			if (typeof began === 'string') assert.fail(began);
			writeMany(open, 1000, 10, 100);
			const base = disk.path(`temp-base-${i}`);
			writeFileSync(base, '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n'.repeat(5000));
			assert.isNull(await open.log.replaceBase(base, 'aof', began.offset));
			while (disk.manifest().history.filter(({ name }) => name.startsWith('history/')).length < 2 * i + 2)
				await new Promise((resolve) => setTimeout(resolve, 2));
			writeMany(open, 1000, 10, 100);
			await open.settle();
		}
		assert.isAbove(disk.manifest().history.length, 2);
		assert.equal(await disk.faults(), '');
		await open.close();
		const again = await disk.open();
		await again.settle();
		await again.close();
		assert.equal(await disk.faults(), '');
	});

	it('follows the log when a failed disk makes it take over in a new file', async () => {
		const real = nodeLogFs();
		let failing = false;
		const fs = {
			...real,
			fdatasync: (fd: number, done: (error: Error | null) => void): void => {
				if (failing) setImmediate(done, new Error('the disk is broken'));
				else real.fdatasync(fd, done);
			},
		};
		const broken = new LogDisk(fs);
		const open = await broken.open();
		writeMany(open, 1000, 10, 100);
		open.write('SELECT', '3');
		await open.settle();
		failing = true;
		writeMany(open, 1000, 10, 100);
		await open.settle();
		failing = false;
		for (let i = 0; open.log.writeError !== null && i < 100; i++) await open.settle();
		assert.isNull(open.log.writeError);
		writeMany(open, 1000, 10, 100);
		await open.close();
		assert.isAbove(broken.manifest().incrementals.length, 1);
		assert.equal(await broken.faults(), '');
		broken.remove();
	});

	it('does not take another file of the same name for a damaged one', async () => {
		const open = await disk.open();
		open.write('SET', 'foo', 'hello');
		await open.close();
		writeFileSync(disk.path(INCREMENTAL), '*3\r\n$4\r\nsadd\r\n$4\r\nsome\r\n$6\r\nmember\r\n');
		const again = await disk.open();
		assert.equal(again.result.kind, 'loaded');
		assert.isTrue(again.logger.has('is another one than the catalog knows'));
		await again.settle();
		await again.close();
		assert.equal(await disk.faults(), '');
	});

	it('seeks by offset and by time, from outside, while the log is written', async () => {
		const open = await disk.open();
		const startMs = open.env.nowMs;
		for (let second = 0; second < 20; second++) {
			writeMany(open, 700, 7, 100);
			open.env.advance(900);
			open.log.tick(open.env.nowMs);
			// While an fsync is under way the turns are not written one by one.
			while (open.log.fsyncedOffset < open.log.endOffset)
				await new Promise((resolve) => setTimeout(resolve, 1));
		}
		await open.settle();
		const reader = await openCatalogCopy(disk.names);
		if (reader === undefined) assert.fail('no catalog');
		const content = disk.read(INCREMENTAL);
		const starts = entryStarts(content);
		for (let offset = 0; offset < content.length; offset += 40_009) {
			const place = await reader.seekOffset(offset);
			if (place === undefined) assert.fail(`nothing at ${offset}`);
			assert.isAtMost(place.offset, offset);
			assert.isAbove(place.offset, offset - 150_000);
			assert.isTrue(starts.has(place.position));
		}
		for (let second = 0; second < 20; second++) {
			const place = await reader.seekTime(startMs + second * 1000 + 500);
			if (place === undefined) assert.fail(`nothing at ${second}`);
			assert.isAtMost(place.timeMs, startMs + second * 1000 + 500);
			assert.isAbove(place.timeMs, startMs + second * 1000 - 1500);
			assert.isTrue(starts.has(place.position));
		}
		assert.isUndefined(await reader.seekTime(startMs - 1));
		await reader.close();
		await open.close();
	});

	it('shows every flipped bit of an incremental file, and a server does not load it', async () => {
		const random = new SeededRandom(11);
		const open = await disk.open();
		writeMany(open, 3000, 10, 100);
		await open.close();
		const content = disk.read(INCREMENTAL);
		const reader = await openCatalogCopy(disk.names);
		if (reader === undefined) assert.fail('no catalog');
		const verifier = await reader.verifier(disk.manifest());
		for (let i = 0; i < 2000; i++) {
			const at = random.below(content.length);
			const mask = 1 << random.below(8);
			content[at]! ^= mask;
			const check = verifier.begin(INCREMENTAL)!;
			check.feed(content, 0, content.length);
			assert.deepEqual(check.damage?.changed, { index: at, mask });
			content[at]! ^= mask;
		}
		await reader.close();
		for (let i = 0; i < 20; i++) {
			const damaged = Buffer.from(content);
			damaged[random.below(content.length)]! ^= 1 << random.below(8);
			writeFileSync(disk.path(INCREMENTAL), damaged);
			const again = await disk.open();
			assert.equal(again.result.kind, 'failed');
			await again.close();
			assert.isTrue(disk.read(INCREMENTAL).equals(damaged), 'the file is not touched');
		}
	});
});

/** Positions where entries begin. */
function entryStarts(content: Buffer): Set<number> {
	const starts = new Set<number>([0]);
	const reader = new AofEntryReader();
	for (let fed = 0; ; ) {
		const found = reader.next();
		if (found === 'entry') starts.add(reader.entryEnd);
		if (found === 'end' || found === 'bad' || found === 'truncated') return starts;
		if (found !== 'more') continue;
		reader.reserve();
		const size = Math.min(reader.buffer.length - reader.fillAt, content.length - fed);
		content.copy(reader.buffer, reader.fillAt, fed, fed + size);
		reader.filled(size);
		fed += size;
	}
}
