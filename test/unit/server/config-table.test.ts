import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { assert } from 'chai';
import { Settings } from '../../../src/engine/settings.js';
import {
	DIRECTIVES,
	DIRECTIVES_BY_NAME,
	FILE_ONLY_DIRECTIVES,
} from '../../../src/server/config/directive-table.js';
import { PROJECT_ROOT } from '../../support/executables.js';

/** Where directives are described, and not acted upon. */
const DESCRIPTIONS = /^(engine\/settings|server\/config\/(directive.*|special-directives))\.ts$/;

function codeThatActs(): string {
	const root = join(PROJECT_ROOT, 'src');
	return readdirSync(root, { recursive: true, encoding: 'utf8' })
		.map((path) => path.split(sep).join('/'))
		.filter((path) => path.endsWith('.ts') && !DESCRIPTIONS.test(path))
		.map((path) => readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))
		.join('\n');
}

describe('config table', () => {
	it('has a row for every field of the settings, and a field for every row', () => {
		const fields = Object.keys(new Settings()).filter((field) => field !== 'renameCommand');
		assert.sameMembers(
			DIRECTIVES.map((directive) => directive.field),
			fields,
		);
	});

	it('has each name and alias once', () => {
		const names = DIRECTIVES.flatMap((row) => [row.name, row.alias]).filter((name) => name !== '');
		assert.equal(new Set(names).size, names.length);
		assert.equal(DIRECTIVES_BY_NAME.size, names.length);
	});

	it('has a reason wherever something is without effect or refused', () => {
		for (const row of [...DIRECTIVES, ...FILE_ONLY_DIRECTIVES]) {
			if (row.support.level !== 'works') assert.isNotEmpty(row.support.why, row.name);
		}
	});

	it('says that a directive works only if the code reads its setting', () => {
		const code = codeThatActs();
		const unread = DIRECTIVES.filter(
			(row) => row.support.level === 'works' && !new RegExp(`\\b${row.field}\\b`).test(code),
		);
		assert.deepEqual(
			unread.map((row) => row.name),
			[],
		);
	});
});
