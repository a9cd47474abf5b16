/** Schemas under proto/, read at run time. protobufjs is loaded when one is first asked for: a start must not wait. */
import { fileURLToPath } from 'node:url';
import type { Root } from 'protobufjs';

/** Reads `proto/<name>.proto`. Rejects when the file is missing or wrong. */
export async function loadProtoSchema(name: string): Promise<Root> {
	const { default: protobuf } = await import('protobufjs');
	const path = fileURLToPath(new URL(`../../../proto/${name}.proto`, import.meta.url));
	return new protobuf.Root().loadSync(path);
}
