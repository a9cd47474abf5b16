/** The clock of a simulation: what is to happen, in the order of its time. */

interface Due {
	readonly atMs: number;
	readonly order: number;
	readonly run: () => void;
}

export class SimClock {
	nowMs = 0;
	private readonly heap: Due[] = [];
	private order = 0;

	after(delayMs: number, run: () => void): void {
		this.push({ atMs: this.nowMs + delayMs, order: this.order++, run });
	}

	/** Lets everything happen that is due before `endMs`. */
	runUntil(endMs: number): void {
		while (this.heap.length > 0 && this.heap[0]!.atMs <= endMs) {
			const due = this.pop();
			this.nowMs = due.atMs;
			due.run();
		}
		this.nowMs = endMs;
	}

	private push(due: Due): void {
		const { heap } = this;
		let i = heap.push(due) - 1;
		while (i > 0) {
			const parent = (i - 1) >> 1;
			if (!isBefore(due, heap[parent]!)) break;
			heap[i] = heap[parent]!;
			i = parent;
		}
		heap[i] = due;
	}

	private pop(): Due {
		const { heap } = this;
		const top = heap[0]!;
		const last = heap.pop()!;
		let i = 0;
		if (heap.length === 0) return top;
		for (;;) {
			let child = 2 * i + 1;
			if (child >= heap.length) break;
			if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
			if (!isBefore(heap[child]!, last)) break;
			heap[i] = heap[child]!;
			i = child;
		}
		heap[i] = last;
		return top;
	}
}

function isBefore(a: Due, b: Due): boolean {
	return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
