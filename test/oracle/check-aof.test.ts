/**
 * `tsredis-check-aof` against redis-check-aof: the same lines, the same exit code and the same file afterwards, for
 * every truncation and for a flipped bit in every byte of a file, and for logs of several files.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from 'chai';
import { aofEntryBytes } from '../../src/formats/aof-entry.js';
import { LogCheck, NO_CATALOG } from '../../tools/aof-check/check-log.js';
import { ProgressBar } from '../../tools/support/progress-bar.js';
import { findInPath, type VersionNumber } from '../support/executables.js';
import { MemoryTerminal } from '../support/memory-terminal.js';
import { type Oracle, requireOracle } from '../support/oracle-server.js';
import { ServerFleet, sleep } from '../support/server-process.js';

const SOUND = [
	aofEntryBytes(['SELECT', '0']),
	aofEntryBytes(['SET', 'a', 'hello']),
	aofEntryBytes(['MULTI']),
	aofEntryBytes(['INCR', 'x']),
	aofEntryBytes(['EXEC']),
	Buffer.from('#TS:1628217470\r\n'),
	aofEntryBytes(['set', 'long', 'y'.repeat(120)]),
	Buffer.from('#TS:1628217475\r\n'),
	aofEntryBytes(['PING']),
];
const FILE = Buffer.concat(SOUND);

interface Outcome {
	readonly output: string;
	readonly exitCode: number;
	readonly files: Readonly<Record<string, string>>;
}

interface CheckRequest {
	readonly fix?: boolean;
	readonly toTimestamp?: number;
	readonly answer?: boolean;
}

describe('oracle: check-aof', function () {
	this.timeout(120_000);
	const fleet = new ServerFleet();
	let realTool: string;
	let oracle: Oracle;
	let version: VersionNumber;
	let folder: string;
	before(function () {
		oracle = requireOracle(this);
		version = oracle.version;
		const beside = join(dirname(oracle.executable.file), 'redis-check-aof');
		const found = findInPath('redis-check-aof');
		realTool = spawnSync(beside).error === undefined ? beside : (found ?? '');
		if (realTool === '') this.skip();
		folder = fleet.folder();
	});
	after(() => fleet.close());

	function write(files: Readonly<Record<string, Buffer | string>>): void {
		rmSync(folder, { recursive: true, force: true });
		mkdirSync(folder);
		for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
	}

	function filesNow(): Record<string, string> {
		const files: Record<string, string> = {};
		for (const name of readdirSync(folder)) {
			if (!name.includes('.before-fix')) files[name] = readFileSync(join(folder, name), 'latin1');
		}
		return files;
	}

	function runReal(path: string, { fix, toTimestamp, answer }: CheckRequest): Outcome {
		const args = fix ? ['--fix'] : toTimestamp ? ['--truncate-to-timestamp', String(toTimestamp)] : [];
		const input = answer ? 'y\n' : 'n\n';
		const env = { ...process.env, LC_ALL: 'C' };
		const run = spawnSync(realTool, [...args, path], { encoding: 'latin1', input, env });
		return { output: run.stdout, exitCode: run.status ?? -1, files: filesNow() };
	}

	function runOurs(path: string, { fix, toTimestamp, answer }: CheckRequest): Outcome {
		const terminal = new MemoryTerminal(answer ?? false);
		const options = { fix: fix ?? false, toTimestamp: toTimestamp ?? 0, catalog: NO_CATALOG };
		const check = new LogCheck({ ...options, terminal, progress: new ProgressBar() });
		const exitCode = check.check(path) ? 0 : 1;
		return { output: terminal.plainOutput, exitCode, files: filesNow() };
	}

	/**
	 * What differs by nature: bytes that C has left in a buffer; the clock of a log line; and in Redis 7.0, that a base
	 * is called by its name without the folder.
	 */
	function comparable({ output, exitCode, files }: Outcome): Outcome {
		const text = output
			.replace(/got: 00[0-9a-f]*/g, 'got: 00')
			.replace(/^\d+:C .*? # /gm, '')
			.replace(/(RDB file ).*\//g, '$1');
		return { output: text, exitCode, files };
	}

	function assertSame(
		files: Readonly<Record<string, Buffer | string>>,
		name: string,
		request: CheckRequest = {},
	): void {
		const path = join(folder, name);
		write(files);
		const real = runReal(path, request);
		write(files);
		assert.deepEqual(comparable(runOurs(path, request)), comparable(real));
	}

	it('every truncation of a file', () => {
		for (let size = 0; size <= FILE.length; size++) {
			const cut = FILE.subarray(0, size);
			// A torn annotation is sound to redis-check-aof, and not to us.
			if (/#[^\n]*$/.test(cut.latin1Slice())) continue;
			assertSame({ 'f.aof': cut }, 'f.aof');
		}
	});

	it('a flipped bit in every byte of a file', () => {
		for (let at = 0; at < FILE.length; at++) {
			const changed = Buffer.from(FILE);
			changed[at]! ^= 1 << (at % 8);
			// A command without arguments, too.
			if (/\*0\r\n/.test(changed.latin1Slice())) continue;
			assertSame({ 'f.aof': changed }, 'f.aof');
		}
	});

	it('strange headers', () => {
		for (const header of [
			'$ x',
			'$+4',
			'$-3',
			'$99999999999999999999',
			'$',
			'$3x',
			'$\x003',
			'3',
			'$\xff',
			'!',
		]) {
			const text = `*2\r\n$3\r\nGET\r\n${header}\r\nabc\r\n`;
			assertSame({ 'f.aof': Buffer.from(FILE.latin1Slice() + text + 'more', 'latin1') }, 'f.aof');
		}
	});

	it('transactions that do not close, or nest', () => {
		const [multi, exec, ping] = [['MULTI'], ['exec'], ['PING']].map(aofEntryBytes) as [
			Buffer,
			Buffer,
			Buffer,
		];
		for (const parts of [
			[multi],
			[multi, ping],
			[multi, multi],
			[exec],
			[ping, exec, ping],
			[multi, ping, SOUND[5]!],
		]) {
			assertSame({ 'f.aof': Buffer.concat([FILE, ...parts]) }, 'f.aof');
		}
	});

	it('--fix, confirmed and not', () => {
		for (const answer of [true, false]) {
			for (const cutSize of [0, 1, 5, 40, 200]) {
				assertSame({ 'f.aof': FILE.subarray(0, FILE.length - cutSize) }, 'f.aof', { fix: true, answer });
			}
		}
	});

	it('--truncate-to-timestamp', () => {
		for (const toTimestamp of [1, 1628217469, 1628217470, 1628217474, 1628217475, 1628217476]) {
			assertSame({ 'f.aof': FILE }, 'f.aof', { toTimestamp });
			assertSame({ 'f.aof': Buffer.concat([FILE, Buffer.from('!')]) }, 'f.aof', { toTimestamp });
			assertSame({ 'f.aof': Buffer.concat([SOUND[5]!, FILE]) }, 'f.aof', { toTimestamp });
		}
		assertSame({ 'f.aof': Buffer.concat([FILE, Buffer.from('#TS:soon\r\n')]) }, 'f.aof', {
			toTimestamp: 1628217500,
		});
	});

	it('logs of several files', () => {
		const manifest =
			'file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n';
		const sound = {
			'a.manifest': manifest,
			'a.1.base.aof': FILE,
			'a.1.incr.aof': FILE,
			'a.2.incr.aof': FILE,
		};
		const torn = FILE.subarray(0, FILE.length - 7);
		assertSame(sound, 'a.manifest');
		assertSame({ ...sound, 'a.2.incr.aof': '' }, 'a.manifest');
		for (const name of ['a.1.base.aof', 'a.1.incr.aof', 'a.2.incr.aof']) {
			for (const fix of [false, true])
				assertSame({ ...sound, [name]: torn }, 'a.manifest', { fix, answer: true });
			assertSame({ ...sound, [name]: torn }, name, { fix: true, answer: true });
		}
		assertSame(sound, 'a.manifest', { toTimestamp: 1628217471 });
		assertSame({ 'a.manifest': manifest, 'a.1.base.aof': FILE }, 'a.manifest');
		for (const line of [
			'!!!\n',
			'file a.1.base.aof seq 1 type b\n',
			'file b seq 1 type i\n',
			'file x/y seq 3 type i\n',
		]) {
			assertSame({ ...sound, 'a.manifest': manifest + line }, 'a.manifest');
		}
		assertSame({ ...sound, 'a.manifest': `# a comment\n${manifest}` }, 'a.manifest');
		// Redis 7.0 takes it for a manifest.
		if (version >= 70_200) assertSame({ ...sound, 'a.manifest': `none\n${manifest}` }, 'a.manifest');
	});

	it('a base in RDB format, and a single file that begins with one', async () => {
		const server = await fleet.start({ executable: oracle.executable, options: { appendonly: 'yes' } });
		const client = await server.connect();
		await client.command(['SET', 'a', 'x'.repeat(100), 'PXAT', '1']);
		await client.command(['RPUSH', 'list', '1', 'two']);
		await client.command(['SET', 'later', '1', 'EX', '1000']);
		await client.command(['BGREWRITEAOF']);
		const place = join(server.dir, 'appendonlydir');
		const rewritten = (): boolean => readdirSync(place).includes('appendonly.aof.2.base.rdb');
		for (let i = 0; i < 500 && !rewritten(); i++) await sleep(10);
		await client.command(['SELECT', '3']);
		await client.command(['SET', 'b', 'y']);
		await server.stop();
		const files: Record<string, Buffer> = {};
		for (const name of readdirSync(place)) files[name] = readFileSync(join(place, name));
		assertSame(files, 'appendonly.aof.manifest');
		const base = files['appendonly.aof.2.base.rdb']!;
		assertSame({ 'f.aof': Buffer.concat([base, FILE]) }, 'f.aof');
		assertSame({ 'f.aof': Buffer.concat([base, FILE.subarray(0, 30)]) }, 'f.aof', {
			fix: true,
			answer: true,
		});
		assertSame({ ...files, 'appendonly.aof.2.base.rdb': base.subarray(0, -3) }, 'appendonly.aof.manifest');
		assertSame(
			{ ...files, 'appendonly.aof.2.base.rdb': Buffer.concat([base, FILE]) },
			'appendonly.aof.manifest',
		);
	});

	it('nothing there', () => {
		assertSame({}, 'f.aof');
	});
});
