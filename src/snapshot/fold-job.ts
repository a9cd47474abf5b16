/**
 * What the fold is asked to do, what it tells while it does, and both as bytes (proto/fold.proto).
 *
 * `fold(base, sections) = the dataset`: the base is a snapshot, the sections are what the log has received since.
 */
import type { MaxmemoryPolicy, Settings } from '../engine/settings.js';
import { loadProtoSchema } from '../formats/proto-schema.js';

export type SnapshotFormat = 'rdb' | 'aof';

/** A file that a fold begins with. */
export interface FoldBase {
	readonly path: string;
	readonly format: SnapshotFormat;
}

/** The entries of a log file between two positions in it, in bytes. */
export interface FoldSection {
	readonly path: string;
	readonly from: number;
	readonly to: number;
}

/** What a snapshot is made from. */
export interface FoldSource {
	/** null: the dataset was empty. */
	readonly base: FoldBase | null;
	readonly sections: readonly FoldSection[];
}

export interface FoldJob extends FoldSource {
	/** The base comes as the RDB file that the server writes to the child's standard input. */
	readonly baseIsInput?: boolean;
	readonly output: {
		readonly format: SnapshotFormat;
		/** The file that is written and made durable; removed again on failure. */
		readonly path: string;
		/** Its name once it is whole and durable; '' keeps it where it is. */
		readonly finalPath: string;
	};
	readonly settings: FoldSettings;
	readonly maxmemoryPolicy: MaxmemoryPolicy;
	/** Auxiliary fields of an RDB file, in order. */
	readonly aux: readonly (readonly [name: string, value: string])[];
	/** How many keys the dataset has. With `baseIsInput` there must be as many in the end. */
	readonly keyCount: number;
}

export type FoldPhase = 'starting' | 'reading the log' | 'loading' | 'replaying' | 'writing' | 'checking';

export interface FoldProgress {
	phase: FoldPhase;
	/** Keys that stand in the new file. */
	keysProcessed: number;
	/** Bytes read and written: grows for as long as the fold is not stuck. */
	bytes: number;
}

export interface FoldResult {
	/** Of the file, in bytes. */
	readonly size: number;
	readonly keys: number;
	/** Keys that were copied as they stood in the base. */
	readonly keysCopied: number;
}

export type FoldReport =
	| { readonly kind: 'progress'; readonly progress: FoldProgress }
	| { readonly kind: 'done'; readonly result: FoldResult; readonly peakMemory: number }
	| {
			readonly kind: 'failure';
			readonly message: string;
			/** What it was to be made from is damaged; else the new file could not be written. */
			readonly sourceIsDamaged: boolean;
	  };

/** The settings that decide how entries are replayed and values written. */
const FOLD_SETTINGS = [
	'databases',
	'rdbcompression',
	'rdbchecksum',
	'rdbKeySaveDelay',
	'rdbSaveIncrementalFsync',
	'protoMaxBulkLen',
	'lfuLogFactor',
	'lfuDecayTime',
	'hashMaxListpackEntries',
	'hashMaxListpackValue',
	'listMaxListpackSize',
	'listCompressDepth',
	'setMaxIntsetEntries',
	'setMaxListpackEntries',
	'setMaxListpackValue',
	'zsetMaxListpackEntries',
	'zsetMaxListpackValue',
	'hllSparseMaxBytes',
	'streamNodeMaxBytes',
	'streamNodeMaxEntries',
] as const satisfies readonly (keyof Settings)[];

export type FoldSettings = Pick<Settings, (typeof FOLD_SETTINGS)[number]>;

/** Gives `target` the values of `source`. */
export function copyFoldSettings(target: FoldSettings, source: Readonly<FoldSettings>): void {
	for (const name of FOLD_SETTINGS) copySetting(target, source, name);
}

function copySetting<K extends keyof FoldSettings>(
	target: FoldSettings,
	source: Readonly<FoldSettings>,
	name: K,
): void {
	target[name] = source[name];
}

/** Enum values of proto/fold.proto. */
const FORMAT_CODES: readonly ('none' | SnapshotFormat)[] = ['none', 'rdb', 'aof'];

interface WireJob {
	baseFormat: number;
	baseIsInput: boolean;
	basePath: string;
	sections: FoldSection[];
	outputFormat: number;
	outputPath: string;
	finalPath: string;
	settings: Record<string, number>;
	maxmemoryPolicy: string;
	aux: { name: string; value: string }[];
	keyCount: number;
}

interface WireReport {
	progress?: { phase: string; keysProcessed: number; bytes: number };
	done?: { size: number; keys: number; keysCopied: number; peakMemory: number };
	failure?: { message: string; sourceIsDamaged: boolean };
}

/** Messages to bytes and back. */
export interface FoldCodec {
	encodeJob(job: FoldJob): Uint8Array;
	/** `defaults` gives the settings that the message leaves out. Throws if the bytes are no job. */
	decodeJob(bytes: Uint8Array, defaults: FoldSettings): FoldJob;
	encodeReport(report: FoldReport): Uint8Array;
	/** Throws if the bytes are no report. */
	decodeReport(bytes: Uint8Array): FoldReport;
}

/** Loads the schema. */
export async function loadFoldCodec(): Promise<FoldCodec> {
	const schema = await loadProtoSchema('fold');
	const jobType = schema.lookupType('tsredis.fold.Job');
	const reportType = schema.lookupType('tsredis.fold.Report');
	const plain = { longs: Number, defaults: true, arrays: true, objects: true };
	return {
		encodeJob: (job) => jobType.encode(jobType.fromObject(wireJob(job))).finish(),
		decodeJob: (bytes, defaults) =>
			jobOf(jobType.toObject(jobType.decode(bytes), plain) as WireJob, defaults),
		encodeReport: (report) => reportType.encode(reportType.fromObject(wireReport(report))).finish(),
		decodeReport: (bytes) => reportOf(reportType.toObject(reportType.decode(bytes), plain) as WireReport),
	};
}

function wireJob(job: FoldJob): WireJob {
	return {
		baseFormat: FORMAT_CODES.indexOf(job.base?.format ?? 'none'),
		basePath: job.base?.path ?? '',
		baseIsInput: job.baseIsInput === true,
		sections: job.sections.map(({ path, from, to }) => ({ path, from, to })),
		outputFormat: FORMAT_CODES.indexOf(job.output.format),
		outputPath: job.output.path,
		finalPath: job.output.finalPath,
		settings: Object.fromEntries(FOLD_SETTINGS.map((name) => [name, Number(job.settings[name])])),
		maxmemoryPolicy: job.maxmemoryPolicy,
		aux: job.aux.map(([name, value]) => ({ name, value })),
		keyCount: job.keyCount,
	};
}

function jobOf(wire: WireJob, defaults: FoldSettings): FoldJob {
	const settings: Record<string, number | boolean> = { ...defaults };
	for (const name of FOLD_SETTINGS) {
		const value = wire.settings[name];
		if (value !== undefined) settings[name] = typeof defaults[name] === 'boolean' ? value !== 0 : value;
	}
	const baseFormat = FORMAT_CODES[wire.baseFormat];
	return {
		base:
			baseFormat === undefined || baseFormat === 'none' ? null : { path: wire.basePath, format: baseFormat },
		baseIsInput: wire.baseIsInput,
		sections: wire.sections,
		output: {
			format: FORMAT_CODES[wire.outputFormat] === 'aof' ? 'aof' : 'rdb',
			path: wire.outputPath,
			finalPath: wire.finalPath,
		},
		settings: settings as unknown as FoldSettings,
		maxmemoryPolicy: wire.maxmemoryPolicy as MaxmemoryPolicy,
		aux: wire.aux.map(({ name, value }) => [name, value] as const),
		keyCount: wire.keyCount,
	};
}

function wireReport(report: FoldReport): WireReport {
	switch (report.kind) {
		case 'progress':
			return { progress: report.progress };
		case 'done':
			return { done: { ...report.result, peakMemory: report.peakMemory } };
		case 'failure':
			return { failure: { message: report.message, sourceIsDamaged: report.sourceIsDamaged } };
	}
}

function reportOf(wire: WireReport): FoldReport {
	if (wire.failure !== undefined) return { kind: 'failure', ...wire.failure };
	if (wire.done !== undefined) {
		const { peakMemory, ...result } = wire.done;
		return { kind: 'done', result, peakMemory };
	}
	if (wire.progress === undefined) throw new Error('a report that reports nothing');
	return { kind: 'progress', progress: { ...wire.progress, phase: wire.progress.phase as FoldPhase } };
}
