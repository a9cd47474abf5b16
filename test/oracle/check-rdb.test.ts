import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from 'chai';
import { main } from '../../tools/rdb-check/main.js';
import { findInPath } from '../support/executables.js';
import { SeededRandom } from '../support/random.js';
import { rdbSample } from '../unit/tools/rdb-sample.js';

/**
 * The reports, without what is ours alone, and without what only Redis says: the line of rdb.c (and an offset in the
 * same sentence that it never sets), and before the first key is read a type that is none.
 */
function comparable(report: string): string {
	return report
		.replace(/reading offset \d+(, function at rdb\.c:\d+)?/, 'reading')
		.replace(/\[additional info\] (Everything before|The checksum is that) .*\n/, '')
		.replace(/\[additional info\] Reading type 0 \(string\)\n(?=\[info\] 0 keys)/, '')
		.replace(/^\d+:C .*\n/gm, '')
		.replace(/\\x[01][0-9a-f]|\\x7f/g, '')
		.replace(/[\x00-\x09\x0b-\x1f\x7f]/g, '');
}

describe('tsredis-check-rdb beside redis-check-rdb', function () {
	this.timeout(60_000);
	const folder = mkdtempSync(join(tmpdir(), 'check-rdb-'));
	const sample = rdbSample();
	let theirs = '';

	before(function () {
		theirs = process.env.REDIS_CHECK_RDB || findInPath('redis-check-rdb') || '';
		if (theirs === '') this.skip();
	});

	after(() => rmSync(folder, { recursive: true }));

	/** Both check `bytes`: what they find bad must be bad for us. Their reports. */
	function compare(bytes: Buffer, what: string): { readonly ours: string; readonly theirs: string } {
		const file = join(folder, 'dump.rdb');
		writeFileSync(file, bytes);
		let output = '';
		const print = (text: string): void => {
			output += text;
		};
		const code = main([file], print, print);
		const oracle = spawnSync(theirs, [file], { encoding: 'latin1' });
		if (oracle.status !== 0) assert.notEqual(code, 0, what);
		return { ours: comparable(output), theirs: comparable(oracle.stdout) };
	}

	it('says the same of a sound file', () => {
		const reports = compare(sample, 'sound');
		assert.equal(reports.ours, reports.theirs);
	});

	it('says the same of truncated files', () => {
		for (let size = 0; size < sample.length; size += 5) {
			const reports = compare(sample.subarray(0, size), `cut to ${size}`);
			assert.equal(reports.ours, reports.theirs, `cut to ${size}`);
		}
	});

	it('says the same of nearly all files with a flipped bit', () => {
		const random = new SeededRandom(17);
		let same = 0;
		for (let i = 0; i < 150; i++) {
			const bytes = Buffer.from(sample);
			const offset = random.below(sample.length);
			const bit = random.below(8);
			bytes[offset] = bytes[offset]! ^ (1 << bit);
			const reports = compare(bytes, `offset ${offset}, bit ${bit}`);
			if (reports.ours === reports.theirs) same++;
		}
		// Ours notices more: scores that are no numbers, encodings where a length should be, a version made older.
		assert.isAtLeast(same, 120);
	});
});
