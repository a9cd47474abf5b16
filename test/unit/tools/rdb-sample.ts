/** An RDB file with a value of every type and encoding that we write, small enough to be damaged at every byte. */
import { rdbChunks } from '../../../src/snapshot/rdb-save.js';
import { applyAll, newEngine } from '../snapshot/fold-harness.js';

const LONG = 'abc'.repeat(30);

/** 12 keys in database 0, 1 in database 3. */
export const SAMPLE_KEYS = 13;

export function rdbSample(): Buffer {
	const engine = newEngine();
	engine.settings.setMaxListpackEntries = 3;
	engine.settings.hashMaxListpackEntries = 3;
	engine.settings.zsetMaxListpackEntries = 3;
	applyAll(engine, [
		'SET text hello',
		'SET integer 123456',
		`SET long ${LONG}`,
		'SET timed soon PXAT 33000000000000',
		'SET past gone PXAT 1000',
		'RPUSH list a b 1 2 300 -70000',
		'HSET hash f v n 12',
		'HSET bighash f1 v f2 v f3 v f4 v',
		'SADD integers 1 2 3 70000',
		'SADD members a b c d',
		'ZADD zset 1.5 a 2 b',
		'ZADD bigzset 1 a 2 b 3 c inf d',
		'SELECT 3',
		'SET other here',
	]);
	return Buffer.concat([
		...rdbChunks(engine, { isAofBase: false, replication: undefined, functions: ['#!lua name=kept'] }),
	]);
}
