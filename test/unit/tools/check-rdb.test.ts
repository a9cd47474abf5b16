import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { main } from '../../../tools/rdb-check/main.js';
import { SeededRandom } from '../../support/random.js';
import { rdbSample, SAMPLE_KEYS } from './rdb-sample.js';

interface Run {
	readonly code: number;
	readonly output: string;
}

describe('tsredis-check-rdb', () => {
	const folder = mkdtempSync(join(tmpdir(), 'check-rdb-'));
	const file = join(folder, 'dump.rdb');
	const saved = join(folder, 'saved.rdb');
	const sample = rdbSample();

	after(() => rmSync(folder, { recursive: true }));

	function run(...args: string[]): Run {
		let output = '';
		const print = (text: string): void => {
			output += text;
		};
		const code = main(args, print, print);
		return { code, output };
	}

	function check(bytes: Buffer, ...options: string[]): Run {
		writeFileSync(file, bytes);
		return run(...options, file);
	}

	/** Checks with `--salvage`; the report, and the report on the new file. */
	function salvage(bytes: Buffer): readonly [damaged: Run, saved: Run] {
		rmSync(saved, { force: true });
		return [check(bytes, '--salvage', saved), run(saved)];
	}

	function flipped(offset: number, bit: number): Buffer {
		const bytes = Buffer.from(sample);
		bytes[offset] = bytes[offset]! ^ (1 << bit);
		return bytes;
	}

	it('says of a sound file what it has', () => {
		const { code, output } = check(sample);
		assert.equal(code, 0);
		assert.include(output, `[offset 0] Checking RDB file ${file}\n`);
		assert.include(output, "AUX FIELD redis-bits = '64'\n");
		assert.include(output, 'Selecting DB ID 3\n');
		assert.include(output, `[offset ${sample.length}] Checksum OK\n`);
		assert.include(output, `[info] ${SAMPLE_KEYS} keys read\n[info] 2 expires\n[info] 1 already expired\n`);
	});

	it('lists keys and sums', () => {
		const { output } = check(sample, '--keys', '--stats');
		for (const line of [
			'[key] db=0 key="integer" type=string encoding=int size=6 stored=string bytes=14 expires=never',
			'key="timed" type=string encoding=embstr size=4 stored=string bytes=21 expires=' +
				new Date(33_000_000_000_000).toISOString(),
			'key="list" type=list encoding=listpack size=6 stored=quicklist-v2',
			'key="members" type=set encoding=listpack size=4 stored=set-hashtable',
			'[key] db=3 key="other"',
			'[stats] db 0: 12 keys, 2 expires, ',
			'[stats] zset (listpack, stored as zset-v2): 1 keys, 4 elements, ',
			'[stats] 1 function libraries',
		]) {
			assert.include(output, line);
		}
	});

	it('detects every truncation, and salvages what stands before it', () => {
		let keptMax = 0;
		for (let size = 0; size < sample.length; size++) {
			const cut = sample.subarray(0, size);
			if (size % 7 !== 0) {
				assert.equal(check(cut).code, 1, `cut to ${size}`);
				continue;
			}
			const [damaged, again] = salvage(cut);
			assert.equal(damaged.code, 1, `cut to ${size}`);
			assert.include(damaged.output, 'Unexpected EOF reading RDB file');
			if (size < 9) continue;
			assert.equal(again.code, 0, again.output);
			const kept = Number(/\[info\] (\d+) keys read/.exec(again.output)![1]);
			assert.isAtLeast(kept, keptMax);
			keptMax = kept;
		}
		assert.isAtLeast(keptMax, SAMPLE_KEYS - 1);
	});

	it('detects every flipped bit, names it, and repairs it on the way out', function () {
		this.timeout(60_000);
		for (let offset = 0; offset < sample.length; offset++) {
			// All bits of the header, and of every eighth byte behind it; one of the others.
			const isThorough = offset < 9 || offset % 8 === 0;
			for (let bit = isThorough ? 0 : offset % 8; bit < (isThorough ? 8 : (offset % 8) + 1); bit++) {
				const bytes = flipped(offset, bit);
				if (offset % 10 !== 0 || bit !== offset % 8) {
					assert.include(check(bytes).output, `the byte at offset ${offset} is `);
					continue;
				}
				const [damaged, again] = salvage(bytes);
				assert.equal(damaged.code, 1);
				assert.include(damaged.output, `[salvage] ${SAMPLE_KEYS} keys written to ${saved}\n`);
				assert.equal(again.code, 0, again.output);
				assert.include(again.output, `[info] ${SAMPLE_KEYS} keys read`);
				assert.isTrue(readFileSync(file).equals(bytes), 'the damaged file is not touched');
			}
		}
	});

	it('names the key that a flipped bit is in', () => {
		const offset = sample.indexOf('hello') + 2;
		assert.include(
			check(flipped(offset, 1)).output,
			'is 0x6e and was 0x6c, in the key "text" of database 0\n',
		);
	});

	it('names what could not be read, and goes on behind it', () => {
		const bytes = Buffer.from(sample);
		const offset = bytes.indexOf('\x07bighash', 'latin1') + 8;
		bytes.fill(0xc7, offset, offset + 6);
		const [damaged, again] = salvage(bytes);
		assert.include(damaged.output, "[additional info] Reading key 'bighash'\n");
		assert.include(damaged.output, '[additional info] Reading type 4 (hash-hashtable)\n');
		assert.match(
			damaged.output,
			/\[salvage\] Lost the \d+ bytes from offset \d+ to \d+, the key 'bighash': /,
		);
		assert.include(again.output, `[info] ${SAMPLE_KEYS - 1} keys read`);
	});

	it('keeps most of a file whatever happens to it', () => {
		const random = new SeededRandom(11);
		let kept = 0;
		let runs = 0;
		for (let i = 0; i < 100; i++) {
			const bytes = Buffer.from(sample);
			const from = 120 + random.below(sample.length - 200);
			for (let at = from; at < from + 2 + random.below(20); at++) bytes[at] = random.below(256);
			const [damaged, again] = salvage(bytes);
			if (damaged.code === 0) continue; // it wrote what was there
			assert.equal(again.code, 0, again.output);
			kept += Number(/\[info\] (\d+) keys read/.exec(again.output)![1]);
			runs++;
		}
		assert.isAbove(runs, 90);
		assert.isAtLeast(kept / runs, SAMPLE_KEYS - 4);
	});

	it('writes over nothing', () => {
		writeFileSync(saved, 'mine');
		const { code } = check(sample, '--salvage', saved);
		assert.equal(code, 1);
		assert.equal(readFileSync(saved, 'latin1'), 'mine');
		rmSync(saved);
	});

	it('has exit code 1 for a missing file and for wrong arguments', () => {
		assert.equal(run(join(folder, 'nothing')).code, 1);
		assert.equal(run().code, 1);
		assert.equal(run('a', 'b').code, 1);
		assert.equal(run('--unknown', file).code, 1);
		assert.equal(run('--version').code, 0);
	});
});
