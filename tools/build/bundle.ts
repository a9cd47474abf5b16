/**
 * Bundles each program that the package installs into one file, `dist/bin/<name>.cjs`, from the compiled
 * modules under `dist/src`. Run by `npm run build`, after the compiler.
 *
 * Why: loading 150 modules took as long as starting Node.js itself. From spawn to PONG, best of 8 on two
 * shared cores, where `node -e 0` takes 70 ms: 258 and 271 ms from the modules, 187 and 200 from one file;
 * CommonJS rather than an ES module saves 10 ms more.
 *
 * - Packages stay outside, and are loaded from node_modules.
 * - Nothing is minified, and comments stay, so that the lines of a stack trace can be read.
 * - `import.meta.url` stays that of the module that says it, under `dist/src`: a path beside a module is
 *   the same path in the bundle. The file of the module itself need not be there.
 */
import { chmodSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, rollup } from '@rollup/wasm-node';

/** This module runs from `dist/tools/build`. */
const ROOT = resolve(fileURLToPath(new URL('../../..', import.meta.url)));
const BIN_FOLDER = join(ROOT, 'dist/bin');

/** The module that each program begins with. */
const ENTRY_MODULES: Readonly<Record<string, string>> = {
	'tsredis-server': 'dist/src/server/tsredis-server.js',
	'tsredis-replay': 'dist/tools/log-replay/tsredis-replay.js',
	'tsredis-check-aof': 'dist/tools/aof-check/tsredis-check-aof.js',
	'tsredis-check-rdb': 'dist/tools/rdb-check/tsredis-check-rdb.js',
};

/** Those that no user starts: the server forks them. */
const INNER_MODULES: Readonly<Record<string, string>> = {
	'tsredis-fold': 'dist/src/snapshot/fold-child.js',
};

const EXECUTABLE_MODE = 0o755;

/** Keeps `import.meta.url` what it is without the bundle; other properties of `import.meta` are not used. */
const keepModuleUrls: Plugin = {
	name: 'keep-module-urls',
	resolveImportMeta(property, { moduleId }) {
		if (property !== 'url') this.error(`import.meta.${property} in ${moduleId} can't be bundled`);
		const path = relative(BIN_FOLDER, moduleId).split(sep).join('/');
		return `new URL(${JSON.stringify(path)}, require('node:url').pathToFileURL(__filename)).href`;
	},
};

async function bundle(name: string, entryModule: string): Promise<void> {
	const file = join(BIN_FOLDER, `${name}.cjs`);
	const build = await rollup({
		input: join(ROOT, entryModule),
		external: (id) => !id.startsWith('.') && !id.startsWith(ROOT),
		plugins: [keepModuleUrls],
		onLog(_level, log) {
			throw new Error(log.message);
		},
	});
	await build.write({ file, format: 'cjs', inlineDynamicImports: true });
	await build.close();
	chmodSync(file, EXECUTABLE_MODE);
}

const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
	readonly bin: Readonly<Record<string, string>>;
};
for (const [name, path] of Object.entries(bin)) {
	const entryModule = ENTRY_MODULES[name];
	if (entryModule === undefined || path !== `dist/bin/${name}.cjs`) {
		throw new Error(`package.json: no entry module is known for the program ${name} (${path})`);
	}
	await bundle(name, entryModule);
}
for (const [name, entryModule] of Object.entries(INNER_MODULES)) await bundle(name, entryModule);
