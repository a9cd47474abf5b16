/** The template of the process title (`proc-title-template`): text with `{variable}` in it. */

export interface ProcTitleValues {
	readonly title: string;
	/** Such as `*:6379`, or the Unix socket. */
	readonly listenAddress: string;
	/** ` [cluster]`, ` [sentinel]` or nothing. */
	readonly serverMode: string;
	readonly port: number;
	readonly tlsPort: number;
	readonly unixsocket: string;
	readonly configFile: string;
}

type Variable = (values: ProcTitleValues) => string;

const VARIABLES: ReadonlyMap<string, Variable> = new Map<string, Variable>([
	['title', (values) => values.title],
	['listen-addr', (values) => values.listenAddress],
	['server-mode', (values) => values.serverMode],
	['port', (values) => String(values.port)],
	['tls-port', (values) => String(values.tlsPort)],
	['unixsocket', (values) => values.unixsocket],
	['config-file', (values) => values.configFile],
]);

/** The pieces of a template; undefined if it is malformed, names an unknown variable, or is blank. */
export function parseProcTitle(template: string): ReadonlyArray<string | Variable> | undefined {
	const pieces: Array<string | Variable> = [];
	let at = 0;
	while (at < template.length) {
		const open = template.indexOf('{', at);
		if (open < 0) {
			pieces.push(template.slice(at));
			break;
		}
		pieces.push(template.slice(at, open));
		// `{{` stands for a brace.
		if (template.charAt(open + 1) === '{') {
			pieces.push('{');
			at = open + 2;
			continue;
		}
		const close = template.indexOf('}', open);
		const variable = close < 0 ? undefined : VARIABLES.get(template.slice(open + 1, close));
		if (variable === undefined) return undefined;
		pieces.push(variable);
		at = close + 1;
	}
	const blank = pieces.every((piece) => typeof piece === 'string' && piece.trim() === '');
	return blank ? undefined : pieces;
}

/** The title, or '' if the template is not valid. */
export function expandProcTitle(template: string, values: ProcTitleValues): string {
	const pieces = parseProcTitle(template) ?? [];
	return pieces
		.map((piece) => (typeof piece === 'string' ? piece : piece(values)))
		.join('')
		.trim();
}
