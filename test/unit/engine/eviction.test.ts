import { assert } from 'chai';
import { SILENT_LOGGER } from '../../../src/base/logger.js';
import { systemEnv } from '../../../src/base/system-env.js';
import { expireCommands } from '../../../src/commands/expire.js';
import { genericCommands } from '../../../src/commands/generic.js';
import { hashCommands } from '../../../src/commands/hash.js';
import { listCommands } from '../../../src/commands/list.js';
import { objectCommands } from '../../../src/commands/object.js';
import { setCommands } from '../../../src/commands/set.js';
import { stringCommands } from '../../../src/commands/string.js';
import { transactionCommands } from '../../../src/commands/transaction.js';
import { zsetCommands } from '../../../src/commands/zset.js';
import { type Client, NO_TRANSPORT } from '../../../src/engine/client.js';
import { Engine } from '../../../src/engine/engine.js';
import { evictionTimeLimitUs } from '../../../src/engine/eviction.js';
import { Registry } from '../../../src/engine/registry.js';
import {
	type MaxmemoryPolicy,
	NOTIFY_EVICTED,
	NOTIFY_KEYEVENT,
	Settings,
} from '../../../src/engine/settings.js';
import type { AppendLog } from '../../../src/log/append-log.js';
import { SeededRandom } from '../../support/random.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const MB = 1024 * 1024;

/** An engine without sockets and files, with a clock that is moved by hand. */
class Harness {
	nowMs = 1_700_000_000_000;
	/** Microseconds that pass between two looks at the monotonic clock. */
	tickUs = 0;
	#lookedUs = 0;
	readonly settings = new Settings();
	readonly published: string[] = [];
	readonly logged: string[] = [];
	readonly timeouts: (() => void)[] = [];
	readonly engine: Engine;
	readonly client: Client;

	constructor() {
		const registry = new Registry();
		const families = [stringCommands, listCommands, hashCommands, setCommands, zsetCommands, genericCommands];
		for (const family of [...families, transactionCommands]) registry.add(family());
		for (const family of [expireCommands, objectCommands])
			for (const row of family()) if (registry.lookup(row.name) === undefined) registry.add([row]);
		const system = systemEnv();
		const random = new SeededRandom(7);
		this.engine = new Engine({
			settings: this.settings,
			env: {
				clock: {
					nowMs: () => this.nowMs,
					nowUs: () => this.nowMs * 1000,
					monotonicUs: () => {
						this.#lookedUs += this.tickUs;
						return this.nowMs * 1000 + this.#lookedUs;
					},
				},
				random: { float: () => random.float(), below: (n) => random.below(n), bytes: system.random.bytes },
				timers: {
					...system.timers,
					setTimeout: (fn) => {
						this.timeouts.push(fn);
						return {};
					},
					clearTimeout: () => undefined,
				},
			},
			logger: SILENT_LOGGER,
			registry,
			publisher: {
				publish: (channel, message) => {
					this.published.push(`${channel} ${message}`);
					return 0;
				},
				forget: () => undefined,
			},
			scheduleTurn: () => undefined,
		});
		const log = {
			fileGeneration: 1,
			writeError: null,
			appendArgs: (args: readonly string[]) => this.logged.push(args.join(' ')),
		};
		this.engine.effects.log = log as unknown as AppendLog;
		this.client = this.engine.addClient(NO_TRANSPORT);
	}

	run(command: string): string {
		this.engine.processCommand(this.client, command.split(' '));
		return this.client.reply
			.take()
			.map((chunk) => (typeof chunk === 'string' ? chunk : chunk.toString('latin1')))
			.join('');
	}

	limit(bytes: number, policy: MaxmemoryPolicy): void {
		this.settings.maxmemory = bytes;
		this.settings.maxmemoryPolicy = policy;
		this.engine.memory.applyLimit();
		this.engine.eviction.applyPolicy();
	}

	get used(): number {
		return this.engine.memory.usedBytes();
	}

	get evicted(): number {
		return this.engine.stats.evictedKeys;
	}
}

const LRU_LFU_RANDOM = ['allkeys-lru', 'allkeys-lfu', 'allkeys-random'] as const;
const VOLATILE = ['volatile-lru', 'volatile-lfu', 'volatile-random', 'volatile-ttl'] as const;

describe('maxmemory', () => {
	let h: Harness;

	beforeEach(() => {
		h = new Harness();
	});

	describe('refusal', () => {
		beforeEach(() => {
			h.run('SET x 1');
			h.limit(1, 'noeviction');
		});

		it('hits what may take memory, and nothing else', () => {
			for (const command of ['SET a 1', 'HSET h f v', 'LPUSH l 1', 'APPEND x 1', 'COPY x y'])
				assert.equal(h.run(command), OOM, command);
			assert.equal(h.run('GET x'), '$1\r\n1\r\n');
			assert.equal(h.run('EXPIRE x 100'), ':1\r\n');
			assert.equal(h.run('DEL x'), ':1\r\n');
			assert.equal(h.engine.stats.errors.get('OOM'), 5);
			assert.equal(h.engine.registry.lookup('set')!.rejectedCalls, 1);
		});

		it('comes after the checks of arity', () => {
			assert.include(h.run('SET a'), 'wrong number of arguments');
		});

		it('keeps a transaction from growing, and never its end', () => {
			assert.equal(h.run('MULTI'), '+OK\r\n');
			assert.equal(h.run('GET x'), OOM);
			assert.equal(h.run('DISCARD'), '+OK\r\n');
			h.limit(0, 'noeviction');
			assert.equal(h.run('MULTI') + h.run('SET a 1'), '+OK\r\n+QUEUED\r\n');
			h.limit(1, 'noeviction');
			assert.equal(
				h.run('EXEC'),
				"-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n",
			);
			assert.equal(h.run('EXEC'), '-ERR EXEC without MULTI\r\n');
		});

		it('spares a transaction that only reads', () => {
			h.limit(0, 'noeviction');
			h.run('MULTI');
			h.run('GET x');
			h.limit(1, 'noeviction');
			assert.equal(h.run('EXEC'), '*1\r\n$1\r\n1\r\n');
		});

		it('ends with the limit, and its time is counted', () => {
			h.tickUs = 1;
			h.run('SET a 1');
			assert.isAtLeast(h.engine.stats.evictionExceededSinceUs, 0);
			h.limit(100 * MB, 'noeviction');
			assert.equal(h.run('SET a 1'), '+OK\r\n');
			assert.isAbove(h.engine.stats.evictionExceededUs, 0);
			assert.equal(h.engine.stats.evictionExceededSinceUs, -1);
		});

		it('does not touch the load of the log', () => {
			h.engine.processCommand(h.engine.replayClient, ['SET', 'loaded', '1']);
			assert.equal(h.run('EXISTS loaded'), ':1\r\n');
		});
	});

	describe('eviction', () => {
		for (const policy of [...LRU_LFU_RANDOM, ...VOLATILE]) {
			it(`keeps memory under the limit: ${policy}`, () => {
				h.limit(h.used + 100_000, policy);
				for (let i = 0; i < 5000; i++) assert.equal(h.run(`SET key:${i} x EX 1000`), '+OK\r\n');
				assert.isAbove(h.evicted, 0);
				assert.isBelow(h.used, h.settings.maxmemory + 300);
				assert.isAbove(h.used, h.settings.maxmemory - 1000, 'no more than needed');
				assert.equal(h.engine.dbs[0]!.size, 5000 - h.evicted);
			});
		}

		for (const policy of VOLATILE) {
			it(`takes volatile keys alone: ${policy}`, () => {
				for (let i = 0; i < 100; i++) h.run(`SET stay:${i} x`);
				for (let i = 0; i < 100; i++) h.run(`SET go:${i} x EX ${1000 + i}`);
				h.limit(h.used - 2000, policy);
				assert.equal(h.run('SET more x'), '+OK\r\n');
				assert.isAbove(h.evicted, 0);
				for (let i = 0; i < 100; i++) assert.equal(h.run(`EXISTS stay:${i}`), ':1\r\n');
				h.limit(1, policy);
				assert.equal(h.run('SET more x'), OOM);
				assert.equal(h.run('DBSIZE'), ':101\r\n');
			});
		}

		it('takes keys of every database', () => {
			for (let i = 0; i < 200; i++) h.run(`SET a:${i} x`);
			h.client.db = h.engine.dbs[3]!;
			for (let i = 0; i < 200; i++) h.run(`SET b:${i} x`);
			for (const policy of LRU_LFU_RANDOM) {
				const sizes = [h.engine.dbs[0]!.size, h.engine.dbs[3]!.size];
				h.limit(h.used - 8000, policy);
				h.engine.eviction.perform();
				assert.isBelow(h.engine.dbs[0]!.size, sizes[0]!);
				assert.isBelow(h.engine.dbs[3]!.size, sizes[1]!);
			}
		});

		it('spares what was used last (lru)', () => {
			for (let i = 0; i < 1000; i++) h.run(`SET key:${i} x`);
			h.nowMs += 60_000;
			for (let i = 0; i < 500; i++) h.run(`GET key:${i}`);
			h.limit(h.used - 20_000, 'allkeys-lru');
			h.engine.eviction.perform();
			let used = 0;
			for (let i = 0; i < 500; i++) if (h.engine.dbs[0]!.has(`key:${i}`)) used++;
			assert.isAbove(h.evicted, 100);
			assert.isAtLeast(used, 500 - h.evicted * 0.1);
		});

		it('spares what is used often (lfu)', () => {
			h.limit(100 * MB, 'allkeys-lfu');
			for (let i = 0; i < 1000; i++) h.run(`SET key:${i} x`);
			for (let round = 0; round < 20; round++) for (let i = 0; i < 500; i++) h.run(`GET key:${i}`);
			h.limit(h.used - 20_000, 'allkeys-lfu');
			h.engine.eviction.perform();
			let used = 0;
			for (let i = 0; i < 500; i++) if (h.engine.dbs[0]!.has(`key:${i}`)) used++;
			assert.isAbove(h.evicted, 100);
			assert.isAtLeast(used, 500 - h.evicted * 0.1);
		});

		it('takes what expires soonest (ttl)', () => {
			for (let i = 0; i < 1000; i++) h.run(`SET key:${i} x EX ${10_000 - i}`);
			h.limit(h.used - 20_000, 'volatile-ttl');
			h.engine.eviction.perform();
			let late = 0;
			for (let i = 0; i < 500; i++) if (h.engine.dbs[0]!.has(`key:${i}`)) late++;
			assert.isAtLeast(late, 500 - h.evicted * 0.1);
		});

		it('is in the log as separate deletions, before the command', () => {
			h.run('SET a x EX 100');
			h.run('SET b x EX 100');
			h.limit(1, 'volatile-ttl');
			h.logged.length = 0;
			assert.equal(h.run('PERSIST a'), ':0\r\n');
			assert.sameMembers(h.logged, ['DEL a', 'DEL b']);
			h.limit(0, 'noeviction');
			h.run('SET c x EX 100');
			h.settings.lazyfreeLazyEviction = true;
			h.logged.length = 0;
			h.limit(1, 'allkeys-random');
			h.run('GET c');
			assert.deepEqual(h.logged, ['UNLINK c']);
		});

		it('is an event and a change to watchers', () => {
			h.settings.notifyKeyspaceEvents = NOTIFY_KEYEVENT | NOTIFY_EVICTED;
			h.run('SET a x');
			h.run('WATCH a');
			h.limit(1, 'allkeys-lru');
			h.run('MULTI');
			assert.deepEqual(h.published, ['__keyevent@0__:evicted a']);
			assert.equal(h.run('EXEC'), '*-1\r\n');
		});

		it('stops when its time is over, and a timer goes on', () => {
			for (let i = 0; i < 1000; i++) h.run(`SET key:${i} x`);
			h.tickUs = 600;
			h.limit(1, 'allkeys-random');
			assert.equal(h.run('SET a x'), '+OK\r\n', 'still evicting: not refused');
			assert.equal(h.evicted, 16);
			let runs = 0;
			for (let fn = h.timeouts.shift(); fn !== undefined; fn = h.timeouts.shift(), runs++) fn();
			assert.isAbove(runs, 50);
			assert.equal(h.run('DBSIZE'), ':0\r\n');
			assert.equal(h.run('SET a x'), OOM);
		});

		it('has the time that the tenacity allows', () => {
			assert.deepEqual([0, 1, 10, 11, 50, 100].map(evictionTimeLimitUs), [
				0,
				50,
				500,
				575,
				133931,
				Number.POSITIVE_INFINITY,
			]);
		});
	});

	describe('used memory', () => {
		/** Runs the commands with the account kept; then compares it with a walk over the keys. */
		function compareWithWalk(commands: Iterable<string>, toleranceBytes: number): void {
			h.limit(1000 * MB, 'noeviction');
			for (const command of commands) assert.notMatch(h.run(command), /^-/, command);
			const kept = h.engine.memory.datasetBytes();
			for (const db of h.engine.dbs) db.trackBytes(false);
			const walked = h.engine.memory.datasetBytes();
			assert.isAtMost(Math.abs(kept - walked), toleranceBytes, `kept ${kept}, walked ${walked}`);
		}

		it('is exact for strings', () => {
			const commands: string[] = [];
			for (let i = 0; i < 500; i++) {
				commands.push(`SET k${i} ${'v'.repeat(i)}`, `APPEND k${i} more`, `SETRANGE r${i % 7} ${i * 10} x`);
				commands.push(`INCR n${i % 50}`, `SET e${i} 1 EX 100`, `GETDEL k${i >> 1}`, `RENAME e${i} f${i}`);
			}
			compareWithWalk(commands, 0);
		});

		it('is exact for small containers', () => {
			const commands: string[] = [];
			for (let i = 0; i < 300; i++) {
				commands.push(`HSET h${i % 40} f${i % 5} ${'v'.repeat(i % 90)}`, `RPUSH l${i % 60} ${i}`);
				commands.push(
					`ZADD z${i % 30} ${i} m${i % 7}`,
					`SADD s${i % 30} m${i % 9}`,
					`SREM s${i % 31} m${i % 8}`,
				);
				commands.push(`LPOP l${i % 7}`, `HDEL h${i % 11} f${i % 4}`, `ZREM z${i % 13} m1`);
			}
			compareWithWalk(commands, 0);
		});

		it('follows large containers', () => {
			const commands: string[] = [];
			for (let i = 0; i < 3000; i++) {
				commands.push(`HSET h field:${i} value:${i}`, `RPUSH l element:${i}`, `ZADD z ${i} member:${i}`);
				commands.push(`SADD s member:${i}`);
			}
			for (let i = 0; i < 1000; i++)
				commands.push(`HDEL h field:${i}`, `LPOP l`, `ZPOPMIN z`, `SREM s member:${i}`);
			compareWithWalk(commands, 80_000);
		});

		it('of an empty dataset is what it was at first', () => {
			h.limit(1000 * MB, 'noeviction');
			const before = h.used;
			for (let i = 0; i < 200; i++) h.run(`RPUSH list:${i % 3} ${'v'.repeat(i)}`);
			assert.isAbove(h.used, before + 20_000);
			h.run('DEL list:0 list:1 list:2');
			assert.equal(h.used, before);
			h.run('SET a 1');
			h.run('FLUSHALL');
			assert.equal(h.used, before);
		});

		it('follows what is measured, beyond a tolerance, and never leaves a rest', () => {
			h.limit(1000 * MB, 'noeviction');
			const before = h.used;
			for (let i = 0; i < 20; i++) h.run(`SET key:${i} ${'v'.repeat(MB)}`);
			const used = h.used;
			h.engine.memory.correctBy(25 * MB);
			assert.equal(h.used, used, 'within the tolerance');
			h.engine.memory.correctBy(60 * MB);
			assert.closeTo(h.used, 61 * MB, 10_000);
			h.run('FLUSHALL');
			assert.equal(h.used, before);
		});
	});

	describe('access clocks', () => {
		const frequency = (key: string) => Number(h.run(`OBJECT FREQ ${key}`).slice(1));

		it('count accesses under an lfu policy', () => {
			h.limit(0, 'allkeys-lfu');
			h.run('SET a 1');
			assert.equal(frequency('a'), 5);
			for (let i = 0; i < 100; i++) h.run('GET a');
			const grown = frequency('a');
			assert.isAbove(grown, 6);
			assert.isBelow(grown, 20);
			h.nowMs += 3 * 60_000;
			assert.equal(frequency('a'), grown - 3);
			h.run('SET a 2');
			assert.isAtLeast(frequency('a'), grown - 3, 'a new value does not lose it');
			h.settings.lfuDecayTime = 0;
			h.nowMs += 60 * 60_000;
			assert.isAtLeast(frequency('a'), grown - 3);
			assert.include(h.run('OBJECT IDLETIME a'), 'An LFU maxmemory policy is selected');
		});

		it('saturate at 255', () => {
			h.limit(0, 'volatile-lfu');
			h.settings.lfuLogFactor = 0;
			h.run('SET a 1');
			for (let i = 0; i < 300; i++) h.run('GET a');
			assert.equal(frequency('a'), 255);
		});

		it('hold the time of the last access otherwise', () => {
			h.run('SET a 1');
			h.nowMs += 5000;
			assert.equal(h.run('OBJECT IDLETIME a'), ':5\r\n');
			h.run('GET a');
			assert.equal(h.run('OBJECT IDLETIME a'), ':0\r\n');
			assert.include(h.run('OBJECT FREQ a'), 'An LFU maxmemory policy is not selected');
		});
	});
});
