/** Why a snapshot can't be folded. Thrown within the fold, and caught where it is driven. */
export class FoldFault extends Error {
	/** What it is to be made from is damaged, or is not what the server has taken it for. */
	readonly sourceIsDamaged: boolean;

	constructor(message: string, sourceIsDamaged: boolean) {
		super(message);
		this.sourceIsDamaged = sourceIsDamaged;
	}
}
