/** Why what was asked for can't be given; the message is for the user. */
export class ReplayFault extends Error {
	/**
	 * log: it can't be read, or is damaged; position: it does not reach to what was asked for; output: the file can't be
	 * written.
	 */
	readonly kind: 'log' | 'position' | 'output';

	constructor(kind: ReplayFault['kind'], message: string) {
		super(message);
		this.kind = kind;
	}
}
