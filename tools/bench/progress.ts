/** A bar on standard error while it is a terminal; nothing otherwise. */
export class Progress {
	private readonly stepCount: number;
	private readonly startMs = Date.now();
	private doneCount = 0;

	constructor(stepCount: number) {
		this.stepCount = stepCount;
	}

	/** Shows what is being done now. */
	show(label: string): void {
		if (!process.stderr.isTTY) return;
		const width = 30;
		const filled = Math.round((width * this.doneCount) / this.stepCount);
		const bar = '#'.repeat(filled) + '-'.repeat(width - filled);
		process.stderr.write(`\r\x1b[K[${bar}] ${this.doneCount}/${this.stepCount} ${label}${this.remaining()}`);
	}

	/** One step is done. */
	advance(): void {
		this.doneCount++;
	}

	/** Takes the bar away. */
	clear(): void {
		if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
	}

	private remaining(): string {
		if (this.doneCount === 0) return '';
		const secondsEach = (Date.now() - this.startMs) / 1000 / this.doneCount;
		const seconds = Math.round(secondsEach * (this.stepCount - this.doneCount));
		return `, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`;
	}
}
