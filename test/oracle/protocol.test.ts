/**
 * Bytes that are no proper requests, the same to both: the same bytes come back, and the connection is closed
 * or not alike. What was sent is followed by the end of the stream, so that each server answers and closes.
 */
import { connect } from 'node:net';
import { assert } from 'chai';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import { SeededRandom } from '../support/random.js';
import { encodeCommand } from '../support/raw-client.js';
import { ServerFleet } from '../support/server-process.js';
import { FUZZ_COMMANDS, mutatedFrame } from '../wire/fuzz-frames.js';
import { ServerPair } from './server-pair.js';

const PING = encodeCommand(['PING']);
/** Requests on the border of what is allowed, each with a PING behind it that shows whether the server goes on. */
const CASES: readonly string[] = [
	'*0\r\n',
	'*-1\r\n',
	'*-10\r\n',
	'*\r\n',
	'*x\r\n',
	'*1x\r\n',
	'*+1\r\n$4\r\nPING\r\n',
	'*01\r\n$4\r\nPING\r\n',
	'* 1\r\n$4\r\nPING\r\n',
	'*1048577\r\n',
	'*2147483648\r\n',
	'*9223372036854775808\r\n',
	'*1\r\n$\r\n',
	'*1\r\n$-1\r\n',
	'*1\r\n$-2\r\n',
	'*1\r\n$x\r\n',
	'*1\r\n$04\r\nPING\r\n',
	'*1\r\n$+4\r\nPING\r\n',
	'*1\r\n$0\r\n\r\n',
	'*1\r\n$536870913\r\n',
	'*1\r\n$9223372036854775808\r\n',
	'*1\r\n:4\r\n',
	'*1\r\n+PING\r\n',
	'*1\r\nPING\r\n',
	'*1\r\n\r\n',
	'*1\r\n*1\r\n$4\r\nPING\r\n',
	'*1\r\n$4\r\nPINGxx',
	'*2\r\n$3\r\nGET\r\n$1\r\nk\r\n',
	'*1\r\n$5\r\nPING\r\n',
	'*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n',
	'\r\n',
	'\n',
	'   \r\n',
	'PING\n',
	'PING\r\n',
	'ping "hello world"\r\n',
	"ping 'it\\'s'\r\n",
	'ping "\\x41\\n\\t\\"\\\\"\r\n',
	'ping "unbalanced\r\n',
	'ping "closed"x\r\n',
	"ping 'x'y\r\n",
	'nosuch command here\r\n',
	'get\r\n',
	'$4\r\nPING\r\n',
	':1\r\n',
	'+OK\r\n',
	'-ERR no\r\n',
	'%1\r\n',
	'\xff\xfe\r\n',
	'GET / HTTP/1.1\r\nHost: example\r\n\r\n',
	'POST / HTTP/1.1\r\n\r\n',
	'Host: example\r\n',
	'x'.repeat(1000),
	encodeCommand(['x'.repeat(300), 'y'.repeat(300), 'z']),
	encodeCommand(['no\r\nsuch', 'a\r\nb', '\x00']),
	encodeCommand(['GET', '']),
	encodeCommand(['']),
	encodeCommand(['QUIT']),
	encodeCommand(['ECHO', 'x'.repeat(40_000)]),
];
/** Lines without an end; whether one with an end is too long depends on how much is read at a time. */
const ENDLESS: readonly string[] = ['x', '*1', '*1\r\n$1', "ping 'a"].map(
	(start) => start + '1'.repeat(70_000),
);
const RANDOM_CASE_COUNT = 1500;
const RANDOM_FRAMES_MAX = 4;
/** HELLO tells the connection's number, SCAN and SMEMBERS are in no defined order, COMMAND COUNT grows. */
const UNCOMPARABLE = ['HELLO', 'SCAN', 'SMEMBERS', 'COMMAND'];
const IDLE_MS_MAX = 3000;

describe('oracle: the protocol', function () {
	this.timeout(120_000);
	const fleet = new ServerFleet();
	let oracle: Oracle;
	before(function () {
		oracle = requireOracle(this);
	});
	after(() => fleet.close());

	for (const password of ['', 'secret']) {
		const state = password === '' ? 'authenticated' : 'before authentication';

		it(`fixed cases, ${state}`, async () => {
			const pair = await startPair(password);
			const faults: string[] = [];
			for (const bytes of CASES) await compare(pair, bytes + PING, faults);
			for (const bytes of ENDLESS) await compare(pair, bytes, faults);
			assert.isEmpty(faults, faults.join('\n'));
		});

		it(`${RANDOM_CASE_COUNT} damaged streams, ${state}`, async () => {
			const seed = Number(process.env.ORACLE_SEED ?? Math.floor(Math.random() * 2 ** 31));
			console.log(`      ORACLE_SEED=${seed}`);
			const random = new SeededRandom(seed);
			const pair = await startPair(password);
			const commands = FUZZ_COMMANDS.filter((args) => !UNCOMPARABLE.includes(args[0]!));
			const faults: string[] = [];
			for (let index = 0; index < RANDOM_CASE_COUNT && faults.length < 10; index++) {
				const frames = random.times(random.between(1, RANDOM_FRAMES_MAX), () =>
					mutatedFrame(random, commands),
				);
				// Redis takes a NUL for the end of what it has got of a line, and waits; ours sees a bad line.
				const bytes = frames.join('').replaceAll('\x00', '0');
				// One length lies between Redis's limit and the longest string of this machine.
				if (!bytes.includes('536870912')) await compare(pair, bytes, faults);
			}
			assert.isEmpty(faults, `seed ${seed}${faults.join('\n')}`);
		});
	}

	function startPair(password: string): Promise<ServerPair> {
		// Connections are PINGed until the server answers, with or without a password.
		return ServerPair.start(fleet, oracle, password === '' ? {} : { requirepass: password });
	}
});

async function compare(pair: ServerPair, bytes: string, faults: string[]): Promise<void> {
	const [ours, real] = await Promise.all([exchange(pair.ours.port, bytes), exchange(pair.real.port, bytes)]);
	if (ours === real) return;
	const show = (text: string): string => JSON.stringify(text.length > 400 ? `${text.slice(0, 400)}…` : text);
	faults.push(`\nsent: ${show(bytes)}\nours: ${show(ours)}\nreal: ${show(real)}`);
}

/** Everything that a server answers to `bytes` and the end of the stream; says so if it does not close. */
function exchange(port: number, bytes: string): Promise<string> {
	return new Promise((resolve) => {
		let answer = '';
		const socket = connect(port, '127.0.0.1', () => socket.end(bytes, 'latin1'));
		socket.setTimeout(IDLE_MS_MAX, () => {
			answer += '(stays open)';
			socket.destroy();
		});
		socket.on('data', (chunk) => {
			answer += chunk.toString('latin1');
		});
		// A server that closes while it is still being written to resets the connection: its answer counts.
		socket.on('error', () => socket.destroy());
		socket.on('close', () => resolve(answer));
	});
}
