/** The parts of README.md that are generated, each between its own two marks. */
import { join } from 'node:path';
import { directivesMarkdown } from '../../src/server/config/directive-markdown.js';
import { PROJECT_ROOT } from '../support/executables.js';

export const README_PATH = join(PROJECT_ROOT, 'README.md');

const BEGIN = '<!-- directives:begin -->';
const END = '<!-- directives:end -->';

/** `readme` with its generated parts made anew. Throws if the marks are missing. */
export function withGeneratedParts(readme: string): string {
	const begin = readme.indexOf(BEGIN);
	const end = readme.indexOf(END);
	if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
	return `${readme.slice(0, begin + BEGIN.length)}\n\n${directivesMarkdown()}\n${readme.slice(end)}`;
}
