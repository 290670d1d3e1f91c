import { type Kysely, sql } from 'kysely';
import { type RelatedFilters, flowRunConditions } from '@praetor/database/filter/related';
import type { Tables } from '@praetor/database/tables';
import { estimateRunTime, estimateStartTimeDelta } from '@praetor/orchestration/estimates';
import type { FlowRunSort } from '@praetor/schema/filters/flow-run';
import { type Timestamp, nowMicroseconds } from '@praetor/schema/timestamps';
import type { SimpleFlowRun } from '@praetor/schema/ui';
import { FLOW_RUN_ORDER } from '../../flow-runs/queries.ts';
import type { Page } from '../../http/pagination.ts';

interface RunTimes {
  id: string;
  state_type: SimpleFlowRun['state_type'];
  state_timestamp: Timestamp | null;
  start_time: Timestamp | null;
  expected_start_time: Timestamp | null;
  timestamp: Timestamp;
  /** Seconds. */
  total_run_time: number;
}

/** When runs started and how long they took. What has neither a state nor a time cannot be drawn. */
export async function listSimpleFlowRuns(db: Kysely<Tables>, filters: RelatedFilters, sort: FlowRunSort, { limit, offset }: Page): Promise<SimpleFlowRun[]> {
  const { rows } = await sql<RunTimes>`
    select id, state_type, state_timestamp, start_time, expected_start_time, coalesce(start_time, expected_start_time) as timestamp, total_run_time
    from flow_run
    where ${flowRunConditions(filters)} and state_type is not null and coalesce(start_time, expected_start_time) is not null
    order by ${FLOW_RUN_ORDER[sort]} limit ${limit} offset ${offset}`.execute(db);
  const now = nowMicroseconds();
  return rows.map((run) => ({
    id: run.id,
    state_type: run.state_type,
    timestamp: run.timestamp,
    duration: estimateRunTime(run, now),
    lateness: estimateStartTimeDelta(run, now),
  }));
}

/** How many task runs each flow run has, without those that stand for child flow runs. */
export async function countTaskRuns(db: Kysely<Tables>, flowRunIds: readonly string[]): Promise<Record<string, number>> {
  const { rows } = await sql<{ flow_run_id: string; count: number }>`
    select flow_run_id, count(*) as count from task_run
    where flow_run_id = any(${flowRunIds}) and not exists (select from flow_run child where child.parent_task_run_id = task_run.id)
    group by flow_run_id`.execute(db);
  const counts = new Map(rows.map(({ flow_run_id, count }) => [flow_run_id, count]));
  return Object.fromEntries(flowRunIds.map((id) => [id, counts.get(id) ?? 0]));
}
