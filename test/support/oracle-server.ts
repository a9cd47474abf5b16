import { realServer, type ServerExecutable, serverVersion, type VersionNumber } from './executables.js';

/** The real server and its version. */
export interface Oracle {
	readonly executable: ServerExecutable;
	readonly version: VersionNumber;
}

/**
 * The real server to compare with. Without one the calling suite or test is
 * skipped, with a line that says so; or fails, if `TSREDIS_REQUIRE_ORACLE=1`
 * (as `.ci/run` sets it), so that a broken installation is not taken for a pass.
 */
export function requireOracle(context: Mocha.Context): Oracle {
	const executable = realServer();
	if (executable !== undefined) return { executable, version: serverVersion(executable) };
	const message = 'no redis-server here: install one, or name one in REDIS_SERVER';
	if (process.env.TSREDIS_REQUIRE_ORACLE === '1') throw new Error(message);
	console.log(`      skipped: ${message}`);
	context.skip();
}
