import { existsSync, readFileSync } from 'node:fs';
import { assert } from 'chai';
import { README_PATH, withGeneratedParts } from './readme-parts.js';

describe('README', () => {
	it('has the generated parts as the code has them (npm run readme writes them)', function () {
		if (!existsSync(README_PATH)) this.skip();
		const readme = readFileSync(README_PATH, 'utf8');
		assert.equal(readme, withGeneratedParts(readme));
	});
});
