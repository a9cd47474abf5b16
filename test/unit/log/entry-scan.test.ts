import { assert } from 'chai';
import { aofEntryBytes } from '../../../src/formats/aof-entry.js';
import { EntryScan } from '../../../src/log/entry-scan.js';
import { SeededRandom } from '../../support/random.js';

interface Place {
	readonly position: number;
	readonly db: number;
}

/** A log with groups, remarks and several databases, and the places where reading may begin. */
function makeLog(random: SeededRandom): { readonly bytes: Buffer; readonly places: Place[] } {
	const parts: Buffer[] = [];
	const places: Place[] = [{ position: 0, db: 0 }];
	let position = 0;
	let db = 0;
	let inGroup = false;
	for (let i = 0; i < 400; i++) {
		let bytes: Buffer;
		switch (random.below(12)) {
			case 0:
				db = random.below(16);
				bytes = aofEntryBytes([random.pick(['SELECT', 'select']), String(db)]);
				break;
			case 1:
				inGroup = !inGroup;
				bytes = aofEntryBytes([inGroup ? 'MULTI' : 'exec']);
				break;
			case 2:
				bytes = Buffer.from('#TS:1628217470\r\n');
				break;
			case 3:
				bytes = aofEntryBytes(['DEL', random.pick(['MULTI', 'EXEC', '7', ''])]);
				break;
			case 4:
				bytes = aofEntryBytes(['FLUSHALL']);
				break;
			case 5:
				bytes = aofEntryBytes(['SET', `key:${i}`, '$3\r\nx\r\n*1\r\n']);
				break;
			default:
				bytes = aofEntryBytes(['SET', `key:${i}`, 'v'.repeat(i)]);
		}
		parts.push(bytes);
		position += bytes.length;
		if (!inGroup) places.push({ position, db });
	}
	return { bytes: Buffer.concat(parts), places };
}

describe('EntryScan', () => {
	it('knows the last place where reading may begin, wherever the bytes are cut', () => {
		const random = new SeededRandom(5);
		for (let round = 0; round < 50; round++) {
			const { bytes, places } = makeLog(random);
			const scan = new EntryScan(0, 0);
			for (let at = 0; at < bytes.length; ) {
				const size = Math.min(random.between(1, round + 1) ** 2, bytes.length - at);
				scan.feed(bytes, at, at + size);
				at += size;
				assert.equal(scan.position, at);
				const last = places.filter(({ position }) => position <= at).at(-1)!;
				assert.deepEqual({ position: scan.boundary, db: scan.boundaryDb }, last);
			}
		}
	});

	it('finds nothing more behind bytes that are no entry', () => {
		const entry = aofEntryBytes(['SET', 'a', '1']);
		for (const noise of ['!', '*x\r\n', '*1\r\n#', '*1\r\n$x\r\n', '*0\r\n', '*99999999999999\r\n']) {
			const scan = new EntryScan(100, 3);
			const bytes = Buffer.concat([entry, Buffer.from(noise), entry, entry]);
			scan.feed(bytes, 0, bytes.length);
			assert.equal(scan.boundary, 100 + entry.length, noise);
			assert.equal(scan.boundaryDb, 3);
			assert.equal(scan.position, 100 + bytes.length);
		}
	});
});
