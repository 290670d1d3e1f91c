import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/*
 * Indexes of Prefect's that cost every write and serve no read of this server: nothing filters by `updated`, the columns
 * stand at the beginning of another index (named behind), or event filters go through event_resources instead. An index on
 * a run is paid for with each of its states. Prefect itself works without them; its definitions are in prefect/*.ts.
 */
const UNUSED = [
  'ix_flow_run__updated',
  'ix_flow_run__start_time', // start times are asked for as coalesce(start_time, expected_start_time)
  'ix_flow_run__coalesce_start_time_expected_start_time_desc', // …_asc, read backwards
  'ix_flow_run__expected_start_time_desc', // praetor_ix_flow_run__history, read backwards
  'ix_flow_run__state_timestamp',
  'ix_flow_run__flow_id', // uq_flow_run__flow_id_idempotency_key
  'ix_flow_run__flow_version',
  'ix_flow_run__deployment_version',
  'ix_flow_run__work_queue_name',
  'ix_flow_run__infrastructure_document_id', // praetor_ix_flow_run__infrastructure_document
  'ix_flow_run__parent_task_run_id', // praetor_ix_flow_run__parent_task_run
  'ix_flow_run_state__name',
  'ix_flow_run_state__type',
  'ix_flow_run_state__updated',
  'ix_flow_run_state__result_artifact_id', // praetor_ix_flow_run_state__result_artifact
  'ix_task_run__updated',
  'ix_task_run__start_time',
  'ix_task_run__state_id',
  'ix_task_run__state_timestamp',
  'ix_task_run__flow_run_id', // uq_task_run__flow_run_id_task_key_dynamic_key
  'ix_task_run_state__name',
  'ix_task_run_state__type',
  'ix_task_run_state__updated',
  'ix_task_run_state__result_artifact_id', // praetor_ix_task_run_state__result_artifact
  'ix_log__flow_run_id', // ix_log__flow_run_id_timestamp
  'ix_log__level',
  'ix_log__updated',
  'ix_events__updated',
  'ix_events__event__id',
  'ix_events__event_occurred', // ix_events__event_occurred_id
  'ix_events__occurred', // ix_events__occurred_id
  'ix_events__related_gin',
  'ix_events__related_resource_ids_gin',
  'ix_event_resources__updated',
] as const;

export const UNUSED_INDEXES: readonly string[] = UNUSED;

/** Drops them without stopping anybody. */
export const unusedIndexes: Migration = {
  name: '0004_unused_indexes',
  breaking: false,
  transactional: false,
  async up(db) {
    for (const name of UNUSED) await sql`drop index concurrently if exists ${sql.ref(name)}`.execute(db);
  },
};
