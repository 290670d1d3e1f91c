import { sql as template } from 'kysely';
import { type EntryColumns, entries, inBatches } from '@praetor/database/batches';
import type { Database, Sql } from '@praetor/database/connect';
import { readShared } from '@praetor/database/shared-reads';
import { ConflictError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { type FlowRunPolicy, type TaskRunPolicy, flowRunPolicy, taskRunPolicy } from '@praetor/schema/run-policy';
import type { State, StateCreate } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { orchestrate } from './engine.ts';
import { type OutboxEvent, toOutboxEvent } from './lifecycle-events.ts';
import { randomRunName } from './names.ts';
import { FLOW_POLICIES, TASK_POLICIES } from './policies.ts';
import { FLOW_FACT_COLUMNS, FLOW_FACT_JOINS, type FlowFactColumns, toFlowFacts } from './read-flow-run.ts';
import { TASK_FACT_COLUMNS, type TaskFactColumns, TASK_FACT_JOINS, cacheKeyOf, toTaskFacts } from './read-task-run.ts';
import { applyEffects, needsTransaction } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';
import { type AnyTransition, RUN_COLUMNS, type RunKind, STATE_COLUMNS, stateInserts, toEntry } from './store.ts';
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

/** Inserts runs, each with its first state; false for those whose natural key another run has. */
async function insertRuns<Columns extends EntryColumns>(
  sql: Sql,
  kind: RunKind,
  columns: Columns,
  conflict: string,
  runs: readonly Readonly<Record<keyof Columns | keyof typeof STATE_COLUMNS, unknown>>[],
): Promise<boolean[]> {
  const names = sql.unsafe(Object.keys(columns).join(', '));
  const inserted = await sql<{ id: string }[]>`
    with entry as materialized ${entries(sql, { ...columns, ...STATE_COLUMNS }, runs)}, run as (
      insert into ${sql.unsafe(kind)} (${names}) select ${names} from entry on conflict (${sql.unsafe(conflict)}) do nothing returning id, state_id
    ), ${stateInserts(sql, kind)}
    select id from run`;
  const ids = new Set<unknown>(inserted.map((row) => row.id));
  return runs.map((run) => ids.has(run.id));
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

const TASK_RUN_COLUMNS = {
  ...RUN_COLUMNS,
  id: 'uuid',
  name: 'text',
  flow_run_id: 'uuid',
  task_key: 'text',
  dynamic_key: 'text',
  cache_key: 'text',
  cache_expiration: 'timestamptz',
  task_version: 'text',
  empirical_policy: 'jsonb',
  task_inputs: 'jsonb',
  tags: 'jsonb',
  labels: 'jsonb',
  flow_run_run_count: 'integer',
} as const;

function toTaskRunEntry(run: NewTaskRun, labels: JsonObject, transition: TaskTransition, event: OutboxEvent | undefined) {
  const { name, task_key, empirical_policy, tags, flow_run_run_count } = transition.run;
  return {
    ...toEntry(transition, firstState(transition), event),
    name,
    task_key,
    dynamic_key: run.dynamic_key,
    cache_key: run.cache_key,
    cache_expiration: run.cache_expiration,
    task_version: run.task_version,
    empirical_policy,
    task_inputs: run.task_inputs ?? {},
    tags,
    labels,
    flow_run_run_count,
  };
}

const insertTaskRun = inBatches((sql: Sql, runs: readonly ReturnType<typeof toTaskRunEntry>[]) =>
  insertRuns(sql, 'task_run', TASK_RUN_COLUMNS, 'flow_run_id, task_key, dynamic_key', runs),
);

async function findTaskRun(sql: Sql, { flow_run_id, task_key, dynamic_key }: NewTaskRun): Promise<CreatedRun | undefined> {
  const [existing] = await sql<{ id: string }[]>`
    select id from task_run where task_key = ${task_key} and dynamic_key = ${dynamic_key}
      and ${flow_run_id ? sql`flow_run_id = ${flow_run_id}::uuid` : sql`flow_run_id is null`} limit 1`;
  return existing && { id: existing.id, created: false, events: [] };
}

type TaskSurroundings = TaskFactColumns & { position: number; now: Timestamp; flow_run_labels: JsonObject | null };

interface AskedTaskRun {
  id: string;
  tags: string[];
  flow_run_id: string | null;
  cache_key: string | null;
}

const ASKED_COLUMNS = { position: 'integer', id: 'uuid', tags: 'jsonb', flow_run_id: 'uuid', cache_key: 'text' } as const;

/** Reads what surrounds a task run that is not there yet. */
const readTaskSurroundings = inBatches(async (sql: Sql, asked: readonly AskedTaskRun[]) => {
  const rows = await sql<TaskSurroundings[]>`
    select asked.position, r.flow_run_id, ${sql.unsafe(TASK_FACT_COLUMNS)}, g.labels as flow_run_labels, clock_timestamp() as now
    from ${entries(sql, ASKED_COLUMNS, asked.map((one, position) => ({ position, ...one })))} asked
    cross join lateral (select asked.id, asked.tags, asked.flow_run_id) r
    ${sql.unsafe(TASK_FACT_JOINS)}`;
  return rows.toSorted((one, other) => one.position - other.position);
});

/** Creates a task run and sets its first state, once per (flow_run_id, task_key, dynamic_key), also without a flow run. */
export async function createTaskRun({ sql }: Database, run: NewTaskRun, settings: OrchestrationSettings): Promise<CreatedRun> {
  const id = run.id || uuidv4();
  const tags = run.tags ?? [];
  const row = await readTaskSurroundings(sql, { id, tags, flow_run_id: run.flow_run_id ?? null, cache_key: cacheKeyOf(run.state) });
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
  const create = (statements: Sql) => store(statements, transition, (one, event) => insertTaskRun(one, toTaskRunEntry(run, labels, transition, event)));
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
