/**
 * Which servers the tests and the benchmark start.
 *
 * - Ours: `dist/src/server/tsredis-server.js` under this Node, with the heap
 *   option of `npm start`; or the executable that `TSREDIS_SERVER` names.
 * - The real one, the oracle: the executable that `REDIS_SERVER` names, or the
 *   `redis-server` found in PATH.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** How a server is started: the program, and the arguments that come before the server's own. */
export interface ServerExecutable {
	readonly name: string;
	readonly file: string;
	readonly args: readonly string[];
}

/** The root folder of the checkout: this module runs from `dist/test/support`. */
export const PROJECT_ROOT = resolve(fileURLToPath(new URL('../../..', import.meta.url)));

/** Ours, as `npm start` runs it. */
export function ourServer(): ServerExecutable {
	const override = process.env.TSREDIS_SERVER;
	if (override !== undefined && override !== '' && !override.endsWith('.js')) {
		return { name: 'tsredis', file: override, args: [] };
	}
	const script = override || join(PROJECT_ROOT, 'dist/src/server/tsredis-server.js');
	return { name: 'tsredis', file: process.execPath, args: ['--max-semi-space-size=64', script] };
}

/** The real server; undefined if this machine has none. */
export function realServer(): ServerExecutable | undefined {
	const override = process.env.REDIS_SERVER;
	const file = override ? override : findInPath('redis-server');
	return file === undefined || !isExecutable(file) ? undefined : { name: 'redis', file, args: [] };
}

/** A version as a number that compares: 7.2.6 is 70206. */
export type VersionNumber = number;

/** The version that `redis-server --version` prints. Throws if it prints none. */
export function serverVersion(executable: ServerExecutable): VersionNumber {
	const text = execFileSync(executable.file, [...executable.args, '--version'], { encoding: 'latin1' });
	const match = /v=(\d+)\.(\d+)\.(\d+)/.exec(text);
	if (match === null) throw new Error(`no version in: ${text}`);
	return Number(match[1]) * 10_000 + Number(match[2]) * 100 + Number(match[3]);
}

/** The full path of the program `name`; undefined if no folder of PATH has it. */
export function findInPath(name: string): string | undefined {
	for (const folder of (process.env.PATH ?? '').split(delimiter)) {
		const file = join(folder, name);
		if (folder !== '' && isExecutable(file)) return file;
	}
	return undefined;
}

function isExecutable(file: string): boolean {
	try {
		accessSync(file, constants.X_OK);
		return statSync(file).isFile();
	} catch {
		return false;
	}
}
