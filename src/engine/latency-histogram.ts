/**
 * Durations of a command's calls, in buckets of 1/8 octave: a percentile is off by at most 6 %.
 * Covers 1 microsecond to about an hour in 8 KB at most, allocated at the first call.
 */

const SUB_BUCKET_BITS = 3;
const SUB_BUCKETS = 1 << SUB_BUCKET_BITS;
const BUCKET_COUNT = 32 * SUB_BUCKETS;

function bucketOf(us: number): number {
	if (us < SUB_BUCKETS) return us;
	const octave = 31 - Math.clz32(us);
	return (
		((octave - SUB_BUCKET_BITS + 1) << SUB_BUCKET_BITS) +
		((us >>> (octave - SUB_BUCKET_BITS)) & (SUB_BUCKETS - 1))
	);
}

/** The largest duration, in microseconds, that falls in the bucket. */
function bucketUpperUs(bucket: number): number {
	if (bucket < SUB_BUCKETS) return bucket;
	const shift = (bucket >> SUB_BUCKET_BITS) - 1;
	return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1)) + 1) * 2 ** shift - 1;
}

export class LatencyHistogram {
	readonly #counts = new Uint32Array(BUCKET_COUNT);
	count = 0;

	/** Adds `calls` calls of `us` microseconds each, not negative; what is over 2^31 counts as 2^31. */
	record(us: number, calls = 1): void {
		this.#counts[bucketOf(us > 0x7fffffff ? 0x7fffffff : us | 0)]! += calls;
		this.count += calls;
	}

	/** The duration in microseconds that `percent` of the calls did not exceed; 0 without calls. */
	percentileUs(percent: number): number {
		const rank = Math.max(1, Math.ceil((percent / 100) * this.count));
		let seen = 0;
		for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
			seen += this.#counts[bucket]!;
			if (seen >= rank && this.count > 0) return bucketUpperUs(bucket);
		}
		return 0;
	}
}
