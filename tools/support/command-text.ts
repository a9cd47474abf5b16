/** Commands as they are shown to people. */
import { quoteRepr } from '../../src/base/quote.js';

const ARG_COUNT_MAX = 8;
const ARG_BYTES_MAX = 48;

/** A command on one line, arguments quoted, long ones and many of them cut short. */
export function commandText(args: readonly string[]): string {
	const shown = args.slice(0, ARG_COUNT_MAX).map((arg) => {
		if (arg.length <= ARG_BYTES_MAX) return quoteRepr(arg);
		return `${quoteRepr(arg.slice(0, ARG_BYTES_MAX))}... (${arg.length} bytes)`;
	});
	if (args.length > ARG_COUNT_MAX) shown.push(`... (${args.length} arguments)`);
	return shown.join(' ');
}
