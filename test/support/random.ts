/** A small repeatable random generator (mulberry32): the same seed gives the same program on every machine. */
export class SeededRandom {
	private state: number;

	constructor(seed: number) {
		this.state = seed >>> 0;
	}

	/** A float in [0, 1). */
	float(): number {
		this.state = (this.state + 0x6d2b79f5) >>> 0;
		let mixed = this.state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	}

	/** An integer in [0, bound). */
	below(bound: number): number {
		return Math.floor(this.float() * bound);
	}

	/** An integer in [min, max]. */
	between(min: number, max: number): number {
		return min + this.below(max - min + 1);
	}

	/** True with the given probability. */
	chance(probability: number): boolean {
		return this.float() < probability;
	}

	/** One of the elements. */
	pick<T>(elements: readonly T[]): T {
		return elements[this.below(elements.length)] as T;
	}

	/** `count` values of `make`. */
	times<T>(count: number, make: () => T): T[] {
		return Array.from({ length: count }, make);
	}
}
