import { assert } from 'chai';
import type { LogLineage } from '../../../src/formats/aof-manifest.js';
import { commonOffset } from '../../../src/replication/divergence.js';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const C = 'c'.repeat(40);
const D = 'd'.repeat(40);

function info(replid: string, offset: number, replid2 = '0'.repeat(40), second = -1): string {
	return (
		`$300\r\n# Replication\r\nrole:master\r\nmaster_replid:${replid}\r\nmaster_replid2:${replid2}\r\n` +
		`master_repl_offset:${offset}\r\nsecond_repl_offset:${second}\r\nrepl_backlog_active:1\r\n`
	);
}

/** Ours: C since 70, B before since 50, A at first. */
const OURS: LogLineage = {
	replid: C,
	replid2: B,
	secondOffset: 70,
	earlier: [{ replid: A, offset: 50 }],
	isCopy: false,
	cleanOffset: -1,
};

describe('replication/divergence', () => {
	it('knows up to where two servers have the same log', () => {
		const common = (text: string): number => commonOffset(text, OURS, 100);
		assert.equal(common(info(D, 100)), -1, 'nothing in common');
		assert.equal(common(info(C, 120)), 100, 'it has all of ours');
		assert.equal(common(info(C, 80)), 80, 'it has lost its end');
		assert.equal(common(info(D, 300, C, 91)), 90, 'promoted behind 90 bytes');
		assert.equal(common(info(D, 300, C, 131)), 100, 'promoted with more than we have');
		assert.equal(common(info(B, 300)), 70, 'we went on under another ID');
		assert.equal(common(info(D, 300, B, 61)), 60, 'both went on');
		assert.equal(common(info(D, 300, A, 61)), 50);
		assert.equal(common(''), -1);
		assert.equal(common('-ERR unknown command\r\n'), -1);
	});
});
