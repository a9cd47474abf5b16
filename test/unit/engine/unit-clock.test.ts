import { assert } from 'chai';
import { UnitClock } from '../../../src/engine/unit-clock.js';

/** A wall clock of whole milliseconds that is `aheadUs` ahead of a monotonic one, both moved by hand. */
class Hand {
	us = 5_000_123;
	aheadUs = 1_700_000_000_000_777;
	readonly clock = {
		nowMs: () => Math.floor((this.us + this.aheadUs) / 1000),
		nowUs: () => this.us + this.aheadUs,
		monotonicUs: () => this.us,
	};
}

describe('UnitClock', () => {
	it('comes to tell the very millisecond', () => {
		const hand = new Hand();
		const clock = new UnitClock(hand.clock);
		for (let look = 0; look < 50; look++) {
			hand.us += 100_337;
			clock.read();
			assert.isAtMost(Math.abs(clock.wallMs - hand.clock.nowMs()), 1);
		}
		for (let at = 0; at < 300; at++) {
			hand.us += 331;
			clock.read();
			if ((hand.us + hand.aheadUs) % 1000 > 50) assert.equal(clock.wallMs, hand.clock.nowMs());
		}
	});

	it('follows a wall clock that is set, forward and back', () => {
		const hand = new Hand();
		const clock = new UnitClock(hand.clock);
		for (const stepUs of [3_600_000_000, -7_200_000_000]) {
			hand.aheadUs += stepUs;
			hand.us += 100_001;
			clock.read();
			assert.isAtMost(Math.abs(clock.wallMs - hand.clock.nowMs()), 1);
		}
	});
});
