/**
 * A bar for long work with bytes or entries, on standard error while that is a terminal, and nothing otherwise:
 * `[#####-----] 48% reading appendonly.aof.1.incr.aof, 0:12 left`.
 */

const WIDTH = 30;
const REDRAW_MS_MIN = 100;
/** Work that takes less is done before a bar could be read. */
const QUIET_MS = 400;

export class ProgressBar {
	private label = '';
	private startMs = 0;
	private drawnMs = 0;
	private isShown = false;

	/**
	 * `done` of `total` is done; `label` says what is under way, another one begins anew. Cheap enough for every
	 * block of a file.
	 */
	update(done: number, total: number, label: string): void {
		if (!process.stderr.isTTY) return;
		const nowMs = Date.now();
		if (label !== this.label) {
			this.label = label;
			this.startMs = nowMs;
		}
		if (nowMs - this.startMs < QUIET_MS || nowMs - this.drawnMs < REDRAW_MS_MIN) return;
		this.drawnMs = nowMs;
		this.isShown = true;
		const share = total <= 0 ? 1 : Math.min(1, done / total);
		const filled = Math.round(WIDTH * share);
		const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled);
		process.stderr.write(
			`\r\x1b[K[${bar}] ${Math.floor(share * 100)}% ${label}${this.remaining(share, nowMs)}`,
		);
	}

	/** Takes the bar away; call it before anything else is printed, and at the end. */
	clear(): void {
		if (!this.isShown) return;
		this.isShown = false;
		process.stderr.write('\r\x1b[K');
	}

	private remaining(share: number, nowMs: number): string {
		if (share < 0.01) return '';
		const seconds = Math.round(((nowMs - this.startMs) / 1000 / share) * (1 - share));
		return `, ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} left`;
	}
}
