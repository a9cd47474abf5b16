import { assert } from 'chai';
import { aofEntryBytes } from '../../../src/formats/aof-entry.js';
import { StreamUnits } from '../../../src/replication/stream-units.js';
import { SeededRandom } from '../../support/random.js';

/** Feeds `stream` in the given pieces; what was applied and appended, and the fault. */
function run(pieces: readonly Buffer[]) {
	const applied: string[][] = [];
	const appended: Buffer[] = [];
	const units = new StreamUnits(
		{ protoMaxBulkLen: 1 << 20 },
		{
			apply: (args) => applied.push(args),
			append: (source, start, end) => appended.push(Buffer.from(source.subarray(start, end))),
		},
	);
	let fault: string | null = null;
	for (const piece of pieces) {
		// As a socket's buffer, it is used again for the next read.
		const shared = Buffer.from(piece);
		fault = units.feed(shared);
		shared.fill(0);
		if (fault !== null) break;
	}
	return { applied, log: Buffer.concat(appended).toString('latin1'), fault, pending: units.pendingBytes };
}

const entry = (...args: string[]): string => aofEntryBytes(args).toString('latin1');

describe('the units of a stream', () => {
	const whole =
		entry('SELECT', '0') +
		entry('SET', 'a', 'x'.repeat(40)) +
		entry('MULTI') +
		entry('INCR', 'b') +
		entry('SET', 'c', 'y'.repeat(20)) +
		entry('EXEC') +
		entry('PING') +
		entry('MULTI') +
		entry('EXEC');
	const applied = [
		['SELECT', '0'],
		['SET', 'a', 'x'.repeat(40)],
		['INCR', 'b'],
		['SET', 'c', 'y'.repeat(20)],
		['PING'],
	];

	it('come out the same wherever the stream is cut', () => {
		const bytes = Buffer.from(whole, 'latin1');
		const random = new SeededRandom(7);
		for (let round = 0; round < 300; round++) {
			const cuts = [0, bytes.length, ...random.times(random.below(8), () => random.below(bytes.length))].sort(
				(a, b) => a - b,
			);
			const result = run(cuts.slice(1).map((cut, i) => bytes.subarray(cuts[i], cut)));
			assert.deepEqual(result, { applied, log: whole, fault: null, pending: 0 }, cuts.join());
		}
	});

	it('are whole at every end of the stream', () => {
		const bytes = Buffer.from(whole, 'latin1');
		for (let end = 0; end < bytes.length; end++) {
			const { log, pending } = run([bytes.subarray(0, end)]);
			assert.isTrue(whole.startsWith(log));
			assert.equal(log.length + pending, end);
			assert.equal((log.match(/MULTI/g) ?? []).length, (log.match(/EXEC/g) ?? []).length);
		}
	});

	it('take no notice of empty lines, which are no part of the stream', () => {
		const set = entry('SET', 'k', 'v');
		const text = `\n${set}\r\n\n${entry('MULTI')}\n${set}${entry('EXEC')}\n`;
		for (const at of [0, 1, 5, 40, 60, 80]) {
			const bytes = Buffer.from(text, 'latin1');
			const result = run([bytes.subarray(0, at), bytes.subarray(at)]);
			assert.equal(result.log, set + entry('MULTI') + set + entry('EXEC'));
			assert.isNull(result.fault);
		}
	});

	it('end at what no master sends', () => {
		const set = entry('SET', 'k', 'v');
		for (const bad of [
			'SET k v\r\n',
			'*1\r\n:1\r\n',
			'*x\r\n',
			entry('EXEC'),
			entry('MULTI') + entry('MULTI'),
		]) {
			const { fault, log } = run([Buffer.from(set + bad + set, 'latin1')]);
			assert.isString(fault, bad);
			assert.equal(log, set);
		}
	});
});
