/** The fold: the dataset that it writes, what it copies, and what it leaves behind when it fails. */
import { assert } from 'chai';
import { SILENT_LOGGER } from '../../../src/base/logger.js';
import { systemEnv } from '../../../src/base/system-env.js';
import { Replay } from '../../../src/engine/replay.js';
import { datasetDigest } from '../../../src/keyspace/digest.js';
import { loadAofFileNow } from '../../../src/log/load-log.js';
import { applyAll, FoldHarness, newEngine, OUTPUT_PATH } from './fold-harness.js';

const BASE: readonly string[] = [
	...Array.from({ length: 100 }, (_, i) => `SET key:${i} value:${i}`),
	'PEXPIREAT key:1 33000000000000',
	'RPUSH list a b c 1 2 3',
	'SADD numbers 1 2 3',
	'SADD words one two',
	'HSET hash f v g 2',
	'ZADD zset 1.5 a 2 b',
	'SELECT 3',
	'SET other 1',
	'SET shared 33',
	'RPUSH wait x',
];

const CHANGES: Readonly<Record<string, readonly string[]>> = {
	nothing: [],
	'keys changed, added and deleted': ['INCR n', 'APPEND key:3 more', 'DEL key:4 key:5', 'LPUSH list z'],
	'another database': ['SELECT 3', 'INCR other', 'SELECT 7', 'SET new 1'],
	'keys that are only read': [
		'SUNIONSTORE all numbers words',
		'ZUNIONSTORE z2 1 zset',
		'SDIFFSTORE d words absent',
	],
	'a key into another database': ['MOVE key:9 3', 'COPY key:8 copied DB 5', 'COPY key:7 key:6 REPLACE'],
	'a name given to another': ['RENAME key:10 key:11', 'RENAMENX key:12 key:13'],
	'a transaction': ['MULTI', 'SET a 1', 'SELECT 2', 'SET b 2', 'EXEC', 'SET c 3'],
	'expiry times': ['PEXPIREAT key:2 33000000000000', 'PERSIST key:1', 'SET key:20 v PXAT 33000000000000'],
	'what only advances the log': ['PING', 'PUBLISH channel text', 'REPLCONF GETACK *', 'SET x 1'],
	'one database emptied': ['SELECT 3', 'FLUSHDB', 'SET after 1'],
	'everything emptied': ['SET lost 1', 'SELECT 3', 'FLUSHALL', 'SET after 1'],
	'databases exchanged': ['SWAPDB 0 3', 'SET after 1'],
	'sorted into a key': ['SORT numbers STORE sorted', 'SORT list ALPHA DESC STORE list'],
};

describe('fold', () => {
	for (const [name, commands] of Object.entries(CHANGES)) {
		it(`equals the dataset after: ${name}`, () => {
			const harness = new FoldHarness();
			applyAll(harness.live, BASE);
			const base = harness.rdbBase();
			const section = harness.section('incr', commands);
			const result = harness.fold(harness.job(base, [section]));
			assert.equal(harness.rdbDigest('/d/dump.rdb'), harness.liveDigest());
			assert.equal(result.size, harness.fs.content('/d/dump.rdb').length);
			assert.equal(
				result.keys,
				harness.live.dbs.reduce((sum, db) => sum + db.size, 0),
			);
			assert.notInclude(harness.fs.list(), OUTPUT_PATH);
			assert.include(harness.fs.content('/d/dump.rdb'), 'name=kept');
			assert.equal(harness.fs.openCount, 0);
		});

		it(`writes an AOF file after: ${name}`, () => {
			const harness = new FoldHarness();
			applyAll(harness.live, BASE);
			const job = harness.job(harness.rdbBase(), [harness.section('incr', commands)], 'aof');
			harness.fold(job);
			harness.fs.put('/d/./dump.rdb', harness.fs.content('/d/dump.rdb'));
			const engine = newEngine();
			const replay = new Replay(engine);
			replay.begin();
			const options = { fs: harness.fs, env: systemEnv(), logger: SILENT_LOGGER };
			assert.isNull(
				loadAofFileNow(options, '/d', 'dump.rdb', (args) => {
					return args[0] === 'FUNCTION' ? undefined : replay.apply(args);
				}),
			);
			replay.end();
			assert.equal(datasetDigest(engine.dbs), harness.liveDigest());
		});
	}

	it('copies what the log has not touched', () => {
		const harness = new FoldHarness();
		applyAll(harness.live, BASE);
		const base = harness.rdbBase();
		const result = harness.fold(
			harness.job(base, [harness.section('incr', ['INCR n', 'GET key:1', 'DEL list'])]),
		);
		assert.equal(result.keys - result.keysCopied, 2); // n, and key:1, which was read
	});

	it('takes several sections, each with database 0 selected, and a base in AOF format', () => {
		const harness = new FoldHarness();
		harness.section('base.aof', BASE);
		const size = harness.fs.content('/d/base.aof').length;
		harness.fs.put('/d/base.aof', harness.fs.content('/d/base.aof').slice(7, size - 4));
		const sections = [
			harness.section('incr1', ['SELECT 4', 'SET a 1']),
			harness.section('incr2', ['SET a 2', 'MOVE a 3']),
		];
		harness.fold(harness.job({ path: '/d/base.aof', format: 'aof' }, sections));
		assert.equal(harness.rdbDigest('/d/dump.rdb'), harness.liveDigest());
	});

	it('takes a base that begins as an RDB file and goes on with entries', () => {
		const harness = new FoldHarness();
		applyAll(harness.live, BASE);
		harness.rdbBase();
		harness.section('tail', ['SET tail 1', 'DEL key:1']);
		const tail = harness.fs.content('/d/tail').slice(7, -4);
		harness.fs.put('/d/old.aof', harness.fs.content('/d/base.rdb') + tail);
		const section = harness.section('incr', ['APPEND tail 2']);
		const result = harness.fold(harness.job({ path: '/d/old.aof', format: 'aof' }, [section]));
		assert.equal(harness.rdbDigest('/d/dump.rdb'), harness.liveDigest());
		assert.isAbove(result.keysCopied, 90);
	});

	it('begins with nothing where there is no base', () => {
		const harness = new FoldHarness();
		harness.fold(harness.job(null, [harness.section('incr', BASE)]));
		assert.equal(harness.rdbDigest('/d/dump.rdb'), harness.liveDigest());
	});

	it('refuses a damaged base or section, and leaves no file', () => {
		const harness = new FoldHarness();
		applyAll(harness.live, BASE);
		const base = harness.rdbBase();
		const section = harness.section('incr', ['INCR n', 'SET key:1 x']);
		const good = harness.fs.content('/d/base.rdb');
		for (const damaged of [
			good.slice(0, -9),
			good.slice(0, 200),
			`${good.slice(0, 300)}\xff${good.slice(301)}`,
			'x',
		]) {
			harness.fs.put('/d/base.rdb', damaged);
			assert.throws(() => harness.fold(harness.job(base, [section])), /base\.rdb/);
			assert.deepEqual(harness.fs.list(), ['/d/base.rdb', '/d/incr']);
		}
		harness.fs.put('/d/base.rdb', good);
		for (const to of [section.to - 1, section.to + 1, section.to + 100]) {
			assert.throws(() => harness.fold(harness.job(base, [{ ...section, to }])), /incr/);
		}
		assert.throws(
			() => harness.fold(harness.job(base, [harness.section('incr', ['NOSUCH command'])])),
			/Unknown command 'NOSUCH'/,
		);
		assert.equal(harness.fs.openCount, 0);
	});

	it('leaves the old file as it was when the disk is full or fails', () => {
		const harness = new FoldHarness();
		applyAll(harness.live, BASE);
		const base = harness.rdbBase();
		harness.fs.put('/d/dump.rdb', 'old');
		const job = harness.job(base, [harness.section('incr', ['INCR n'])]);
		const size = harness.fs.content('/d/base.rdb').length;
		for (const room of [0, 1, 100, size - 200]) {
			harness.fs.room = room;
			assert.throws(() => harness.fold(job), /ENOSPC/);
		}
		harness.fs.room = Number.POSITIVE_INFINITY;
		harness.fs.syncError = 'EIO';
		assert.throws(() => harness.fold(job), /EIO/);
		harness.fs.syncError = null;
		assert.deepEqual(harness.fs.list(), ['/d/base.rdb', '/d/dump.rdb', '/d/incr']);
		assert.equal(harness.fs.content('/d/dump.rdb'), 'old');
		harness.fold(job);
		assert.equal(harness.rdbDigest('/d/dump.rdb'), harness.liveDigest());
	});

	it('is durable before it has its name', () => {
		const harness = new FoldHarness();
		applyAll(harness.live, BASE);
		const job = harness.job(harness.rdbBase(), [harness.section('incr', ['INCR n'])]);
		harness.fs.trace = [];
		harness.fold(job);
		assert.deepEqual(harness.fs.trace.slice(-3), [
			`sync ${OUTPUT_PATH}`,
			`rename ${OUTPUT_PATH} /d/dump.rdb`,
			'sync-folder /d',
		]);
	});
});
