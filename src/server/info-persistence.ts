/** The section Persistence of INFO: what the log holds and how safe it is. */
import type { InfoField } from './info-text.js';
import type { Server } from './server.js';

export function infoPersistence(server: Server): InfoField[] {
	const { engine, log, persistence, snapshots, settings, env } = server;
	const { running, progress } = snapshots;
	const nowSeconds = Math.floor(env.clock.nowMs() / 1000);
	const runningSeconds = nowSeconds - Math.floor(snapshots.runningSinceMs / 1000);
	const percentDone = progress.total === 0 ? 0 : (progress.processed / progress.total) * 100;
	// A scratch log is nobody's business.
	const isLogging = settings.appendonly && log.attached;
	const fields: InfoField[] = [
		['loading', engine.loading ? 1 : 0],
		['async_loading', engine.isAsyncLoading ? 1 : 0],
		['current_cow_peak', 0],
		['current_cow_size', 0],
		['current_cow_size_age', 0],
		['current_fork_perc', percentDone.toFixed(2)],
		['current_save_keys_processed', progress.processed],
		['current_save_keys_total', progress.total],
		['rdb_changes_since_last_save', engine.dirty],
		['rdb_bgsave_in_progress', snapshots.isSaving || server.replicas.syncs.isSending ? 1 : 0],
		['rdb_last_save_time', Math.floor(snapshots.lastSaveMs / 1000)],
		['rdb_last_bgsave_status', engine.bgsaveFailed ? 'err' : 'ok'],
		['rdb_last_bgsave_time_sec', snapshots.lastBgsaveSeconds],
		['rdb_current_bgsave_time_sec', snapshots.isSaving ? runningSeconds : -1],
		['rdb_saves', snapshots.saveCount],
		['rdb_last_cow_size', 0],
		['rdb_last_load_keys_expired', persistence.keysExpired],
		['rdb_last_load_keys_loaded', persistence.keysLoaded],
		['aof_enabled', settings.appendonly ? 1 : 0],
		['aof_rewrite_in_progress', running === 'aof' ? 1 : 0],
		['aof_rewrite_scheduled', snapshots.rewriteScheduled ? 1 : 0],
		['aof_last_rewrite_time_sec', snapshots.lastRewriteSeconds],
		['aof_current_rewrite_time_sec', running === 'aof' ? runningSeconds : -1],
		['aof_last_bgrewrite_status', snapshots.lastRewriteOk ? 'ok' : 'err'],
		['aof_rewrites', snapshots.rewriteCount],
		['aof_rewrites_consecutive_failures', snapshots.pace.failures],
	];
	const stats = log.stats();
	fields.push(
		['aof_last_write_status', stats.lastWriteStatus],
		['aof_last_cow_size', 0],
		['module_fork_in_progress', 0],
		['module_fork_last_cow_size', 0],
	);
	if (isLogging) {
		fields.push(
			['aof_current_size', stats.currentSize],
			['aof_base_size', stats.baseSize],
			['aof_pending_rewrite', snapshots.rewriteScheduled ? 1 : 0],
			['aof_buffer_length', stats.bufferLength],
			['aof_pending_bio_fsync', stats.pendingFsyncs],
			['aof_delayed_fsync', stats.delayedFsyncs],
			// Our own; see log/catalog.ts and log/origins-writer.ts.
			['log_catalog', server.catalog.state],
			['log_origins', server.origins.state],
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
