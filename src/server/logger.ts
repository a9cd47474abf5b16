/**
 * The log of a server, through pino. A line is written before `log` returns, so that nothing is lost
 * when the process ends.
 *
 * Format `redis`: `pid:role dd Mon yyyy hh:mm:ss.mmm level message`, local time, role M (master), S
 * (replica), C (before the server exists, or a child), X (Sentinel), level `.` debug, `-` verbose, `*`
 * notice, `#` warning (serverLogRaw in Redis's server.c). Format `json`: pino's lines.
 *
 * Messages are byte strings, as everything from clients is; they are written as UTF-8 where they are.
 */
import { fstatSync, statSync } from 'node:fs';
import { type DestinationStream, pino } from 'pino';
import type { Logger, LogLevel } from '../base/logger.js';
import { toNative } from '../base/native-text.js';

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
const LEVEL_CHARS: Readonly<Record<number, string>> = { 20: '.', 30: '-', 40: '*', 50: '#' };
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const STDOUT = 1;
/** A log file that was moved away (rotation) is noticed within this time. */
const ROTATION_CHECK_MS = 1000;
/** What pino tells a stream about the line that it writes, next to the JSON text. */
const PINO_METADATA = Symbol.for('pino.metadata');

type Destination = ReturnType<typeof pino.destination>;

/** pino's stream protocol, with the last line's parts. */
interface LineStream extends DestinationStream {
	lastLevel: number;
	lastMsg: string;
	[PINO_METADATA]: true;
}

export class ServerLogger implements Logger {
	role: LogRole;
	readonly #options: LoggerOptions;
	readonly #destination: Destination;
	#pino: pino.Logger<keyof typeof LEVELS>;
	#level: LogThreshold;
	#rotationCheckedMs: number;
	#closed = false;

	/** Throws the system's error if the file can't be opened. */
	constructor(options: LoggerOptions) {
		this.role = options.role;
		this.#options = options;
		this.#level = options.level;
		this.#rotationCheckedMs = options.now();
		this.#destination = pino.destination({ dest: options.file === '' ? STDOUT : options.file, sync: true });
		// A reader that went away, or a full disk, must not end the server.
		this.#destination.on('error', () => undefined);
		this.#pino = this.#build(options.format);
	}

	log(level: LogLevel, message: string): void {
		if (this.#closed) return;
		this.#followRotation();
		this.#pino[level](readable(message));
	}

	/** A line about a signal, in the form that Redis gives it whatever the level's format. */
	logSignal(message: string): void {
		if (this.#closed || this.#level === 'nothing') return;
		const seconds = Math.floor(this.#options.now() / 1000);
		this.writeRaw(`${this.#options.pid}:signal-handler (${seconds}) ${message}\n`);
	}

	/** Text without a prefix (the start-up picture). */
	writeRaw(text: string): void {
		this.#followRotation();
		this.#destination.write(text);
	}

	setLevel(level: LogThreshold): void {
		this.#level = level;
		this.#pino.level = level === 'nothing' ? 'silent' : level;
	}

	setFormat(format: LogFormat): void {
		this.#pino = this.#build(format);
	}

	/** Drops what is logged from now on. Standard output stays open. */
	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		if (this.#options.file !== '') this.#destination.end();
	}

	#build(format: LogFormat): pino.Logger<keyof typeof LEVELS> {
		const level = this.#level === 'nothing' ? 'silent' : this.#level;
		const common = { customLevels: LEVELS, useOnlyCustomLevels: true, level } as const;
		if (format === 'redis') return pino({ ...common, base: null, timestamp: false }, this.#lineStream());
		return pino(
			{
				...common,
				base: { pid: this.#options.pid },
				timestamp: () => `,"time":${this.#options.now()}`,
				mixin: () => ({ role: this.role }),
				formatters: { level: (label) => ({ level: label }) },
			},
			this.#destination,
		);
	}

	#lineStream(): LineStream {
		const stream: LineStream = {
			[PINO_METADATA]: true,
			lastLevel: 0,
			lastMsg: '',
			write: () => {
				const { pid, now } = this.#options;
				const prefix = `${pid}:${this.role} ${formatTime(now())} ${LEVEL_CHARS[stream.lastLevel]}`;
				this.#destination.write(`${prefix} ${stream.lastMsg}\n`);
			},
		};
		return stream;
	}

	/** Redis opens its file for every line, so that it can be moved away at any time. */
	#followRotation(): void {
		if (this.#options.file === '') return;
		const nowMs = this.#options.now();
		if (nowMs - this.#rotationCheckedMs < ROTATION_CHECK_MS) return;
		this.#rotationCheckedMs = nowMs;
		if (!this.#isInPlace()) this.#destination.reopen();
	}

	#isInPlace(): boolean {
		try {
			const { fd } = this.#destination as unknown as { fd: number };
			return statSync(this.#options.file).ino === fstatSync(fd).ino;
		} catch {
			return false;
		}
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
