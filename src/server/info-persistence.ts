/** The section Persistence of INFO: what the log holds and how safe it is. */
import type { InfoField } from './info-text.js';
import type { Server } from './server.js';

export function infoPersistence(server: Server): InfoField[] {
	const { engine, log, persistence, env } = server;
	const fields: InfoField[] = [
		['loading', engine.loading ? 1 : 0],
		['async_loading', 0],
		['rdb_changes_since_last_save', engine.dirty],
		['rdb_bgsave_in_progress', 0],
		['rdb_last_save_time', Math.floor(server.startedMs / 1000)],
		['rdb_last_bgsave_status', 'ok'],
		['rdb_last_bgsave_time_sec', -1],
		['rdb_current_bgsave_time_sec', -1],
		['rdb_saves', 0],
		['aof_enabled', log.attached ? 1 : 0],
		['aof_rewrite_in_progress', 0],
		['aof_rewrite_scheduled', 0],
		['aof_last_rewrite_time_sec', -1],
		['aof_current_rewrite_time_sec', -1],
		['aof_last_bgrewrite_status', 'ok'],
		['aof_rewrites', 0],
		['aof_rewrites_consecutive_failures', 0],
	];
	const stats = log.stats();
	fields.push(['aof_last_write_status', stats.lastWriteStatus]);
	if (log.attached) {
		fields.push(
			['aof_current_size', stats.currentSize],
			['aof_base_size', stats.baseSize],
			['aof_pending_rewrite', 0],
			['aof_buffer_length', stats.bufferLength],
			['aof_pending_bio_fsync', stats.pendingFsyncs],
			['aof_delayed_fsync', stats.delayedFsyncs],
		);
	}
	if (engine.loading) {
		const { totalBytes, loadedBytes } = persistence.progress;
		const elapsedSeconds = Math.floor((env.clock.nowMs() - persistence.loadStartedMs) / 1000);
		const eta =
			loadedBytes === 0 ? 1 : Math.floor((elapsedSeconds * (totalBytes - loadedBytes)) / loadedBytes);
		fields.push(
			['loading_start_time', Math.floor(persistence.loadStartedMs / 1000)],
			['loading_total_bytes', totalBytes],
			['loading_rdb_used_mem', 0],
			['loading_loaded_bytes', loadedBytes],
			['loading_loaded_perc', totalBytes === 0 ? '100.00' : ((loadedBytes / totalBytes) * 100).toFixed(2)],
			['loading_eta_seconds', eta],
		);
	}
	return fields;
}
