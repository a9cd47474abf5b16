/** `tsredis-check-aof` on the log of our server, with the catalog that the server has made. */
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { LogCheck, type RecordedLog } from '../../tools/aof-check/check-log.js';
import { recordedLog } from '../../tools/aof-check/recorded-log.js';
import { ProgressBar } from '../../tools/support/progress-bar.js';
import { ourServer } from '../support/executables.js';
import { MemoryTerminal } from '../support/memory-terminal.js';
import { SeededRandom } from '../support/random.js';
import { ServerFleet, sleep } from '../support/server-process.js';

const FLIP_COUNT = 300;
const TRUNCATION_COUNT = 300;

describe('wire: tsredis-check-aof', function () {
	this.timeout(120_000);
	const fleet = new ServerFleet();
	const random = new SeededRandom(5);
	let folder: string;
	let manifest: string;
	let catalog: RecordedLog;

	before(async () => {
		const server = await fleet.start({ executable: ourServer(), options: { appendonly: 'yes' } });
		const client = await server.connect();
		for (let round = 0; round < 3; round++) {
			const commands = Array.from({ length: 400 }, (_, i) => [
				'SET',
				`key:${i}`,
				'x'.repeat(random.below(300)),
			]);
			await client.pipeline([['SELECT', String(round)], ...commands]);
			if (round === 1) await client.command(['BGREWRITEAOF']);
			await sleep(1200);
		}
		await server.stop();
		folder = join(server.dir, 'appendonlydir');
		manifest = join(folder, 'appendonly.aof.manifest');
		catalog = await recordedLog(manifest);
	});
	after(() => fleet.close());

	function check(): { readonly isGood: boolean; readonly output: string } {
		const terminal = new MemoryTerminal();
		const options = { fix: false, toTimestamp: 0, terminal, catalog, progress: new ProgressBar() };
		return { isGood: new LogCheck(options).check(manifest), output: terminal.output };
	}

	/** Base and incremental files that the manifest names. */
	function logFiles(): string[] {
		const names = readFileSync(manifest, 'latin1').matchAll(/^file (\S+) seq \d+ type [bi]/gm);
		return [...names].map((match) => join(folder, match[1]!)).filter((path) => statSync(path).size > 0);
	}

	it('finds the log sound', () => {
		const { isGood, output } = check();
		assert.isTrue(isGood, output);
		assert.isAtLeast(logFiles().length, 2, readdirSync(folder).join());
		for (const path of logFiles()) {
			if (path.endsWith('.rdb')) continue;
			const list = catalog.blocks.get(path.slice(folder.length + 1));
			assert.equal(list!.positions.at(-1)! + list!.sizes.at(-1)!, statSync(path).size, path);
		}
	});

	it(`finds ${FLIP_COUNT} flipped bits, in values as well`, () => {
		const files = logFiles();
		for (let i = 0; i < FLIP_COUNT; i++) {
			const path = random.pick(files);
			const sound = readFileSync(path);
			const damaged = Buffer.from(sound);
			const at = random.below(sound.length);
			damaged[at]! ^= 1 << random.below(8);
			writeFileSync(path, damaged);
			assert.isFalse(check().isGood, `${path}, byte ${at}`);
			writeFileSync(path, sound);
		}
		assert.isTrue(check().isGood);
	});

	it(`finds ${TRUNCATION_COUNT} truncations, at the end of a command as well`, () => {
		const files = logFiles();
		for (let i = 0; i < TRUNCATION_COUNT; i++) {
			const path = random.pick(files);
			const sound = readFileSync(path);
			const size = random.below(sound.length);
			truncateSync(path, size);
			assert.isFalse(check().isGood, `${path}, ${size} bytes`);
			writeFileSync(path, sound);
		}
		assert.isTrue(check().isGood);
	});
});
