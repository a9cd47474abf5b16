/**
 * A hundred thousand damaged frames, over many connections at once: whatever comes, the server answers with an
 * error or closes that connection, goes on serving others throughout, and does not grow without end.
 * `FUZZ_FRAMES` sets the number, `FUZZ_SEED` repeats a run.
 */
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { SeededRandom } from '../support/random.js';
import type { RawClient } from '../support/raw-client.js';
import { parseReply } from '../support/reply.js';
import { ServerFleet, type ServerProcess, sleep } from '../support/server-process.js';
import { mutatedFrame } from './fuzz-frames.js';

const FRAME_COUNT = Number(process.env.FUZZ_FRAMES ?? 100_000);
const CONNECTION_COUNT = 20;
/** Frames on one connection before it is given up for a new one, if the server has not closed it before. */
const FRAMES_PER_CONNECTION_MAX = 30;
/** Frames that go out in one write; few, since what follows a protocol error is not looked at. */
const BURST_MAX = 4;
const BURST_PAUSE_MS = 1;
const PING_MS_MAX = 2000;
const GROWTH_BYTES_MAX = 200 * 1024 * 1024;

describe('fuzz: damaged frames', function () {
	this.timeout(120_000 + FRAME_COUNT * 5);
	const fleet = new ServerFleet();
	let server: ServerProcess;
	before(async () => {
		server = await fleet.start({ executable: ourServer(), options: { 'enable-debug-command': 'no' } });
	});
	after(() => fleet.close());

	it(`${FRAME_COUNT} of them, and PING is answered throughout`, async () => {
		const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
		console.log(`      FUZZ_SEED=${seed}`);
		const random = new SeededRandom(seed);
		const healthy = await server.connect();
		const before = await describeProcess(healthy);
		let sentCount = 0;
		let closedCount = 0;
		let isOver = false;
		let pingCount = 0;

		const pinging = (async () => {
			while (!isOver) {
				const answer = await Promise.race([healthy.command(['PING']), sleep(PING_MS_MAX)]);
				assert.equal(answer, '+PONG\r\n', `after ${sentCount} frames, seed ${seed}`);
				pingCount++;
				await sleep(5);
			}
		})();
		const attack = async (): Promise<void> => {
			while (sentCount < FRAME_COUNT) {
				const client = await server.connect();
				for (let sent = 0; sent < FRAMES_PER_CONNECTION_MAX && client.closedBecause === undefined; ) {
					const burst = random.times(random.between(1, BURST_MAX), () => mutatedFrame(random));
					sent += burst.length;
					sentCount += burst.length;
					client.send(burst.join(''));
					await Promise.race([client.closed, sleep(BURST_PAUSE_MS)]);
				}
				if (client.closedBecause !== undefined) closedCount++;
				assert.notMatch(client.closedBecause?.message ?? '', /not a reply/, `seed ${seed}`);
				client.destroy();
			}
		};
		const attacks = Promise.all(Array.from({ length: CONNECTION_COUNT }, attack)).finally(() => {
			isOver = true;
		});
		await Promise.all([attacks, pinging]);

		const after = await describeProcess(healthy);
		assert.isFalse(server.hasExited, server.log.slice(-2000));
		assert.equal(after.runId, before.runId, 'another process answers');
		assert.isBelow(after.residentBytes - before.residentBytes, GROWTH_BYTES_MAX, 'resident memory grew');
		assert.isAbove(pingCount, 10);
		assert.isAbove(closedCount, 10, 'hardly a protocol error among all these');
		healthy.destroy();
	});

	it('still does what it is for', async () => {
		const client = await server.connect();
		assert.equal(await client.command(['SET', 'after the fuzz', '1']), '+OK\r\n');
		assert.equal(await client.command(['INCR', 'after the fuzz']), ':2\r\n');
		client.destroy();
	});
});

async function describeProcess(client: RawClient): Promise<{ runId: string; residentBytes: number }> {
	const text = parseReply(await client.command(['INFO', 'everything'])).text ?? '';
	const runId = /run_id:(\w+)/.exec(text)?.[1] ?? '';
	const residentBytes = Number(/used_memory_rss:(\d+)/.exec(text)?.[1] ?? 0);
	return { runId, residentBytes };
}
