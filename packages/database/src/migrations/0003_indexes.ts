import { buildIndex } from './build-index.ts';
import type { Migration } from './migration.ts';

/* Beside Prefect's indexes, none of which is changed; the prefix tells them apart. */
const INDEXES = {
  // A worker's poll: the due runs of its queues, however many runs of other queues are late.
  praetor_ix_flow_run__scheduled_work_queue: `flow_run (work_queue_id, next_scheduled_start_time) where state_type = 'SCHEDULED'`,
  // Histories and the dashboards' counts by time and state, read from the index alone: a third of the time at a million runs.
  praetor_ix_flow_run__history: 'flow_run (expected_start_time) include (state_type, state_name, state_timestamp, start_time, total_run_time)',
  // For the foreign keys, of the few rows that have such a reference (0004 drops Prefect's, which hold every row).
  praetor_ix_flow_run__parent_task_run: 'flow_run (parent_task_run_id) where parent_task_run_id is not null',
  praetor_ix_flow_run__infrastructure_document: 'flow_run (infrastructure_document_id) where infrastructure_document_id is not null',
  praetor_ix_flow_run_state__result_artifact: 'flow_run_state (result_artifact_id) where result_artifact_id is not null',
  praetor_ix_task_run_state__result_artifact: 'task_run_state (result_artifact_id) where result_artifact_id is not null',
};

/** Our own indexes on Prefect's tables. */
export const ownIndexes: Migration = {
  name: '0003_indexes',
  breaking: false,
  transactional: false,
  async up(db) {
    for (const [name, definition] of Object.entries(INDEXES)) await buildIndex(db, name, definition);
  },
};
