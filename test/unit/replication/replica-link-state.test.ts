/** The replica's end of a link, told what a master says: as transcripts, and with masters that lie. */
import { assert } from 'chai';
import type { LinkEvent } from '../../../src/replication/replica-link-events.js';
import { ReplicaLink } from '../../../src/replication/replica-link-state.js';
import { ReplicationState } from '../../../src/replication/replication-state.js';
import { SeededRandom } from '../../support/random.js';

const OURS = 'a'.repeat(40);
const THEIRS = 'b'.repeat(40);
const MARK = 'm'.repeat(40);
const MASTER = { host: 'master', port: 7 };
const HELLO = '+PONG\r\n+OK\r\n+OK\r\n';

class Harness {
	readonly state = new ReplicationState(OURS);
	readonly around = {
		endOffset: 0,
		fsyncedOffset: -1,
		masterauth: '',
		masteruser: '',
		announcedPort: 7000,
		announcedIp: '',
		replTimeout: 60,
		loadsFromSocket: false,
		followers: ['me'],
	};
	readonly link = new ReplicaLink(this.state, this.around);
	nowMs = 1_000_000;
	transcript: string[] = [];

	step(event: LinkEvent): this {
		for (const action of this.link.step(event, this.nowMs)) {
			const { kind } = action;
			if (kind === 'log') this.transcript.push(`log ${action.level}: ${action.message}`);
			else if (kind === 'send') this.transcript.push(`send ${JSON.stringify(action.bytes)}`);
			else if (kind === 'snapshot-bytes' || kind === 'stream')
				this.transcript.push(`${kind} ${action.bytes.toString('latin1')}`);
			else if (kind === 'begin-snapshot') this.transcript.push(`${kind} ${action.size}`);
			else if (kind === 'load-snapshot') this.transcript.push(`${kind} ${action.replid}:${action.offset}`);
			else if (kind === 'continue') this.transcript.push(`${kind} ${action.replidChanged}`);
			else this.transcript.push(kind);
		}
		return this;
	}

	/** Follows a master, which has accepted the connection. */
	connected(): this {
		this.state.follow(MASTER);
		this.step({ kind: 'follow', master: MASTER, isFailover: false });
		return this.step({ kind: 'connected' });
	}

	receive(text: string): this {
		return this.step({ kind: 'received', bytes: Buffer.from(text, 'latin1') });
	}

	later(ms: number): this {
		this.nowMs += ms;
		return this.step({ kind: 'tick' });
	}

	/** The transcript since the last call. */
	take(): string[] {
		const { transcript } = this;
		this.transcript = [];
		return transcript;
	}
}

describe('the replica end of a link', () => {
	it('gets a snapshot and the stream behind it', () => {
		const harness = new Harness().connected();
		assert.deepEqual(harness.take(), [
			'log notice: Connecting to MASTER master:7',
			'connect',
			'log notice: MASTER <-> REPLICA sync started',
			'log notice: Non blocking connect for SYNC fired the event.',
			'send "*1\\r\\n$4\\r\\nPING\\r\\n"',
		]);
		harness.receive('+PONG\r\n');
		assert.deepEqual(harness.take(), [
			'log notice: Master replied to PING, replication can continue...',
			'send "*3\\r\\n$8\\r\\nREPLCONF\\r\\n$14\\r\\nlistening-port\\r\\n$4\\r\\n7000\\r\\n"',
			'send "*7\\r\\n$8\\r\\nREPLCONF\\r\\n$4\\r\\ncapa\\r\\n$3\\r\\neof\\r\\n$4\\r\\ncapa\\r\\n$6\\r\\npsync2\\r\\n$4\\r\\ncapa\\r\\n$13\\r\\ntsredis-id:me\\r\\n"',
		]);
		harness.receive('+OK\r\n+OK\r\n');
		assert.deepEqual(harness.take(), [
			`log notice: Trying a partial resynchronization (request ${OURS}:1).`,
			`send "*3\\r\\n$5\\r\\nPSYNC\\r\\n$40\\r\\n${OURS}\\r\\n$1\\r\\n1\\r\\n"`,
		]);
		harness.receive(`\n\n+FULLRESYNC ${THEIRS} 500\r\n\n\n$4\r\nRDB!*1\r\n`);
		assert.deepEqual(harness.take(), [
			`log notice: Full resync from master: ${THEIRS}:500`,
			'log notice: MASTER <-> REPLICA sync: receiving 4 bytes from master to disk',
			'begin-snapshot 4',
			'snapshot-bytes RDB!',
			`load-snapshot ${THEIRS}:500`,
		]);
		assert.isTrue(harness.link.isReadingPaused);
		harness.later(1000);
		assert.deepEqual(harness.take(), ['send "\\n"']);
		harness.around.endOffset = 500;
		harness.step({ kind: 'loaded' }).receive('$4\r\nPING\r\n');
		assert.deepEqual(harness.take(), [
			'log notice: MASTER <-> REPLICA sync: Finished with success',
			'stream *1\r\n',
			'stream $4\r\nPING\r\n',
		]);
		assert.equal(harness.link.phase, 'connected');
		harness.later(1000);
		assert.deepEqual(harness.take(), [
			'send "*3\\r\\n$8\\r\\nREPLCONF\\r\\n$3\\r\\nACK\\r\\n$3\\r\\n500\\r\\n"',
		]);
	});

	it('finds the mark behind a snapshot wherever the bytes are cut, and acknowledges at once', () => {
		const payload = `RDB${'m'.repeat(39)}x${'m'.repeat(20)}y`;
		const random = new SeededRandom(1);
		for (let round = 0; round < 200; round++) {
			const harness = new Harness().connected().receive(HELLO);
			const text = `+FULLRESYNC ${THEIRS} 9\r\n$EOF:${MARK}\r\n${payload}${MARK}rest`;
			for (let at = 0; at < text.length; ) {
				const size = 1 + random.below(60);
				harness.receive(text.slice(at, at + size));
				at += size;
			}
			harness.step({ kind: 'loaded' });
			const joined = (name: string): string =>
				harness.transcript
					.filter((line) => line.startsWith(`${name} `))
					.map((line) => line.slice(name.length + 1))
					.join('');
			assert.equal(joined('snapshot-bytes'), payload);
			assert.equal(joined('stream'), 'rest');
			assert.include(harness.transcript.at(-2), 'ACK');
		}
	});

	it('continues, also under another name', () => {
		const harness = new Harness();
		harness.around.endOffset = 77;
		harness.connected().receive(HELLO).take();
		harness.receive(`+CONTINUE ${THEIRS}\r\nabc`);
		assert.deepEqual(harness.take(), [
			'log notice: Successful partial resynchronization with master.',
			`log notice: Master replication ID changed to ${THEIRS}`,
			'continue true',
			'log notice: MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.',
			'stream abc',
		]);
		const { replid, replid2, secondReplOffset } = harness.state;
		assert.deepEqual([replid, replid2, secondReplOffset], [THEIRS, OURS, 78]);
		harness.step({ kind: 'closed', message: 'reset' });
		assert.include(harness.take(), 'connect');
		harness.step({ kind: 'connected' }).receive(`${HELLO}+CONTINUE\r\n`);
		assert.include(harness.take(), 'continue false');
	});

	it('falls back to SYNC for a master that has no PSYNC, and does not acknowledge then', () => {
		const harness = new Harness().connected();
		harness.receive(`+PONG\r\n-ERR what\r\n-ERR what\r\n`).take();
		harness.receive("-ERR unknown command 'PSYNC'\r\n$1\r\nx");
		const lines = harness.take();
		assert.include(lines, 'send "SYNC\\r\\n"');
		assert.equal(lines.at(-1), 'load-snapshot :-1');
		harness.step({ kind: 'loaded' }).later(5000);
		assert.notInclude(harness.take().join(), 'ACK');
	});

	for (const reply of ['-NOMASTERLINK Can not', '-LOADING Redis is loading']) {
		it(`tries again a second after ${reply}`, () => {
			const harness = new Harness().connected().receive(HELLO + reply + '\r\n');
			assert.equal(harness.link.phase, 'connect');
			assert.notInclude(harness.later(900).take().slice(-3), 'connect');
			assert.include(harness.later(100).take(), 'connect');
		});
	}

	it('gives the password, and gives up where it is refused', () => {
		const harness = new Harness();
		harness.around.masterauth = 'secret';
		harness.connected().receive('-NOAUTH Authentication required.\r\n');
		assert.include(harness.take().join(), '$4\\r\\nAUTH\\r\\n$6\\r\\nsecret\\r\\n');
		harness.receive('-ERR wrong\r\n');
		assert.deepEqual(harness.take(), ['log warning: Unable to AUTH to MASTER: -ERR wrong', 'close']);
	});

	const lies: readonly [what: string, said: string][] = [
		['a line without an end', `+PONG${'x'.repeat(2000)}`],
		['an error to PING', '-DENIED no\r\n'],
		['no number for an offset', `${HELLO}+FULLRESYNC ${THEIRS} many\r\n`],
		['an offset beyond all offsets', `${HELLO}+FULLRESYNC ${THEIRS} 99999999999999999999\r\n`],
		['a negative offset', `${HELLO}+FULLRESYNC ${THEIRS} -1\r\n`],
		['a short replid', `${HELLO}+FULLRESYNC abc 1\r\n`],
		['no snapshot', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\nHTTP/1.1 200 OK\r\n`],
		['no length', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$abc\r\n`],
		['a negative length', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$-5\r\n`],
		['a length beyond all lengths', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$99999999999999999999\r\n`],
		['a short mark', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$EOF:abc\r\n`],
		['an endless line before the snapshot', `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n${'\0'.repeat(1025)}`],
	];
	for (const [what, said] of lies) {
		it(`ends the link for a reason: ${what}`, () => {
			const harness = new Harness().connected();
			harness.take();
			harness.receive(said);
			const lines = harness.take();
			assert.include(lines, 'close');
			assert.match(lines.at(-2)!, /^log warning: /);
			assert.notInclude(lines, 'begin-snapshot');
			assert.equal(harness.link.phase, 'connect');
			// The old history is offered again: nothing has been given up.
			assert.isTrue(harness.state.hasHistory);
		});
	}

	it('does not continue what it has not asked for', () => {
		const harness = new Harness();
		harness.state.master = MASTER;
		harness.step({ kind: 'follow', master: MASTER, isFailover: false }).step({ kind: 'connected' });
		harness.receive(HELLO);
		assert.include(harness.take().join(), '$1\\r\\n?\\r\\n$2\\r\\n-1');
		harness.receive(`+CONTINUE ${THEIRS}\r\n`);
		assert.include(harness.take(), 'close');
	});

	it('asks for everything behind a stream that it could not understand', () => {
		const harness = new Harness().connected().receive(`${HELLO}+CONTINUE\r\n`);
		harness.step({ kind: 'stream-fault', message: 'nonsense' });
		assert.include(harness.take(), 'close');
		assert.isFalse(harness.state.hasHistory);
	});

	it('gives up a snapshot that ends early, and asks with the old history again', () => {
		const harness = new Harness().connected().receive(`${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$10\r\nabc`);
		harness.take();
		harness.step({ kind: 'closed', message: 'connection lost' });
		assert.deepEqual(harness.take(), [
			'log warning: I/O error trying to sync with MASTER: connection lost',
			'abandon-snapshot',
			'log notice: Reconnecting to MASTER master:7 after failure',
			'connect',
			'log notice: MASTER <-> REPLICA sync started',
		]);
		harness.step({ kind: 'connected' }).receive(HELLO);
		assert.include(harness.take().join(), `request ${OURS}:1`);
	});

	it('ends a link that is silent for too long, wherever it is', () => {
		const stages = ['', HELLO, `${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$10\r\nabc`, `${HELLO}+CONTINUE\r\n`];
		for (const said of stages) {
			const harness = new Harness().connected().receive(said);
			harness.later(59_000);
			assert.notInclude(harness.take(), 'close');
			harness.later(2000);
			assert.include(harness.take(), 'close');
		}
	});

	it('stops at once, also while it loads', () => {
		const harness = new Harness().connected().receive(`${HELLO}+FULLRESYNC ${THEIRS} 1\r\n$1\r\nx`);
		harness.take();
		harness.step({ kind: 'stop' });
		assert.deepEqual(harness.take(), ['close', 'abandon-snapshot']);
		harness.step({ kind: 'loaded' }).later(10_000);
		assert.deepEqual(harness.take(), []);
	});

	it('survives whatever comes', () => {
		const random = new SeededRandom(5);
		const words = [
			'+PONG\r\n',
			'+OK\r\n',
			`+FULLRESYNC ${THEIRS} 3\r\n`,
			'$5\r\n',
			'\n',
			'+CONTINUE\r\n',
			'\0',
			'-ERR\r\n',
		];
		for (let round = 0; round < 2000; round++) {
			const harness = new Harness().connected();
			for (let i = 0; i < 12; i++) {
				const word = random.pick(words);
				const text = random.chance(0.2) ? word.slice(random.below(word.length)) : word;
				harness.receive(text);
				if (random.chance(0.1)) harness.later(random.below(100_000));
				if (random.chance(0.1)) harness.step({ kind: 'closed', message: 'x' });
				if (random.chance(0.2)) harness.step({ kind: 'connected' });
				if (random.chance(0.2)) harness.step({ kind: random.pick(['loaded', 'snapshot-failed', 'drop']) });
			}
		}
	});
});
