import { entries, inBatches } from '@praetor/database/batches';
import type { Database, Sql } from '@praetor/database/connect';
import { ConflictError } from '@praetor/schema/errors';
import type { JsonObject } from '@praetor/schema/json';
import { type TaskRunPolicy, taskRunPolicy } from '@praetor/schema/run-policy';
import type { StateCreate } from '@praetor/schema/state';
import type { Timestamp } from '@praetor/schema/timestamps';
import { v4 as uuidv4 } from 'uuid';
import { type CreatedRun, NO_HISTORY, firstState, insertRuns, store, surroundings } from './create-run.ts';
import { orchestrate } from './engine.ts';
import type { OutboxEvent } from './lifecycle-events.ts';
import { randomRunName } from './names.ts';
import { TASK_POLICIES } from './policies.ts';
import { TASK_FACT_COLUMNS, TASK_FACT_JOINS, type TaskFactColumns, cacheKeyOf, toTaskFacts } from './read-task-run.ts';
import { needsTransaction } from './set-state.ts';
import type { OrchestrationSettings } from './settings.ts';
import { RUN_COLUMNS, toEntry } from './store.ts';
import { type TaskRunFields, type TaskTransition, beginTransition } from './transition.ts';

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
