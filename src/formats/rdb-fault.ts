/**
 * Damage in RDB data. The one exception that is thrown for input: the codec is deep and recursive in structure, and a
 * fault ends it wherever it is. It is caught at the boundary of the room that reads (load, RESTORE, the tools), and never
 * reaches a client or the event loop.
 */
export class RdbFault extends Error {
	/**
	 * short: the data end early; damaged: they can't be what they say they are; module: a value of a module, which only
	 * that module can read; unsupported: a version or a type that this codec does not know.
	 */
	readonly kind: 'short' | 'damaged' | 'module' | 'unsupported';
	/** Where it was noticed: bytes from the start of the data. */
	readonly position: number;

	constructor(kind: RdbFault['kind'], message: string, position: number) {
		super(message);
		this.kind = kind;
		this.position = position;
	}
}
