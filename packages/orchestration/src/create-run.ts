import type { Database } from '@praetor/database/connect';
import type { JsonObject } from '@praetor/schema/json';
import type { FlowRunPolicy, TaskRunPolicy } from '@praetor/schema/run-policy';
import type { StateCreate } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import type { OutboxEvent } from './lifecycle-events.ts';
import type { OrchestrationSettings } from './settings.ts';

/** A flow run to be. Absent fields get Prefect's defaults: a two-word name, empty parameters, tags and so on. */
export interface NewFlowRun {
  flow_id: string;
  state: StateCreate;
  /** Empty or absent: a random two-word name. */
  name?: string | null;
  flow_version?: string | null;
  parameters?: JsonObject;
  context?: JsonObject;
  empirical_policy?: FlowRunPolicy;
  tags?: string[];
  /** What the client sent; the labels of flow or deployment and the system labels are put under them here. */
  labels?: JsonObject | null;
  /** A run of the flow with this key is returned instead of a second one. */
  idempotency_key?: string | null;
  parent_task_run_id?: string | null;
  deployment_id?: string | null;
  deployment_version?: string | null;
  infrastructure_document_id?: string | null;
  work_queue_id?: string | null;
  work_queue_name?: string | null;
  job_variables?: JsonObject | null;
  created_by?: JsonObject | null;
}

/** A task run to be. */
export interface NewTaskRun {
  id?: string | null;
  state: StateCreate;
  name?: string | null;
  flow_run_id?: string | null;
  task_key: string;
  dynamic_key: string;
  cache_key?: string | null;
  cache_expiration?: Timestamp | null;
  task_version?: string | null;
  empirical_policy?: TaskRunPolicy;
  tags?: string[];
  labels?: JsonObject | null;
  task_inputs?: JsonObject;
}

export interface CreatedRun {
  id: string;
  /** False where the run was there already and nothing was done to it: HTTP 200 instead of 201. */
  created: boolean;
  /** Events written to the outbox with the run, to be published now that it is committed. */
  events: OutboxEvent[];
}

/**
 * Creates a flow run and sets its first state (minimal policy), atomically and once per (flow_id, idempotency_key).
 * Throws database errors (an unknown flow is a foreign-key violation).
 */
export declare function createFlowRun(database: Database, run: NewFlowRun, settings?: OrchestrationSettings): Promise<CreatedRun>;

/** Creates a task run and sets its first state, once per (flow_run_id, task_key, dynamic_key). */
export declare function createTaskRun(database: Database, run: NewTaskRun, settings?: OrchestrationSettings): Promise<CreatedRun>;
