import type { ColumnType } from 'kysely';
import type { Action } from '@praetor/schema/automation/action';
import type { Trigger } from '@praetor/schema/automation/trigger';
import type { ConcurrencyOptions } from '@praetor/schema/deployment';
import type { CreatedBy } from '@praetor/schema/flow-run';
import type { Json, JsonObject } from '@praetor/schema/json';
import type { SavedSearch } from '@praetor/schema/saved-search';
import type { Schedule } from '@praetor/schema/schedule';
import type { Labels } from '@praetor/schema/labels';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { WorkPool } from '@praetor/schema/work-pool';
import type { WorkQueue } from '@praetor/schema/work-queue';

/*
 * The tables as Kysely sees them: Prefect's own (facts/data-model.md) and, under `praetor.`, ours. A column with an SQL
 * default is optional on insert. connect.ts says what values look like in either direction.
 */

/** A json or jsonb column: JSON text in (`toJson`), a value out. `T` is what our own writers store there. */
export type JsonColumn<T = Json> = ColumnType<T, string, string>;
/** An interval: seconds out, text such as `'1.5 seconds'` in. */
export type Interval = ColumnType<number, string, string>;
/** A column that the database fills in when it is left out. */
type Defaulted<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S, I | undefined, U> : ColumnType<T, T | undefined, T>;
type NullableColumn<T> = T extends ColumnType<infer S, infer I, infer U> ? ColumnType<S | null, I | null | undefined, U | null> : T | null;

export type DeploymentStatus = 'READY' | 'NOT_READY';
export type StateType = 'SCHEDULED' | 'PENDING' | 'RUNNING' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'CRASHED' | 'PAUSED' | 'CANCELLING';
export type WorkPoolStatus = 'READY' | 'NOT_READY' | 'PAUSED';
export type WorkQueueStatus = 'READY' | 'NOT_READY' | 'PAUSED';
export type WorkerStatus = 'ONLINE' | 'OFFLINE';

export interface AgentTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  last_activity_time: Defaulted<Timestamp>;
  work_queue_id: string;
}

export interface ArtifactTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  key: string | null;
  type: string | null;
  data: NullableColumn<JsonColumn>;
  metadata_: NullableColumn<JsonColumn<Record<string, string>>>;
  task_run_id: string | null;
  flow_run_id: string | null;
  description: string | null;
}

export interface ArtifactCollectionTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  key: string;
  latest_id: string;
  task_run_id: string | null;
  flow_run_id: string | null;
  type: string | null;
  data: NullableColumn<JsonColumn>;
  description: string | null;
  metadata_: NullableColumn<JsonColumn<Record<string, string>>>;
}

export interface AutomationTable {
  name: string;
  description: string;
  enabled: Defaulted<boolean>;
  trigger: JsonColumn<Trigger>;
  actions: JsonColumn<Action[]>;
  actions_on_trigger: Defaulted<JsonColumn<Action[]>>;
  actions_on_resolve: Defaulted<JsonColumn<Action[]>>;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  tags: Defaulted<JsonColumn<string[]>>;
}

export interface AutomationBucketTable {
  automation_id: string;
  trigger_id: string;
  bucketing_key: JsonColumn;
  last_event: NullableColumn<JsonColumn>;
  start: Timestamp;
  end: Timestamp;
  count: number;
  last_operation: string | null;
  triggered_at: Timestamp | null;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface AutomationEventFollowerTable {
  leader_event_id: string;
  follower_event_id: string;
  received: Timestamp;
  follower: JsonColumn;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  scope: string;
}

export interface AutomationHeldEventTable {
  automation_id: string;
  trigger_id: string;
  bucketing_key: Defaulted<JsonColumn>;
  event_id: string;
  occurred: Timestamp;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface AutomationRelatedResourceTable {
  automation_id: string;
  resource_id: string | null;
  automation_owned_by_resource: Defaulted<boolean>;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface BlockDocumentTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  /** A Fernet token. */
  data: Defaulted<JsonColumn<string>>;
  block_schema_id: string;
  block_type_id: string;
  is_anonymous: Defaulted<boolean>;
  block_type_name: string | null;
}

export interface BlockDocumentReferenceTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  parent_block_document_id: string;
  reference_block_document_id: string;
}

export interface BlockSchemaTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  fields: Defaulted<JsonColumn<JsonObject>>;
  checksum: string;
  block_type_id: string;
  capabilities: Defaulted<JsonColumn<string[]>>;
  version: Defaulted<string>;
}

export interface BlockSchemaReferenceTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  parent_block_schema_id: string;
  reference_block_schema_id: string;
}

export interface BlockTypeTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  logo_url: string | null;
  documentation_url: string | null;
  description: string | null;
  code_example: string | null;
  is_protected: Defaulted<boolean>;
  slug: string;
}

export interface CompositeTriggerChildFiringTable {
  automation_id: string;
  parent_trigger_id: string;
  child_trigger_id: string;
  child_firing_id: string;
  child_fired_at: Timestamp | null;
  child_firing: JsonColumn;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface ConcurrencyLimitTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  tag: string;
  concurrency_limit: number;
  active_slots: Defaulted<JsonColumn>;
}

export interface ConcurrencyLimitV2Table {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  active: boolean;
  name: string;
  limit: number;
  active_slots: number;
  denied_slots: number;
  slot_decay_per_second: number;
  avg_slot_occupancy_seconds: number;
}

export interface ConfigurationTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  key: string;
  value: JsonColumn<JsonObject>;
}

export interface CsrfTokenTable {
  token: string;
  client: string;
  expiration: Timestamp;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface DeploymentTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  tags: Defaulted<JsonColumn<string[]>>;
  parameters: Defaulted<JsonColumn<JsonObject>>;
  flow_id: string;
  infrastructure_document_id: string | null;
  description: string | null;
  parameter_openapi_schema: NullableColumn<JsonColumn<JsonObject>>;
  storage_document_id: string | null;
  version: string | null;
  infra_overrides: Defaulted<JsonColumn<JsonObject>>;
  path: string | null;
  entrypoint: string | null;
  work_queue_name: string | null;
  created_by: NullableColumn<JsonColumn<CreatedBy>>;
  updated_by: NullableColumn<JsonColumn<CreatedBy>>;
  work_queue_id: string | null;
  pull_steps: NullableColumn<JsonColumn<JsonObject[]>>;
  enforce_parameter_schema: Defaulted<boolean>;
  last_polled: Timestamp | null;
  paused: Defaulted<boolean>;
  status: Defaulted<DeploymentStatus>;
  concurrency_limit: number | null;
  concurrency_options: NullableColumn<JsonColumn<ConcurrencyOptions>>;
  concurrency_limit_id: string | null;
  labels: NullableColumn<JsonColumn<Labels>>;
  version_id: string | null;
}

export interface DeploymentScheduleTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  schedule: JsonColumn<Schedule>;
  active: boolean;
  deployment_id: string;
  max_scheduled_runs: number | null;
  parameters: Defaulted<JsonColumn<JsonObject>>;
  slug: string | null;
}

export interface DeploymentVersionTable {
  deployment_id: string;
  branch: string | null;
  version_info: Defaulted<JsonColumn>;
  description: string | null;
  tags: Defaulted<JsonColumn>;
  labels: NullableColumn<JsonColumn>;
  entrypoint: string | null;
  pull_steps: NullableColumn<JsonColumn>;
  parameters: Defaulted<JsonColumn>;
  parameter_openapi_schema: NullableColumn<JsonColumn>;
  enforce_parameter_schema: Defaulted<boolean>;
  work_queue_id: string | null;
  work_queue_name: string | null;
  infra_overrides: Defaulted<JsonColumn>;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface EventResourcesTable {
  occurred: Timestamp;
  resource_id: string;
  resource_role: string;
  resource: JsonColumn;
  event_id: string;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface EventsTable {
  occurred: Timestamp;
  event: string;
  resource_id: string;
  resource: JsonColumn;
  related_resource_ids: Defaulted<JsonColumn>;
  related: Defaulted<JsonColumn>;
  payload: JsonColumn;
  received: Timestamp;
  recorded: Timestamp;
  follows: string | null;
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
}

export interface FlowTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  tags: Defaulted<JsonColumn<string[]>>;
  labels: NullableColumn<JsonColumn<Labels>>;
}

export interface FlowRunTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  state_type: StateType | null;
  run_count: Defaulted<number>;
  expected_start_time: Timestamp | null;
  next_scheduled_start_time: Timestamp | null;
  start_time: Timestamp | null;
  end_time: Timestamp | null;
  total_run_time: Defaulted<Interval>;
  flow_version: string | null;
  parameters: Defaulted<JsonColumn>;
  idempotency_key: string | null;
  context: Defaulted<JsonColumn>;
  empirical_policy: Defaulted<JsonColumn>;
  tags: Defaulted<JsonColumn>;
  auto_scheduled: Defaulted<boolean>;
  flow_id: string;
  deployment_id: string | null;
  parent_task_run_id: string | null;
  state_id: string | null;
  state_name: string | null;
  infrastructure_document_id: string | null;
  work_queue_name: string | null;
  state_timestamp: Timestamp | null;
  created_by: NullableColumn<JsonColumn>;
  infrastructure_pid: string | null;
  work_queue_id: string | null;
  job_variables: NullableColumn<JsonColumn>;
  deployment_version: string | null;
  labels: NullableColumn<JsonColumn>;
}

export interface FlowRunInputTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  key: string;
  value: string;
  flow_run_id: string;
  sender: string | null;
}

export interface FlowRunStateTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  type: StateType;
  timestamp: Defaulted<Timestamp>;
  name: string;
  message: string | null;
  state_details: Defaulted<JsonColumn>;
  data: NullableColumn<JsonColumn>;
  flow_run_id: string;
  result_artifact_id: string | null;
}

export interface LogTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  level: number;
  flow_run_id: string | null;
  task_run_id: string | null;
  message: string;
  timestamp: Timestamp;
}

export interface SavedSearchTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  filters: Defaulted<JsonColumn<SavedSearch['filters']>>;
}

export interface TaskRunTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  state_type: StateType | null;
  run_count: Defaulted<number>;
  expected_start_time: Timestamp | null;
  next_scheduled_start_time: Timestamp | null;
  start_time: Timestamp | null;
  end_time: Timestamp | null;
  total_run_time: Defaulted<Interval>;
  task_key: string;
  dynamic_key: string;
  cache_key: string | null;
  cache_expiration: Timestamp | null;
  task_version: string | null;
  empirical_policy: Defaulted<JsonColumn>;
  task_inputs: Defaulted<JsonColumn>;
  tags: Defaulted<JsonColumn>;
  flow_run_id: string | null;
  state_id: string | null;
  state_name: string | null;
  state_timestamp: Timestamp | null;
  flow_run_run_count: Defaulted<number>;
  labels: NullableColumn<JsonColumn>;
}

export interface TaskRunStateTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  type: StateType;
  timestamp: Defaulted<Timestamp>;
  name: string;
  message: string | null;
  state_details: Defaulted<JsonColumn>;
  data: NullableColumn<JsonColumn>;
  task_run_id: string;
  result_artifact_id: string | null;
}

export interface TaskRunStateCacheTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  cache_key: string;
  cache_expiration: Timestamp | null;
  task_run_state_id: string;
}

export interface VariableTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  tags: Defaulted<JsonColumn<string[]>>;
  value: NullableColumn<JsonColumn>;
}

export interface WorkPoolTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  description: string | null;
  type: string;
  base_job_template: Defaulted<JsonColumn<JsonObject>>;
  is_paused: Defaulted<boolean>;
  concurrency_limit: number | null;
  default_queue_id: string | null;
  status: Defaulted<WorkPoolStatus>;
  last_transitioned_status_at: Timestamp | null;
  last_status_event_id: string | null;
  storage_configuration: Defaulted<JsonColumn<Partial<WorkPool['storage_configuration']>>>;
}

export interface WorkQueueTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  filter: NullableColumn<JsonColumn<WorkQueue['filter']>>;
  description: Defaulted<string>;
  is_paused: Defaulted<boolean>;
  concurrency_limit: number | null;
  last_polled: Timestamp | null;
  priority: Defaulted<number>;
  work_pool_id: string;
  status: Defaulted<WorkQueueStatus>;
}

export interface WorkerTable {
  id: Defaulted<string>;
  created: Defaulted<Timestamp>;
  updated: Defaulted<Timestamp>;
  name: string;
  last_heartbeat_time: Defaulted<Timestamp>;
  work_pool_id: string;
  heartbeat_interval_seconds: number | null;
  status: Defaulted<WorkerStatus>;
}

export interface DeadLetterTable {
  id: Defaulted<string>;
  topic: string;
  consumer_group: string;
  data: JsonColumn;
  error: string;
  attempts: number;
  died: Defaulted<Timestamp>;
}

export interface LeaseTable {
  id: string;
  resource_ids: string[];
  slots: number;
  holder_type: string | null;
  holder_id: string | null;
  expiration: Timestamp;
  created: Defaulted<Timestamp>;
}

export interface OutboxTable {
  id: string;
  body: JsonColumn;
  created: Defaulted<Timestamp>;
  published: Timestamp | null;
}

export interface TaskQueueTable {
  task_run_id: string;
  task_key: string;
  is_retry: Defaulted<boolean>;
  enqueued: Defaulted<Timestamp>;
  claimed_until: Timestamp | null;
}

export interface Tables {
  agent: AgentTable;
  artifact: ArtifactTable;
  artifact_collection: ArtifactCollectionTable;
  automation: AutomationTable;
  automation_bucket: AutomationBucketTable;
  automation_event_follower: AutomationEventFollowerTable;
  automation_held_event: AutomationHeldEventTable;
  automation_related_resource: AutomationRelatedResourceTable;
  block_document: BlockDocumentTable;
  block_document_reference: BlockDocumentReferenceTable;
  block_schema: BlockSchemaTable;
  block_schema_reference: BlockSchemaReferenceTable;
  block_type: BlockTypeTable;
  composite_trigger_child_firing: CompositeTriggerChildFiringTable;
  concurrency_limit: ConcurrencyLimitTable;
  concurrency_limit_v2: ConcurrencyLimitV2Table;
  configuration: ConfigurationTable;
  csrf_token: CsrfTokenTable;
  deployment: DeploymentTable;
  deployment_schedule: DeploymentScheduleTable;
  deployment_version: DeploymentVersionTable;
  event_resources: EventResourcesTable;
  events: EventsTable;
  flow: FlowTable;
  flow_run: FlowRunTable;
  flow_run_input: FlowRunInputTable;
  flow_run_state: FlowRunStateTable;
  log: LogTable;
  saved_search: SavedSearchTable;
  task_run: TaskRunTable;
  task_run_state: TaskRunStateTable;
  task_run_state_cache: TaskRunStateCacheTable;
  variable: VariableTable;
  work_pool: WorkPoolTable;
  work_queue: WorkQueueTable;
  worker: WorkerTable;
  'praetor.dead_letter': DeadLetterTable;
  'praetor.lease': LeaseTable;
  'praetor.outbox': OutboxTable;
  'praetor.task_queue': TaskQueueTable;
}
