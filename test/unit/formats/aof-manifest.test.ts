import { assert } from 'chai';
import {
	type AofManifest,
	aofFile,
	formatAofManifest,
	isManifestError,
	manifestErrorLines,
	parseAofManifest,
	resolveOffsets,
} from '../../../src/formats/aof-manifest.js';

function parsed(text: string): AofManifest {
	const result = parseAofManifest(text);
	if (isManifestError(result)) assert.fail(result.message);
	return result;
}

function messageOf(text: string): string {
	const result = parseAofManifest(text);
	assert.isTrue(isManifestError(result), `accepted: ${JSON.stringify(text)}`);
	return isManifestError(result) ? result.message : '';
}

describe('formats/aof-manifest', () => {
	const golden =
		'file appendonly.aof.2.base.rdb seq 2 type b\n' +
		'file appendonly.aof.1.incr.aof seq 1 type h\n' +
		'file appendonly.aof.2.incr.aof seq 2 type i\n' +
		'file appendonly.aof.4.incr.aof seq 4 type i\n' +
		'#offsets 2:4096 1:- 2:- @abc 4:81920+23 end';

	it('reads and writes what Redis writes, and our pairs', () => {
		const manifest = parsed(golden);
		assert.equal(manifest.base?.name, 'appendonly.aof.2.base.rdb');
		assert.deepEqual(
			manifest.history.map((file) => file.name),
			['appendonly.aof.1.incr.aof'],
		);
		assert.deepEqual(
			manifest.incrementals.map((file) => [file.seq, file.startOffset, file.prefixSize, file.replid]),
			[
				[2, -1, 0, ''],
				[4, 81920, 23, 'abc'],
			],
		);
		assert.equal(formatAofManifest(manifest), golden);
	});

	it('reads the pairs that offsets once were', () => {
		const manifest = parsed('file a.1.incr.aof seq 1 type i startoffset 7 prefix 23 replid abc\n');
		assert.deepInclude(manifest.incrementals[0], {
			startOffset: 7,
			prefixSize: 23,
			replid: 'abc',
			extra: [],
		});
		assert.equal(formatAofManifest(manifest), 'file a.1.incr.aof seq 1 type i\n#offsets @abc 1:7+23 end');
	});

	it('begins every 1024th byte of a long comment with a mark, and reads it all', () => {
		const incrementals = Array.from({ length: 300 }, (_, i) =>
			aofFile(`a.${i + 1}.incr.aof`, i + 1, 'i', 1_000_000_000 + i, 0, 'f'.repeat(40)),
		);
		const text = formatAofManifest({ base: null, history: [], incrementals });
		const comment = text.slice(text.indexOf('#'));
		assert.isAbove(comment.length, 3000);
		for (let at = 0; at < comment.length; at += 1024) assert.equal(comment[at], '#');
		assert.deepEqual(parsed(text).incrementals, incrementals);
		assert.deepEqual(parsed(`${text}\n`).incrementals, incrementals, 'an editor ends the last line');
		const cut = text.slice(0, -7);
		assert.deepEqual(parsed(cut).incrementals[0]?.startOffset, -1, 'a torn comment says nothing');
	});

	it('ignores a comment that does not fit the files', () => {
		const lines = 'file a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n';
		for (const comment of [
			'1:0',
			'1:0 3:5',
			'1:0 2:5 3:6',
			'1:0 2:x',
			'1:0 2:99999999999999999',
			'2:0 1:5',
			'',
		]) {
			const { incrementals } = parsed(`${lines}#offsets ${comment} end`);
			assert.deepEqual(
				incrementals.map((file) => file.startOffset),
				[-1, -1],
				comment,
			);
		}
	});

	it('a file whose place is not known begins where the one before ends', () => {
		const text =
			'file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\nfile a.2.incr.aof seq 2 type i\n' +
			'file a.3.incr.aof seq 3 type i\n#offsets @abc 1:100 1:- 2:150+23 3:- end';
		const { incrementals } = resolveOffsets(parsed(text), () => 60);
		assert.deepEqual(
			incrementals.map((file) => [file.startOffset, file.prefixSize, file.replid]),
			[
				[100, 0, 'abc'],
				[150, 23, 'abc'],
				[187, 0, 'abc'],
			],
		);
	});

	it('keeps pairs it does not know', () => {
		const line = 'file a.1.incr.aof seq 1 type i newkey newvalue other "two words"\n';
		assert.equal(formatAofManifest(parsed(line)), line);
	});

	it('quotes names as Redis does', () => {
		const line = 'file "file seq \\x7f\\"\\n.aof.1.base.rdb" seq 1 type b\n';
		const manifest = parsed(line);
		assert.equal(manifest.base?.name, 'file seq \x7f"\n.aof.1.base.rdb');
		assert.equal(formatAofManifest(manifest), line);
	});

	it('allows comments and any order and case of keys', () => {
		const manifest = parsed('#comment\nSEQ 7 TYPE incr FILE x\n# another\n');
		assert.deepEqual(
			manifest.incrementals.map((file) => [file.name, file.seq]),
			[['x', 7]],
		);
	});

	const faults: [text: string, message: string][] = [
		['', 'Found an empty AOF manifest'],
		['file a seq 1 type b\n\n', 'Invalid AOF manifest file format'],
		['file a seq 1 type\n', 'Invalid AOF manifest file format'],
		['file a seq 1\n', 'Invalid AOF manifest file format'],
		['file a seq 0 type b\n', 'Invalid AOF manifest file format'],
		['file a seq x type b\n', 'Invalid AOF manifest file format'],
		['filx a seq 1 type b\n', 'Invalid AOF manifest file format'],
		['file "a seq 1 type b\n', 'Invalid AOF manifest file format'],
		['file a seq 1 type i startoffset -1\n', 'Invalid AOF manifest file format'],
		['file a seq 1 type x\n', 'Unknown AOF file type'],
		['file a seq 1 type b\nfile b seq 2 type b\n', 'Found duplicate base file information'],
		['file a seq 2 type i\nfile b seq 1 type i\n', 'Found a non-monotonic sequence number'],
		['file a seq 1 type i\nfile b seq 1 type i\n', 'Found a non-monotonic sequence number'],
		['file ../a seq 1 type b\n', "File can't be a path, just a filename"],
		['file .. seq 1 type b\n', "File can't be a path, just a filename"],
		['file "a\\\\b" seq 1 type b\n', "File can't be a path, just a filename"],
		['file a seq 1 type b', 'The AOF manifest file contains too long line'],
		[`file ${'a'.repeat(1024)} seq 1 type b\n`, 'The AOF manifest file contains too long line'],
	];
	for (const [text, message] of faults) {
		it(`refuses ${JSON.stringify(text.slice(0, 50))}`, () => assert.equal(messageOf(text), message));
	}

	it('logs an error as Redis does', () => {
		assert.deepEqual(
			manifestErrorLines({
				lineNumber: 2,
				line: 'file x',
				message: 'Invalid AOF manifest file format',
			}),
			[
				'\n*** FATAL AOF MANIFEST FILE ERROR ***\n',
				'Reading the manifest file, at line 2\n',
				">>> 'file x'\n",
				'Invalid AOF manifest file format\n',
			],
		);
	});
});
