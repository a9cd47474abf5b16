/** Folders and files whose names are not ASCII: they have the names that the user gave. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { assert } from 'chai';
import { ourServer } from '../support/executables.js';
import { ServerFleet, sleep } from '../support/server-process.js';

describe('wire: names that are not ASCII', function () {
	this.timeout(60_000);
	const fleet = new ServerFleet();
	after(() => fleet.close());

	it('are those of the folder, the log, its catalog, its origins and the snapshot', async () => {
		const dir = join(fleet.folder(), 'né');
		mkdirSync(dir);
		const options = {
			appendonly: 'yes',
			appenddirname: 'dïr',
			appendfilename: 'fïle.aof',
			dbfilename: 'dümp.rdb',
		};
		const server = await fleet.start({ executable: ourServer(), options, dir });
		const client = await server.connect();
		await client.command(['SET', 'a', '1']);
		await client.command(['BGREWRITEAOF']);
		for (let i = 0; i < 200; i++) {
			await sleep(50);
			if (/aof_rewrites:1.*aof_base_size:[1-9]/s.test(await client.command(['INFO', 'persistence']))) break;
		}
		await client.command(['SET', 'b', '1']);
		await client.command(['SAVE']);
		await sleep(1200);
		await server.stop();
		for (const name of ['dïr/fïle.aof.manifest', 'dïr/fïle.aof.catalog', 'dümp.rdb'])
			assert.isTrue(existsSync(join(dir, name)), name);
		assert.isTrue(existsSync(join(dir, 'dïr/fïle.aof.2.incr.aof.origins')));
		const again = await fleet.start({ executable: ourServer(), options, dir });
		const later = await again.connect();
		assert.equal(await later.command(['DBSIZE']), ':2\r\n');
		await again.stop();
	});
});
