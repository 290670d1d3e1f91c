import { sql as template } from 'kysely';
import { inBatches } from '@praetor/database/batches';
import type { Database, Sql } from '@praetor/database/connect';
import { readShared } from '@praetor/database/shared-reads';
import { ConflictError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { type FlowRunPolicy, flowRunPolicy } from '@praetor/schema/run-policy';
import type { StateCreate } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { v4 as uuidv4 } from 'uuid';
import { type CreatedRun, NO_HISTORY, firstState, insertRuns, store, surroundings } from './create-run.ts';
import { orchestrate } from './engine.ts';
import type { OutboxEvent } from './lifecycle-events.ts';
import { randomRunName } from './names.ts';
import { FLOW_POLICIES } from './policies.ts';
import { FLOW_FACT_COLUMNS, FLOW_FACT_JOINS, type FlowFactColumns, toFlowFacts } from './read-flow-run.ts';
import { needsTransaction } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';
import { RUN_COLUMNS, toEntry } from './store.ts';
import { type FlowRunFields, type FlowTransition, beginTransition } from './transition.ts';

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
  created_by?: { id?: string | null; type?: string | null; display_value?: string | null } | null;
}

type FlowSurroundings = FlowFactColumns & { now: Timestamp; flow_labels: JsonObject | null; deployment_labels: JsonObject | null };

/** Labels of the deployment or, without one, of the flow; over them the system's, over those the client's. */
function flowRunLabels(run: NewFlowRun, row: FlowSurroundings): JsonObject {
  const system = { 'prefect.flow.id': run.flow_id, ...(row.deployment_name !== null && { 'prefect.deployment.id': run.deployment_id }) };
  return { ...(row.deployment_name === null ? row.flow_labels : row.deployment_labels), ...system, ...run.labels };
}

const FLOW_RUN_COLUMNS = {
  ...RUN_COLUMNS,
  id: 'uuid',
  name: 'text',
  flow_id: 'uuid',
  flow_version: 'text',
  parameters: 'jsonb',
  context: 'jsonb',
  empirical_policy: 'jsonb',
  tags: 'jsonb',
  labels: 'jsonb',
  idempotency_key: 'text',
  parent_task_run_id: 'uuid',
  deployment_id: 'uuid',
  deployment_version: 'text',
  infrastructure_document_id: 'uuid',
  work_queue_id: 'uuid',
  work_queue_name: 'text',
  job_variables: 'jsonb',
  created_by: 'jsonb',
} as const;

function toFlowRunEntry(run: NewFlowRun, labels: JsonObject, transition: FlowTransition, event: OutboxEvent | undefined) {
  const { name, flow_id, empirical_policy, tags, parent_task_run_id, deployment_id, created_by } = transition.run;
  return {
    ...toEntry(transition, firstState(transition), event),
    name,
    flow_id,
    flow_version: run.flow_version,
    parameters: run.parameters ?? {},
    context: run.context ?? {},
    empirical_policy,
    tags,
    labels,
    idempotency_key: run.idempotency_key,
    parent_task_run_id,
    deployment_id,
    deployment_version: run.deployment_version,
    infrastructure_document_id: run.infrastructure_document_id,
    work_queue_id: run.work_queue_id,
    work_queue_name: run.work_queue_name,
    job_variables: run.job_variables,
    created_by,
  };
}

const insertFlowRun = inBatches((sql: Sql, runs: readonly ReturnType<typeof toFlowRunEntry>[]) =>
  insertRuns(sql, 'flow_run', FLOW_RUN_COLUMNS, 'flow_id, idempotency_key', runs),
);

/**
 * Creates a flow run and sets its first state (minimal policy), atomically and once per (flow_id, idempotency_key).
 * Throws database errors (an unknown flow is a foreign-key violation).
 */
export async function createFlowRun({ sql, kysely }: Database, run: NewFlowRun, settings: OrchestrationSettings): Promise<CreatedRun> {
  // Runs of one deployment are often created many at a time; their surroundings are the same. `offset 0` keeps Postgres from
  // planning anew for each set of values, which costs more than the joins.
  const query = template<FlowSurroundings>`
    select r.*, ${template.raw(FLOW_FACT_COLUMNS)}, f.labels as flow_labels, d.labels as deployment_labels, clock_timestamp() as now
    from (select ${run.flow_id}::uuid as flow_id, ${run.deployment_id ?? null}::uuid as deployment_id,
      ${run.work_queue_id ?? null}::uuid as work_queue_id, ${run.parent_task_run_id ?? null}::uuid as parent_task_run_id offset 0) r
    ${template.raw(FLOW_FACT_JOINS)}`;
  const [row] = await readShared(kysely, query);
  if (!row) throw new Error('a select without conditions gave no row');
  const draft: FlowRunFields = {
    ...NO_HISTORY,
    id: uuidv4(),
    name: run.name || randomRunName(),
    tags: run.tags ?? [],
    empirical_policy: run.empirical_policy ?? flowRunPolicy.parse({}),
    flow_id: row.flow_id,
    deployment_id: row.deployment_id,
    parent_task_run_id: row.parent_task_run_id,
    infrastructure_pid: null,
    created_by: run.created_by ?? null,
  };
  const input = { run: draft, initial: null, proposal: run.state, facts: toFlowFacts(row, false), now: row.now, ...surroundings(settings) };
  const transition = orchestrate<FlowTransition>(FLOW_POLICIES.minimal, beginTransition(input));
  const labels = flowRunLabels(run, row);
  const create = (statements: Sql) => store(statements, transition, (one, event) => insertFlowRun(one, toFlowRunEntry(run, labels, transition, event)));
  const created = needsTransaction(transition) ? await sql.begin(create) : await create(sql);
  if (created) return created;
  const [existing] = await sql<{ id: string }[]>`
    select id from flow_run where flow_id = ${run.flow_id}::uuid and idempotency_key = ${run.idempotency_key ?? null}`;
  if (!existing) throw new ConflictError('The flow run with this idempotency key was deleted at this moment.');
  return { id: existing.id, created: false, events: [] };
}
