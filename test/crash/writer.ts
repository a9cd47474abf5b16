/**
 * One of the clients of the crash test. It sends writes in pipelines and counts what was acknowledged itself,
 * reply by reply, so that it knows at the moment of a crash what must be there afterwards:
 *
 *     acknowledged <= found <= sent
 *
 * for each of its four series. Its keys are its own, so every value is known exactly:
 *
 * - `incr:<id>`: a counter.
 * - `set:<id>`: overwritten with 1, 2, 3, …
 * - `list:<id>`: 1, 2, 3, … pushed at the tail; nothing missing, nothing twice, nothing out of order.
 * - `left:<id>`, `right:<id>`: both incremented in one MULTI; always equal.
 */
import type { SeededRandom } from '../support/random.js';
import { encodeCommand, type RawClient } from '../support/raw-client.js';
import { parseReply, textsOf } from '../support/reply.js';

const SERIES = ['incr', 'set', 'list', 'pair'] as const;
type Series = (typeof SERIES)[number];
const PIPELINE_MAX = 16;
/** A longer list is deleted after it was checked, so that a long run does not get slower and slower. */
const LIST_LENGTH_MAX = 5000;

export class Writer {
	/** Acknowledged writes since the test began. */
	ackedTotal = 0;
	private readonly id: number;
	private readonly random: SeededRandom;
	private readonly acked: Record<Series, number> = { incr: 0, set: 0, list: 0, pair: 0 };
	private readonly sent: Record<Series, number> = { incr: 0, set: 0, list: 0, pair: 0 };

	constructor(id: number, random: SeededRandom) {
		this.id = id;
		this.random = random;
	}

	/** Writes until the connection ends. Throws if a write is answered by an error. */
	async write(client: RawClient): Promise<void> {
		while (client.closedBecause === undefined) {
			const batch = this.random.times(this.random.between(1, PIPELINE_MAX), () => this.random.pick(SERIES));
			client.send(batch.map((series) => this.encodeNext(series)).join(''));
			for (const series of batch) {
				const isAcked = await this.readReply(client, series);
				if (!isAcked) return;
				this.acked[series]++;
				this.ackedTotal++;
			}
		}
	}

	/** Compares what the restarted server holds with the counts, and goes on from there. Returns the faults. */
	async check(client: RawClient): Promise<string[]> {
		const [incr, set, left, right] = (
			await client.pipeline([
				['GET', `incr:${this.id}`],
				['GET', `set:${this.id}`],
				['GET', `left:${this.id}`],
				['GET', `right:${this.id}`],
			])
		).map((reply) => Number(parseReply(reply).text ?? 0)) as [number, number, number, number];
		const list = textsOf(parseReply(await client.command(['LRANGE', `list:${this.id}`, '0', '-1'])));
		const faults: string[] = [];
		const gap = list.findIndex((element, index) => element !== String(index + 1));
		if (gap >= 0) faults.push(`list:${this.id} has ${list[gap]} at index ${gap}`);
		if (left !== right)
			faults.push(`half a transaction: left:${this.id} is ${left}, right:${this.id} is ${right}`);
		const found: Record<Series, number> = { incr, set, list: list.length, pair: left };
		for (const series of SERIES) {
			if (found[series] < this.acked[series]) {
				faults.push(`${series}:${this.id} lost ${this.acked[series] - found[series]} acknowledged writes`);
			}
			if (found[series] > this.sent[series]) {
				faults.push(`${series}:${this.id} is ${found[series]}, only ${this.sent[series]} were sent`);
			}
			this.acked[series] = found[series];
			this.sent[series] = found[series];
		}
		if (list.length > LIST_LENGTH_MAX) {
			await client.command(['DEL', `list:${this.id}`]);
			this.acked.list = 0;
			this.sent.list = 0;
		}
		return faults;
	}

	private encodeNext(series: Series): string {
		const value = String(++this.sent[series]);
		switch (series) {
			case 'incr':
				return encodeCommand(['INCR', `incr:${this.id}`]);
			case 'set':
				return encodeCommand(['SET', `set:${this.id}`, value]);
			case 'list':
				return encodeCommand(['RPUSH', `list:${this.id}`, value]);
			case 'pair':
				return [['MULTI'], ['INCR', `left:${this.id}`], ['INCR', `right:${this.id}`], ['EXEC']]
					.map(encodeCommand)
					.join('');
		}
	}

	/** Reads the acknowledgement of one write; false if the connection ended before it came. */
	private async readReply(client: RawClient, series: Series): Promise<boolean> {
		const replyCount = series === 'pair' ? 4 : 1;
		for (let index = 0; index < replyCount; index++) {
			let reply: string;
			try {
				reply = await client.reply();
			} catch {
				return false;
			}
			if (reply[0] === '-') throw new Error(`a write of series ${series} was refused: ${reply.trim()}`);
		}
		return true;
	}
}
