/** The log of a simulated node: its bytes, as far as they are kept, and what the dataset was at each end of a unit. */

/** A dataset with a digest that does not depend on the order of its keys. */
export class SimDataset {
	readonly keys = new Map<string, string>();
	digest = 0;

	apply(args: readonly string[]): void {
		const [name, key = '', value = ''] = args;
		if (name === 'SET') this.put(key, value);
		else if (name === 'DEL') this.remove(key);
	}

	private put(key: string, value: string): void {
		this.remove(key);
		this.keys.set(key, value);
		this.digest ^= hashOf(key, value);
	}

	private remove(key: string): void {
		const old = this.keys.get(key);
		if (old === undefined) return;
		this.keys.delete(key);
		this.digest ^= hashOf(key, old);
	}

	copy(): SimDataset {
		const copy = new SimDataset();
		for (const [key, value] of this.keys) copy.put(key, value);
		return copy;
	}

	toBytes(): Buffer {
		return Buffer.from(JSON.stringify([...this.keys]), 'latin1');
	}

	static fromBytes(bytes: Buffer): SimDataset {
		const dataset = new SimDataset();
		for (const [key, value] of JSON.parse(bytes.toString('latin1')) as [string, string][])
			dataset.put(key, value);
		return dataset;
	}
}

function hashOf(key: string, value: string): number {
	let hash = 2166136261;
	for (const text of [key, '\0', value])
		for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
	return hash ^ (hash >>> 15);
}

export class SimLog {
	/** Position of the first byte that is kept. */
	oldestOffset: number;
	endOffset: number;
	private bytes: Buffer = Buffer.alloc(1024);
	/** Position of byte 0 of `bytes`: they stay there for the checks of the simulation, kept or not. */
	private readonly origin: number;

	constructor(offset: number) {
		this.oldestOffset = offset;
		this.endOffset = offset;
		this.origin = offset;
	}

	append(bytes: Buffer): void {
		const at = this.endOffset - this.origin;
		if (at + bytes.length > this.bytes.length) {
			const grown = Buffer.alloc(2 * (at + bytes.length));
			this.bytes.copy(grown, 0, 0, at);
			this.bytes = grown;
		}
		bytes.copy(this.bytes, at);
		this.endOffset += bytes.length;
	}

	read(offset: number, size: number): Buffer {
		const end = Math.min(this.endOffset, offset + size);
		return this.bytes.subarray(offset - this.origin, end - this.origin);
	}

	/** Forgets what is before `offset`. */
	trim(offset: number): void {
		this.oldestOffset = Math.max(this.oldestOffset, Math.min(offset, this.endOffset));
	}

	/** A crash: what is behind `offset` is lost. */
	cut(offset: number): void {
		this.endOffset = Math.min(this.endOffset, offset);
	}

	/** Whether both logs have the same bytes up to `offset`, as far as both began before it. */
	isSameUpTo(other: SimLog, offset: number): boolean {
		if (offset > this.endOffset || offset > other.endOffset) return false;
		const from = Math.max(this.origin, other.origin);
		if (from >= offset) return true;
		return this.read(from, offset - from).equals(other.read(from, offset - from));
	}
}
