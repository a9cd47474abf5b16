/** The catalog and the origins beside the log of a running server. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import type { AofManifest } from '../../src/formats/aof-manifest.js';
import { openCatalogCopy } from '../../src/log/catalog-reader.js';
import { LogFolder, type LogNames } from '../../src/log/log-folder.js';
import { nodeLogFs } from '../../src/log/log-fs.js';
import { historyInfos } from '../../src/log/log-history.js';
import { type EntryOrigin, readOrigins } from '../../src/log/origins-reader.js';
import { ourServer } from '../support/executables.js';
import { logEntries } from '../support/log-entries.js';
import { ServerFleet, type ServerProcess, sleep } from '../support/server-process.js';

const INCREMENTAL = 'appendonlydir/appendonly.aof.1.incr.aof';

function namesOf(server: ServerProcess): LogNames {
	return { dir: server.dir, folderName: 'appendonlydir', fileName: 'appendonly.aof' };
}

function manifestOf(names: LogNames): AofManifest {
	const fs = nodeLogFs();
	const folder = new LogFolder(fs, names);
	folder.readManifest();
	return { ...folder.manifest, history: historyInfos(fs, names) };
}

/** Who wrote the entry that reads so, in the first incremental file. */
function originOf(server: ServerProcess, command: string): EntryOrigin | undefined {
	const names = namesOf(server);
	const origins = readOrigins(names, manifestOf(names), 0, Number.MAX_SAFE_INTEGER);
	const content = readFileSync(join(server.dir, INCREMENTAL), 'latin1');
	const args = command.split(' ');
	const text = `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;
	const position = content.indexOf(text);
	assert.isAtLeast(position, 0, `${command} is not in the log`);
	return origins.at(position);
}

describe('wire: catalog and origins of the log', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	after(() => fleet.close());

	const start = (dir?: string, extra = {}): Promise<ServerProcess> =>
		fleet.start({
			executable: ourServer(),
			options: { appendonly: 'yes', ...extra },
			...(dir === undefined ? {} : { dir }),
		});

	it('says which client wrote an entry and when, before and after a crash', async () => {
		const server = await start();
		const beganMs = Date.now();
		const alice = await server.connect();
		const bob = await server.connect();
		await alice.command(['CLIENT', 'SETNAME', 'alice']);
		await bob.command(['CLIENT', 'SETNAME', 'bob']);
		await alice.command(['SET', 'a', '1']);
		await bob.command(['SET', 'b', '1']);
		await bob.command(['SET', 'short', 'x', 'PX', '50']);
		await alice.pipeline([['MULTI'], ['INCR', 'a'], ['INCR', 'b'], ['EXEC']]);
		await alice.command(['CLIENT', 'SETNAME', 'carol']);
		await alice.command(['FLUSHALL']);
		await sleep(1500);
		assert.deepInclude(originOf(server, 'SET a 1'), { kind: 'client', name: 'alice', user: 'default' });
		assert.deepInclude(originOf(server, 'SET b 1'), { kind: 'client', name: 'bob' });
		assert.deepInclude(originOf(server, 'INCR b'), { kind: 'client', name: 'alice' });
		const flush = originOf(server, 'FLUSHALL');
		assert.equal(flush?.name, 'carol');
		assert.match(flush?.address ?? '', /^127\.0\.0\.1:\d+$/);
		assert.isAtLeast(flush?.timeMs ?? 0, beganMs - 1);
		assert.isAtMost(flush?.timeMs ?? 0, Date.now());
		await server.kill();

		const again = await start(server.dir);
		const dave = await again.connect();
		await dave.command(['CLIENT', 'SETNAME', 'dave']);
		await dave.command(['SET', 'gone', 'x', 'PX', '1']);
		await sleep(300);
		await dave.command(['SET', 'd', '1']);
		await again.stop();
		assert.equal(originOf(again, 'SET d 1')?.name, 'dave');
		assert.equal(originOf(again, 'DEL gone')?.kind, 'expire');
		assert.equal(originOf(again, 'FLUSHALL')?.name, 'carol');
		assert.equal(originOf(again, 'INCR b')?.name, 'alice');
		assert.isAbove(logEntries(server.dir).length, 10);
	});

	it('writes none with log-origins no, which can be switched', async () => {
		const server = await start(undefined, { 'log-origins': 'no' });
		const client = await server.connect();
		await client.command(['SET', 'a', '1']);
		await client.command(['CONFIG', 'SET', 'log-origins', 'yes']);
		await client.command(['SET', 'b', '1']);
		await client.command(['CONFIG', 'SET', 'log-origins', 'no']);
		await client.command(['SET', 'c', '1']);
		assert.include(await client.command(['INFO', 'persistence']), 'log_origins:off');
		await server.stop();
		assert.isUndefined(originOf(server, 'SET a 1'));
		assert.equal(originOf(server, 'SET b 1')?.kind, 'client');
		assert.isUndefined(originOf(server, 'SET c 1'));
	});

	it('finds a place in the log of a running server by time', async () => {
		const server = await start();
		const client = await server.connect();
		await client.command(['SET', 'early', '1']);
		await sleep(2500);
		const betweenMs = Date.now();
		await client.command(['SET', 'late', '1']);
		await sleep(2500);
		const reader = await openCatalogCopy(namesOf(server));
		if (reader === undefined) assert.fail('no catalog');
		const content = readFileSync(join(server.dir, INCREMENTAL), 'latin1');
		const early = await reader.seekTime(betweenMs - 1000);
		const late = await reader.seekTime(Date.now());
		assert.equal(early?.position, 0);
		assert.isAbove(late?.position ?? 0, 0);
		assert.include(content.slice(late?.position), 'late');
		assert.notInclude(content.slice(late?.position), 'early');
		await reader.close();
		assert.include(await client.command(['INFO', 'persistence']), 'log_catalog:ok');
	});

	it('does not serve a log whose bytes have changed, until it is told to', async () => {
		const server = await start();
		const client = await server.connect();
		await client.pipeline(Array.from({ length: 1000 }, (_, i) => ['SET', `key:${i}`, 'value'.repeat(20)]));
		await server.stop();
		const path = join(server.dir, INCREMENTAL);
		const content = readFileSync(path);
		const position = content.indexOf('valuevalue', 50_000) + 3;
		content[position]! ^= 0x20;
		writeFileSync(path, content);
		const refused = await fleet.start({
			executable: ourServer(),
			options: { appendonly: 'yes' },
			dir: server.dir,
			noWait: true,
		});
		await refused.exited;
		assert.equal(refused.child.exitCode, 1);
		assert.include(refused.log, `the byte at position ${position} has changed, its bits differ by 0x20`);
		assert.isTrue(readFileSync(path).equals(content));
		rmSync(join(server.dir, 'appendonlydir/appendonly.aof.catalog'), { recursive: true });
		const again = await start(server.dir);
		const late = await again.connect();
		assert.equal(await late.command(['DBSIZE']), ':1000\r\n');
		await again.stop();
		assert.isTrue(existsSync(join(server.dir, 'appendonlydir/appendonly.aof.catalog')));
	});

	it('keeps to the history what belongs to it', async () => {
		const server = await start();
		const client = await server.connect();
		await client.command(['SET', 'a', '1']);
		await client.command(['BGREWRITEAOF']);
		for (let i = 0; i < 200; i++) {
			await sleep(50);
			const info = await client.command(['INFO', 'persistence']);
			if (/aof_rewrite_in_progress:0/.test(info) && /aof_rewrites:1/.test(info)) break;
		}
		await client.command(['SET', 'b', '1']);
		await server.stop();
		const history = readdirSync(join(server.dir, 'appendonlydir/history'));
		assert.include(history, 'appendonly.aof.1.incr.aof');
		assert.include(history, 'appendonly.aof.1.incr.aof.origins');
		const names = namesOf(server);
		const manifest = manifestOf(names);
		const origins = readOrigins(names, manifest, 0, Number.MAX_SAFE_INTEGER);
		assert.equal(origins.at(0)?.kind, 'client');
		assert.equal(origins.at(manifest.incrementals[0]?.startOffset ?? -1)?.kind, 'client');
		const reader = await openCatalogCopy(names);
		for (const info of [...manifest.history, ...manifest.incrementals])
			if (info.name.endsWith('.incr.aof')) assert.isDefined(reader?.fileOf(info), info.name);
		await reader?.close();
	});
});
