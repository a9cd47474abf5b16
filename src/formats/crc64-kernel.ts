/**
 * The inner loop of CRC-64 in WebAssembly, which has 64-bit integers and loads of them: eight bytes a step ("slicing by
 * 8", slice k of the table holds the sum of a byte followed by k zero bytes). Measured on 120 MB of random bytes, in one
 * run: 2.7 times as fast as the best loop of JavaScript, 16 slices of 32-bit halves.
 *
 * The module is put together here from its instructions, 222 bytes; the function is, in C:
 *
 *     void update(uint32_t at, uint32_t end) {          // end - at is a multiple of 8 and not 0
 *         uint64_t sum = *(uint64_t *)0;
 *         do {
 *             sum ^= *(uint64_t *)at;
 *             sum = slice[7][sum & 255] ^ slice[6][sum >> 8 & 255] … ^ slice[0][sum >> 56];
 *         } while ((at += 8) < end);
 *         *(uint64_t *)0 = sum;
 *     }
 *
 * Its memory: the sum at 0, the slices from `SLICES_AT` on, the input from `INPUT_AT` on, all low byte first.
 */

const SLICE_COUNT = 8;
const SLICE_BYTES = 256 * 8;
const SLICES_AT = 64;
const INPUT_AT = 64 * 1024;
/** What one call takes at most. */
const INPUT_BYTES_MAX = 64 * 1024;
const MEMORY_PAGES = 2;

// Types and instructions of WebAssembly (webassembly.github.io/spec, "Binary Format").
const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION_TYPE = 0x60;
const NO_RESULT = 0x40;
const LOOP = 0x03;
const END = 0x0b;
const BRANCH_IF = 0x0d;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I64_LOAD = [0x29, 3];
const I64_STORE = [0x37, 3];
const I32_CONST = 0x41;
const I64_CONST = 0x42;
const I32_LESS_UNSIGNED = 0x49;
const I32_ADD = 0x6a;
const I32_AND = 0x71;
const I32_SHIFT_LEFT = 0x74;
const I64_XOR = 0x85;
const I64_SHIFT_RIGHT_UNSIGNED = 0x88;
const I32_WRAP_I64 = 0xa7;

const AT = 0;
const LIMIT = 1;
const SUM = 2;

interface Kernel {
	readonly memory: DataView;
	readonly bytes: Uint8Array;
	readonly update: (at: number, end: number) => void;
}

/** A sum that many bytes have to be taken into: the kernel, with memory that holds nothing from call to call. */
export class Crc64Kernel {
	private readonly kernel: Kernel;

	/** `table`: the sum of each single byte, low half and high half. */
	constructor(table: Int32Array) {
		this.kernel = makeKernel(table);
	}

	/**
	 * Takes the bytes [from, to), a multiple of 8, into the sum that `state` holds as its low and its high half.
	 */
	update(state: Int32Array, source: Uint8Array, from: number, to: number): void {
		const { memory, bytes, update } = this.kernel;
		memory.setInt32(0, state[0]!, true);
		memory.setInt32(4, state[1]!, true);
		for (let at = from; at < to; at += INPUT_BYTES_MAX) {
			const end = Math.min(to, at + INPUT_BYTES_MAX);
			bytes.set(source.subarray(at, end), INPUT_AT);
			update(INPUT_AT, INPUT_AT + end - at);
		}
		state[0] = memory.getInt32(0, true);
		state[1] = memory.getInt32(4, true);
	}
}

function makeKernel(table: Int32Array): Kernel {
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
	const { buffer } = exports.m as { readonly buffer: ArrayBuffer };
	const memory = new DataView(buffer);
	for (let byte = 0; byte < 256; byte++) {
		let low = table[byte * 2]!;
		let high = table[byte * 2 + 1]!;
		for (let slice = 0; slice < SLICE_COUNT; slice++) {
			const at = SLICES_AT + slice * SLICE_BYTES + byte * 8;
			memory.setInt32(at, low, true);
			memory.setInt32(at + 4, high, true);
			const entry = (low & 255) * 2;
			low = ((low >>> 8) | (high << 24)) ^ table[entry]!;
			high = (high >>> 8) ^ table[entry + 1]!;
		}
	}
	return { memory, bytes: new Uint8Array(buffer), update: exports.u as Kernel['update'] };
}

function moduleBytes(): Uint8Array {
	const code = [...vector([[1, I64]]), ...updateCode()];
	return Uint8Array.from([
		...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
		...section(1, vector([[FUNCTION_TYPE, ...vector([[I32], [I32]]), 0]])),
		...section(3, vector([[0]])),
		...section(5, vector([[0, MEMORY_PAGES]])),
		...section(
			7,
			vector([
				[1, 'm'.charCodeAt(0), 2, 0],
				[1, 'u'.charCodeAt(0), 0, 0],
			]),
		),
		...section(10, vector([[...unsigned(code.length), ...code]])),
	]);
}

function updateCode(): number[] {
	const code = [I32_CONST, 0, ...I64_LOAD, 0, LOCAL_SET, SUM, LOOP, NO_RESULT];
	code.push(LOCAL_GET, SUM, LOCAL_GET, AT, ...I64_LOAD, 0, I64_XOR, LOCAL_SET, SUM);
	for (let byte = 0; byte < 8; byte++) {
		code.push(LOCAL_GET, SUM);
		if (byte > 0) code.push(I64_CONST, ...signed(byte * 8), I64_SHIFT_RIGHT_UNSIGNED);
		code.push(I32_WRAP_I64);
		if (byte < 7) code.push(I32_CONST, ...signed(255), I32_AND);
		code.push(I32_CONST, 3, I32_SHIFT_LEFT, ...I64_LOAD, ...unsigned(SLICES_AT + (7 - byte) * SLICE_BYTES));
		if (byte > 0) code.push(I64_XOR);
	}
	code.push(LOCAL_SET, SUM, LOCAL_GET, AT, I32_CONST, 8, I32_ADD, LOCAL_TEE, AT);
	code.push(LOCAL_GET, LIMIT, I32_LESS_UNSIGNED, BRANCH_IF, 0, END);
	code.push(I32_CONST, 0, LOCAL_GET, SUM, ...I64_STORE, 0, END);
	return code;
}

function section(id: number, content: readonly number[]): number[] {
	return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
	return [...unsigned(items.length), ...items.flat()];
}

/** LEB128. */
function unsigned(value: number): number[] {
	return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/** LEB128 of a number that is not negative, where the highest bit of the last byte is a sign. */
function signed(value: number): number[] {
	return value < 64 ? [value] : [(value & 127) | 128, ...signed(value >>> 7)];
}
