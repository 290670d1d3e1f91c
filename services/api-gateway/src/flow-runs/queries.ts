import { type Kysely, type RawBuilder, sql } from 'kysely';
import { entries, inBatches } from '@praetor/database/batches';
import { type Condition } from '@praetor/database/filter';
import { type RelatedFilters, flowRunConditions } from '@praetor/database/filter/related';
import { withJsonColumns } from '@praetor/database/json-columns';
import { readShared } from '@praetor/database/shared-reads';
import { sqlOf } from '@praetor/database/sql';
import type { Tables } from '@praetor/database/tables';
import { estimateRunTime, estimateStartTimeDelta, estimatedStartTimeDelta } from '@praetor/orchestration/estimates';
import type { FlowRunSort } from '@praetor/schema/filters/flow-run';
import type { CreatedBy, FlowRun, FlowRunUpdate } from '@praetor/schema/flow-run';
import { type JsonObject, toJson } from '@praetor/schema/json';
import type { Labels } from '@praetor/schema/labels';
import { type FlowRunPolicy, flowRunPolicy } from '@praetor/schema/run-policy';
import type { StateType } from '@praetor/schema/state';
import { type Timestamp, nowMicroseconds } from '@praetor/schema/timestamps';
import type { Page } from '../http/pagination.ts';
import { CURRENT_STATE, type CurrentStateRow, joinCurrentState, toCurrentState } from '../runs/states.ts';

interface FlowRunRow extends CurrentStateRow {
  id: string;
  created: Timestamp;
  updated: Timestamp;
  name: string;
  flow_id: string;
  deployment_id: string | null;
  deployment_version: string | null;
  work_queue_id: string | null;
  work_queue_name: string | null;
  flow_version: string | null;
  parameters: JsonObject;
  idempotency_key: string | null;
  context: JsonObject;
  empirical_policy: Partial<FlowRunPolicy>;
  tags: string[];
  labels: Labels | null;
  parent_task_run_id: string | null;
  state_type: StateType | null;
  state_name: string | null;
  state_timestamp: Timestamp | null;
  run_count: number;
  expected_start_time: Timestamp | null;
  next_scheduled_start_time: Timestamp | null;
  start_time: Timestamp | null;
  end_time: Timestamp | null;
  total_run_time: number;
  auto_scheduled: boolean;
  infrastructure_document_id: string | null;
  infrastructure_pid: string | null;
  created_by: CreatedBy | null;
  work_pool_id: string | null;
  work_pool_name: string | null;
  job_variables: JsonObject | null;
}

/** Everything of an answer in one statement; `flow_run` is the table or a page of it. */
const COLUMNS = sql`flow_run.id, flow_run.created, flow_run.updated, flow_run.name, flow_run.flow_id, flow_run.state_id, flow_run.deployment_id,
  flow_run.deployment_version, flow_run.work_queue_id, coalesce(queue.name, flow_run.work_queue_name) as work_queue_name, flow_run.flow_version,
  flow_run.parameters, flow_run.idempotency_key, flow_run.context, flow_run.empirical_policy, flow_run.tags, flow_run.labels,
  flow_run.parent_task_run_id, flow_run.state_type, flow_run.state_name, flow_run.state_timestamp, flow_run.run_count, flow_run.expected_start_time,
  flow_run.next_scheduled_start_time, flow_run.start_time, flow_run.end_time, flow_run.total_run_time, flow_run.auto_scheduled,
  flow_run.infrastructure_document_id, flow_run.infrastructure_pid, flow_run.created_by, flow_run.job_variables,
  pool.id as work_pool_id, pool.name as work_pool_name, ${CURRENT_STATE}`;

const JOINS = sql`${joinCurrentState('flow_run')}
  left join work_queue queue on queue.id = flow_run.work_queue_id
  left join work_pool pool on pool.id = queue.work_pool_id`;

const EMPTY_POLICY: Readonly<FlowRunPolicy> = flowRunPolicy.parse({});

function toFlowRun(row: FlowRunRow, now: number): FlowRun {
  return {
    id: row.id,
    created: row.created,
    updated: row.updated,
    name: row.name,
    flow_id: row.flow_id,
    state_id: row.state_id,
    deployment_id: row.deployment_id,
    deployment_version: row.deployment_version,
    work_queue_id: row.work_queue_id,
    work_queue_name: row.work_queue_name,
    flow_version: row.flow_version,
    parameters: row.parameters,
    idempotency_key: row.idempotency_key,
    context: row.context,
    empirical_policy: { ...EMPTY_POLICY, ...row.empirical_policy },
    tags: row.tags,
    labels: row.labels ?? {},
    parent_task_run_id: row.parent_task_run_id,
    state_type: row.state_type,
    state_name: row.state_name,
    run_count: row.run_count,
    expected_start_time: row.expected_start_time,
    next_scheduled_start_time: row.next_scheduled_start_time,
    start_time: row.start_time,
    end_time: row.end_time,
    total_run_time: row.total_run_time,
    estimated_run_time: estimateRunTime(row, now),
    estimated_start_time_delta: estimateStartTimeDelta(row, now),
    auto_scheduled: row.auto_scheduled,
    infrastructure_document_id: row.infrastructure_document_id,
    infrastructure_pid: row.infrastructure_pid,
    created_by: row.created_by,
    work_pool_id: row.work_pool_id,
    work_pool_name: row.work_pool_name,
    state: toCurrentState(row),
    job_variables: row.job_variables,
  };
}

/** Reads a run; undefined where there is none. */
export const findFlowRun = inBatches(async (db: Kysely<Tables>, ids: readonly string[]): Promise<(FlowRun | undefined)[]> => {
  const asked = entries(sqlOf(db), { id: 'uuid' }, ids.map((id) => ({ id })));
  const { rows } = await sql<FlowRunRow>`select ${COLUMNS} from ${asked} asked join flow_run on flow_run.id = asked.id ${JOINS}`.execute(db);
  const now = nowMicroseconds();
  const runs = new Map(rows.map((row) => [row.id, toFlowRun(row, now)]));
  return ids.map((id) => runs.get(id));
});

/** SQL: the order of a list of rows of `flow_run`. */
export const FLOW_RUN_ORDER = {
  ID_DESC: sql`flow_run.id desc`,
  START_TIME_ASC: sql`coalesce(flow_run.start_time, flow_run.expected_start_time) asc`,
  START_TIME_DESC: sql`coalesce(flow_run.start_time, flow_run.expected_start_time) desc`,
  EXPECTED_START_TIME_ASC: sql`flow_run.expected_start_time asc`,
  EXPECTED_START_TIME_DESC: sql`flow_run.expected_start_time desc`,
  NAME_ASC: sql`flow_run.name asc`,
  NAME_DESC: sql`flow_run.name desc`,
  NEXT_SCHEDULED_START_TIME_ASC: sql`flow_run.next_scheduled_start_time asc`,
  END_TIME_DESC: sql`flow_run.end_time desc`,
} as const satisfies Record<FlowRunSort, RawBuilder<unknown>>;

/** The runs of a statement that gives rows of `flow_run`, which is done before anything is joined to them, however large the tables are. */
export async function readFlowRuns(db: Kysely<Tables>, page: RawBuilder<unknown>, order: RawBuilder<unknown>): Promise<FlowRun[]> {
  const { rows } = await sql<FlowRunRow>`
    with page as materialized (${page})
    select ${COLUMNS} from page flow_run ${JOINS} order by ${order}`.execute(db);
  const now = nowMicroseconds();
  return rows.map((row) => toFlowRun(row, now));
}

/** The runs that meet a condition on table `flow_run`. */
export function selectFlowRuns(db: Kysely<Tables>, condition: Condition, sort: FlowRunSort, { limit, offset }: Page): Promise<FlowRun[]> {
  const order = FLOW_RUN_ORDER[sort];
  return readFlowRuns(db, sql`select * from flow_run where ${condition} order by ${order} limit ${limit} offset ${offset}`, order);
}

export function listFlowRuns(db: Kysely<Tables>, filters: RelatedFilters, sort: FlowRunSort, page: Page): Promise<FlowRun[]> {
  return selectFlowRuns(db, flowRunConditions(filters), sort, page);
}

export async function countFlowRuns(db: Kysely<Tables>, filters: RelatedFilters): Promise<number> {
  const [row] = await readShared(db, sql<{ count: number }>`select count(*) as count from flow_run where ${flowRunConditions(filters)}`);
  return row?.count ?? 0;
}

/** Seconds that the runs started later than expected, on average; null where there are none. */
export async function averageLateness(db: Kysely<Tables>, filters: RelatedFilters): Promise<number | null> {
  const lateness = sql<{ average: number | null }>`
    select avg(${estimatedStartTimeDelta('flow_run')}) as average from flow_run where ${flowRunConditions(filters)}`;
  const [row] = await readShared(db, lateness);
  return row?.average ?? null;
}

/** False where there is no such run. */
export async function updateFlowRun(db: Kysely<Tables>, id: string, { name, ...changes }: Omit<FlowRunUpdate, 'name'> & { name?: string }): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('flow_run')
    .set({ ...withJsonColumns(changes, 'parameters', 'empirical_policy', 'tags', 'job_variables'), ...(name !== undefined && { name }), updated: sql`now()` })
    .where('id', '=', id)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Adds labels to those of a run; false where there is no such run. */
export async function mergeFlowRunLabels(db: Kysely<Tables>, id: string, labels: JsonObject): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update flow_run set labels = coalesce(labels, '{}') || ${toJson(labels)}::jsonb, updated = now() where id = ${id}`.execute(db);
  return numAffectedRows === 1n;
}

