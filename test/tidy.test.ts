/** The rules of the house that a machine can check: import layers, banned words, file length, public types. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { assert } from 'chai';
import { PROJECT_ROOT } from './support/executables.js';

/** What each room may import besides itself; a room that is missing here is a mistake. */
const LAYERS: Readonly<Record<string, readonly string[]>> = (() => {
	const base: string[] = ['base'];
	const types = base;
	const keyspace = ['types', ...base];
	const log = ['formats', 'protocol', ...base];
	const engine = ['keyspace', 'log', 'types', ...log];
	const commands = ['engine', ...engine];
	const snapshot = ['commands', ...commands];
	const everything = [
		'replication',
		'sentinel',
		'cluster',
		'scripting',
		'acl',
		'pubsub',
		'net',
		'server',
		'cli',
		'snapshot',
		...snapshot,
	];
	return {
		base: [],
		protocol: base,
		formats: base,
		types,
		keyspace,
		log,
		engine,
		commands,
		snapshot,
		replication: ['snapshot', 'engine', ...engine],
		sentinel: ['engine', ...engine],
		cluster: ['engine', ...engine],
		scripting: ['engine', ...engine],
		acl: ['engine', ...engine],
		pubsub: ['engine', ...engine],
		net: ['engine', ...engine],
		server: everything,
		cli: ['protocol', ...base],
		tools: everything.filter((room) => room !== 'net' && room !== 'server').concat('test/support'),
		test: [...everything, 'tools', 'test/support'],
		'test/support': ['protocol', ...base],
	};
})();

/** Drivers: only these may reach for the real clock, randomness and timers. */
const DRIVERS = ['src/base/system-env.ts', 'src/net/', 'src/server/', 'tools/', 'test/'];

const LINES_MAX = 600;
/** Files that may be longer, each with its reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

interface Source {
	/** Path from the root, with slashes. */
	readonly path: string;
	/** The text as it is, and with comments and the contents of string literals blanked. */
	readonly text: string;
	readonly code: string;
}

const LATER_WORDS = new RegExp(['\\bTO' + 'DO', 'FIX' + 'ME', '\\bX' + 'XX\\b'].join('|'));
const CHECKER_OFF = new RegExp('@ts-' + '(ignore|nocheck|expect-error)');
const MACHINE_PATHS = new RegExp(
	['/wo' + 'rk/', '/op' + 't/', '/home' + '/\\w', '/Us' + 'ers/\\w'].join('|'),
);

describe('tidy', () => {
	const sources = [...sourcesUnder('src'), ...sourcesUnder('tools'), ...sourcesUnder('test')];

	it('finds the sources', () => {
		assert.isAbove(sources.length, 10);
	});

	it('imports go downward only', () => {
		const faults: string[] = [];
		for (const source of sources) {
			const room = roomOf(source.path);
			const allowed = LAYERS[room];
			if (allowed === undefined) faults.push(`${source.path}: unknown room ${room}`);
			for (const target of relativeImports(source)) {
				const targetRoom = roomOf(target);
				if (targetRoom === room || allowed?.includes(targetRoom)) continue;
				faults.push(`${source.path} (${room}) imports ${target} (${targetRoom})`);
			}
		}
		assertNone(faults);
	});

	it('no file imports itself in a circle', () => {
		const imports = new Map(sources.map((source) => [source.path, relativeImports(source, true)]));
		const done = new Set<string>();
		const faults: string[] = [];
		const visit = (path: string, trail: readonly string[]): void => {
			if (trail.includes(path)) faults.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
			if (done.has(path) || trail.includes(path)) return;
			for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
			done.add(path);
		};
		for (const source of sources) visit(source.path, []);
		assertNone(faults);
	});

	it('clock, randomness and timers are handed in', () => {
		const banned =
			/\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bperformance\.now\b/;
		assertNone(
			findLines(
				sources.filter((source) => !DRIVERS.some((driver) => source.path.startsWith(driver))),
				// `timers.setTimeout` of the environment, and its declaration, are the way it should be done.
				(line) =>
					banned.test(
						line.replace(/\btimers\.set(Timeout|Interval)\b/g, '').replace(/^\s*set\w+\(fn: .*/, ''),
					),
			),
		);
	});

	it('files are short enough to be read', () => {
		const long = sources.filter(
			(source) => source.text.split('\n').length - 1 > LINES_MAX && !(source.path in LONG_FILES),
		);
		assertNone(long.map((source) => `${source.path}: ${source.text.split('\n').length - 1} lines`));
	});

	it('the list of long files names only long files', () => {
		const isLong = (path: string): boolean =>
			sources.some((source) => source.path === path && source.text.split('\n').length - 1 > LINES_MAX);
		assertNone(Object.keys(LONG_FILES).filter((path) => !isLong(path)));
	});

	it('no `any`', () => {
		assertNone(findLines(sources, (line) => /(:|<|\bas|\||,)\s*any\b(?!['`])/.test(line)));
	});

	it('nothing is left for later, no checker is switched off', () => {
		const isMarked = (line: string): boolean => LATER_WORDS.test(line) || CHECKER_OFF.test(line);
		assertNone(findLines(sources, isMarked, 'text'));
	});

	it('no path of a machine', () => {
		const others = [
			'package.json',
			'package-lock.json',
			'.ci/run',
			'README.md',
			'.npmrc',
			'.mocharc.json',
		].flatMap(readIfThere);
		assertNone(findLines([...sources, ...others], (line) => MACHINE_PATHS.test(line), 'text'));
	});

	it('no default exports and no barrel files', () => {
		const faults = sources.filter(
			(source) =>
				(/^export default\b/m.test(source.code) && source.path !== 'test/support/counting-reporter.ts') ||
				/^export \* from\b/m.test(source.code),
		);
		assertNone(faults.map((source) => source.path));
	});

	it('no mutable state in a module', () => {
		const product = sources.filter((source) => source.path.startsWith('src/'));
		assertNone(findLines(product, (line) => /^(export )?(let|var)\b/.test(line)));
	});

	it('file names are kebab-case', () => {
		assertNone(
			sources.map((source) => source.path).filter((path) => !/^([a-z0-9]+(-[a-z0-9]+)*[./])+ts$/.test(path)),
		);
	});
});

function sourcesUnder(folder: string): Source[] {
	let names: string[];
	try {
		names = readdirSync(join(PROJECT_ROOT, folder), { recursive: true, encoding: 'utf8' });
	} catch {
		return [];
	}
	return names
		.filter((name) => name.endsWith('.ts'))
		.map((name) => [folder, ...name.split(sep)].join('/'))
		.sort()
		.flatMap(readIfThere);
}

function readIfThere(path: string): Source[] {
	try {
		const text = readFileSync(join(PROJECT_ROOT, path), 'utf8');
		return [{ path, text, code: codeOnly(text) }];
	} catch {
		return [];
	}
}

/** Blanks comments and the contents of one-line string literals; line numbers stay. Good enough, not a parser. */
function codeOnly(text: string): string {
	return text
		.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
		.split('\n')
		.map((line) =>
			/^\s*(import|export)\b.*\bfrom\b|^\} from\b|^import '/.test(line)
				? line
				: line.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''").replace(/(^|\s)\/\/.*/, '$1'),
		)
		.join('\n');
}

/** The project files that `source` imports, as paths from the root; without `import type` if asked for values. */
function relativeImports(source: Source, valuesOnly = false): string[] {
	const targets: string[] = [];
	const pattern =
		/^(?:import|export)\b([^;]*?)\bfrom\s+'(\.[^']*)'|^import\s+()'(\.[^']*)'|\bimport\(\s*()'(\.[^']*)'/gm;
	for (const match of source.text.matchAll(pattern)) {
		const clause = match[1] ?? '';
		const specifier = match[2] ?? match[4] ?? match[6] ?? '';
		if (valuesOnly && /^\s+type\b/.test(clause)) continue;
		const target = posix.normalize(posix.join(dirname(source.path).split(sep).join('/'), specifier));
		targets.push(target.replace(/\.js$/, '.ts'));
	}
	return targets;
}

function roomOf(path: string): string {
	if (path.startsWith('test/support/')) return 'test/support';
	const [top, room] = relative('.', path).split(sep);
	return top === 'src' ? String(room) : String(top);
}

function findLines(
	files: readonly Source[],
	isFault: (line: string) => boolean,
	part: 'text' | 'code' = 'code',
): string[] {
	const faults: string[] = [];
	for (const file of files) {
		file[part].split('\n').forEach((line, index) => {
			if (isFault(line)) faults.push(`${file.path}:${index + 1}: ${line.trim()}`);
		});
	}
	return faults;
}

function assertNone(faults: readonly string[]): void {
	assert.isEmpty(faults, `\n${faults.join('\n')}\n`);
}
