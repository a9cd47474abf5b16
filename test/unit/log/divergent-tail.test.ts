import { assert } from 'chai';
import { saveDivergentTail, type TailResult } from '../../../src/log/divergent-tail.js';
import { loadAofFileNow } from '../../../src/log/load-log.js';
import type { ReplicatedLog } from '../../../src/log/replicated-log.js';
import { entriesText, ListLogger, StillEnv } from './log-harness.js';
import { MemoryLogFs } from './memory-log-fs.js';
import { ID_A, newLog, openReplicated } from './replicated-harness.js';

async function save(
	fs: MemoryLogFs,
	log: ReplicatedLog,
	fromOffset: number,
): Promise<{ readonly result: TailResult; readonly logger: ListLogger }> {
	const logger = new ListLogger();
	const saving = saveDivergentTail({ log, fs, logger, folder: '/d', replid: ID_A, fromOffset });
	await fs.settle();
	return { result: await saving, logger };
}

function replay(fs: MemoryLogFs, name: string): string[] {
	let db = '0';
	const entries: string[] = [];
	const options = { fs, env: new StillEnv(), logger: new ListLogger() };
	fs.put(`/d/./${name}`, fs.content(`/d/${name}`));
	const failure = loadAofFileNow(options, '/d', name, (args) => {
		if (args[0] === 'SELECT') db = args[1]!;
		else entries.push(`${db}: ${args.join(' ')}`);
	});
	assert.isNull(failure);
	return entries;
}

describe('log/divergent-tail', () => {
	it('writes the end of the log from any entry on, with its database, durably', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		const offsets: number[] = [];
		const expected: string[] = [];
		for (let i = 0; i < 6; i++) {
			log.appendArgs(['SELECT', String(i % 4)]);
			for (let k = 0; k < 3; k++) {
				offsets.push(log.endOffset);
				const args = ['SET', `${i}.${k}`, 'x'.repeat(i === 3 ? 200_000 : 10)];
				log.appendArgs(args);
				expected.push(`${i % 4}: ${args.join(' ')}`);
			}
			log.flush();
			if (i % 2 === 0) continue;
			const begun = log.beginNewFile();
			await fs.settle();
			assert.isNotString(await begun);
		}
		for (const [i, offset] of offsets.entries()) {
			const { result, logger } = await save(fs, log, offset);
			const name = `divergent-${ID_A}-${offset}.aof`;
			assert.deepEqual(result, { kind: 'saved', name, fromOffset: offset });
			assert.deepEqual(replay(fs.afterPowerCut(), name), expected.slice(i));
			assert.isTrue(logger.has(name));
		}
		assert.deepEqual((await save(fs, log, log.endOffset)).result, { kind: 'none' });
		const { result } = await save(fs, log, 5);
		assert.deepInclude(result, { kind: 'failed' });
		assert.isFalse(fs.list().some((name) => name.includes('/temp-')));
	});

	it('writes what is kept, and says what is not', async () => {
		const fs = new MemoryLogFs();
		const { log } = newLog(fs);
		for (let i = 0; i < 10; i++) log.appendArgs(['SET', 'old', '1']);
		log.flush();
		const start = log.endOffset;
		log.readers.setRing(1000);
		log.appendArgs(['SET', 'a', '1']);
		log.flush();
		const { result, logger } = await save(fs, log, 100);
		assert.deepInclude(result, { kind: 'saved', fromOffset: start });
		assert.deepEqual(replay(fs, `divergent-${ID_A}-${start}.aof`), ['0: SET a 1']);
		assert.isTrue(logger.has(`the ${start - 100} before are not kept`));
		log.readers.setRing(0);
		assert.deepEqual((await save(fs, log, 100)).result, { kind: 'none' });
	});

	it('leaves nothing behind when the disk is full', async () => {
		const fs = new MemoryLogFs();
		const { log } = openReplicated(fs);
		log.appendArgs(['SET', 'a', '1']);
		log.flush();
		fs.room = entriesText(['SET', 'a', '1']).length - 1;
		const { result } = await save(fs, log, 0);
		assert.equal(result.kind, 'failed');
		assert.isFalse(fs.list().some((name) => name.includes('divergent')));
	});
});
