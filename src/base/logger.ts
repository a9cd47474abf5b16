/** Redis's log levels, least important first. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

/** Where a component writes its log lines; the server decides which levels are shown and how a line looks. */
export interface Logger {
	log(level: LogLevel, message: string): void;
}

/** A logger that drops everything. */
export const SILENT_LOGGER: Logger = { log: () => {} };
