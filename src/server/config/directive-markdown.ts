/** The table of directives as Markdown, for the README. */
import type { Support } from './directive.js';
import { HIDDEN, IMMUTABLE } from './directive.js';
import { DIRECTIVE_GROUPS, FILE_ONLY_DIRECTIVES } from './directive-table.js';

/** The directives by subject: name, what it does here, default, whether CONFIG SET may set it. */
export function directivesMarkdown(): string {
	let text = '';
	for (const [subject, directives] of DIRECTIVE_GROUPS) {
		text += `#### ${subject}\n\n| Directive | Here | Default | CONFIG SET |\n|---|---|---|---|\n`;
		for (const directive of directives) {
			if (directive.has(HIDDEN)) continue;
			const alias = directive.alias === '' ? '' : `, \`${directive.alias}\``;
			// The folder is wherever the server was started.
			const initial = directive.name === 'dir' ? '' : directive.defaultText;
			const shown = initial === '' ? '' : `\`${escapeCell(initial)}\``;
			text += `| \`${directive.name}\`${alias} | ${remark(directive.support)} | ${shown} | ${directive.has(IMMUTABLE) ? 'no' : 'yes'} |\n`;
		}
		text += '\n';
	}
	text += '#### In the file only\n\n| Directive | Here |\n|---|---|\n';
	for (const row of FILE_ONLY_DIRECTIVES) text += `| \`${row.name}\` | ${remark(row.support)} |\n`;
	return text;
}

function remark(support: Support): string {
	return support.why === '' ? support.level : `${support.level}: ${escapeCell(support.why)}`;
}

function escapeCell(text: string): string {
	return text.replaceAll('|', '\\|');
}
