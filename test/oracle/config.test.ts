/** CONFIG GET * of the real server and of ours: the same directives, defaults and formats. */
import { assert } from 'chai';
import { ourServer, realServer, type ServerExecutable, serverVersion } from '../support/executables.js';
import { parseReply, textsOf } from '../support/reply.js';
import { ServerFleet } from '../support/server-process.js';

/** Redis 7.2, of which our table is. */
const VERSION_OF_TABLE = 70200;
/** What depends on the place and the build, and not on the version. */
const LOCAL: ReadonlySet<string> = new Set(['dir', 'port', 'logfile', 'pidfile', 'enable-protected-configs']);
/** With a default of ours. */
const OTHER_DEFAULT: ReadonlySet<string> = new Set(['sanitize-dump-payload']);
/** Ours alone. */
const OWN: ReadonlySet<string> = new Set([
	'log-format',
	'log-history-size',
	'log-history-seconds',
	'log-origins',
]);
/** Not hidden in 7.0, the oldest that is compared with. */
const CHANGED_SINCE_7_0: ReadonlySet<string> = new Set(['aof-disable-auto-gc']);

describe('oracle: configuration', () => {
	const fleet = new ServerFleet();

	after(() => fleet.close());

	async function everything(executable: ServerExecutable): Promise<Map<string, string>> {
		const server = await fleet.start({ executable });
		const client = await server.connect();
		const texts = textsOf(parseReply(await client.command(['CONFIG', 'GET', '*'])));
		client.destroy();
		const found = new Map<string, string>();
		for (let i = 0; i < texts.length; i += 2) found.set(texts[i]!, texts[i + 1]!);
		return found;
	}

	it('has every directive of the real server, with its default', async function () {
		const executable = realServer();
		if (executable === undefined) this.skip();
		const isOfTable = Math.floor(serverVersion(executable) / 100) === VERSION_OF_TABLE / 100;
		const theirs = await everything(executable);
		const ours = await everything(ourServer());
		for (const [name, value] of theirs) {
			if (LOCAL.has(name) || OTHER_DEFAULT.has(name) || (!isOfTable && CHANGED_SINCE_7_0.has(name))) continue;
			assert.equal(ours.get(name), value, name);
		}
		if (!isOfTable) return;
		assert.deepEqual(
			[...ours.keys()].filter((name) => !theirs.has(name) && !OWN.has(name)),
			[],
		);
	});
});
