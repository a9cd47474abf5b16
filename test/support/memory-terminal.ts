/** A terminal for tests of the tools: keeps what is printed, and answers from a list. */
export class MemoryTerminal {
	output = '';
	private readonly answers: boolean[];

	/** `answers` to questions, in order; then no. */
	constructor(...answers: boolean[]) {
		this.answers = answers;
	}

	print(text: string): void {
		this.output += text;
	}

	confirm(question: string): boolean {
		this.output += question;
		return this.answers.shift() ?? false;
	}

	/** What was printed, without the lines that begin with two blanks. */
	get plainOutput(): string {
		return this.output.replace(/^ {2}.*\n/gm, '');
	}
}
