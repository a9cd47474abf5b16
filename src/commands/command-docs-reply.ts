/** Writes the documentation of commands as COMMAND DOCS replies with it (addReplyCommandDocs in Redis's server.c). */
import type { CommandSpec } from '../engine/command-spec.js';
import type { ReplyBuffer } from '../protocol/reply-buffer.js';
import type { CommandDoc } from './command-docs.js';
import type { ArgumentDoc } from './command-docs-syntax.js';

/** One value of a map, written by calling it. */
type Field = readonly [name: string, write: () => void];

/** The name of `spec` and the map of its documentation; an undocumented command has a group only. */
export function replyCommandDocs(
	reply: ReplyBuffer,
	spec: CommandSpec,
	docs: ReadonlyMap<string, CommandDoc>,
): void {
	reply.bulk(spec.name);
	const doc = docs.get(spec.name);
	const fields: Field[] = [];
	if (doc === undefined) {
		fields.push(text(reply, 'group', 'generic'));
	} else {
		fields.push(text(reply, 'summary', doc.summary), text(reply, 'since', doc.since));
		fields.push(text(reply, 'group', doc.group));
		if (doc.complexity !== undefined) fields.push(text(reply, 'complexity', doc.complexity));
		if (doc.docFlags.length > 0) fields.push(['doc_flags', () => replyStatuses(reply, doc.docFlags)]);
		if (doc.deprecatedSince !== undefined) fields.push(text(reply, 'deprecated_since', doc.deprecatedSince));
		if (doc.replacedBy !== undefined) fields.push(text(reply, 'replaced_by', doc.replacedBy));
		if (doc.history.length > 0) fields.push(['history', () => replyHistory(reply, doc)]);
		if (doc.arguments.length > 0) fields.push(['arguments', () => replyArguments(reply, doc.arguments)]);
	}
	const { subcommands } = spec;
	if (subcommands !== undefined) {
		fields.push([
			'subcommands',
			() => {
				reply.map(subcommands.size);
				for (const subcommand of subcommands.values()) replyCommandDocs(reply, subcommand, docs);
			},
		]);
	}
	replyFields(reply, fields);
}

function replyFields(reply: ReplyBuffer, fields: readonly Field[]): void {
	reply.map(fields.length);
	for (const [name, write] of fields) {
		reply.bulk(name);
		write();
	}
}

function text(reply: ReplyBuffer, name: string, value: string): Field {
	return [name, () => reply.bulk(value)];
}

/** A set of status replies. */
export function replyStatuses(reply: ReplyBuffer, names: readonly string[]): void {
	reply.set(names.length);
	for (const name of names) reply.simple(name);
}

function replyHistory(reply: ReplyBuffer, doc: CommandDoc): void {
	reply.set(doc.history.length);
	for (const [version, change] of doc.history) {
		reply.array(2);
		reply.bulk(version);
		reply.bulk(change);
	}
}

function replyArguments(reply: ReplyBuffer, docs: readonly ArgumentDoc[]): void {
	reply.array(docs.length);
	for (const doc of docs) replyArgument(reply, doc);
}

function replyArgument(reply: ReplyBuffer, doc: ArgumentDoc): void {
	const fields: Field[] = [text(reply, 'name', doc.name), text(reply, 'type', doc.type)];
	if (doc.displayText !== undefined) fields.push(text(reply, 'display_text', doc.displayText));
	const index = doc.keySpecIndex;
	if (index !== undefined) fields.push(['key_spec_index', () => reply.integer(index)]);
	if (doc.token !== undefined) fields.push(text(reply, 'token', doc.token));
	if (doc.since !== undefined) fields.push(text(reply, 'since', doc.since));
	if (doc.deprecatedSince !== undefined) fields.push(text(reply, 'deprecated_since', doc.deprecatedSince));
	const flags: string[] = [];
	if (doc.optional) flags.push('optional');
	if (doc.multiple) flags.push('multiple');
	if (doc.multipleToken) flags.push('multiple_token');
	if (flags.length > 0) fields.push(['flags', () => replyStatuses(reply, flags)]);
	const inner = doc.arguments;
	if (inner !== undefined) fields.push(['arguments', () => replyArguments(reply, inner)]);
	replyFields(reply, fields);
}
