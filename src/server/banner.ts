/** The texts that the program shows about itself: at start-up, for `--version` and for `--help`. */
import { REDIS_VERSION, TSREDIS_VERSION } from '../base/version.js';
import type { Settings } from '../engine/settings.js';

/** One line, in the form of `redis-server --version`, which scripts take apart. */
export function versionText(): string {
	const bits = ['ia32', 'arm', 'mipsel'].includes(process.arch) ? 32 : 64;
	return `Redis server v=${REDIS_VERSION} sha=00000000:0 malloc=libc bits=${bits} build=tsredis-${TSREDIS_VERSION}\n`;
}

export function usageText(): string {
	return `Usage: tsredis-server [/path/to/redis.conf] [options] [-]
       tsredis-server - (read config from stdin)
       tsredis-server -v or --version
       tsredis-server -h or --help

Examples:
       tsredis-server (run the server with default conf)
       echo 'maxclients 128' | tsredis-server -
       tsredis-server /etc/redis/6379.conf
       tsredis-server --port 7777
       tsredis-server --port 7777 --appendonly yes
       tsredis-server /etc/myredis.conf --loglevel verbose -
       tsredis-server /etc/myredis.conf --loglevel verbose
`;
}

/** Whether the picture is shown rather than a line: on a terminal, or if the settings ask for it. */
export function showsPicture(settings: Settings): boolean {
	return settings.alwaysShowLogo || (settings.logfile === '' && process.stdout.isTTY === true);
}

export function pictureText(settings: Settings): string {
	const facts = [
		`tsredis ${TSREDIS_VERSION} (Redis ${REDIS_VERSION})`,
		'Running in standalone mode',
		`Port: ${settings.port === 0 ? settings.tlsPort : settings.port}`,
		`PID: ${process.pid}`,
	];
	const picture = ['  .----------.   ', '  |  1) SET  |   ', '  |  2) GET  |>  ', "  '----------'   "];
	return `\n${picture.map((line, index) => `${line} ${facts[index]}\n`).join('')}\n`;
}
