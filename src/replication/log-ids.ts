/** The IDs of a server as its log keeps them: between the state of replication and log/log-lineage.ts. */
import type { FoundIds, LogIds } from '../log/log-lineage.js';
import { NO_REPLID, type ReplicationState, type StoredIds } from './replication-state.js';

/** For `ReplicatedLog.setIds` and `restartAt`. */
export function idsOf(state: ReplicationState): LogIds {
	const { replid, replid2, replid2EndOffset, isReplica } = state;
	return {
		replid,
		replid2: replid2 === NO_REPLID ? '' : replid2,
		secondOffset: replid2EndOffset,
		isCopy: isReplica,
	};
}

/** For `ReplicationState.restore`. */
export function storedIds({ ids }: FoundIds): StoredIds {
	return {
		replid: ids.replid,
		replid2: ids.replid2 === '' ? NO_REPLID : ids.replid2,
		replid2EndOffset: ids.secondOffset,
		wasMaster: !ids.isCopy,
	};
}
