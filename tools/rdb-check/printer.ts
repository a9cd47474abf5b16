/** Lines on standard output, gathered into large writes. Byte strings: one character is one byte. */

const WRITE_SIZE = 64 * 1024;

export class Printer {
	/** Called before something is written. */
	beforeLine: () => void = () => undefined;
	private readonly print: (text: string) => void;
	private text = '';

	constructor(print: (text: string) => void) {
		this.print = print;
	}

	line(text: string): void {
		this.text += text + '\n';
		if (this.text.length > WRITE_SIZE) this.flush();
	}

	/** A line with the offset that it is about, as redis-check-rdb prints it. */
	info(position: number, text: string): void {
		this.line(`[offset ${position}] ${text}`);
	}

	flush(): void {
		if (this.text === '') return;
		this.beforeLine();
		this.print(this.text);
		this.text = '';
	}
}
