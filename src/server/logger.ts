/**
 * The log of a server. A line is written before `log` returns, so that nothing is lost when the process ends.
 *
 * Format `redis`: `pid:role dd Mon yyyy hh:mm:ss.mmm level message`, local time, role M (master), S
 * (replica), C (before the server exists, or a child), X (Sentinel), level `.` debug, `-` verbose, `*`
 * notice, `#` warning (serverLogRaw in Redis's server.c). Format `json`: pino's lines.
 *
 * pino is loaded when lines are its own: loading it takes 17 to 25 ms, a quarter of the start of the server,
 * and for lines of text it would make JSON that nobody reads.
 *
 * Messages are byte strings, as everything from clients is; they are written as UTF-8 where they are.
 */
import { createRequire } from 'node:module';
import type { pino as Pino } from 'pino';
import type { Logger, LogLevel } from '../base/logger.js';
import { toNative } from '../base/native-text.js';
import { LogOutput } from './log-output.js';

export type LogThreshold = LogLevel | 'nothing';
export type LogFormat = 'redis' | 'json';
export type LogRole = 'M' | 'S' | 'C' | 'X';

export interface LoggerOptions {
	readonly level: LogThreshold;
	readonly format: LogFormat;
	/** Absolute native path; '' is standard output. */
	readonly file: string;
	readonly pid: number;
	readonly role: LogRole;
	/** Milliseconds since 1970. */
	readonly now: () => number;
}

const LEVELS = { debug: 20, verbose: 30, notice: 40, warning: 50 } as const;
const LEVEL_CHARS = { debug: '.', verbose: '-', notice: '*', warning: '#' } as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

type JsonLogger = Pino.Logger<keyof typeof LEVELS>;

export class ServerLogger implements Logger {
	role: LogRole;
	readonly #options: LoggerOptions;
	readonly #output: LogOutput;
	/** undefined in format `redis`. */
	#json: JsonLogger | undefined;
	#level: LogThreshold;

	/** Throws the system's error if the file can't be opened. */
	constructor(options: LoggerOptions) {
		this.role = options.role;
		this.#options = options;
		this.#level = options.level;
		this.#output = new LogOutput(options.file, options.now);
		this.#json = options.format === 'json' ? this.#makeJson() : undefined;
	}

	log(level: LogLevel, message: string): void {
		if (this.#level === 'nothing' || LEVELS[level] < LEVELS[this.#level]) return;
		const text = readable(message);
		if (this.#json !== undefined) {
			this.#json[level](text);
			return;
		}
		const { pid, now } = this.#options;
		this.#output.write(`${pid}:${this.role} ${formatTime(now())} ${LEVEL_CHARS[level]} ${text}\n`);
	}

	/** A line about a signal, in the form that Redis gives it whatever the level's format. */
	logSignal(message: string): void {
		if (this.#level === 'nothing') return;
		const seconds = Math.floor(this.#options.now() / 1000);
		this.writeRaw(`${this.#options.pid}:signal-handler (${seconds}) ${message}\n`);
	}

	/** Text without a prefix (the start-up picture). */
	writeRaw(text: string): void {
		this.#output.write(text);
	}

	setLevel(level: LogThreshold): void {
		this.#level = level;
	}

	setFormat(format: LogFormat): void {
		this.#json = format === 'json' ? this.#makeJson() : undefined;
	}

	/** Drops what is logged from now on. Standard output stays open. */
	close(): void {
		this.#output.close();
	}

	/** A logger of pino's that lets every level through: `log` has looked at the threshold. */
	#makeJson(): JsonLogger {
		const { pino } = createRequire(import.meta.url)('pino') as { readonly pino: typeof Pino };
		return pino(
			{
				customLevels: LEVELS,
				useOnlyCustomLevels: true,
				level: 'debug',
				base: { pid: this.#options.pid },
				timestamp: () => `,"time":${this.#options.now()}`,
				mixin: () => ({ role: this.role }),
				formatters: { level: (label) => ({ level: label }) },
			},
			this.#output,
		);
	}
}

function formatTime(ms: number): string {
	const date = new Date(ms);
	const two = (n: number) => String(n).padStart(2, '0');
	const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
	const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
	return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** The text that a byte string holds if it is UTF-8, else the string itself, a character a byte. */
function readable(message: string): string {
	for (let i = 0; i < message.length; i++) if (message.charCodeAt(i) > 255) return message;
	const text = toNative(message);
	return text.includes('\ufffd') ? message : text;
}
