import { type Kysely, type RawBuilder, sql } from 'kysely';
import { entries, inBatches } from '@praetor/database/batches';
import { type RelatedFilters, taskRunConditions } from '@praetor/database/filter/related';
import { readShared } from '@praetor/database/shared-reads';
import { sqlOf } from '@praetor/database/sql';
import type { Tables } from '@praetor/database/tables';
import { estimateRunTime, estimateStartTimeDelta, estimatedRunTime } from '@praetor/orchestration/estimates';
import type { TaskRunSort } from '@praetor/schema/filters/task-run';
import type { Labels } from '@praetor/schema/labels';
import { type TaskRunPolicy, taskRunPolicy } from '@praetor/schema/run-policy';
import type { TaskRun, TaskRunSummary } from '@praetor/schema/task-run';
import type { StateType } from '@praetor/schema/state';
import { type Timestamp, nowMicroseconds } from '@praetor/schema/timestamps';
import type { Page } from '../http/pagination.ts';
import { CURRENT_STATE, type CurrentStateRow, joinCurrentState, toCurrentState } from '../runs/states.ts';

interface TaskRunRow extends CurrentStateRow {
  id: string;
  created: Timestamp;
  updated: Timestamp;
  name: string;
  flow_run_id: string | null;
  task_key: string;
  dynamic_key: string;
  cache_key: string | null;
  cache_expiration: Timestamp | null;
  task_version: string | null;
  empirical_policy: Partial<TaskRunPolicy>;
  tags: string[];
  labels: Labels | null;
  task_inputs: TaskRun['task_inputs'];
  state_type: StateType | null;
  state_name: string | null;
  state_timestamp: Timestamp | null;
  run_count: number;
  flow_run_run_count: number;
  expected_start_time: Timestamp | null;
  next_scheduled_start_time: Timestamp | null;
  start_time: Timestamp | null;
  end_time: Timestamp | null;
  total_run_time: number;
}

/** Everything of an answer in one statement; `task_run` is the table or a page of it. */
const COLUMNS = sql`task_run.id, task_run.created, task_run.updated, task_run.name, task_run.flow_run_id, task_run.task_key, task_run.dynamic_key,
  task_run.cache_key, task_run.cache_expiration, task_run.task_version, task_run.empirical_policy, task_run.tags, task_run.labels, task_run.state_id,
  task_run.task_inputs, task_run.state_type, task_run.state_name, task_run.state_timestamp, task_run.run_count, task_run.flow_run_run_count, task_run.expected_start_time,
  task_run.next_scheduled_start_time, task_run.start_time, task_run.end_time, task_run.total_run_time, ${CURRENT_STATE}`;

const JOINS = joinCurrentState('task_run');

const EMPTY_POLICY: Readonly<TaskRunPolicy> = taskRunPolicy.parse({});

function toTaskRun(row: TaskRunRow, now: number): TaskRun {
  return {
    id: row.id,
    created: row.created,
    updated: row.updated,
    name: row.name,
    flow_run_id: row.flow_run_id,
    task_key: row.task_key,
    dynamic_key: row.dynamic_key,
    cache_key: row.cache_key,
    cache_expiration: row.cache_expiration,
    task_version: row.task_version,
    empirical_policy: { ...EMPTY_POLICY, ...row.empirical_policy },
    tags: row.tags,
    labels: row.labels,
    state_id: row.state_id,
    task_inputs: row.task_inputs,
    state_type: row.state_type,
    state_name: row.state_name,
    run_count: row.run_count,
    flow_run_run_count: row.flow_run_run_count,
    expected_start_time: row.expected_start_time,
    next_scheduled_start_time: row.next_scheduled_start_time,
    start_time: row.start_time,
    end_time: row.end_time,
    total_run_time: row.total_run_time,
    estimated_run_time: estimateRunTime(row, now),
    estimated_start_time_delta: estimateStartTimeDelta(row, now),
    state: toCurrentState(row),
  };
}

export function toSummary(run: TaskRun): TaskRunSummary {
  return {
    id: run.id,
    created: run.created,
    updated: run.updated,
    name: run.name,
    flow_run_id: run.flow_run_id,
    task_key: run.task_key,
    state_id: run.state_id,
    state: run.state,
    task_version: run.task_version,
    task_inputs: run.task_inputs,
    empirical_policy: run.empirical_policy,
    tags: run.tags,
    start_time: run.start_time,
    end_time: run.end_time,
    total_run_time: run.total_run_time,
    estimated_run_time: run.estimated_run_time,
    estimated_start_time_delta: run.estimated_start_time_delta,
  };
}

/** Reads a run; undefined where there is none. */
export const findTaskRun = inBatches(async (db: Kysely<Tables>, ids: readonly string[]): Promise<(TaskRun | undefined)[]> => {
  const asked = entries(sqlOf(db), { id: 'uuid' }, ids.map((id) => ({ id })));
  const { rows } = await sql<TaskRunRow>`select ${COLUMNS} from ${asked} asked join task_run on task_run.id = asked.id ${JOINS}`.execute(db);
  const now = nowMicroseconds();
  const runs = new Map(rows.map((row) => [row.id, toTaskRun(row, now)]));
  return ids.map((id) => runs.get(id));
});

const DURATION = estimatedRunTime('task_run');

const ORDER = {
  ID_DESC: sql`task_run.id desc`,
  EXPECTED_START_TIME_ASC: sql`task_run.expected_start_time asc`,
  EXPECTED_START_TIME_DESC: sql`task_run.expected_start_time desc`,
  NAME_ASC: sql`task_run.name asc`,
  NAME_DESC: sql`task_run.name desc`,
  NEXT_SCHEDULED_START_TIME_ASC: sql`task_run.next_scheduled_start_time asc`,
  END_TIME_DESC: sql`task_run.end_time desc`,
  // Ties are broken the same way in both directions (facts/prefect-3.9.1.md §1.2).
  DURATION_DESC: sql`${DURATION} desc, task_run.expected_start_time desc, task_run.id desc`,
  DURATION_ASC: sql`${DURATION} asc, task_run.expected_start_time desc, task_run.id desc`,
} as const satisfies Record<TaskRunSort, RawBuilder<unknown>>;

/** The page is cut before anything is joined to it, however large the tables are. */
export async function listTaskRuns(db: Kysely<Tables>, filters: RelatedFilters, sort: TaskRunSort, { limit, offset }: Page): Promise<TaskRun[]> {
  const order = ORDER[sort];
  const { rows } = await sql<TaskRunRow>`
    with page as materialized (select * from task_run where ${taskRunConditions(filters)} order by ${order} limit ${limit} offset ${offset})
    select ${COLUMNS} from page task_run ${JOINS} order by ${order}`.execute(db);
  const now = nowMicroseconds();
  return rows.map((row) => toTaskRun(row, now));
}

export async function countTaskRuns(db: Kysely<Tables>, filters: RelatedFilters): Promise<number> {
  const [row] = await readShared(db, sql<{ count: number }>`select count(*) as count from task_run where ${taskRunConditions(filters)}`);
  return row?.count ?? 0;
}

/** Gives a task run a name; without one it is only touched. False where there is no such run. */
export async function updateTaskRun(db: Kysely<Tables>, id: string, name: string | undefined): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('task_run')
    .set({ ...(name !== undefined && { name }), updated: sql`now()` })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Deletes a task run with its states (by foreign keys) and logs; false where there is no such run. */
export async function deleteTaskRun(db: Kysely<Tables>, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('task_run').where('id', '=', id).executeTakeFirst();
  await db.deleteFrom('log').where('task_run_id', '=', id).execute();
  return numDeletedRows > 0n;
}

/** The leases by which a task run holds slots of the limits of its tags. */
export async function listHeldLeases(db: Kysely<Tables>, taskRunId: string): Promise<string[]> {
  const leases = await db.selectFrom('praetor.lease').select('id').where('holder_type', '=', 'task_run').where('holder_id', '=', taskRunId).execute();
  return leases.map(({ id }) => id);
}
