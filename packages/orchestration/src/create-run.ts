import { sql as template } from 'kysely';
import type { Database, Sql } from '@praetor/database/connect';
import { readShared } from '@praetor/database/shared-reads';
import { ConflictError } from '@praetor/schema/errors';
import { type JsonObject, toJson } from '@praetor/schema/json';
import { type FlowRunPolicy, type TaskRunPolicy, flowRunPolicy, taskRunPolicy } from '@praetor/schema/run-policy';
import type { State, StateCreate } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { orchestrate } from './engine.ts';
import { type OutboxEvent, toOutboxEvent } from './lifecycle-events.ts';
import { randomRunName } from './names.ts';
import { FLOW_POLICIES, TASK_POLICIES } from './policies.ts';
import { FLOW_FACT_COLUMNS, FLOW_FACT_JOINS, type FlowFactColumns, toFlowFacts } from './read-flow-run.ts';
import { TASK_FACT_COLUMNS, type TaskFactColumns, cacheKeyOf, taskFactJoins, toTaskFacts } from './read-task-run.ts';
import { applyEffects, needsTransaction } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';
import { type AnyTransition, stateInserts } from './store.ts';
import { type FlowRunFields, type FlowTransition, type RunFields, type TaskRunFields, type TaskTransition, beginTransition } from './transition.ts';

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

const surroundings = (settings: OrchestrationSettings) => ({ settings, apiVersion: null, clientVersion: null, newId: uuidv7, random: Math.random });

const NO_HISTORY: Omit<RunFields, 'id' | 'name' | 'tags'> = {
  state_type: null,
  state_name: null,
  state_timestamp: null,
  run_count: 0,
  start_time: null,
  end_time: null,
  expected_start_time: null,
  next_scheduled_start_time: null,
  total_run_time: 0,
};

/** The first state of a run: no rule refuses it. */
function firstState({ proposed }: AnyTransition): State {
  if (!proposed) throw new Error('a new run was refused its first state');
  return proposed;
}

/** Inserts a run with its first state and event; false where a run with the same natural key is there already. */
type Insert = (sql: Sql, event: OutboxEvent | undefined) => Promise<boolean>;

async function store(sql: Sql, transition: AnyTransition, insert: Insert): Promise<CreatedRun | undefined> {
  const events = transition.effects.flatMap((effect) => (effect.type === 'emit' ? [toOutboxEvent(effect.event)] : []));
  if (!(await insert(sql, events[0]))) return undefined;
  await applyEffects(sql, transition);
  return { id: transition.run.id, created: true, events };
}

type FlowSurroundings = FlowFactColumns & { now: Timestamp; flow_labels: JsonObject | null; deployment_labels: JsonObject | null };

/** Labels of the deployment or, without one, of the flow; over them the system's, over those the client's. */
function flowRunLabels(run: NewFlowRun, row: FlowSurroundings): JsonObject {
  const system = { 'prefect.flow.id': run.flow_id, ...(row.deployment_name !== null && { 'prefect.deployment.id': run.deployment_id }) };
  return { ...(row.deployment_name === null ? row.flow_labels : row.deployment_labels), ...system, ...run.labels };
}

async function insertFlowRun(sql: Sql, run: NewFlowRun, labels: JsonObject, transition: FlowTransition, event: OutboxEvent | undefined): Promise<boolean> {
  const { run: draft } = transition;
  const state = firstState(transition);
  const inserted = await sql`
    with run as (
      insert into flow_run (id, name, flow_id, flow_version, parameters, context, empirical_policy, tags, labels, idempotency_key,
        parent_task_run_id, deployment_id, deployment_version, infrastructure_document_id, work_queue_id, work_queue_name, job_variables,
        created_by, state_id, state_type, state_name, state_timestamp, run_count, start_time, end_time, expected_start_time, next_scheduled_start_time)
      values (${draft.id}::uuid, ${draft.name}, ${draft.flow_id}::uuid, ${run.flow_version ?? null}, ${toJson(run.parameters ?? {})}::jsonb,
        ${toJson(run.context ?? {})}::jsonb, ${toJson(draft.empirical_policy)}::jsonb, ${toJson(draft.tags)}::jsonb, ${toJson(labels)}::jsonb,
        ${run.idempotency_key ?? null}, ${draft.parent_task_run_id}::uuid, ${draft.deployment_id}::uuid, ${run.deployment_version ?? null},
        ${run.infrastructure_document_id ?? null}::uuid, ${run.work_queue_id ?? null}::uuid, ${run.work_queue_name ?? null},
        ${run.job_variables ? toJson(run.job_variables) : null}::jsonb, ${draft.created_by ? toJson(draft.created_by) : null}::jsonb,
        ${state.id}::uuid, ${draft.state_type}::state_type, ${draft.state_name}, ${draft.state_timestamp}::timestamptz, ${draft.run_count},
        ${draft.start_time}::timestamptz, ${draft.end_time}::timestamptz, ${draft.expected_start_time}::timestamptz,
        ${draft.next_scheduled_start_time}::timestamptz)
      on conflict (flow_id, idempotency_key) do nothing returning id
    ), ${stateInserts(sql, 'flow_run', state, draft.id, event)}
    select id from run`;
  return inserted.length > 0;
}

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
  const create = (statements: Sql) => store(statements, transition, (one, event) => insertFlowRun(one, run, labels, transition, event));
  const created = needsTransaction(transition) ? await sql.begin(create) : await create(sql);
  if (created) return created;
  const [existing] = await sql<{ id: string }[]>`
    select id from flow_run where flow_id = ${run.flow_id}::uuid and idempotency_key = ${run.idempotency_key ?? null}`;
  if (!existing) throw new ConflictError('The flow run with this idempotency key was deleted at this moment.');
  return { id: existing.id, created: false, events: [] };
}

async function insertTaskRun(sql: Sql, run: NewTaskRun, labels: JsonObject, transition: TaskTransition, event: OutboxEvent | undefined): Promise<boolean> {
  const { run: draft } = transition;
  const state = firstState(transition);
  const inserted = await sql`
    with run as (
      insert into task_run (id, name, flow_run_id, task_key, dynamic_key, cache_key, cache_expiration, task_version, empirical_policy, task_inputs,
        tags, labels, state_id, state_type, state_name, state_timestamp, run_count, flow_run_run_count, start_time, end_time, expected_start_time,
        next_scheduled_start_time)
      values (${draft.id}::uuid, ${draft.name}, ${draft.flow_run_id}::uuid, ${draft.task_key}, ${run.dynamic_key}, ${run.cache_key ?? null},
        ${run.cache_expiration ?? null}::timestamptz, ${run.task_version ?? null}, ${toJson(draft.empirical_policy)}::jsonb,
        ${toJson(run.task_inputs ?? {})}::jsonb, ${toJson(draft.tags)}::jsonb, ${toJson(labels)}::jsonb, ${state.id}::uuid,
        ${draft.state_type}::state_type, ${draft.state_name}, ${draft.state_timestamp}::timestamptz, ${draft.run_count},
        ${draft.flow_run_run_count}, ${draft.start_time}::timestamptz, ${draft.end_time}::timestamptz,
        ${draft.expected_start_time}::timestamptz, ${draft.next_scheduled_start_time}::timestamptz)
      on conflict (flow_run_id, task_key, dynamic_key) do nothing returning id
    ), ${stateInserts(sql, 'task_run', state, draft.flow_run_id, event)}
    select id from run`;
  return inserted.length > 0;
}

async function findTaskRun(sql: Sql, { flow_run_id, task_key, dynamic_key }: NewTaskRun): Promise<CreatedRun | undefined> {
  const [existing] = await sql<{ id: string }[]>`
    select id from task_run where task_key = ${task_key} and dynamic_key = ${dynamic_key}
      and ${flow_run_id ? sql`flow_run_id = ${flow_run_id}::uuid` : sql`flow_run_id is null`} limit 1`;
  return existing && { id: existing.id, created: false, events: [] };
}

/** Creates a task run and sets its first state, once per (flow_run_id, task_key, dynamic_key), also without a flow run. */
export async function createTaskRun({ sql }: Database, run: NewTaskRun, settings: OrchestrationSettings): Promise<CreatedRun> {
  const id = run.id || uuidv4();
  const tags = run.tags ?? [];
  const [row] = await sql<(TaskFactColumns & { now: Timestamp; flow_run_labels: JsonObject | null })[]>`
    select r.flow_run_id, ${sql.unsafe(TASK_FACT_COLUMNS)}, g.labels as flow_run_labels, clock_timestamp() as now
    from (select ${id}::uuid as id, ${toJson(tags)}::jsonb as tags, ${run.flow_run_id ?? null}::uuid as flow_run_id) r
    ${taskFactJoins(sql, cacheKeyOf(run.state))}`;
  if (!row) throw new Error('a select without conditions gave no row');
  const draft: TaskRunFields = {
    ...NO_HISTORY,
    id,
    name: run.name || randomRunName(),
    tags,
    empirical_policy: run.empirical_policy ?? taskRunPolicy.parse({}),
    flow_run_id: row.flow_run_id,
    task_key: run.task_key,
    flow_run_run_count: 0,
  };
  const input = { run: draft, initial: null, proposal: run.state, facts: toTaskFacts(row), now: row.now, ...surroundings(settings) };
  const policy = TASK_POLICIES[run.state.state_details.deferred ? 'background' : 'minimal'];
  const transition = orchestrate<TaskTransition>(policy, beginTransition(input));
  const labels = { ...row.flow_run_labels, ...(row.flow_run_id !== null && { 'prefect.flow-run.id': row.flow_run_id }), ...run.labels };
  const create = (statements: Sql) => store(statements, transition, (one, event) => insertTaskRun(one, run, labels, transition, event));
  if (row.flow_run_id !== null && !needsTransaction(transition)) {
    const created = (await create(sql)) ?? (await findTaskRun(sql, run));
    if (!created) throw new ConflictError('The task run with these keys was deleted at this moment.');
    return created;
  }
  return await sql.begin(async (transaction) => {
    // No unique index covers runs without a flow run, so creators of the same one take turns.
    await transaction`select pg_advisory_xact_lock(hashtextextended(${`${run.task_key} ${run.dynamic_key}`}, 0))`;
    const created = (await findTaskRun(transaction, run)) ?? (await create(transaction));
    if (!created) throw new ConflictError('The task run with these keys was created at this moment.');
    return created;
  });
}
