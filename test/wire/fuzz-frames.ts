/** Frames of RESP with something wrong with them, most of the time. */
import type { SeededRandom } from '../support/random.js';
import { encodeCommand } from '../support/raw-client.js';

/**
 * Commands that are harmless when they come through whole, and small enough not to be worth a megabyte each.
 * Nothing here blocks, shuts down, or changes the configuration; a flipped bit does not turn one into such.
 */
export const FUZZ_COMMANDS: readonly (readonly string[])[] = [
	['PING'],
	['PING', 'hi there'],
	['ECHO', 'a\x00b\r\n\xff'],
	['SET', 'fuzz:s', 'value'],
	['SET', 'fuzz:s', 'value', 'EX', '100'],
	['GET', 'fuzz:s'],
	['INCR', 'fuzz:n'],
	['APPEND', 'fuzz:a', 'x'],
	['LPUSH', 'fuzz:l', '1', '2', '3'],
	['LRANGE', 'fuzz:l', '0', '10'],
	['LTRIM', 'fuzz:l', '0', '10'],
	['HSET', 'fuzz:h', 'f', 'v', 'g', '1'],
	['HGETALL', 'fuzz:h'],
	['SADD', 'fuzz:e', 'a', 'b'],
	['SMEMBERS', 'fuzz:e'],
	['ZADD', 'fuzz:z', '1', 'a', '2.5', 'b'],
	['ZRANGE', 'fuzz:z', '0', '-1', 'WITHSCORES'],
	['DEL', 'fuzz:a', 'fuzz:l'],
	['MULTI'],
	['EXEC'],
	['DISCARD'],
	['HELLO', '3'],
	['HELLO', '2'],
	['CLIENT', 'SETNAME', 'fuzz'],
	['COMMAND', 'COUNT'],
	['SELECT', '1'],
	['OBJECT', 'ENCODING', 'fuzz:s'],
	['SCAN', '0', 'MATCH', 'f*', 'COUNT', '10'],
	['SUBSCRIBE', 'fuzz:channel'],
	['UNSUBSCRIBE'],
];
const LENGTHS = [
	'-1',
	'-2',
	'0',
	'1',
	'007',
	'+3',
	' 3',
	'3 ',
	'',
	'abc',
	'1024',
	'1048576',
	'1048577',
	'536870912',
	'536870913',
	'2147483647',
	'2147483648',
	'4294967296',
	'9223372036854775807',
	'9223372036854775808',
	'-9223372036854775808',
	'1e9',
	'0x10',
	'99999999999999999999999999',
];
const NESTED = [
	'*2\r\n*1\r\n$4\r\nPING\r\n$1\r\na\r\n',
	'*1\r\n*1\r\n*1\r\n*1\r\n',
	'*1\r\n:1\r\n',
	'*1\r\n+PING\r\n',
	'%1\r\n+a\r\n+b\r\n',
	'*-1\r\n',
	'~1\r\n$4\r\nPING\r\n',
	'>1\r\n$4\r\nPING\r\n',
	'*1\r\n$-1\r\n',
	'*1\r\n_\r\n',
	'|1\r\n+a\r\n+b\r\n*1\r\n$4\r\nPING\r\n',
];
const INLINE = [
	'PING\r\n',
	'PING\n',
	'\r\n',
	'\n',
	'SET fuzz:i "unbalanced\r\n',
	"GET 'fuzz\r\n",
	'"\\x00\\xzz" 1\r\n',
	'GET fuzz:s extra words here\r\n',
	'   \t  \r\n',
	'ECHO "a\\"b"\r\n',
	'"PING"x\r\n',
];

/** One frame: a whole one now and then, else one that is damaged in some way. */
export function mutatedFrame(random: SeededRandom, commands = FUZZ_COMMANDS): string {
	const frame = encodeCommand(random.pick(commands));
	switch (random.below(14)) {
		case 0:
			return frame;
		case 1:
		case 2:
		case 3:
			return flipBytes(random, frame);
		case 4:
		case 5:
			return frame.slice(0, random.below(frame.length));
		case 6:
		case 7:
			return wrongLength(random, frame);
		case 8:
			return random.pick(NESTED);
		case 9:
			return random.pick(INLINE);
		case 10:
			return garbage(random);
		case 11:
			return insertBytes(random, frame);
		case 12:
			return frame.slice(random.below(frame.length));
		default:
			return frame.replace(/\r\n/g, () => random.pick(['\r\n', '\n', '\r', '\r\r\n', '\n\r', '\x00\r\n']));
	}
}

function flipBytes(random: SeededRandom, frame: string): string {
	const bytes = [...frame];
	for (let flips = random.between(1, 3); flips > 0; flips--) {
		const index = random.below(bytes.length);
		bytes[index] = String.fromCharCode(bytes[index]!.charCodeAt(0) ^ (1 << random.below(8)));
	}
	return bytes.join('');
}

function wrongLength(random: SeededRandom, frame: string): string {
	const headers = [...frame.matchAll(/[*$]\d+/g)];
	const header = random.pick(headers);
	const start = header.index + 1;
	return frame.slice(0, start) + random.pick(LENGTHS) + frame.slice(start + header[0].length - 1);
}

function insertBytes(random: SeededRandom, frame: string): string {
	const index = random.below(frame.length + 1);
	const inserted = random.pick([
		'\x00',
		'\r\n',
		'\xff\xff',
		' ',
		'*',
		'$',
		'\r',
		'x'.repeat(random.below(100)),
	]);
	return frame.slice(0, index) + inserted + frame.slice(index);
}

function garbage(random: SeededRandom): string {
	const length = random.pick([1, 5, 20, 300, 3000]);
	return (
		random.times(length, () => String.fromCharCode(random.below(256))).join('') +
		random.pick(['', '\r\n', '\n'])
	);
}
